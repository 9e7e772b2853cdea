"""Metric data queries: several metrics and expressions over them, as GetMetricData and alarms of
metric math have them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

from bottega.errors import InvalidParameterValue, MissingParameter
from bottega.features.cloudwatch.reading import MetricReader, dimensions_of, periods_allowed
from bottega.metrics import expressions
from bottega.metrics.expressions import Expression, ExpressionWrong, Series
from bottega.metrics.statistics import Statistics, StatisticUnknown, needs_spread, statistic
from bottega.metrics.store import MetricName, MetricQuery

_ID = re.compile(r"[a-z][a-zA-Z0-9_]{0,254}")
_DYNAMIC = re.compile(r"\$\{([^{}]+)\}")
_CONSTANT_PERIOD = 60
MOST_QUERIES = 500


@dataclass(frozen=True)
class MetricPart:
    """One metric of a request, in one statistic."""

    metric: MetricName
    period: int
    stat: str
    unit: str | None


@dataclass(frozen=True)
class Query:
    """One entry of MetricDataQueries."""

    id: str
    label: str
    """Empty where the request has none."""
    returned: bool
    part: MetricPart | Expression
    period: int
    """Of the expression: that of the metrics in it."""


@dataclass(frozen=True)
class QueryResult:
    """What one query came to; an expression may come to several."""

    query: Query
    series: Series

    @property
    def label(self) -> str:
        """The label with its dynamic parts filled in."""
        part = self.query.part
        plain = part.metric.name if isinstance(part, MetricPart) else self.query.id
        return _DYNAMIC.sub(self._dynamic, self.query.label or plain)

    def _dynamic(self, found: re.Match[str]) -> str:
        name = found[1].strip()
        values = list(self.series.values())
        if name == "DATAPOINT_COUNT":
            return str(len(values))
        if name in ("AVG", "MIN", "MAX", "SUM", "FIRST", "LAST"):
            if not values:
                return "--"
            summed = Statistics.of(values)
            known = {
                "AVG": summed.average,
                "MIN": summed.minimum,
                "MAX": summed.maximum,
                "SUM": summed.sum,
                "FIRST": values[0],
                "LAST": values[-1],
            }
            return f"{known[name]:g}"
        if (property_name := re.fullmatch(r"PROP\('([^']+)'\)", name)) is not None:
            return self._property(property_name[1])
        return found[0]

    def _property(self, name: str) -> str:
        if name == "Period":
            return str(self.query.period)
        part = self.query.part
        if isinstance(part, Expression):
            return ""
        if name.startswith("Dim."):
            return dict(part.metric.dimensions).get(name.removeprefix("Dim."), "")
        values = {
            "MetricName": part.metric.name,
            "Namespace": part.metric.namespace,
            "Stat": part.stat,
        }
        return values.get(name, "")


class Queries:
    """The queries of one request, checked."""

    def __init__(self, queries: Sequence[Query], order: Sequence[str]) -> None:
        self.all = queries
        self._by_id = {query.id: query for query in queries}
        self._order = order

    @classmethod
    def read(cls, given: Sequence[Mapping[str, Any]]) -> Queries:
        """Check queries.

        Raises:
            InvalidParameterValue, MissingParameter: the message names the query and what is wrong.
        """
        if not given:
            raise MissingParameter("The parameter MetricDataQueries is required.")
        if len(given) > MOST_QUERIES:
            raise InvalidParameterValue(
                f"There are {len(given)} MetricDataQueries; {MOST_QUERIES} are allowed."
            )
        parts = {one["Id"]: _part(one) for one in given}
        if len(parts) < len(given):
            raise InvalidParameterValue(
                "The values for parameter Id in MetricDataQueries must be unique."
            )
        metrics = [name for name, part in parts.items() if isinstance(part, MetricPart)]
        graph: dict[str, set[str]] = {}
        for name, part in parts.items():
            graph[name] = set() if isinstance(part, MetricPart) else _needs(part, metrics)
            if missing := graph[name] - parts.keys():
                raise InvalidParameterValue(
                    f"The expression of {name} refers to {min(missing)}, which no query has as its "
                    "Id."
                )
        try:
            order = list(TopologicalSorter(graph).static_order())
        except CycleError as error:
            raise InvalidParameterValue(
                "These expressions refer to one another in a circle: " + ", ".join(error.args[1])
            ) from error
        periods: dict[str, int] = {}
        for name in order:
            part = parts[name]
            periods[name] = (
                part.period
                if isinstance(part, MetricPart)
                else _common_period(name, {periods[other] for other in graph[name]})
            )
        return cls(
            [
                Query(
                    id=one["Id"],
                    label=one.get("Label", ""),
                    returned=one.get("ReturnData", True),
                    part=parts[one["Id"]],
                    period=periods[one["Id"]],
                )
                for one in given
            ],
            order,
        )

    @classmethod
    def of_metric(cls, part: MetricPart) -> Queries:
        """One metric alone."""
        return cls([Query("m1", "", True, part, part.period)], ["m1"])

    def results(self, reader: MetricReader, start: float, end: float) -> list[QueryResult]:
        """What every query that returns data comes to, in the order of the request.

        Raises:
            InvalidParameterValue: an expression makes no sense for these values.
        """
        several: dict[str, list[Series]] = {}
        for name in self._order:
            several[name] = self._evaluate(self._by_id[name], several, reader, start, end)
        return [
            QueryResult(query, series)
            for query in self.all
            if query.returned
            for series in several[query.id]
        ]

    def _evaluate(
        self,
        query: Query,
        several: Mapping[str, list[Series]],
        reader: MetricReader,
        start: float,
        end: float,
    ) -> list[Series]:
        part = query.part
        if isinstance(part, MetricPart):
            return [_series(part, reader, start, end)]
        metrics = [one.id for one in self.all if isinstance(one.part, MetricPart)]
        needed = _needs(part, metrics)
        if many := [name for name in needed if len(several[name]) != 1]:
            raise InvalidParameterValue(
                f"The expression of {query.id} refers to {min(many)}, which is an array."
            )
        first = math.floor(start / query.period)
        times = [
            float(number * query.period) for number in range(first, math.ceil(end / query.period))
        ]
        try:
            known = {name: several[name][0] for name in needed}
            return part.evaluate(known, metrics, times, query.period)
        except ExpressionWrong as error:
            raise InvalidParameterValue(f"Error in expression '{query.id}': {error}.") from error


def _part(one: Mapping[str, Any]) -> MetricPart | Expression:
    name = one["Id"]
    if not _ID.fullmatch(name):
        raise InvalidParameterValue(
            f"The value {name!r} for parameter Id is invalid: it begins with a small letter and "
            "has letters, digits and underscores."
        )
    if ("MetricStat" in one) == ("Expression" in one):
        raise InvalidParameterValue(
            f"The query {name} must have either a MetricStat or an Expression."
        )
    if "Expression" in one:
        try:
            return expressions.parse(one["Expression"])
        except ExpressionWrong as error:
            raise InvalidParameterValue(f"Error in expression '{name}': {error}.") from error
    stat = one["MetricStat"]
    metric = stat["Metric"]
    if "Namespace" not in metric or "MetricName" not in metric:
        raise MissingParameter(f"The metric of {name} needs a Namespace and a MetricName.")
    periods_allowed(stat["Period"])
    try:
        needs_spread(stat["Stat"])
    except StatisticUnknown as error:
        raise InvalidParameterValue(f"The query {name}: {error}") from error
    return MetricPart(
        MetricName(
            metric["Namespace"], metric["MetricName"], dimensions_of(metric.get("Dimensions"))
        ),
        stat["Period"],
        stat["Stat"],
        stat.get("Unit"),
    )


def _needs(part: Expression, metrics: Sequence[str]) -> set[str]:
    """The ids that an expression refers to."""
    every = {name for name in metrics if any(text in name for text in part.every)}
    return set(part.names) | every


def _common_period(name: str, periods: set[int]) -> int:
    if len(periods) > 1:
        raise InvalidParameterValue(
            f"The metrics in the expression of {name} have different periods "
            f"({', '.join(map(str, sorted(periods)))} seconds); give them the same Period."
        )
    return min(periods, default=_CONSTANT_PERIOD)


def _series(part: MetricPart, reader: MetricReader, start: float, end: float) -> Series:
    query = MetricQuery(part.metric, start, end, part.period, part.unit)
    summed: dict[float, Statistics] = {}
    for found in reader.read(query):
        present = summed.get(found.time)
        summed[found.time] = found.statistics if present is None else present + found.statistics
    values = {time: statistic(found, part.stat) for time, found in summed.items()}
    return {time: value for time, value in values.items() if not math.isnan(value)}
