"""The operations on contexts."""

from __future__ import annotations

from typing import Any, cast

from bottega.context import Context
from bottega.features.lineage import records
from bottega.features.lineage.entities import Entity, arn_of
from bottega.registry import operation
from bottega.specs.generated.lineage import (
    CreateContextRequest,
    CreateContextResponse,
    DeleteContextRequest,
    DeleteContextResponse,
    DescribeContextRequest,
    DescribeContextResponse,
    ListContextsRequest,
    ListContextsResponse,
    UpdateContextRequest,
    UpdateContextResponse,
)

_CHANGEABLE = ("Description",)


@operation("CreateContext")
def create_context(context: Context, request: CreateContextRequest) -> CreateContextResponse:
    """Make a context."""
    arn = _arn(context, request["ContextName"])
    records.create(context, "Context", request["ContextName"], arn, request)
    return {"ContextArn": arn}


@operation("DescribeContext")
def describe_context(context: Context, request: DescribeContextRequest) -> DescribeContextResponse:
    """Everything that is known of a context."""
    found: Any = dict(_found(context, request["ContextName"]).document)
    return cast(DescribeContextResponse, found)


@operation("UpdateContext")
def update_context(context: Context, request: UpdateContextRequest) -> UpdateContextResponse:
    """Change what it says of itself, and add, change and remove properties."""
    given: Any = request
    arn = _arn(context, request["ContextName"])
    records.update(
        context,
        "Context",
        arn,
        {key: given[key] for key in _CHANGEABLE if key in given},
        properties=request.get("Properties", {}),
        remove=request.get("PropertiesToRemove", []),
    )
    return {"ContextArn": arn}


@operation("DeleteContext")
def delete_context(context: Context, request: DeleteContextRequest) -> DeleteContextResponse:
    """Remove a context that a client made and that has no associations."""
    arn = _arn(context, request["ContextName"])
    return {"ContextArn": records.delete(context, "Context", arn)}


@operation("ListContexts")
def list_contexts(context: Context, request: ListContextsRequest) -> ListContextsResponse:
    """One page of contexts, those that follow from resources among them."""
    found, token = records.listed(context, "ListContexts", "Context", request)
    answer: Any = {"ContextSummaries": found, **({"NextToken": token} if token else {})}
    return cast(ListContextsResponse, answer)


def _arn(context: Context, name: str) -> str:
    return arn_of(context.ports.config, "context", name)


def _found(context: Context, name: str) -> Entity:
    return records.find(context, "Context", _arn(context, name))
