"""The operations on scheduled actions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bottega.context import Context
from bottega.errors import LimitExceededException, ObjectNotFoundException, ValidationException
from bottega.features.autoscaling import entities, schedules
from bottega.features.autoscaling.entities import ACTION, TargetKey
from bottega.features.autoscaling.targets import scalable
from bottega.registry import operation
from bottega.specs.generated.autoscaling import (
    DeleteScheduledActionRequest,
    DescribeScheduledActionsRequest,
    PutScheduledActionRequest,
)
from bottega.storage.metadata import Resource, ResourceExists, ResourceMissing, ResourceQuery

NEXT = "next"
"""Of the private part: when it is due; None when it never is again."""
_MOST_ACTIONS = 200
_CHANGEABLE = ("Schedule", "Timezone", "StartTime", "EndTime", "ScalableTargetAction")


@operation("PutScheduledAction", service="application-autoscaling")
def put_scheduled_action(context: Context, request: PutScheduledActionRequest) -> dict[str, Any]:
    """Make a scheduled action of a scalable target, or change the one of that name: what a change
    leaves out stays."""
    ports, key = context.ports, TargetKey.of(request)
    entities.find_target(ports, key)
    lowest = scalable(context, key)
    name = key.below(request["ScheduledActionName"])
    now = ports.clock.now()
    given = {member: request[member] for member in _CHANGEABLE if member in request}  # type: ignore[literal-required]

    def change(present: Resource) -> Resource:
        body = {**present.body, **given}
        return replace(present, body=body, private={NEXT: _first(body, now, lowest)})

    while True:
        try:
            ports.store.modify(ACTION, name, change)
            return {}
        except ResourceMissing:
            pass
        for member in ("Schedule", "ScalableTargetAction"):
            if member not in request:
                raise ValidationException(f"{member} is missing: a new scheduled action needs it.")
        own = request["ScheduledActionName"]
        arn = entities.arn(ports, key, "scheduledAction", "scheduledActionName", own)
        body = {
            **key.members,
            "ScheduledActionName": own,
            "ScheduledActionARN": arn,
            "CreationTime": now,
            **given,
        }
        private = {NEXT: _first(body, now, lowest)}
        if len(entities.of_target(ports, ACTION, key)) >= _MOST_ACTIONS:
            raise LimitExceededException(
                f"{key.resource_id} has {_MOST_ACTIONS} scheduled actions, which is the most there "
                "can be; delete one first."
            )
        try:
            ports.store.create(Resource(ACTION, name, arn, "", now, now, body, private))
            return {}
        except ResourceExists:  # somebody else was faster
            continue


def _first(body: Mapping[str, Any], now: float, lowest: int) -> float | None:
    """When it is due first.

    Raises:
        ValidationException: its members make no sense.
    """
    action = body["ScalableTargetAction"]
    if not action:
        raise ValidationException(
            "ScalableTargetAction is empty; give MinCapacity, MaxCapacity or both."
        )
    least, most = action.get("MinCapacity"), action.get("MaxCapacity")
    if (least is not None and least < lowest) or (most is not None and most < lowest):
        raise ValidationException(
            f"ScalableTargetAction goes below {lowest}, the least that this variant can have."
        )
    if least is not None and most is not None and most < least:
        raise ValidationException(
            f"ScalableTargetAction has MinCapacity {least} and MaxCapacity {most}; the maximum "
            "cannot be less than the minimum."
        )
    start, end = body.get("StartTime"), body.get("EndTime")
    if start is not None and end is not None and end <= start:
        raise ValidationException("EndTime must be later than StartTime.")
    due = due_after(body, now)
    if due is None:
        raise ValidationException(
            f"Schedule {body['Schedule']!r} is never due from now on; give a time that is to come."
        )
    return due


def due_after(body: Mapping[str, Any], after: float) -> float | None:
    """When a scheduled action is due next, after a moment."""
    return schedules.next_time(
        body["Schedule"],
        body.get("Timezone", "UTC"),
        after,
        anchor=body["CreationTime"],
        start=body.get("StartTime"),
        end=body.get("EndTime"),
    )


@operation("DeleteScheduledAction", service="application-autoscaling")
def delete_scheduled_action(
    context: Context, request: DeleteScheduledActionRequest
) -> dict[str, Any]:
    """Delete a scheduled action; bounds that it set stay."""
    key, name = TargetKey.of(request), request["ScheduledActionName"]
    try:
        context.ports.store.delete(ACTION, key.below(name))
    except ResourceMissing as error:
        raise ObjectNotFoundException(
            f"No scheduled action found for service namespace: sagemaker, resource ID: "
            f"{key.resource_id}, scalable dimension: {key.dimension}, scheduled action name: {name}"
        ) from error
    return {}


@operation("DescribeScheduledActions", service="application-autoscaling")
def describe_scheduled_actions(
    context: Context, request: DescribeScheduledActionsRequest
) -> dict[str, Any]:
    """The scheduled actions, by resource and name."""
    query = ResourceQuery(ACTION, sort_by="name", descending=False)
    found = [one.body for one in context.ports.store.each(query)]
    names = request.get("ScheduledActionNames", ())
    kept = entities.matching(request, found, names, "ScheduledActionName")
    shown, token = entities.page(
        context,
        "DescribeScheduledActions",
        request,
        kept,
        lambda one: str(one["ScheduledActionARN"]),
    )
    return {"ScheduledActions": shown, **token}
