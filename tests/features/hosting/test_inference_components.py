"""Inference components: several models with copies of their own on one endpoint."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bottega.errors import BottegaError, ValidationError, ValidationException
from bottega.features.hosting import outcomes
from bottega.features.hosting.resources import COMPONENT, ENDPOINT
from bottega.testing.hosting import ECHO, HostingStudio, until

NEEDS = {"NumberOfCpuCoresRequired": 1, "MinMemoryRequiredInMb": 256}
ROLE = "arn:aws:iam::000000000000:role/r"


def host(hosting: HostingStudio, name: str, *variants: str, **more: Any) -> str:
    """An endpoint for components, in service; returns its name."""
    production = [
        {"VariantName": variant, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        for variant in variants or ("v",)
    ]
    hosting.call(
        "CreateEndpointConfig",
        EndpointConfigName=name,
        ProductionVariants=production,
        ExecutionRoleArn=ROLE,
        **more,
    )
    hosting.call("CreateEndpoint", EndpointName=name, EndpointConfigName=name)
    hosting.wait(name, "InService")
    return name


def specification(model: str) -> dict[str, Any]:
    return {"ModelName": model, "ComputeResourceRequirements": NEEDS}


def create(hosting: HostingStudio, name: str, endpoint: str, **changes: Any) -> str:
    """A component with one copy of a model of its own name; returns its name."""
    request = {
        "InferenceComponentName": name,
        "EndpointName": endpoint,
        "Specification": specification(name),
        "RuntimeConfig": {"CopyCount": 1},
        **changes,
    }
    hosting.call("CreateInferenceComponent", **request)
    return name


def describe(hosting: HostingStudio, name: str) -> dict[str, Any]:
    return dict(hosting.call("DescribeInferenceComponent", InferenceComponentName=name))


def settled(hosting: HostingStudio, name: str, status: str = "InService") -> dict[str, Any]:
    """What there is to say of a component once it has the status."""
    until(
        lambda: describe(hosting, name)["InferenceComponentStatus"] not in ("Creating", "Updating")
    )
    described = describe(hosting, name)
    assert described["InferenceComponentStatus"] == status, described
    return described


def serve(hosting: HostingStudio, name: str, endpoint: str, **changes: Any) -> dict[str, Any]:
    """A component in service, of an echoing model of its name."""
    hosting.echo_model(name)
    return settled(hosting, create(hosting, name, endpoint, **changes))


def ask(hosting: HostingStudio, endpoint: str, component: str, body: str = "x") -> bytes:
    answer = hosting.invoke(endpoint, body, InferenceComponentName=component)
    return bytes(answer["Body"])


def gone(hosting: HostingStudio, *names: str) -> None:
    """Delete components and wait for their end."""
    for name in names:
        hosting.call("DeleteInferenceComponent", InferenceComponentName=name)
    store = hosting.studio.ports.store
    until(lambda: not store.get_many(COMPONENT, names))


def test_components_share_an_endpoint(hosting: HostingStudio) -> None:
    endpoint = host(hosting, "ic-shared")
    for name in ("ic-one", "ic-two"):
        serve(hosting, name, endpoint)

    assert ask(hosting, endpoint, "ic-one") == b"ic-one: x"
    assert ask(hosting, endpoint, "ic-two") == b"ic-two: x"
    found = describe(hosting, "ic-one")
    assert found["EndpointArn"].endswith(":endpoint/ic-shared")
    assert found["VariantName"] == "v"
    assert found["Specification"] == specification("ic-one")
    assert found["RuntimeConfig"] == {"DesiredCopyCount": 1, "CurrentCopyCount": 1}
    logs = hosting.studio.ports.logs
    assert [s.name.split("/")[0] for s in logs.streams("/aws/sagemaker/InferenceComponents/ic-one")]
    (variant,) = hosting.call("DescribeEndpoint", EndpointName=endpoint)["ProductionVariants"]
    assert (variant["VariantName"], variant["CurrentInstanceCount"]) == ("v", 1)

    with pytest.raises(ValidationError, match="Inference Component Name header is required"):
        hosting.invoke(endpoint, "x")
    with pytest.raises(ValidationError, match="Inference component ic-three of endpoint ic-shared"):
        ask(hosting, endpoint, "ic-three")
    with pytest.raises(ValidationException, match=r"inference components \(ic-one, ic-two\)"):
        hosting.call("DeleteEndpoint", EndpointName=endpoint)
    gone(hosting, "ic-one", "ic-two")
    assert not [path for path in hosting.work if {"_ic-one", "_ic-two"} & set(path.parts)]
    hosting.delete(endpoint)


def test_a_container_of_its_own(hosting: HostingStudio) -> None:
    endpoint = host(hosting, "ic-own-container")
    uri = hosting.put_model("ic-own.tar.gz", {"answer": "ic-own", "code/inference.py": ECHO})
    container = {"Image": "python", "ArtifactUrl": uri, "Environment": {"A": "1"}}
    create(
        hosting,
        "ic-own",
        endpoint,
        Specification={"Container": container, "ComputeResourceRequirements": NEEDS},
    )

    shown = settled(hosting, "ic-own")["Specification"]["Container"]

    assert ask(hosting, endpoint, "ic-own") == b"ic-own: x"
    assert shown["DeployedImage"]["SpecifiedImage"] == "python"
    assert (shown["ArtifactUrl"], shown["Environment"]) == (uri, {"A": "1"})
    gone(hosting, "ic-own")


def test_copies_come_and_go(hosting: HostingStudio) -> None:
    endpoint = host(hosting, "ic-copies")
    serve(hosting, "ic-copied", endpoint)

    def resize(count: int) -> dict[str, Any]:
        hosting.call(
            "UpdateInferenceComponentRuntimeConfig",
            InferenceComponentName="ic-copied",
            DesiredRuntimeConfig={"CopyCount": count},
        )
        return dict(settled(hosting, "ic-copied")["RuntimeConfig"])

    assert resize(3) == {"DesiredCopyCount": 3, "CurrentCopyCount": 3}
    assert resize(0) == {"DesiredCopyCount": 0, "CurrentCopyCount": 0}
    with pytest.raises(ValidationError, match="Inference Component has no capacity to process"):
        ask(hosting, endpoint, "ic-copied")
    assert resize(1) == {"DesiredCopyCount": 1, "CurrentCopyCount": 1}
    assert ask(hosting, endpoint, "ic-copied") == b"ic-copied: x"
    gone(hosting, "ic-copied")


def test_who_asks_while_the_first_copy_starts_is_told_so(hosting: HostingStudio) -> None:
    endpoint = host(hosting, "ic-wakes")
    hosting.echo_model("ic-wakes", "import time\ntime.sleep(2)\n" + ECHO)
    create(hosting, "ic-wakes", endpoint, RuntimeConfig={"CopyCount": 0})
    settled(hosting, "ic-wakes")
    hosting.call(
        "UpdateInferenceComponentRuntimeConfig",
        InferenceComponentName="ic-wakes",
        DesiredRuntimeConfig={"CopyCount": 1},
    )

    with pytest.raises(ValidationError, match="Inference Component has no capacity to process"):
        ask(hosting, endpoint, "ic-wakes")

    settled(hosting, "ic-wakes")
    assert ask(hosting, endpoint, "ic-wakes") == b"ic-wakes: x"
    gone(hosting, "ic-wakes")


@pytest.mark.parametrize("type_", ["", "COPY_COUNT", "CAPACITY_PERCENT"])
def test_another_model_takes_over_without_a_lost_request(
    hosting: HostingStudio, type_: str
) -> None:
    name = f"ic-turns{type_[:4].lower()}"
    endpoint = host(hosting, name)
    serve(hosting, name, endpoint, RuntimeConfig={"CopyCount": 2})
    other = hosting.echo_model(f"{name}-2")
    size = {"Type": type_, "Value": 1 if type_ == "COPY_COUNT" else 50}
    rolling = {"RollingUpdatePolicy": {"MaximumBatchSize": size, "WaitIntervalInSeconds": 0}}
    policy = {"DeploymentConfig": rolling} if type_ else {}

    with hosting.under_load(endpoint, component=name) as answers:
        until(lambda: len(answers) > 20)
        hosting.call(
            "UpdateInferenceComponent",
            InferenceComponentName=name,
            Specification=specification(other),
            **policy,
        )
        while (found := describe(hosting, name))["InferenceComponentStatus"] == "Updating":
            assert found["RuntimeConfig"]["CurrentCopyCount"] >= 2
        settled(hosting, name)
        until(lambda: answers[-1] == f"{other}: x".encode())

    assert set(answers) == {f"{name}: x".encode(), f"{other}: x".encode()}
    described = describe(hosting, name)
    assert described["Specification"]["ModelName"] == other
    assert described["RuntimeConfig"]["CurrentCopyCount"] == 2
    assert described.get("LastDeploymentConfig") == (rolling if type_ else None)
    gone(hosting, name)


def test_a_model_that_cannot_serve_leaves_the_old_one(hosting: HostingStudio) -> None:
    endpoint = host(hosting, "ic-keeps")
    serve(hosting, "ic-kept", endpoint)
    broken = hosting.echo_model("ic-broken", "raise ValueError('no such weights')\n")

    hosting.call(
        "UpdateInferenceComponent",
        InferenceComponentName="ic-kept",
        Specification=specification(broken),
    )

    assert "no such weights" in settled(hosting, "ic-kept")["FailureReason"]
    assert ask(hosting, endpoint, "ic-kept") == b"ic-kept: x"
    create(hosting, "ic-never", endpoint, Specification=specification(broken))
    assert "no such weights" in settled(hosting, "ic-never", "Failed")["FailureReason"]
    with pytest.raises(ValidationException, match='with status "Failed"; it can only be deleted'):
        hosting.call(
            "UpdateInferenceComponentRuntimeConfig",
            InferenceComponentName="ic-never",
            DesiredRuntimeConfig={"CopyCount": 2},
        )
    gone(hosting, "ic-kept", "ic-never")


def test_components_are_listed(hosting: HostingStudio) -> None:
    first, second = host(hosting, "ic-listed-1"), host(hosting, "ic-listed-2", "a", "b")
    serve(hosting, "ic-l-one", first)
    serve(hosting, "ic-l-two", second, VariantName="a")
    serve(hosting, "ic-l-three", second, VariantName="b")

    def listed(**wanted: Any) -> list[str]:
        found, request = [], {"NameContains": "ic-l-", **wanted}
        while True:
            page = hosting.call("ListInferenceComponents", **request)
            found += [one["InferenceComponentName"] for one in page["InferenceComponents"]]
            if "NextToken" not in page:
                return found
            request["NextToken"] = page["NextToken"]

    assert listed() == ["ic-l-three", "ic-l-two", "ic-l-one"]
    assert listed(MaxResults=1, SortBy="Name", SortOrder="Ascending") == [
        "ic-l-one",
        "ic-l-three",
        "ic-l-two",
    ]
    assert listed(EndpointNameEquals=second) == ["ic-l-three", "ic-l-two"]
    assert listed(EndpointNameEquals=first, MaxResults=1) == ["ic-l-one"]
    assert listed(VariantNameEquals="a") == ["ic-l-two"]
    assert listed(StatusEquals="Failed") == []
    gone(hosting, "ic-l-one", "ic-l-two", "ic-l-three")


def test_who_starts_anew_finds_the_copies_that_run(tmp_path: Path) -> None:
    with HostingStudio.opened(tmp_path / "h", preload=False) as before:
        before.studio.start()
        host(before, "e")
        serve(before, "c", "e", RuntimeConfig={"CopyCount": 2})
    with HostingStudio.opened(tmp_path / "h", preload=False) as after:
        after.studio.start()
        assert ask(after, "e", "c") == b"c: x"
        assert describe(after, "c")["RuntimeConfig"]["CurrentCopyCount"] == 2
        after.studio.ports.store.delete(COMPONENT, "c")  # as a kill after the deletion leaves it
        after.studio.controllers.wake(after.studio.components, "c")
        until(lambda: not [path for path in after.work if "_c" in path.parts])
        after.delete_all()


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"EndpointName": "nowhere"}, 'Could not find endpoint "'),
    ({"EndpointName": "plain"}, "EndpointName 'plain' serves models of its own"),
    ({"VariantName": "w"}, "VariantName is 'w'; the endpoint's variants are v, v2"),
    ({"VariantName": None}, "VariantName is missing: the endpoint has v, v2"),
    ({"Specification": None}, "Specification is missing"),
    ({"RuntimeConfig": None}, "RuntimeConfig is missing"),
    ({"RuntimeConfig": {"CopyCount": 65}}, "CopyCount 65 would give the inference components"),
    ({"Specification": {"ModelName": "m"}}, "ComputeResourceRequirements is missing"),
    (
        {"Specification": {"ComputeResourceRequirements": NEEDS}},
        "Specification.ModelName and Specification.Container: give one of them",
    ),
    (
        {"Specification": {"Container": {}, "ComputeResourceRequirements": NEEDS}},
        "give one of them",
    ),
    (
        {
            "Specification": {
                "Container": {"ArtifactUrl": "s3://b/k"},
                "ComputeResourceRequirements": NEEDS,
            }
        },
        "Specification.Container.Image is missing",
    ),
    ({"Specification": specification("no-model")}, 'Could not find model "'),
    (
        {
            "Specification": {
                "ModelName": "m",
                "ComputeResourceRequirements": {**NEEDS, "MaxMemoryRequiredInMb": 128},
            }
        },
        "MaxMemoryRequiredInMb is 128, less than MinMemoryRequiredInMb, 256",
    ),
    (
        {"Specification": {"BaseInferenceComponentName": "b", **specification("m")}},
        "Specification.BaseInferenceComponentName is not there yet",
    ),
    ({"Specifications": [specification("m")]}, "Specifications is not there yet"),
]


@pytest.mark.parametrize(("changes", "message"), REFUSED, ids=[text[:30] for _, text in REFUSED])
def test_what_makes_no_sense_is_refused(
    still: HostingStudio, in_service: Callable[..., None], changes: dict[str, Any], message: str
) -> None:
    still.echo_model("m")
    in_service("plain", still.config("plain", "m"))
    in_service("e", two_hosts(still))
    request = {"Specification": specification("m"), "VariantName": "v", **changes}
    request = {"EndpointName": "e", "RuntimeConfig": {"CopyCount": 1}, **request}
    given = {name: value for name, value in request.items() if value is not None}

    with pytest.raises(BottegaError) as caught:
        still.call("CreateInferenceComponent", InferenceComponentName="c", **given)

    assert message in caught.value.message
    assert not still.call("ListInferenceComponents")["InferenceComponents"]


def test_an_endpoint_keeps_what_components_are_on(
    still: HostingStudio, in_service: Callable[..., None]
) -> None:
    still.echo_model("m")
    in_service("e", still.config("plain", "m"))
    still.call("UpdateEndpoint", EndpointName="e", EndpointConfigName=two_hosts(still))
    in_service("e")
    two_hosts(still, "fewer", "v2")
    two_hosts(still, "isolated", EnableNetworkIsolation=True)
    create(still, "c", "e", VariantName="v", Specification=specification("m"))

    for config, words in (
        (
            "fewer",
            "fewer has no variant 'v' without a model, which the inference component c is on",
        ),
        ("plain", "plain has no variant 'v' without a model"),
        ("isolated", "isolated has another EnableNetworkIsolation for variant 'v'"),
    ):
        with pytest.raises(ValidationException, match=words):
            still.call("UpdateEndpoint", EndpointName="e", EndpointConfigName=config)
    with pytest.raises(ValidationException, match="plain has no variant 'v'"):
        still.ask("RollBackEndpoint", EndpointName="e")


def test_a_variant_that_will_go_takes_no_components(
    still: HostingStudio, in_service: Callable[..., None]
) -> None:
    still.echo_model("m")
    in_service("e", two_hosts(still))
    two_hosts(still, "fewer", "v2")
    still.call("UpdateEndpoint", EndpointName="e", EndpointConfigName="fewer")

    with pytest.raises(ValidationException, match="'v'; the endpoint's variants are v2"):
        create(still, "c", "e", VariantName="v", Specification=specification("m"))


def test_an_update_keeps_the_instances_of_hosts(
    still: HostingStudio, in_service: Callable[..., None]
) -> None:
    in_service("e", two_hosts(still, "many", instances=3))
    routing = {
        "Type": "CANARY",
        "CanarySize": {"Type": "INSTANCE_COUNT", "Value": 1},
        "WaitIntervalInSeconds": 0,
    }
    still.call(
        "UpdateEndpoint",
        EndpointName="e",
        EndpointConfigName=two_hosts(still),
        RetainAllVariantProperties=True,
        DeploymentConfig={"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing}},
    )
    in_service("e")

    variants = still.describe("e")["ProductionVariants"]
    assert [one["DesiredInstanceCount"] for one in variants] == [3, 3]


def test_hosts_are_not_scaled_themselves(
    still: HostingStudio, in_service: Callable[..., None]
) -> None:
    in_service("e", two_hosts(still))
    context = still.studio.owner("sdk")
    target = {
        "ServiceNamespace": "sagemaker",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
        "ResourceId": "endpoint/e/variant/v",
        "MinCapacity": 1,
        "MaxCapacity": 2,
    }
    with pytest.raises(ValidationException, match="hosts inference components; scale their copies"):
        still.studio.registry.call(
            "application-autoscaling", "RegisterScalableTarget", target, context
        )


def test_a_rollback_that_failed_is_called_failed(
    still: HostingStudio, in_service: Callable[..., None]
) -> None:
    still.echo_model("m")
    in_service("e", two_hosts(still))
    create(still, "c", "e", VariantName="v", Specification=specification("m"))
    still.studio.ports.store.modify(
        COMPONENT, "c", lambda present: replace(present, status="UpdateRollbackFailed")
    )

    assert describe(still, "c")["InferenceComponentStatus"] == "Failed"
    (listed,) = still.call("ListInferenceComponents", StatusEquals="Failed")["InferenceComponents"]
    assert listed["InferenceComponentStatus"] == "Failed"


def two_hosts(
    studio: HostingStudio, name: str = "hosts", *variants: str, instances: int = 1, **more: Any
) -> str:
    """A configuration for components; returns its name."""
    production = [
        {"VariantName": one, "InstanceType": "ml.m5.large", "InitialInstanceCount": instances}
        for one in variants or ("v", "v2")
    ]
    studio.call(
        "CreateEndpointConfig",
        EndpointConfigName=name,
        ProductionVariants=production,
        ExecutionRoleArn=ROLE,
        **more,
    )
    return name


@pytest.fixture
def in_service(still: HostingStudio) -> Callable[..., None]:
    """Makes endpoints, or changes of them, that count as done, though nothing is."""

    def make(name: str, config: str = "") -> None:
        if config:
            still.call("CreateEndpoint", EndpointName=name, EndpointConfigName=config)
        still.studio.ports.store.modify(
            ENDPOINT, name, lambda present: outcomes.succeeded(present, 1.0)
        )

    return make
