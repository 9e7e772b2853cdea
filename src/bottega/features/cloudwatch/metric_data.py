"""GetMetricData: many metrics, and expressions over them, in one request."""

from __future__ import annotations

import hashlib
import json

from bottega.context import Context
from bottega.errors import InvalidParameterValue
from bottega.features.cloudwatch.metrics import decoded
from bottega.features.cloudwatch.queries import Queries
from bottega.features.cloudwatch.reading import MetricReader
from bottega.registry import operation
from bottega.specs import pagination
from bottega.specs.generated.cloudwatch import (
    GetMetricDataInput,
    GetMetricDataOutput,
    MetricDataResult,
)

_MOST_DATAPOINTS = 100_800


@operation(
    "GetMetricData",
    service="cloudwatch",
    note="Expressions have arithmetic, comparisons, AND, OR, METRICS, SUM, AVG, MIN, MAX, STDDEV, "
    "IF, FILL, RATE, DIFF, PERIOD, ABS, CEIL, FLOOR, LOG, LOG10; SEARCH and SELECT are refused. "
    "All metrics of an expression have the same period.",
)
def get_metric_data(context: Context, request: GetMetricDataInput) -> GetMetricDataOutput:
    """The values of every query, newest first unless asked otherwise."""
    start, end = request["StartTime"], request["EndTime"]
    if start >= end:
        raise InvalidParameterValue(
            "The parameter StartTime must be less than the parameter EndTime."
        )
    limit = request.get("MaxDatapoints", _MOST_DATAPOINTS)
    if not 1 <= limit <= _MOST_DATAPOINTS:
        raise InvalidParameterValue(
            f"The parameter MaxDatapoints must be from 1 to {_MOST_DATAPOINTS}."
        )
    queries = Queries.read(request["MetricDataQueries"])
    key = context.ports.credentials.page_key()
    same = {name: value for name, value in request.items() if name != "NextToken"}
    digest = hashlib.sha256(json.dumps(same, sort_keys=True).encode()).hexdigest()
    scope = f"GetMetricData:{digest}"
    skip = 0
    if "NextToken" in request:
        skip = int(decoded(request["NextToken"], key, scope)["skip"])
    ascending = request.get("ScanBy") == "TimestampAscending"
    results: list[MetricDataResult] = []
    seen = 0
    last = skip + limit
    for result in queries.results(MetricReader.of(context), start, end):
        times = sorted(result.series, reverse=not ascending)
        shown = times[max(0, skip - seen) : max(0, last - seen)]
        whole = seen + len(times) <= last
        # A later page repeats no result that is complete.
        if shown or (seen >= skip and whole):
            results.append(
                {
                    "Id": result.query.id,
                    "Label": result.label,
                    "Timestamps": shown,
                    "Values": [result.series[time] for time in shown],
                    "StatusCode": "Complete" if whole else "PartialData",
                }
            )
        seen += len(times)
    answer: GetMetricDataOutput = {"MetricDataResults": results, "Messages": []}
    if seen > last:
        answer["NextToken"] = pagination.encode({"skip": last}, key=key, scope=scope)
    return answer
