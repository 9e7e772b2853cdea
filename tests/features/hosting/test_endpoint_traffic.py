"""What is shown of an endpoint's traffic."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from bottega.errors import ModelError, ValidationException
from bottega.metrics.statistics import Statistics
from bottega.metrics.store import MetricName, Observation, dimensions
from bottega.serving.routing import EndpointRoute, FleetRoute, ShadowRoute, VariantRoute
from bottega.testing.hosting import HostingStudio, until


def route_of(endpoint: str, *variants: str) -> EndpointRoute:
    routes = tuple(VariantRoute(name, 1.0, (), "g", "s", patience_seconds=0.0) for name in variants)
    return EndpointRoute(endpoint, (FleetRoute("c", 1.0, routes),))


def test_invocations_of_a_real_endpoint_are_shown_and_forgotten_with_it(
    hosting: HostingStudio,
) -> None:
    hosting.deploy("seen")
    for body in ("a", "b", "c"):
        hosting.invoke("seen", body)
    with pytest.raises(ModelError):
        hosting.invoke("seen", "raise")

    def whole() -> Any:
        found = hosting.ask("GetEndpointMetrics", EndpointName="seen", PeriodSeconds=1)
        return found if sum(found["Total"]["Requests"]) == 4 else None

    until(whole)
    found = whole()
    assert (found["EndpointName"], found["PeriodSeconds"]) == ("seen", 1)
    assert len(found["Times"]) == 900
    assert all(len(series) == 900 for series in found["Total"].values())
    (variant,) = found["Variants"]
    assert variant["VariantName"] == "v0"
    assert sum(variant["Series"]["Errors5XX"]) == 1
    assert sum(variant["Series"]["Errors4XX"]) == 0
    busy = [i for i, requests in enumerate(found["Total"]["Requests"]) if requests]
    for index, latency in enumerate(found["Total"]["LatencyP50"]):
        assert math.isnan(latency) is (index not in busy)
    summary = found["Traffic"]
    assert summary == variant["Traffic"]
    assert (summary["Requests"], summary["Errors"]) == (4, 1)
    assert summary["RequestsPerSecond"] == pytest.approx(4 / 60)
    assert 0 < summary["LatencyP50"] <= summary["LatencyP99"] < 60

    overview = hosting.ask("ListEndpointOverviews", Filter="name:seen")["Endpoints"][0]
    assert overview["Traffic"]["Requests"] == 4
    assert overview["Variants"][0]["CurrentInstanceCount"] == 1

    hosting.delete("seen")
    assert hosting.studio.ports.routes.traffic.last("seen", 60) == {}
    with pytest.raises(ValidationException, match="Could not find endpoint"):
        hosting.ask("GetEndpointMetrics", EndpointName="seen")


def test_an_invocation_without_any_server_is_an_error_without_latency(
    still: HostingStudio,
) -> None:
    still.config("c", still.echo_model("m"))
    still.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
    still.studio.ports.routes.put(route_of("e", "v0"))
    with pytest.raises(Exception, match="Every model server"):
        still.invoke("e", "a")
    summary = still.ask("GetEndpointMetrics", EndpointName="e")["Traffic"]
    assert summary == {"RequestsPerSecond": pytest.approx(1 / 60), "Requests": 1, "Errors": 1}


def test_variants_are_those_that_serve_and_those_that_did(still: HostingStudio) -> None:
    still.config("c", still.echo_model("m1"), still.echo_model("m2"))
    still.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
    routes = still.studio.ports.routes
    routes.put(route_of("e", "old", "idle"))
    routes.traffic.record("e", "old", 404, 0.1, config="c", overhead=0.001)
    routes.put(route_of("e", "v0"))
    routes.traffic.record("e", "v0", 200, 0.2, config="c", overhead=0.001)

    def found() -> Any:
        return still.ask("GetEndpointMetrics", EndpointName="e", Seconds=3600, PeriodSeconds=1)

    until(lambda: sum(found()["Total"]["Requests"]) == 2)
    variants = {variant["VariantName"]: variant for variant in found()["Variants"]}
    assert list(variants) == ["v0", "v1", "old"]
    assert sum(variants["v1"]["Series"]["Requests"]) == 0
    assert sum(variants["old"]["Series"]["Errors4XX"]) == 1
    assert found()["Traffic"]["Requests"] == 2
    assert sum(found()["Total"]["Errors4XX"]) == 1
    assert len(found()["Times"]) == 3600


def test_copies_for_a_shadow_are_not_counted_twice(still: HostingStudio) -> None:
    still.config("c", still.echo_model("m1"))
    still.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
    routes = still.studio.ports.routes
    shadow = ShadowRoute(VariantRoute("s", 1.0, (), "g", "s"), 1.0)
    routes.put(replace(route_of("e", "v0"), shadow=shadow))
    for variant in ("v0", "s"):
        routes.traffic.record("e", variant, 200, 0.1, config="c", overhead=0.0)

    def whole() -> Any:
        found = still.ask("GetEndpointMetrics", EndpointName="e", PeriodSeconds=1)
        counts = {one["VariantName"]: sum(one["Series"]["Requests"]) for one in found["Variants"]}
        return found if counts == {"v0": 1, "s": 1} else None

    until(whole)
    found = whole()
    assert (sum(found["Total"]["Requests"]), found["Traffic"]["Requests"]) == (1, 1)
    (overview,) = still.ask("ListEndpointOverviews")["Endpoints"]
    assert overview["Traffic"]["Requests"] == 1


def test_an_update_is_drawn_by_configuration(still: HostingStudio) -> None:
    still.config("c", still.echo_model("m1"))
    still.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
    ports = still.studio.ports
    (old,) = route_of("e", "v0").fleets
    ports.routes.put(EndpointRoute("e", (old, replace(old, config_name="new"))))
    for config, count in (("c", 3), ("new", 1)):
        for _ in range(count):
            ports.routes.traffic.record("e", "v0", 200, 0.1, config=config, overhead=0.002)
    now = ports.clock.now()
    pair = {"EndpointName": "e", "VariantName": "v0"}

    def noted(namespace: str, name: str, value: float, **more: str) -> Observation:
        metric = MetricName(namespace, name, dimensions(**pair, **more))
        return Observation(metric, now, Statistics.of([value]), "Count", 1)

    ports.metrics.record(
        [
            noted("AWS/SageMaker", "ConcurrentRequestsPerModel", 2.0),
            noted("AWS/SageMaker", "ConcurrentRequestsPerModel", 7.0),
            noted("/bottega/Endpoints", "InstanceCount", 2.0, EndpointConfigName="c"),
            noted("/bottega/Endpoints", "InstanceCount", 1.0, EndpointConfigName="new"),
        ]
    )

    def whole() -> Any:
        found = still.ask("GetEndpointMetrics", EndpointName="e", PeriodSeconds=1)
        return found if sum(found["Total"]["Requests"]) == 4 else None

    until(whole)
    found = whole()
    (variant,) = found["Variants"]
    known = [value for value in variant["Concurrency"] if not math.isnan(value)]
    assert known == [7.0]
    assert {value for value in variant["Instances"] if not math.isnan(value)} == {3.0}
    configurations = {one["EndpointConfigName"]: one for one in variant["Configurations"]}
    assert {
        name: (sum(one["Series"]["Requests"]), max(one["Instances"], key=_known))
        for name, one in configurations.items()
    } == {"c": (3, 2.0), "new": (1, 1.0)}
    overheads = [value for value in found["Total"]["Overhead"] if not math.isnan(value)]
    assert overheads[0] == pytest.approx(0.002)


def _known(value: float) -> float:
    return -1.0 if math.isnan(value) else value


@pytest.mark.parametrize(
    "more", [{"Seconds": 9}, {"Seconds": 3601}, {"PeriodSeconds": 0}, {"PeriodSeconds": 301}]
)
def test_times_beyond_what_is_kept_are_refused(still: HostingStudio, more: dict[str, int]) -> None:
    with pytest.raises(ValidationException, match="failed to satisfy constraint"):
        still.ask("GetEndpointMetrics", EndpointName="e", **more)
