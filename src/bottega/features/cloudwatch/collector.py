"""Brings into the store of metrics what the router counted and what model servers use.

Every second each endpoint's finished seconds become CloudWatch's metrics. What could not be stored
is tried again with the next second; a kill costs the seconds that were not collected yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bottega.compute.logs import StreamMissing
from bottega.controller import Controller
from bottega.features.cloudwatch.reading import sample
from bottega.metrics.statistics import Statistics
from bottega.metrics.store import MetricName, Observation, dimensions
from bottega.model_servers.usage import usage_group, usage_stream
from bottega.ports import Ports
from bottega.serving.routing import EndpointRoute, component_of
from bottega.serving.traffic import Second, Source, Times, middle_of

REQUESTS = "AWS/SageMaker"
HOSTS = "/aws/sagemaker/Endpoints"
COMPONENTS = "/aws/sagemaker/InferenceComponents"
INSTANCES = MetricName("/bottega/Endpoints", "InstanceCount")
"""How many model servers answer, for the charts of an endpoint; not listed."""
_SECONDS = 1.0
_HOST_SECONDS = 5.0
_MICROSECONDS = 1e6
_MOST_WAITING = 100_000
"""Observations that wait for a store that cannot be written; the oldest are dropped then."""


class MetricCollector(Controller):
    """One piece of work for ever: there is nothing that it could be named after."""

    kind = "MetricCollection"

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._waiting: list[Observation] = []
        self._instances: dict[tuple[str, Source], int] = {}
        self._began = ports.clock.now()
        self._hosts_at = 0.0
        self._positions: dict[tuple[str, str], int] = {}

    def pending(self) -> Iterable[str]:
        return ("all",)

    def reconcile(self, name: str) -> float | None:
        self.collect()
        return _SECONDS

    def collect(self) -> None:
        """Store what is new."""
        routes = {route.name: route for route in self._ports.routes.endpoints()}
        self._count_instances(routes.values())
        now = self._ports.clock.now()
        active: set[tuple[str, str]] = set()
        for second in self._ports.routes.traffic.collect():
            active.add((second.endpoint, second.source.variant))
            route = routes.get(second.endpoint)
            self._waiting += self._of_second(second, route is not None and route.asynchronous)
        for route in routes.values():
            self._waiting += self._concurrency(route, active, now)
        monotonic = self._ports.clock.monotonic()
        if monotonic >= self._hosts_at:
            self._hosts_at = monotonic + _HOST_SECONDS
            for route in routes.values():
                self._waiting += self._instance_counts(route, now)
            self._waiting += self._usage(routes.values())
        del self._waiting[:-_MOST_WAITING]
        if self._waiting:
            self._ports.metrics.record(self._waiting)
            self._waiting = []

    def _count_instances(self, routes: Iterable[EndpointRoute]) -> None:
        found: dict[tuple[str, Source], int] = {}
        for route in routes:
            for fleet, variant in route.variants():
                key = (route.name, Source(variant.name, fleet.config_name))
                # While none answers, those that did shared the requests.
                found[key] = len(variant.instances) or self._instances.get(key, 0)
        gone = {key: count for key, count in self._instances.items() if key not in found}
        # The last second of what is gone is collected after it went.
        self._instances = {**dict(list(gone.items())[-1000:]), **found}

    def _of_second(self, second: Second, asynchronous: bool) -> Iterable[Observation]:
        source, tally, count = second.source, second.tally, float(second.tally.requests)
        instances = max(1, self._instances.get((second.endpoint, source), 1))
        latencies = {
            middle_of(bucket) * _MICROSECONDS: float(number)
            for bucket, number in tally.latencies.items()
        }
        named = {
            "Invocation4XXErrors": _ones(tally.errors_4xx, count),
            "Invocation5XXErrors": _ones(tally.errors_5xx, count),
            "InvocationModelErrors": _ones(tally.model_errors, count),
            "ModelLatency": Statistics.of_known(
                tally.model.total * _MICROSECONDS,
                tally.model.shortest * _MICROSECONDS,
                tally.model.longest * _MICROSECONDS,
                latencies,
            ),
        }
        component = component_of(second.endpoint)
        if not asynchronous:
            named["Invocations"] = _ones(count, count)
            each = "InvocationsPerCopy" if component else "InvocationsPerInstance"
            named[each] = Statistics.of([1 / instances], [count])
            named["OverheadLatency"] = _microseconds(tally.overhead)
        views = [_dimensions(second.endpoint, source.variant)]
        if component:
            # What was refused and never sent, was refused because there are no copies.
            refused = min(tally.errors_4xx, tally.requests - tally.model.count)
            named["NoCapacityInvocationFailures"] = _ones(refused, count)
        else:
            # By the second for one configuration, too: an alarm on it is what undoes a bad update.
            views.append({**views[0], "EndpointConfigName": source.config})
        for values in views:
            for name, statistics in named.items():
                yield Observation(
                    MetricName(REQUESTS, name, dimensions(**values)),
                    float(second.time),
                    statistics,
                    "Microseconds" if name.endswith("Latency") else "None",
                    1,
                )

    def _concurrency(
        self, route: EndpointRoute, active: set[tuple[str, str]], now: float
    ) -> Iterable[Observation]:
        component = component_of(route.name)
        for variant in {variant.name for _, variant in route.variants()}:
            under_way = float(self._ports.routes.load.concurrent(route.name, variant))
            if not (under_way or (route.name, variant) in active):
                continue
            name = "ConcurrentRequestsPerCopy" if component else "ConcurrentRequestsPerModel"
            if component:
                under_way /= max(1, sum(len(one.instances) for _, one in route.variants()))
            metric = MetricName(REQUESTS, name, dimensions(**_dimensions(route.name, variant)))
            yield Observation(metric, now, Statistics.of([under_way]), "Count", 1)

    def _instance_counts(self, route: EndpointRoute, now: float) -> Iterable[Observation]:
        for fleet, variant in route.variants():
            values = dimensions(
                EndpointName=route.name,
                VariantName=variant.name,
                EndpointConfigName=fleet.config_name,
            )
            count = Statistics.of([float(len(variant.instances))])
            yield Observation(INSTANCES._replace(dimensions=values), now, count, "Count", 1)

    def _usage(self, routes: Iterable[EndpointRoute]) -> Iterable[Observation]:
        """What the samplers of model servers wrote since the last time."""
        present: dict[tuple[str, str], int] = {}
        found: list[Observation] = []
        for route in routes:
            shadows = () if route.shadow is None else (route.shadow.variant,)
            for variant in (*(variant for _, variant in route.variants()), *shadows):
                space = COMPONENTS if component_of(route.name) else HOSTS
                pair = dimensions(**_dimensions(route.name, variant.name))
                for instance in variant.instances:
                    key = (usage_group(route.name), usage_stream(instance.id))
                    events, present[key] = self._new_samples(*key)
                    for time, values in events:
                        found += [
                            Observation(
                                MetricName(space, name, pair),
                                time,
                                Statistics.of([value]),
                                "Percent",
                            )
                            for name, value in values.items()
                        ]
        self._positions = present
        return found

    def _new_samples(
        self, group: str, stream: str
    ) -> tuple[Sequence[tuple[float, dict[str, float]]], int]:
        logs = self._ports.logs
        position = self._positions.get((group, stream), -1)
        found = []
        try:
            if position < 0:
                # What was written before this process began, another one has collected.
                position = logs.seek(group, stream, int(self._began * 1000))
            while (chunk := logs.read(group, stream, position=position)).events:
                position = chunk.next_position
                found += [
                    (event.timestamp / 1000, dict(sample(event.message))) for event in chunk.events
                ]
        except StreamMissing:  # no sample yet
            return found, max(0, position)
        return found, position


def _dimensions(route: str, variant: str) -> dict[str, str]:
    """Under what the metrics of an inference component, or of a variant of an endpoint, are."""
    if component := component_of(route):
        return {"InferenceComponentName": component}
    return {"EndpointName": route, "VariantName": variant}


def _ones(ones: float, count: float) -> Statistics:
    """A request counts 1 where something holds for it, and 0 where not."""
    return Statistics.of([1.0, 0.0], [float(ones), float(count - ones)])


def _microseconds(times: Times) -> Statistics:
    return Statistics.of_set(
        float(times.count),
        times.total * _MICROSECONDS,
        times.shortest * _MICROSECONDS,
        times.longest * _MICROSECONDS,
    )
