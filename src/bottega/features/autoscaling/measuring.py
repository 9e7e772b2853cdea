"""Points of a policy's metric, read from the store of metrics."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from bottega.config import Config
from bottega.features.autoscaling.entities import TargetKey
from bottega.features.autoscaling.policies import COPY_INVOCATIONS, INVOCATIONS, TRACKING
from bottega.features.autoscaling.tracking import IN_POINTS, LOOKED_AT, OUT_POINTS, Point
from bottega.metrics.statistics import Statistics, statistic
from bottega.metrics.store import MetricName, MetricQuery, dimensions
from bottega.ports import Ports

Call = Callable[[str, str, Mapping[str, Any]], Mapping[str, Any]]

SETTLE_SECONDS = 2.5
"""So long after its end a period's values are there: they are collected each second."""
_MINUTE = 60
_MINUTES = IN_POINTS + 1
_TOTALS = ("Sum", "SampleCount")
"""Statistics that grow with the period, and so are reckoned up to a minute."""


def grain_of(config: Config) -> int:
    """Seconds of a point."""
    return min(_MINUTE, max(1, config.autoscaling_period_seconds))


class Measurer:
    """Reads the points of metrics.

    Args:
        call: asks other operations; metric math is GetMetricData's.
    """

    def __init__(self, ports: Ports, call: Call) -> None:
        self._ports = ports
        self._call = call
        self._grain = grain_of(ports.config)
        self._math: dict[str, tuple[float, Any, Mapping[float, float]]] = {}
        """By policy: the end of the last minute that was asked about, the queries and the
        values."""

    @property
    def grain(self) -> int:
        """Seconds of a point."""
        return self._grain

    def points(
        self, key: TargetKey, policy: Mapping[str, Any], capacity: int, since: float
    ) -> tuple[Point, ...]:
        """The points of a target tracking policy, the oldest first.

        Args:
            policy: the policy's body.
            since: points that begin before are left out.

        Raises:
            BottegaError: the metric math makes no sense.
        """
        configuration = policy[TRACKING]
        if customized := configuration.get("CustomizedMetricSpecification"):
            return self._customized(policy["PolicyARN"], customized, since)
        kind = configuration["PredefinedMetricSpecification"]["PredefinedMetricType"]
        counts = kind in (INVOCATIONS, COPY_INVOCATIONS)
        if key.is_component:
            name = "Invocations" if counts else "ConcurrentRequestsPerCopy"
            owner = dimensions(InferenceComponentName=key.owner)
        else:
            name = "Invocations" if counts else "ConcurrentRequestsPerModel"
            owner = dimensions(EndpointName=key.owner, VariantName=key.variant)
        metric = MetricName("AWS/SageMaker", name, owner)
        end = self._end(self._grain)
        start = max(math.ceil(since / self._grain) * self._grain, end - LOOKED_AT * self._grain)
        found = self._by_grain(metric, start, end)
        # What is under way is told of each copy, but of all instances together.
        units = 1 if key.is_component and not counts else max(1, capacity)
        points = []
        for number in range(max(0, round((end - start) / self._grain))):
            one = found.get(start + number * self._grain, Statistics())
            if counts:
                rate = one.sum * _MINUTE / self._grain
                points.append(Point(rate / units, one.sum))
            else:  # sampled each second; where nothing was there is nothing under way
                points.append(Point(one.average / units if one.count else 0.0))
        return tuple(points)

    def of_alarm(self, alarm: Mapping[str, Any]) -> tuple[float, ...]:
        """The values that an alarm looks at now, the oldest first.

        Raises:
            BottegaError: its expression makes no sense.
        """
        periods = int(alarm["EvaluationPeriods"])
        if queries := alarm.get("Metrics"):
            period = max(one["MetricStat"]["Period"] for one in queries if "MetricStat" in one)
            end = self._end(period)
            values = self._asked(queries, end - periods * period, end)
            return tuple(values[time] for time in sorted(values))
        period = int(alarm["Period"])
        end = self._end(period)
        named = {one["Name"]: one["Value"] for one in alarm.get("Dimensions", ())}
        metric = MetricName(alarm["Namespace"], alarm["MetricName"], dimensions(**named))
        query = MetricQuery(metric, end - periods * period, end, period, alarm.get("Unit"))
        name = alarm.get("Statistic") or alarm["ExtendedStatistic"]
        return tuple(statistic(one.statistics, name) for one in self._ports.metrics.read(query))

    def _end(self, period: int) -> float:
        return math.floor((self._ports.clock.now() - SETTLE_SECONDS) / period) * period

    def _by_grain(
        self, metric: MetricName, start: float, end: float, unit: str | None = None
    ) -> dict[float, Statistics]:
        found: dict[float, Statistics] = {}
        for one in self._ports.metrics.read(MetricQuery(metric, start, end, 1, unit)):
            begin = math.floor(one.time / self._grain) * self._grain
            found[begin] = found.get(begin, Statistics()) + one.statistics
        return found

    def _customized(
        self, arn: str, specification: Mapping[str, Any], since: float
    ) -> tuple[Point, ...]:
        if queries := specification.get("Metrics"):
            return self._of_math(arn, queries, since)
        named = {one["Name"]: one["Value"] for one in specification.get("Dimensions", ())}
        metric = MetricName(
            specification["Namespace"], specification["MetricName"], dimensions(**named)
        )
        name, unit = specification["Statistic"], specification.get("Unit")
        end = self._end(self._grain)
        found = self._by_grain(metric, max(since, end - LOOKED_AT * self._grain), end, unit)
        factor = _MINUTE / self._grain if name in _TOTALS else 1.0
        if self._is_dense(found, end):
            return tuple(
                Point(statistic(found[time], name) * factor)
                for time in sorted(found)
                if time >= since
            )
        end = self._end(_MINUTE)
        query = MetricQuery(metric, end - _MINUTES * _MINUTE, end, _MINUTE, unit)
        return tuple(
            Point(statistic(one.statistics, name))
            for one in self._ports.metrics.read(query)
            if one.time >= since
        )

    def _is_dense(self, found: Mapping[float, Statistics], end: float) -> bool:
        """Whether nearly every period up to now has a value; one that comes less often is looked
        at by the minute, or it would never have points enough to scale in."""
        if len(found) < OUT_POINTS or max(found) < end - OUT_POINTS * self._grain:
            return False
        return max(found) - min(found) <= 1.5 * self._grain * (len(found) - 1)

    def _of_math(
        self, arn: str, queries: list[Mapping[str, Any]], since: float
    ) -> tuple[Point, ...]:
        end = self._end(_MINUTE)
        known = self._math.get(arn)
        if known is None or known[:2] != (end, queries):
            with_periods = [
                {**one, "MetricStat": {**one["MetricStat"], "Period": _MINUTE}}
                if "MetricStat" in one
                else one
                for one in queries
            ]
            values = self._asked(with_periods, end - _MINUTES * _MINUTE, end)
            self._math[arn] = known = (end, queries, values)
        return tuple(Point(known[2][time]) for time in sorted(known[2]) if time >= since)

    def _asked(
        self, queries: list[Mapping[str, Any]], start: float, end: float
    ) -> dict[float, float]:
        request = {"MetricDataQueries": queries, "StartTime": start, "EndTime": end}
        results = self._call("cloudwatch", "GetMetricData", request)["MetricDataResults"]
        return {
            time: value
            for one in results[:1]
            for time, value in zip(one["Timestamps"], one["Values"], strict=True)
        }


def metric_of(policy: Mapping[str, Any]) -> str:
    """The name of what a target tracking policy looks at."""
    found = policy[TRACKING]
    if predefined := found.get("PredefinedMetricSpecification"):
        return str(predefined["PredefinedMetricType"])
    return str(found["CustomizedMetricSpecification"].get("MetricName", "metric math"))
