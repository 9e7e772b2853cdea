"""Serverless variants: servers come when they are asked for and go when nobody asks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bottega.errors import ValidationException
from bottega.features.hosting.instances import run_folders
from bottega.testing.hosting import HostingStudio, until


@pytest.fixture(scope="module")
def hosting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostingStudio]:
    """A studio whose serverless variants fall asleep at once."""
    home = tmp_path_factory.mktemp("home") / "h"
    with HostingStudio.opened(home, serverless_idle_seconds=0.3) as opened:
        opened.studio.start()
        yield opened
        opened.delete_all()


def deploy(hosting: HostingStudio, name: str, **serverless: Any) -> Any:
    config = {"MemorySizeInMB": 2048, "MaxConcurrency": 4, **serverless}
    variant = {
        "VariantName": "v0",
        "ModelName": hosting.echo_model(name),
        "ServerlessConfig": config,
    }
    hosting.call("CreateEndpointConfig", EndpointConfigName=name, ProductionVariants=[variant])
    hosting.call("CreateEndpoint", EndpointName=name, EndpointConfigName=name)
    return hosting.wait(name, "InService")


def servers(hosting: HostingStudio, endpoint: str) -> int:
    root = hosting.studio.ports.config.home / "work" / "endpoints" / endpoint
    return sum(bool(run_folders(instance)) for instance in root.glob("*/*"))


def test_a_server_comes_when_it_is_asked_for_and_goes_again(hosting: HostingStudio) -> None:
    described = deploy(hosting, "sleeps")
    (variant,) = described["ProductionVariants"]
    assert variant["CurrentServerlessConfig"] == {"MemorySizeInMB": 2048, "MaxConcurrency": 4}
    assert "CurrentInstanceCount" not in variant
    assert hosting.ask("ListEndpointOverviews", Filter="sleeps")["Endpoints"][0]["Kind"] == (
        "Serverless"
    )
    for _ in range(2):
        until(lambda: servers(hosting, "sleeps") == 0)
        assert hosting.describe("sleeps")["EndpointStatus"] == "InService"
        assert hosting.invoke("sleeps", "x")["Body"] == b"sleeps: x"
        assert servers(hosting, "sleeps") >= 1


def test_a_request_that_comes_while_it_falls_asleep_is_answered(hosting: HostingStudio) -> None:
    deploy(hosting, "dozes")

    def routed() -> int:
        route = hosting.studio.ports.routes.get("dozes")
        assert route is not None
        return sum(len(variant.instances) for _, variant in route.variants())

    for _ in range(2):
        until(lambda: routed() == 0)
        assert hosting.invoke("dozes", "x")["Body"] == b"dozes: x"


def test_a_burst_that_wakes_it_is_answered(hosting: HostingStudio) -> None:
    deploy(hosting, "bursts")
    until(lambda: servers(hosting, "bursts") == 0)
    answers = hosting.invoke_together("bursts", ["x"] * 4)
    assert {answer["Body"] for answer in answers} == {b"bursts: x"}


def test_a_script_that_is_asked_by_many_gets_a_server_for_each_core(
    hosting: HostingStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 3)
    deploy(hosting, "grows", MaxConcurrency=2)
    deploy(hosting, "crowds", MaxConcurrency=8)
    for name, most in (("grows", 2), ("crowds", 3)):
        with hosting.under_load(name, callers=most) as answers:
            until(lambda: servers(hosting, name) == most)  # noqa: B023
        assert set(answers) == {f"{name}: x".encode()}


def test_steady_use_keeps_it_awake_and_falling_asleep_loses_nothing(
    hosting: HostingStudio,
) -> None:
    deploy(hosting, "steady", MaxConcurrency=20)
    with hosting.under_load("steady", callers=1) as answers:
        until(lambda: len(answers) >= 100)
    assert set(answers) == {b"steady: x"}
    until(lambda: servers(hosting, "steady") == 0)


def test_provisioned_servers_stay(hosting: HostingStudio) -> None:
    deploy(hosting, "warm", ProvisionedConcurrency=1)
    hosting.call(
        "UpdateEndpointWeightsAndCapacities",
        EndpointName="warm",
        DesiredWeightsAndCapacities=[
            {
                "VariantName": "v0",
                "ServerlessUpdateConfig": {"MaxConcurrency": 8, "ProvisionedConcurrency": 2},
            }
        ],
    )
    (variant,) = hosting.wait("warm", "InService")["ProductionVariants"]
    assert variant["CurrentServerlessConfig"] == {
        "MemorySizeInMB": 2048,
        "MaxConcurrency": 8,
        "ProvisionedConcurrency": 2,
    }
    assert servers(hosting, "warm") == 2
    route = hosting.studio.ports.routes.get("warm")
    assert route is not None
    ((_, served),) = route.variants()
    assert (served.concurrency, served.on_demand, served.patience_seconds) == (8, True, 60.0)
    with pytest.raises(ValidationException, match="use ServerlessUpdateConfig"):
        hosting.call(
            "UpdateEndpointWeightsAndCapacities",
            EndpointName="warm",
            DesiredWeightsAndCapacities=[{"VariantName": "v0", "DesiredInstanceCount": 2}],
        )


def test_a_model_that_cannot_be_loaded_fails_the_endpoint(hosting: HostingStudio) -> None:
    script = "def model_fn(model_dir):\n    raise ValueError('weights are missing')\n"
    variant = {
        "VariantName": "v0",
        "ModelName": hosting.echo_model("broken", script),
        "ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1},
    }
    hosting.call("CreateEndpointConfig", EndpointConfigName="broken", ProductionVariants=[variant])
    hosting.call("CreateEndpoint", EndpointName="broken", EndpointConfigName="broken")
    assert "weights are missing" in hosting.wait("broken", "Failed")["FailureReason"]
