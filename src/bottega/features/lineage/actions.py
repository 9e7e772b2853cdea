"""The operations on actions."""

from __future__ import annotations

from typing import cast

from bottega.context import Context
from bottega.features.lineage import records
from bottega.features.lineage.entities import arn_of
from bottega.registry import operation
from bottega.specs.generated.lineage import (
    CreateActionRequest,
    CreateActionResponse,
    DeleteActionRequest,
    DeleteActionResponse,
    DescribeActionRequest,
    DescribeActionResponse,
    ListActionsRequest,
    ListActionsResponse,
    UpdateActionRequest,
    UpdateActionResponse,
)

_CHANGEABLE = ("Description", "Status")


@operation("CreateAction")
def create_action(context: Context, request: CreateActionRequest) -> CreateActionResponse:
    """Make an action."""
    arn = _arn(context, request["ActionName"])
    records.create_new(context, "Action", arn, request)
    return {"ActionArn": arn}


@operation("DescribeAction")
def describe_action(context: Context, request: DescribeActionRequest) -> DescribeActionResponse:
    """Everything that is known of an action."""
    found = records.find(context, "Action", _arn(context, request["ActionName"]))
    return cast(DescribeActionResponse, dict(found.document))


@operation("UpdateAction")
def update_action(context: Context, request: UpdateActionRequest) -> UpdateActionResponse:
    """Change what it says of itself, and add, change and remove properties."""
    arn = _arn(context, request["ActionName"])
    records.update(context, "Action", arn, request, _CHANGEABLE)
    return {"ActionArn": arn}


@operation("DeleteAction")
def delete_action(context: Context, request: DeleteActionRequest) -> DeleteActionResponse:
    """Remove an action that a client made and that has no associations."""
    arn = _arn(context, request["ActionName"])
    return {"ActionArn": records.delete(context, "Action", arn)}


@operation("ListActions")
def list_actions(context: Context, request: ListActionsRequest) -> ListActionsResponse:
    """One page of actions, those that follow from resources among them."""
    return cast(ListActionsResponse, records.listed(context, "Action", request))


def _arn(context: Context, name: str) -> str:
    return arn_of(context.ports.config, "action", name)
