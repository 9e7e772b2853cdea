"""What of an endpoint's traffic becomes metrics."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bottega.features.cloudwatch.collector import INSTANCES, MetricCollector
from bottega.metrics.sqlite_store import SqliteMetricStore
from bottega.metrics.store import MetricName, MetricQuery, Observation, dimensions
from bottega.model_servers.usage import usage_group, usage_stream
from bottega.serving.routing import EndpointRoute, FleetRoute, InstanceRoute, VariantRoute

NOW = 1_700_000_040.0


def route(instances: int = 2, **more: Any) -> EndpointRoute:
    servers = tuple(InstanceRoute(f"i-{n}", Path(f"/{n}")) for n in range(instances))
    variant = VariantRoute("v", 1.0, servers, log_group="g", log_stream="s")
    return EndpointRoute("e", (FleetRoute("c", 1.0, (variant,)),), **more)


class Watched:
    """An endpoint with two servers, and what there is of its metrics."""

    def __init__(self, cloudwatch: Any) -> None:
        self.cloudwatch = cloudwatch
        self.ports = cloudwatch.ports
        # The table of these ports has a clock of its own.
        self.ports.routes.traffic.__init__(cloudwatch.clock)
        self.ports.routes.put(route())
        self.collector = MetricCollector(self.ports)

    def record(self, status: int = 200, seconds: float | None = 0.1, count: int = 1) -> None:
        for _ in range(count):
            self.ports.routes.traffic.record("e", "v", status, seconds, config="c", overhead=0.001)

    def collect(self) -> None:
        self.cloudwatch.clock.advance(1)
        self.collector.reconcile("all")

    def sums(self, name: str, statistic: str = "Sum", *, config: bool = False) -> list[float]:
        dimensions = {"EndpointName": "e", "VariantName": "v"}
        if config:
            dimensions["EndpointConfigName"] = "c"
        found = self.cloudwatch.do(
            "GetMetricStatistics",
            Namespace="/aws/sagemaker/Endpoints" if "Utilization" in name else "AWS/SageMaker",
            MetricName=name,
            Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
            StartTime=NOW,
            EndTime=NOW + 60,
            Period=60,
            **(
                {"ExtendedStatistics": [statistic]}
                if statistic.startswith("p")
                else {"Statistics": [statistic]}
            ),
        )["Datapoints"]
        return [
            one.get(statistic, one.get("ExtendedStatistics", {}).get(statistic)) for one in found
        ]


@pytest.fixture
def watched(cloudwatch: Any) -> Watched:
    return Watched(cloudwatch)


@pytest.mark.parametrize("config", [False, True])
def test_requests_become_cloudwatchs_metrics(watched: Watched, config: bool) -> None:
    watched.record(count=7)
    watched.record(404, 0.3)
    watched.record(0, 0.3)
    watched.record(503, None)
    watched.collect()
    expected = {
        "Invocations": 10,
        "InvocationsPerInstance": 5,
        "Invocation4XXErrors": 1,
        "Invocation5XXErrors": 2,
        "InvocationModelErrors": 2,
        "ModelLatency": 1_300_000,
        "OverheadLatency": 10_000,
    }
    for name, value in expected.items():
        assert watched.sums(name, config=config) == [pytest.approx(value)], name
    assert watched.sums("Invocation4XXErrors", "Average", config=config) == [0.1]
    assert watched.sums("ModelLatency", "SampleCount", config=config) == [9]
    assert watched.sums("ModelLatency", "Maximum", config=config) == [pytest.approx(300_000)]
    assert watched.sums("ModelLatency", "p50", config=config) == [pytest.approx(100_000, rel=0.04)]


def test_nothing_is_told_of_an_endpoint_without_traffic(watched: Watched) -> None:
    for _ in range(3):
        watched.collect()
    listed = watched.cloudwatch.do("ListMetrics", Namespace="AWS/SageMaker")["Metrics"]
    assert listed == []
    assert watched.cloudwatch.do("ListMetrics")["Metrics"] == []


def test_a_second_is_told_once(watched: Watched) -> None:
    watched.record()
    watched.collect()
    watched.collect()
    watched.record(count=2)
    watched.collect()
    assert watched.sums("Invocations") == [3]


def test_the_last_second_of_a_removed_endpoint_is_told(watched: Watched) -> None:
    watched.collect()
    watched.record(count=4)
    watched.ports.routes.remove("e")
    watched.collect()
    assert watched.sums("Invocations") == [4]
    assert watched.sums("InvocationsPerInstance") == [2]


def test_concurrency_is_sampled_while_requests_are_under_way(watched: Watched) -> None:
    load = watched.ports.routes.load
    load.admitted("e", "v")
    load.admitted("e", "v")
    watched.collect()
    load.finished("e", "v")
    watched.collect()
    load.finished("e", "v")
    watched.collect()
    assert watched.sums("ConcurrentRequestsPerModel", "SampleCount") == [2]
    assert watched.sums("ConcurrentRequestsPerModel", "Maximum") == [2]


def test_an_asynchronous_endpoint_has_no_invocations(watched: Watched) -> None:
    watched.ports.routes.put(route(asynchronous=True))
    watched.record()
    watched.collect()
    assert watched.sums("Invocations") == []
    assert watched.sums("ModelLatency", "SampleCount") == [1]


def test_what_servers_use_is_told_as_percentages(watched: Watched) -> None:
    logs = watched.ports.logs
    file = logs.path(usage_group("e"), usage_stream("i-0"))
    record = json.dumps({"CPUUtilization": 150.0, "MemoryUsed": 10_000_000})
    file.write_text(
        f"{int((NOW - 10) * 1000)} {record}\n{int((NOW + 1) * 1000)} {record}\n{int(NOW + 2)}000 {{"
    )
    watched.collect()
    for _ in range(10):
        watched.collect()
    assert watched.sums("CPUUtilization", "SampleCount") == [1], "those before are another's"
    assert watched.sums("CPUUtilization", "Maximum") == [150]
    (memory,) = watched.sums("MemoryUtilization", "Maximum")
    assert 0 < memory < 100


def test_the_number_of_servers_is_kept_for_the_charts(watched: Watched) -> None:
    watched.collect()
    (known,) = watched.ports.metrics.metrics(namespace=INSTANCES.namespace)
    assert dict(known.metric.dimensions) == {
        "EndpointName": "e",
        "VariantName": "v",
        "EndpointConfigName": "c",
    }
    assert watched.cloudwatch.do("ListMetrics")["Metrics"] == []


def test_what_could_not_be_stored_is_stored_later(watched: Watched, tmp_path: Path) -> None:
    store = StoreOnAFullDisk(tmp_path / "full.sqlite", watched.cloudwatch.clock)
    watched.collector = MetricCollector(replace(watched.ports, metrics=store))
    watched.record()
    with pytest.raises(OSError, match="disk"):
        watched.collect()
    store.full = False
    watched.collect()
    metric = MetricName(
        "AWS/SageMaker", "Invocations", dimensions(EndpointName="e", VariantName="v")
    )
    (period,) = store.read(MetricQuery(metric, NOW, NOW + 60, 60))
    assert period.statistics.sum == 1
    store.close()


class StoreOnAFullDisk(SqliteMetricStore):
    """Keeps nothing while the disk is full."""

    full = True

    def record(self, observations: Iterable[Observation]) -> None:
        if self.full:
            raise OSError("the disk is full")
        super().record(observations)
