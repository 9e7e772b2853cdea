"""The operation that answers the course of metrics."""

from __future__ import annotations

from bottega.context import Context
from bottega.features.experiments.catalogue import catalogue_of
from bottega.registry import operation
from bottega.specs.generated.experiments import GetRunMetricsRequest, GetRunMetricsResponse

MOST_POINTS = 500


@operation("GetRunMetrics", service="bottega")
def get_run_metrics(context: Context, request: GetRunMetricsRequest) -> GetRunMetricsResponse:
    """One course for each run and metric; where points are left out, extremes stay."""
    with catalogue_of(context) as catalogue:
        found = catalogue.courses(
            request["RunIds"],
            metrics=request.get("Metrics"),
            most=request.get("MaxPoints", MOST_POINTS),
        )
    return {
        "Courses": [
            {
                "RunId": course.run_id,
                "Name": course.name,
                "Steps": list(course.steps),
                "Times": list(course.times),
                "Values": list(course.values),
                "Points": course.points,
            }
            for course in found
        ]
    }
