"""The operation that reads values."""

from __future__ import annotations

from bottega.context import Context
from bottega.errors import ResourceNotFound, ServiceUnavailable, ValidationException
from bottega.features.trial_metrics.tracker import metrics_of
from bottega.registry import operation
from bottega.specs.generated.trial_metrics import (
    BatchGetMetricsRequest,
    BatchGetMetricsResponse,
    MetricQuery,
    MetricQueryResult,
)
from bottega.tracking.component_metrics import SeriesQuery
from bottega.tracking.entity_documents import ARN_TYPES
from bottega.tracking.experiments import JOB_SUFFIXES


@operation("BatchGetMetrics", service="sagemaker-metrics")
def batch_get_metrics(context: Context, request: BatchGetMetricsRequest) -> BatchGetMetricsResponse:
    """One series for each query, in their order; a query that is wrong says so in its place."""
    return {"MetricQueryResults": [_answer(context, query) for query in request["MetricQueries"]]}


def _answer(context: Context, query: MetricQuery) -> MetricQueryResult:
    start, end = query.get("Start"), query.get("End")
    if start is not None and end is not None and start > end:
        return _failed(f"Start {start} is after End {end}.")
    try:
        component = _component(query["ResourceArn"])
        with metrics_of(context) as metrics:
            found = metrics.series(
                SeriesQuery(
                    component=component,
                    metric=query["MetricName"],
                    statistic=query["MetricStat"],
                    period=query["Period"],
                    axis=query["XAxisType"],
                    start=start,
                    end=end,
                )
            )
    except (ResourceNotFound, ValidationException) as refusal:
        return _failed(refusal.message)
    except ServiceUnavailable as error:
        return {**_failed(error.message), "Status": "InternalError"}
    answer: MetricQueryResult = {
        "Status": "Truncated" if found.truncated else "Complete",
        "XAxisValues": list(found.x),
        "MetricValues": list(found.values),
    }
    if found.truncated:
        answer["Message"] = (
            f"There is more than {len(found.x)} values: ask again with a Start after "
            f"{found.x[-1]}, or with a longer Period."
        )
    return answer


def _component(arn: str) -> str:
    """The component that an ARN means: its own, or that of a job.

    Raises:
        ValidationException: it is of nothing that has metrics.
    """
    kind, _, name = arn.split(":", 5)[5].partition("/")
    if kind == ARN_TYPES["TrialComponent"]:
        return name
    if (suffix := f"-aws-{kind}") in JOB_SUFFIXES.values():
        return f"{name}{suffix}"
    raise ValidationException(
        f"ResourceArn {arn} has no metrics here: say the ARN of a trial component, or of a "
        "training, processing or transform job."
    )


def _failed(reason: str) -> MetricQueryResult:
    return {
        "Status": "ValidationError",
        "Message": reason,
        "XAxisValues": [],
        "MetricValues": [],
    }
