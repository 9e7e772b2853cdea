"""What is shown of an endpoint's traffic."""

from __future__ import annotations

import math
from typing import Any

import pytest

from bottega.errors import ModelError, ValidationException
from bottega.serving.routing import EndpointRoute, FleetRoute, VariantRoute
from bottega.testing.hosting import HostingStudio, until


def route_of(endpoint: str, *variants: str) -> EndpointRoute:
    routes = tuple(VariantRoute(name, 1.0, (), "g", "s") for name in variants)
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
    still: HostingStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bottega.serving.router.REPAIR_PATIENCE_SECONDS", 0.0)
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
    routes.traffic.record("e", "old", 404, 0.1)
    routes.put(route_of("e", "v0"))
    routes.traffic.record("e", "v0", 200, 0.2)

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


@pytest.mark.parametrize(
    "more", [{"Seconds": 9}, {"Seconds": 3601}, {"PeriodSeconds": 0}, {"PeriodSeconds": 301}]
)
def test_times_beyond_what_is_kept_are_refused(still: HostingStudio, more: dict[str, int]) -> None:
    with pytest.raises(ValidationException, match="failed to satisfy constraint"):
        still.ask("GetEndpointMetrics", EndpointName="e", **more)
