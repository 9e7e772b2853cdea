"""GetEndpointMetrics: what the router saw of an endpoint, over time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from bottega.context import Context
from bottega.features.hosting import resources
from bottega.features.hosting.component_resources import components_of
from bottega.features.hosting.deployments import EndpointPlans
from bottega.features.hosting.resources import ENDPOINT
from bottega.metrics.store import MetricName, MetricQuery, MetricStore, dimensions
from bottega.ports import Ports
from bottega.registry import operation
from bottega.serving.routing import RoutingTable, component_of, component_route
from bottega.serving.traffic import Periods, Source, Tally, Traffic
from bottega.specs.generated.hosting import (
    GetEndpointMetricsRequest,
    GetEndpointMetricsResponse,
    TrafficSeries,
    TrafficSummary,
    VariantSeries,
)

_Thing = TypeVar("_Thing")

SUMMARY_SECONDS = 60
_SECONDS = 900
_PERIOD_SECONDS = 5
_SAMPLED_SECONDS = 5
"""How often the number of model servers is noted."""


@operation(
    "GetEndpointMetrics",
    service="bottega",
    note="Kept in memory for an hour. Latency is the model server's: from sending the request to "
    "the end of the answer. Concurrency is sampled each second, the number of model servers every "
    "five.",
)
def get_endpoint_metrics(
    context: Context, request: GetEndpointMetricsRequest
) -> GetEndpointMetricsResponse:
    """Whole periods up to now, in all and by variant; the present minute as a summary."""
    endpoint = resources.find(context, ENDPOINT, request["EndpointName"])
    length = request.get("PeriodSeconds", _PERIOD_SECONDS)
    routes = context.ports.routes
    traffic = routes.traffic
    plans = EndpointPlans.of(endpoint)
    serving = plans.active or plans.target
    if serving and serving.hosts:
        return _of_components(context, endpoint.name, request.get("Seconds", _SECONDS), length)
    periods = traffic.periods(
        endpoint.name, seconds=request.get("Seconds", _SECONDS), length=length
    )
    minute = last_minute(traffic, endpoint.name)
    names = [variant.name for variant in serving.variants] if serving else []
    gone = [
        name
        for name, tallies in periods.variants.items()
        if name not in names and any(tally.requests for tally in tallies)
    ]
    nothing = [Tally()] * len(periods.times)
    charts = _Charts(context.ports.metrics, endpoint.name, periods, length)
    return {
        "EndpointName": endpoint.name,
        "PeriodSeconds": length,
        "Times": list(periods.times),
        "Total": _series(
            [
                total(tallies)
                for tallies in _columns(answering(routes, endpoint.name, periods.variants), nothing)
            ]
        ),
        "Variants": [charts.variant(name, minute.get(name, Tally())) for name in (*names, *gone)],
        "Traffic": summary(total(answering(routes, endpoint.name, minute).values())),
    }


def _of_components(
    context: Context, endpoint: str, seconds: int, length: int
) -> GetEndpointMetricsResponse:
    """The traffic of an endpoint is that of its inference components; each is shown as a variant
    is."""
    traffic = context.ports.routes.traffic
    components = components_of(context.ports, endpoint)
    while True:
        found = {
            name: traffic.periods(component_route(name), seconds=seconds, length=length)
            for name in components
        }
        times = {tuple(periods.times) for periods in found.values()}
        if len(times) <= 1:  # else a period has ended in between
            break
    nothing = [Tally()] * len(next(iter(times), ()))
    minutes = minutes_of(context.ports, components)
    shown: list[VariantSeries] = []
    columns: dict[str, list[Tally]] = {}
    for name, periods in found.items():
        charts = _Charts(context.ports.metrics, component_route(name), periods, length)
        series = charts.variant(components[name], minutes[name])
        series["VariantName"] = name
        shown.append(series)
        columns[name] = [total(column) for column in _columns(periods.variants, nothing)]
    return {
        "EndpointName": endpoint,
        "PeriodSeconds": length,
        "Times": list(next(iter(times), ())),
        "Total": _series([total(column) for column in _columns(columns, nothing)]),
        "Variants": shown,
        "Traffic": summary(total(minutes.values())),
    }


def minutes_of(ports: Ports, components: Iterable[str]) -> Mapping[str, Tally]:
    """What a summary sums up of inference components, by component."""
    return {
        name: total(last_minute(ports.routes.traffic, component_route(name)).values())
        for name in components
    }


@dataclass(frozen=True)
class _Charts:
    """The series of one endpoint's variants, or of an inference component, over the same
    periods."""

    metrics: MetricStore
    route: str
    periods: Periods
    length: int

    def variant(self, name: str, minute: Tally) -> VariantSeries:
        """What there is to draw of a variant."""
        nothing = [Tally()] * len(self.periods.times)
        found: VariantSeries = {
            "VariantName": name,
            "Series": _series(self.periods.variants.get(name, nothing)),
            "Traffic": summary(minute),
            "Concurrency": self._concurrency(name),
        }
        instances = {
            source: self._instances(source)
            for source in self.periods.sources
            if source.variant == name
        }
        fleets = [
            source
            for source, counts in instances.items()
            if any(tally.requests for tally in self.periods.sources[source])
            or not all(map(math.isnan, counts))
        ]
        columns = [instances[source] for source in fleets] or [[math.nan] * len(nothing)]
        found["Instances"] = [_sum(column) for column in zip(*columns, strict=True)]
        if len(fleets) > 1:
            found["Configurations"] = [
                {
                    "EndpointConfigName": source.config,
                    "Series": _series(self.periods.sources[source]),
                    "Instances": instances[source],
                }
                for source in sorted(fleets)
            ]
        return found

    def _concurrency(self, name: str) -> list[float]:
        if component := component_of(self.route):
            metric, owner = "ConcurrentRequestsPerCopy", {"InferenceComponentName": component}
        else:
            metric = "ConcurrentRequestsPerModel"
            owner = {"EndpointName": self.route, "VariantName": name}
        return self._highest("AWS/SageMaker", metric, owner)

    def _instances(self, source: Source) -> list[float]:
        """How many servers a variant of a configuration had; a period that is shorter than the
        pause between two notes has what was noted before it."""
        values = {
            "EndpointName": self.route,
            "VariantName": source.variant,
            "EndpointConfigName": source.config,
        }
        found = self._highest("/bottega/Endpoints", "InstanceCount", values)
        known, age = math.nan, 0
        for at, value in enumerate(found):
            known, age = (known, age + self.length) if math.isnan(value) else (value, 0)
            if age <= 2 * _SAMPLED_SECONDS:
                found[at] = known
        return found

    def _highest(self, namespace: str, name: str, values: Mapping[str, str]) -> list[float]:
        """The highest value of each period; NaN where there is none."""
        times = self.periods.times
        if not times:
            return []
        metric = MetricName(namespace, name, dimensions(**values))
        query = MetricQuery(metric, times[0], times[-1] + self.length, self.length)
        found = {period.time: period.statistics.maximum for period in self.metrics.read(query)}
        return [found.get(time, math.nan) for time in times]


def _sum(values: Iterable[float]) -> float:
    """The sum of the numbers among these; NaN where there is none."""
    known = [value for value in values if not math.isnan(value)]
    return sum(known) if known else math.nan


def last_minute(traffic: Traffic, endpoint: str) -> Mapping[str, Tally]:
    """What a summary sums up, by variant."""
    return traffic.last(endpoint, SUMMARY_SECONDS)


def answering(
    routes: RoutingTable, endpoint: str, variants: Mapping[str, _Thing]
) -> Mapping[str, _Thing]:
    """What there is of the variants whose answers callers get: without the shadow's, which has
    copies of requests that were counted already."""
    route = routes.get(endpoint)
    shadow = route.shadow.variant.name if route is not None and route.shadow is not None else None
    return {name: thing for name, thing in variants.items() if name != shadow}


def total(tallies: Iterable[Tally]) -> Tally:
    """All of them in one."""
    found = Tally()
    for tally in tallies:
        found.add(tally)
    return found


def summary(tally: Tally) -> TrafficSummary:
    """The last minute in a few numbers."""
    answer: TrafficSummary = {
        "RequestsPerSecond": tally.requests / SUMMARY_SECONDS,
        "Requests": tally.requests,
        "Errors": tally.errors_4xx + tally.errors_5xx,
    }
    if tally.latencies:
        answer["LatencyP50"] = tally.percentile(50)
        answer["LatencyP99"] = tally.percentile(99)
    return answer


def _columns(
    variants: Mapping[str, Sequence[Tally]], nothing: Sequence[Tally]
) -> Iterable[Sequence[Tally]]:
    """For each period what all variants had in it."""
    return zip(*(variants.values() or [nothing]), strict=True)


def _series(tallies: Sequence[Tally]) -> TrafficSeries:
    return {
        "Requests": [tally.requests for tally in tallies],
        "Errors4XX": [tally.errors_4xx for tally in tallies],
        "Errors5XX": [tally.errors_5xx for tally in tallies],
        "LatencyP50": [tally.percentile(50) for tally in tallies],
        "LatencyP99": [tally.percentile(99) for tally in tallies],
        "Overhead": [tally.overhead.average for tally in tallies],
    }
