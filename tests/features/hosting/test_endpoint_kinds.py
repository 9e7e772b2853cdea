"""What is published of endpoints with shadows, capture, an asynchronous queue, several models or
containers that requests name."""

from __future__ import annotations

from typing import Any

import pytest

from bottega.errors import ValidationException
from bottega.serving.routing import CaptureSettings, EndpointRoute, VariantRoute
from bottega.testing.hosting import HostingStudio

CAPTURE = {
    "EnableCapture": True,
    "InitialSamplingPercentage": 40,
    "DestinationS3Uri": "s3://captured/here/",
    "CaptureOptions": [{"CaptureMode": "InputAndOutput"}],
    "CaptureContentTypeHeader": {"CsvContentTypes": ["Text/CSV", "text/plain"]},
}
ASYNC = {"OutputConfig": {"S3OutputPath": "s3://answers/o"}}

SCRIPT = "def model_fn(d):\n    return 1\n\ndef predict_fn(data, model):\n    return data\n"


def variant(name: str, model: str, **more: Any) -> dict[str, Any]:
    return {
        "VariantName": name,
        "ModelName": model,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
        **more,
    }


def deploy(hosting: HostingStudio, name: str, **config: Any) -> Any:
    production = [
        variant("v0", hosting.echo_model(name), RoutingConfig={"RoutingStrategy": "RANDOM"})
    ]
    hosting.call(
        "CreateEndpointConfig",
        EndpointConfigName=name,
        **{"ProductionVariants": production, **config},
    )
    hosting.call("CreateEndpoint", EndpointName=name, EndpointConfigName=name)
    return hosting.wait(name, "InService")


def route(hosting: HostingStudio, name: str) -> EndpointRoute:
    found = hosting.studio.ports.routes.get(name)
    assert found is not None
    return found


def only(found: EndpointRoute) -> VariantRoute:
    ((_, served),) = found.variants()
    return served


def test_captured_requests(hosting: HostingStudio) -> None:
    described = deploy(hosting, "captures", DataCaptureConfig=CAPTURE)
    assert described["DataCaptureConfig"] == {
        "EnableCapture": True,
        "CaptureStatus": "Started",
        "CurrentSamplingPercentage": 40,
        "DestinationS3Uri": "s3://captured/here/",
        "KmsKeyId": "",
    }
    assert route(hosting, "captures").capture == CaptureSettings(
        destination="s3://captured/here",
        share=0.4,
        modes=frozenset({"Input", "Output"}),
        csv_types=frozenset({"text/csv", "text/plain"}),
        json_types=frozenset({"application/json"}),
    )
    assert only(route(hosting, "captures")).strategy == "RANDOM"
    strategy = described["ProductionVariants"][0]["RoutingConfig"]
    assert strategy == {"RoutingStrategy": "RANDOM"}

    hosting.config("captures-not", hosting.echo_model("captures-not"))
    retained = {"EndpointName": "captures", "EndpointConfigName": "captures-not"}
    hosting.call("UpdateEndpoint", **retained, RetainAllVariantProperties=True)
    hosting.wait("captures", "InService")
    assert route(hosting, "captures").capture is not None
    excluded = [{"VariantPropertyType": "DataCaptureConfig"}]
    hosting.call(
        "UpdateEndpoint",
        **retained,
        RetainAllVariantProperties=True,
        ExcludeRetainedVariantProperties=excluded,
    )
    hosting.wait("captures", "InService")
    assert route(hosting, "captures").capture is None


def test_a_shadow_gets_its_share(hosting: HostingStudio) -> None:
    shadow = variant("s0", hosting.echo_model("shadowed-2"), InitialVariantWeight=0.25)
    described = deploy(hosting, "shadowed", ShadowProductionVariants=[shadow])
    published = route(hosting, "shadowed").shadow
    assert published is not None
    assert (published.variant.name, published.share) == ("s0", 0.25)
    assert len(published.variant.instances) == 1
    (shown,) = described["ShadowProductionVariants"]
    assert (shown["VariantName"], shown["CurrentInstanceCount"]) == ("s0", 1)

    hosting.call(
        "UpdateEndpointWeightsAndCapacities",
        EndpointName="shadowed",
        DesiredWeightsAndCapacities=[{"VariantName": "s0", "DesiredWeight": 0.5}],
    )
    hosting.wait("shadowed", "InService")
    published = route(hosting, "shadowed").shadow
    assert published is not None
    assert published.share == 0.5


def test_an_asynchronous_endpoint_may_have_no_instance(hosting: HostingStudio) -> None:
    described = deploy(hosting, "queues", AsyncInferenceConfig=ASYNC)
    assert described["AsyncInferenceConfig"] == ASYNC
    assert route(hosting, "queues").asynchronous
    assert only(route(hosting, "queues")).timeout_seconds == 3600
    for count in (0, 1):
        hosting.call(
            "UpdateEndpointWeightsAndCapacities",
            EndpointName="queues",
            DesiredWeightsAndCapacities=[{"VariantName": "v0", "DesiredInstanceCount": count}],
        )
        (shown,) = hosting.wait("queues", "InService")["ProductionVariants"]
        assert shown["CurrentInstanceCount"] == shown["DesiredInstanceCount"] == count
        assert len(only(route(hosting, "queues")).instances) == count
    hosting.config("queues-not", hosting.echo_model("queues-not"))
    with pytest.raises(ValidationException, match="has no AsyncInferenceConfig, unlike"):
        hosting.call("UpdateEndpoint", EndpointName="queues", EndpointConfigName="queues-not")


def test_containers_that_requests_name(hosting: HostingStudio) -> None:
    uris = [
        hosting.put_model(f"direct-{n}.tar.gz", {"answer": n, "code/inference.py": SCRIPT})
        for n in ("one", "two")
    ]
    containers = [
        {"Image": "python", "ModelDataUrl": uri, "ContainerHostname": name}
        for uri, name in zip(uris, ("first", "second"), strict=True)
    ]
    hosting.call(
        "CreateModel",
        ModelName="direct",
        Containers=containers,
        InferenceExecutionConfig={"Mode": "Direct"},
    )
    hosting.config("direct", "direct")
    hosting.call("CreateEndpoint", EndpointName="direct", EndpointConfigName="direct")
    hosting.wait("direct", "InService")
    assert only(route(hosting, "direct")).containers == ("first", "second")
