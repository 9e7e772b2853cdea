"""DescribeScalingActivities: what was scaled, when, why, and what was not."""

from __future__ import annotations

from typing import Any

from bottega.context import Context
from bottega.features.autoscaling import entities
from bottega.features.autoscaling.entities import ACTIVITIES
from bottega.features.autoscaling.journal import Journal
from bottega.registry import operation
from bottega.specs.generated.autoscaling import DescribeScalingActivitiesRequest
from bottega.storage.metadata import ResourceQuery


@operation("DescribeScalingActivities", service="application-autoscaling")
def describe_scaling_activities(
    context: Context, request: DescribeScalingActivitiesRequest
) -> dict[str, Any]:
    """The activities of the last six weeks, the newest first, also of targets that are no more."""
    query = ResourceQuery(ACTIVITIES, sort_by="name", descending=False)
    found = [
        one
        for stored in context.ports.store.each(query)
        for one in Journal.of(stored.private).activities
    ]
    if not request.get("IncludeNotScaledActivities"):
        found = [one for one in found if "NotScaledReasons" not in one]
    found.sort(key=lambda one: (-float(one["StartTime"]), str(one["ActivityId"])))
    kept = entities.matching(request, found, (), "")
    shown, token = entities.page(
        context, "DescribeScalingActivities", request, kept, lambda one: str(one["ActivityId"])
    )
    return {"ScalingActivities": shown, **token}
