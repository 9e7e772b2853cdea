"""PutMetricData, GetMetricStatistics and ListMetrics."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from bottega.context import Context
from bottega.errors import (
    InvalidNextToken,
    InvalidParameterCombination,
    InvalidParameterValue,
    MissingParameter,
    ValidationException,
)
from bottega.features.cloudwatch.reading import (
    MetricReader,
    dimensions_of,
    periods_allowed,
    shown,
)
from bottega.metrics.statistics import Statistics, StatisticUnknown, needs_spread, statistic
from bottega.metrics.store import (
    MINUTES_KEPT,
    KnownMetric,
    MetricName,
    MetricQuery,
    Observation,
    Period,
)
from bottega.registry import operation
from bottega.specs import pagination
from bottega.specs.generated.cloudwatch import (
    Datapoint,
    GetMetricStatisticsInput,
    GetMetricStatisticsOutput,
    ListMetricsInput,
    ListMetricsOutput,
    PutMetricDataInput,
)

_AHEAD = 2 * 3600
_MOST_DATUMS = 1000
_MOST_VALUES = 150
_MOST_DATAPOINTS = 1440
_PAGE = 500
_RECENT = 3 * 3600
_LARGEST = 2.0**360


@operation(
    "PutMetricData",
    service="cloudwatch",
    note="Values of high resolution are kept by the second for three hours, all values by the "
    "minute for 15 days. Entities are not kept.",
)
def put_metric_data(context: Context, request: PutMetricDataInput) -> dict[str, Any]:
    """Add values to metrics, which come into being with them."""
    namespace = request["Namespace"]
    if namespace.startswith("AWS/"):
        raise InvalidParameterValue("The value AWS/ for parameter Namespace is invalid.")
    data = [("MetricData", i, one) for i, one in enumerate(request.get("MetricData", ()), 1)]
    for number, group in enumerate(request.get("EntityMetricData", ()), 1):
        where = f"EntityMetricData.member.{number}.MetricData"
        data += [(where, i, one) for i, one in enumerate(group.get("MetricData", ()), 1)]
    if not data:
        raise MissingParameter("The parameter MetricData is required.")
    if len(data) > _MOST_DATUMS:
        raise InvalidParameterValue(
            f"The collection MetricData must not have a size greater than {_MOST_DATUMS}."
        )
    now = context.ports.clock.now()
    context.ports.metrics.record(
        [
            _observation(namespace, datum, f"{where}.member.{number}", now)
            for where, number, datum in data
        ]
    )
    return {}


def _observation(namespace: str, datum: Mapping[str, Any], where: str, now: float) -> Observation:
    time = datum.get("Timestamp", now)
    if not now - MINUTES_KEPT < time <= now + _AHEAD:
        raise InvalidParameterValue(
            f"The parameter {where}.Timestamp must be within the last two weeks and at most two "
            "hours ahead."
        )
    resolution = datum.get("StorageResolution", 60)
    if resolution not in (1, 60):
        raise InvalidParameterValue(f"The parameter {where}.StorageResolution must be 1 or 60.")
    metric = MetricName(namespace, datum["MetricName"], dimensions_of(datum.get("Dimensions")))
    return Observation(metric, time, _values(datum, where), datum.get("Unit", "None"), resolution)


def _values(datum: Mapping[str, Any], where: str) -> Statistics:
    given = [name for name in ("Value", "Values", "StatisticValues") if name in datum]
    if not given:
        raise MissingParameter(
            f"At least one of the parameters {where}.Value, {where}.Values and "
            f"{where}.StatisticValues must be specified."
        )
    if len(given) > 1:
        raise InvalidParameterCombination(
            f"The parameters {where}.{given[0]} and {where}.{given[1]} are mutually exclusive and "
            "you have specified both."
        )
    if "Value" in datum:
        return Statistics.of([_number(datum["Value"], f"{where}.Value")])
    if "StatisticValues" in datum:
        found = {
            name: _number(value, f"{where}.StatisticValues.{name}")
            for name, value in datum["StatisticValues"].items()
        }
        count, low, high = found["SampleCount"], found["Minimum"], found["Maximum"]
        if count <= 0 or low > high:
            raise InvalidParameterValue(
                f"The parameter {where}.StatisticValues needs a SampleCount above 0 and a Minimum "
                "that is not above the Maximum."
            )
        return Statistics.of_set(count, found["Sum"], low, high)
    values = [_number(value, f"{where}.Values") for value in datum["Values"]]
    counts = [
        _number(count, f"{where}.Counts") for count in datum.get("Counts", [1.0] * len(values))
    ]
    if not 0 < len(values) <= _MOST_VALUES:
        raise InvalidParameterValue(
            f"The parameter {where}.Values must have from 1 to {_MOST_VALUES} values."
        )
    if len(counts) != len(values):
        raise InvalidParameterValue(
            f"The parameters {where}.Values and {where}.Counts must be of the same size."
        )
    if min(counts) < 0 or not sum(counts):
        raise InvalidParameterValue(
            f"The parameter {where}.Counts must have no value below 0, and one above."
        )
    return Statistics.of(values, counts)


def _number(value: float, where: str) -> float:
    if not math.isfinite(value) or abs(value) > _LARGEST:
        raise InvalidParameterValue(
            f"The parameter {where} must be a number from -2^360 to 2^360; {value} is not."
        )
    return float(value)


@operation("GetMetricStatistics", service="cloudwatch")
def get_metric_statistics(
    context: Context, request: GetMetricStatisticsInput
) -> GetMetricStatisticsOutput:
    """One metric by periods; those without values are left out."""
    period, start, end = request["Period"], request["StartTime"], request["EndTime"]
    simple, extended = request.get("Statistics", []), request.get("ExtendedStatistics", [])
    periods_allowed(period)
    if not simple and not extended:
        raise MissingParameter("Must specify either Statistics or ExtendedStatistics.")
    if start >= end:
        raise InvalidParameterValue(
            "The parameter StartTime must be less than the parameter EndTime."
        )
    count = math.ceil((end - start) / period)
    if count > _MOST_DATAPOINTS:
        raise InvalidParameterCombination(
            f"You have requested up to {count:,} datapoints, which exceeds the limit of "
            f"{_MOST_DATAPOINTS:,}. You may reduce the datapoints requested by increasing Period, "
            "or decreasing the time range."
        )
    for name in extended:
        check_extended(name)
    name = request["MetricName"]
    metric = MetricName(request["Namespace"], name, dimensions_of(request.get("Dimensions")))
    query = MetricQuery(metric, start, end, period, request.get("Unit"))
    points = [_datapoint(found, simple, extended) for found in MetricReader.of(context).read(query)]
    return {"Label": name, "Datapoints": [point for point in points if point is not None]}


def check_extended(name: str) -> None:
    """Refuse what is no extended statistic.

    Raises:
        InvalidParameterValue: there is none of that name.
    """
    try:
        if needs_spread(name):
            return
    except StatisticUnknown as error:
        raise InvalidParameterValue(str(error)) from error
    raise InvalidParameterValue(f"{name} is not an extended statistic: name it in Statistics.")


def _datapoint(found: Period, simple: list[Any], extended: list[str]) -> Datapoint | None:
    statistics = found.statistics
    point: dict[str, Any] = {"Timestamp": found.time, "Unit": found.unit}
    point |= {name: statistic(statistics, name) for name in simple}
    spread = {name: statistic(statistics, name) for name in extended}
    spread = {name: value for name, value in spread.items() if not math.isnan(value)}
    if spread:
        point["ExtendedStatistics"] = spread
    elif not simple:
        return None
    shown_point: Datapoint = point  # type: ignore[assignment]
    return shown_point


@operation(
    "ListMetrics",
    service="cloudwatch",
    note="Metrics of jobs are read from their logs when somebody asks for them; they are not "
    "listed.",
)
def list_metrics(context: Context, request: ListMetricsInput) -> ListMetricsOutput:
    """Metrics that had values in the last 15 days, by namespace, name and dimensions."""
    if request.get("OwningAccount", context.ports.config.account) != context.ports.config.account:
        raise InvalidParameterValue("There is only one account here; leave OwningAccount out.")
    since = context.ports.clock.now() - _RECENT if "RecentlyActive" in request else 0.0
    found = [
        known
        for known in MetricReader.of(context).known(
            request.get("Namespace"), request.get("MetricName"), since
        )
        if _has(known, request)
    ]
    key = context.ports.credentials.page_key()
    filters = {name: value for name, value in request.items() if name != "NextToken"}
    scope = f"ListMetrics:{sorted(filters.items())}"
    if "NextToken" in request:
        after = decoded(request["NextToken"], key, scope)["after"]
        found = [known for known in found if _place(known) > after]
    answer: ListMetricsOutput = {
        "Metrics": [
            {
                "Namespace": metric.namespace,
                "MetricName": metric.name,
                "Dimensions": shown(metric.dimensions),
            }
            for metric, _ in found[:_PAGE]
        ]
    }
    if len(found) > _PAGE:
        answer["NextToken"] = pagination.encode(
            {"after": _place(found[_PAGE - 1])}, key=key, scope=scope
        )
    return answer


def decoded(token: str, key: bytes, scope: str) -> Mapping[str, Any]:
    """What a token of CloudWatch's listings holds.

    Raises:
        InvalidNextToken: it was not made for this listing.
    """
    try:
        return pagination.decode(token, key=key, scope=scope)
    except ValidationException as error:
        raise InvalidNextToken("NextToken is not valid for this request.") from error


def _has(known: KnownMetric, request: ListMetricsInput) -> bool:
    """Whether a metric has the dimensions that are asked for, and maybe others."""
    own = dict(known.metric.dimensions)
    return all(
        one["Name"] in own and one.get("Value", own[one["Name"]]) == own[one["Name"]]
        for one in request.get("Dimensions", ())
    )


def _place(known: KnownMetric) -> list[Any]:
    metric = known.metric
    return [metric.namespace, metric.name, [list(one) for one in metric.dimensions]]
