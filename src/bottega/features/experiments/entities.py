"""What the operations on experiments, trials and trial components have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bottega.context import Context, Identity
from bottega.errors import ResourceLimitExceeded, ValidationException
from bottega.features.experiments.catalogue import experiments_of
from bottega.specs import pagination
from bottega.tracking.experiments import Document, EntityKind, EntityQuestion

MOST_TAGS = 50


def user_of(caller: Identity) -> str:
    """The name by which the tracker knows a caller."""
    return caller.arn.rpartition("/")[2]


def tags_of(request: Mapping[str, Any]) -> dict[str, str]:
    """The tags of a Create request.

    Raises:
        ValidationException: a key comes twice, or is reserved.
        ResourceLimitExceeded: there are too many.
    """
    tags: dict[str, str] = {}
    for tag in request.get("Tags", []):
        key = tag["Key"]
        if key in tags:
            raise ValidationException(f"Tag keys must be unique: {key!r} is given more than once.")
        if key.startswith(("mlflow.", "bottega.")) or key.lower().startswith("aws:"):
            raise ValidationException(
                f"The tag key {key!r} is reserved: keys must not begin with 'aws:', 'mlflow.' or "
                "'bottega.'."
            )
        tags[key] = tag["Value"]
    if len(tags) > MOST_TAGS:
        raise ResourceLimitExceeded(f"A resource can have {MOST_TAGS} tags; here are {len(tags)}.")
    return tags


def chosen(request: Mapping[str, Any], members: Sequence[str]) -> dict[str, Any]:
    """Some members of a request, as far as they are there."""
    return {member: request[member] for member in members if member in request}


_SORTS = {"Name": "{}Name", "CreationTime": "CreationTime"}


def page(
    context: Context,
    operation: str,
    kind: EntityKind,
    request: Mapping[str, Any],
    filters: Sequence[Mapping[str, Any]],
) -> tuple[Sequence[Document], str]:
    """One page of a List operation: the documents, and the token of the next page or nothing.

    Args:
        filters: of a SearchExpression, beside those of the request's CreatedAfter and
            CreatedBefore.

    Raises:
        ValidationException: the token was not made for this listing.
    """
    defaults = pagination.list_defaults(operation)
    every = list(filters)
    for member, operator in (("CreatedAfter", "GreaterThan"), ("CreatedBefore", "LessThan")):
        if member in request:
            every.append(
                {"Name": "CreationTime", "Operator": operator, "Value": float(request[member])}
            )
    order = request.get("SortBy", defaults.sort_by)
    way = request.get("SortOrder", defaults.sort_order)
    key = context.ports.credentials.page_key()
    scope = f"{operation}:{every}:{order}:{way}"
    after = None
    if "NextToken" in request:
        after = pagination.decode(request["NextToken"], key=key, scope=scope)["after"]
    question = EntityQuestion(
        kind,
        {"Filters": every} if every else None,
        sort_by=_SORTS[order].format(kind),
        descending=way == "Descending",
        after=after,
        limit=request.get("MaxResults", defaults.max_results),
    )
    with experiments_of(context) as store:
        found = store.find(question)
    if found.next is None:
        return found.documents, ""
    return found.documents, pagination.encode({"after": found.next}, key=key, scope=scope)
