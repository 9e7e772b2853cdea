"""The operations on actions."""

from __future__ import annotations

from typing import Any, cast

from bottega.context import Context
from bottega.features.lineage import records
from bottega.features.lineage.entities import Entity, arn_of
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
    records.create(context, "Action", request["ActionName"], arn, request)
    return {"ActionArn": arn}


@operation("DescribeAction")
def describe_action(context: Context, request: DescribeActionRequest) -> DescribeActionResponse:
    """Everything that is known of an action."""
    found: Any = dict(_found(context, request["ActionName"]).document)
    return cast(DescribeActionResponse, found)


@operation("UpdateAction")
def update_action(context: Context, request: UpdateActionRequest) -> UpdateActionResponse:
    """Change what it says of itself, and add, change and remove properties."""
    given: Any = request
    arn = _arn(context, request["ActionName"])
    records.update(
        context,
        "Action",
        arn,
        {key: given[key] for key in _CHANGEABLE if key in given},
        properties=request.get("Properties", {}),
        remove=request.get("PropertiesToRemove", []),
    )
    return {"ActionArn": arn}


@operation("DeleteAction")
def delete_action(context: Context, request: DeleteActionRequest) -> DeleteActionResponse:
    """Remove an action that a client made and that has no associations."""
    arn = _arn(context, request["ActionName"])
    return {"ActionArn": records.delete(context, "Action", arn)}


@operation("ListActions")
def list_actions(context: Context, request: ListActionsRequest) -> ListActionsResponse:
    """One page of actions, those that follow from resources among them."""
    found, token = records.listed(context, "ListActions", "Action", request)
    answer: Any = {"ActionSummaries": found, **({"NextToken": token} if token else {})}
    return cast(ListActionsResponse, answer)


def _arn(context: Context, name: str) -> str:
    return arn_of(context.ports.config, "action", name)


def _found(context: Context, name: str) -> Entity:
    return records.find(context, "Action", _arn(context, name))
