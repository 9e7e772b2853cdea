"""The operation that records values."""

from __future__ import annotations

from bottega.context import Context
from bottega.features.trial_metrics.tracker import metrics_of
from bottega.registry import operation
from bottega.specs.generated.trial_metrics import (
    BatchPutMetricsError,
    BatchPutMetricsRequest,
    BatchPutMetricsResponse,
    RawMetricData,
)
from bottega.tracking.component_metrics import ComponentPoint

LATEST_SECONDS = 253_402_300_800
"""The year 10000, where times end."""


@operation("BatchPutMetrics", service="sagemaker-metrics")
def batch_put_metrics(context: Context, request: BatchPutMetricsRequest) -> BatchPutMetricsResponse:
    """Record up to ten values of a trial component; what is not in Errors is on the disk."""
    data = request["MetricData"]
    sound = [index for index, item in enumerate(data) if _is_sound(item)]
    errors: list[BatchPutMetricsError] = [
        {"Code": "VALIDATION_ERROR", "MetricIndex": index}
        for index in range(len(data))
        if index not in sound
    ]
    with metrics_of(context) as metrics:
        beyond = metrics.put(
            request["TrialComponentName"], [_point(data[index]) for index in sound]
        )
    for number in beyond:
        errors.append({"Code": "METRIC_LIMIT_EXCEEDED", "MetricIndex": sound[number]})
    if not errors:
        return {}
    return {"Errors": sorted(errors, key=lambda error: error["MetricIndex"])}


def _is_sound(item: RawMetricData) -> bool:
    return 0 <= item["Timestamp"] < LATEST_SECONDS and bool(item["MetricName"].strip())


def _point(item: RawMetricData) -> ComponentPoint:
    return ComponentPoint(
        name=item["MetricName"],
        value=float(item["Value"]),
        time=round(item["Timestamp"] * 1000),
        step=item.get("Step", 0),
    )
