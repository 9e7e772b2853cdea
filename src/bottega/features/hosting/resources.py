"""What models, endpoint configurations and endpoints have in common as stored resources."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bottega import listing
from bottega.context import Context
from bottega.features.hosting.refusals import already_exists, arn_of, not_found
from bottega.storage.metadata import Resource, ResourceExists, ResourceMissing

MODEL = "Model"
ENDPOINT_CONFIG = "EndpointConfig"
ENDPOINT = "Endpoint"
COMPONENT = "InferenceComponent"

IN_PROGRESS = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"})
"""Statuses that an endpoint leaves by itself."""


def create(
    context: Context,
    kind: str,
    request: Mapping[str, Any],
    body: Mapping[str, Any],
    *,
    status: str = "",
    private: Mapping[str, Any] | None = None,
) -> Resource:
    """Store a new resource under ``<kind>Name`` of the request, with the request's tags.

    Args:
        body: what Describe shows besides the name, the ARN and the time of creation.

    Raises:
        ValidationException: the name is taken.
    """
    name = request[f"{kind}Name"]
    arn = arn_of(context, kind, name)
    now = context.ports.clock.now()
    own = {f"{kind}Name": name, f"{kind}Arn": arn, "CreationTime": now}
    resource = Resource(
        kind=kind,
        name=name,
        arn=arn,
        status=status,
        created=now,
        modified=now,
        body={**own, **body},
        private=private or {},
    )
    tags = {tag["Key"]: tag["Value"] for tag in request.get("Tags", ())}
    try:
        return context.ports.store.create(resource, tags=tags)
    except ResourceExists as error:
        raise already_exists(context, kind, name) from error


def find(context: Context, kind: str, name: str) -> Resource:
    """One resource.

    Raises:
        ValidationException: there is none of that name.
    """
    try:
        return context.ports.store.get(kind, name)
    except ResourceMissing as error:
        raise not_found(context, kind, name) from error


def delete(context: Context, kind: str, name: str) -> None:
    """Remove one resource.

    Raises:
        ValidationException: there is none of that name.
    """
    try:
        context.ports.store.delete(kind, name)
    except ResourceMissing as error:
        raise not_found(context, kind, name) from error


def list_page(
    context: Context,
    kind: str,
    request: Mapping[str, Any],
    summary: Callable[[Resource], Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """One page of a kind as the response of its List operation.

    Raises:
        ValidationException: NextToken was not made for this listing.
    """
    page = listing.page(context, f"List{kind}s", kind, request)
    summarise = summary or _summary
    response: dict[str, Any] = {f"{kind}s": [summarise(found) for found in page.resources]}
    if page.next_token:
        response["NextToken"] = page.next_token
    return response


def _summary(resource: Resource) -> Mapping[str, Any]:
    return {
        f"{resource.kind}Name": resource.name,
        f"{resource.kind}Arn": resource.arn,
        "CreationTime": resource.created,
    }
