"""The operations on contexts."""

from __future__ import annotations

from typing import cast

from bottega.context import Context
from bottega.features.lineage import records
from bottega.features.lineage.entities import arn_of
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
    records.create_new(context, "Context", arn, request)
    return {"ContextArn": arn}


@operation("DescribeContext")
def describe_context(context: Context, request: DescribeContextRequest) -> DescribeContextResponse:
    """Everything that is known of a context."""
    found = records.find(context, "Context", _arn(context, request["ContextName"]))
    return cast(DescribeContextResponse, dict(found.document))


@operation("UpdateContext")
def update_context(context: Context, request: UpdateContextRequest) -> UpdateContextResponse:
    """Change what it says of itself, and add, change and remove properties."""
    arn = _arn(context, request["ContextName"])
    records.update(context, "Context", arn, request, _CHANGEABLE)
    return {"ContextArn": arn}


@operation("DeleteContext")
def delete_context(context: Context, request: DeleteContextRequest) -> DeleteContextResponse:
    """Remove a context that a client made and that has no associations."""
    arn = _arn(context, request["ContextName"])
    return {"ContextArn": records.delete(context, "Context", arn)}


@operation("ListContexts")
def list_contexts(context: Context, request: ListContextsRequest) -> ListContextsResponse:
    """One page of contexts, those that follow from resources among them."""
    return cast(ListContextsResponse, records.listed(context, "Context", request))


def _arn(context: Context, name: str) -> str:
    return arn_of(context.ports.config, "context", name)
