"""The metrics of asynchronous inference, under CloudWatch's names."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping

from bottega.features.async_inference.endpoints import instances
from bottega.metrics.statistics import Statistics
from bottega.metrics.store import MetricName, Observation, dimensions
from bottega.ports import Ports
from bottega.serving.inference_queue import AsyncRequest, Backlog

NAMESPACE = "AWS/SageMaker"
PROCESSED = "InvocationsProcesssed"
"""CloudWatch's spelling."""
_NONE = Backlog(0, 0.0)


class Measures:
    """Gathers what happened to requests, and records it together with the backlogs."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._lock = threading.Lock()
        self._values: dict[tuple[MetricName, str, int], list[float]] = defaultdict(list)

    def add(
        self, request: AsyncRequest, variant: str, name: str, value: float = 1.0, unit: str = "None"
    ) -> None:
        """Note a value of one request.

        Args:
            variant: who answered; empty where nobody was asked.
        """
        named = {"EndpointName": request.endpoint, **({"VariantName": variant} if variant else {})}
        metric = MetricName(NAMESPACE, name, dimensions(**named))
        with self._lock:
            self._values[metric, unit, int(self._ports.clock.now())].append(value)

    def record(self, endpoints: Iterable[str]) -> None:
        """Write down what was gathered, and how much waits at the given endpoints and at all
        others that have a backlog."""
        with self._lock:
            values, self._values = self._values, defaultdict(list)
        observations = [
            Observation(metric, time, Statistics.of(found), unit, resolution=1)
            for (metric, unit, time), found in values.items()
        ]
        backlogs = self._ports.inference_queue.backlogs()
        for endpoint in {*endpoints, *backlogs}:
            observations += self._gauges(endpoint, backlogs)
        self._ports.metrics.record(observations)

    def _gauges(self, endpoint: str, backlogs: Mapping[str, Backlog]) -> Iterable[Observation]:
        now = self._ports.clock.now()
        backlog = backlogs.get(endpoint, _NONE)
        servers = instances(self._ports.routes, endpoint)
        gauges = {
            "ApproximateBacklogSize": (float(backlog.size), "Count"),
            "ApproximateAgeOfOldestRequest": (
                max(0.0, now - backlog.oldest) if backlog.size else 0.0,
                "Seconds",
            ),
            "HasBacklogWithoutCapacity": (float(backlog.size > 0 and servers == 0), "Count"),
        }
        if servers:
            gauges["ApproximateBacklogSizePerInstance"] = (backlog.size / servers, "Count")
        for name, (value, unit) in gauges.items():
            metric = MetricName(NAMESPACE, name, dimensions(EndpointName=endpoint))
            yield Observation(metric, now, Statistics.of([value]), unit, resolution=1)
