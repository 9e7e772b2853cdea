"""What every List operation has in common: filters, order, page size and opaque tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from bottega.context import Context
from bottega.errors import ValidationException
from bottega.specs import pagination
from bottega.storage.metadata import InvalidPageToken, ResourcePage, ResourceQuery

_ORDERS: Mapping[str, Literal["created", "modified", "name", "status"]] = {
    "CreationTime": "created",
    "LastModifiedTime": "modified",
    "Name": "name",
    "Status": "status",
}


def page(
    context: Context,
    operation: str,
    kind: str,
    request: Mapping[str, Any],
    *,
    statuses: Sequence[str] = (),
) -> ResourcePage:
    """One page of the resources a List request asks for.

    Args:
        operation: its name; AWS's defaults for order and page size follow from it.
        kind: what is listed.
        request: with any of NameContains, StatusEquals, CreationTimeBefore/After,
            LastModifiedTimeBefore/After, SortBy, SortOrder, MaxResults, NextToken.
        statuses: what StatusEquals means in the store, where that is not the status itself.

    Returns:
        The page; its ``next_token`` is the signed one that goes to the caller.

    Raises:
        ValidationException: the token was not made for this listing.
    """
    ports = context.ports
    defaults = pagination.list_defaults(operation)
    sort_by = request.get("SortBy", defaults.sort_by)
    query = ResourceQuery(
        kind=kind,
        name_contains=request.get("NameContains", ""),
        statuses=statuses or ((request["StatusEquals"],) if "StatusEquals" in request else ()),
        created_after=request.get("CreationTimeAfter"),
        created_before=request.get("CreationTimeBefore"),
        modified_after=request.get("LastModifiedTimeAfter"),
        modified_before=request.get("LastModifiedTimeBefore"),
        sort_by=_ORDERS.get(sort_by, "created"),
        descending=request.get("SortOrder", defaults.sort_order) == "Descending",
    )
    scope = f"{operation}:{query}"
    key = ports.credentials.page_key()
    token = ""
    if "NextToken" in request:
        token = pagination.decode(request["NextToken"], key=key, scope=scope)["token"]
    limit = request.get("MaxResults", defaults.max_results)
    try:
        found = ports.store.page(query, limit=limit, token=token)
    except InvalidPageToken as error:
        raise ValidationException("NextToken is not valid for this request.") from error
    if not found.next_token:
        return found
    signed = pagination.encode({"token": found.next_token}, key=key, scope=scope)
    return ResourcePage(found.resources, signed)
