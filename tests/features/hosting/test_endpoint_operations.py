"""The operations on endpoints, while no controller acts on them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bottega.errors import BottegaError, RequestEntityTooLarge, ValidationError, ValidationException
from bottega.serving.routing import EndpointRoute, FleetRoute, VariantRoute
from bottega.testing.hosting import HostingStudio

ARN = "arn:aws:sagemaker:us-east-1:000000000000:endpoint/e"


def create(studio: HostingStudio) -> Any:
    return studio.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")


@pytest.fixture
def created(still: HostingStudio) -> HostingStudio:
    still.config("c", still.echo_model("m"))
    create(still)
    return still


def test_a_new_endpoint_is_being_created(created: HostingStudio) -> None:
    described = created.describe("e")
    assert {key: described[key] for key in ("EndpointArn", "EndpointStatus")} == {
        "EndpointArn": ARN,
        "EndpointStatus": "Creating",
    }
    assert described["EndpointConfigName"] == "c"
    assert "ProductionVariants" not in described
    assert "FailureReason" not in described


def test_a_taken_name_is_refused(created: HostingStudio) -> None:
    with pytest.raises(ValidationException) as caught:
        create(created)
    assert caught.value.message == f'Cannot create already existing endpoint "{ARN}".'


@pytest.mark.parametrize(
    ("operation", "more"),
    [
        ("DescribeEndpoint", {}),
        ("DeleteEndpoint", {}),
        ("UpdateEndpoint", {"EndpointConfigName": "c"}),
    ],
)
def test_an_absent_endpoint_could_not_be_found(
    still: HostingStudio, operation: str, more: dict[str, str]
) -> None:
    with pytest.raises(ValidationException) as caught:
        still.call(operation, EndpointName="e", **more)
    assert caught.value.message == f'Could not find endpoint "{ARN}".'


@pytest.mark.parametrize(
    ("operation", "more"), [("DeleteEndpoint", {}), ("UpdateEndpoint", {"EndpointConfigName": "c"})]
)
def test_an_endpoint_that_is_being_created_is_left_alone(
    created: HostingStudio, operation: str, more: dict[str, str]
) -> None:
    with pytest.raises(ValidationException) as caught:
        created.call(operation, EndpointName="e", **more)
    assert caught.value.message == f'Cannot update in-progress endpoint "{ARN}".'
    assert created.describe("e")["EndpointStatus"] == "Creating"


def test_an_absent_configuration_or_model_or_its_data_refuses_the_endpoint(
    still: HostingStudio,
) -> None:
    with pytest.raises(ValidationException, match="Could not find endpoint configuration"):
        create(still)
    still.config("c", still.echo_model("m"))
    config = still.studio.ports.config
    still.studio.ports.objects.delete(config.bucket, ["m.tar.gz"])
    with pytest.raises(ValidationException) as caught:
        create(still)
    assert caught.value.message == f"Could not find model data at s3://{config.bucket}/m.tar.gz."
    still.call("DeleteModel", ModelName="m")
    with pytest.raises(ValidationException, match="Could not find model "):
        create(still)
    assert still.call("ListEndpoints") == {"Endpoints": []}


def test_a_policy_that_cannot_be_followed_is_refused(still: HostingStudio) -> None:
    still.config("c", still.echo_model("m"))
    policy = {"TrafficRoutingConfiguration": {"Type": "CANARY", "WaitIntervalInSeconds": 60}}
    with pytest.raises(ValidationException, match="CanarySize is missing"):
        still.call(
            "CreateEndpoint",
            EndpointName="e",
            EndpointConfigName="c",
            DeploymentConfig={"BlueGreenUpdatePolicy": policy},
        )
    assert still.call("ListEndpoints") == {"Endpoints": []}


def test_endpoints_are_listed_by_status(created: HostingStudio) -> None:
    (found,) = created.call("ListEndpoints", StatusEquals="Creating")["Endpoints"]
    assert set(found) == {
        "EndpointName",
        "EndpointArn",
        "EndpointStatus",
        "CreationTime",
        "LastModifiedTime",
    }
    assert created.call("ListEndpoints", StatusEquals="Failed") == {"Endpoints": []}


def test_an_endpoint_without_a_route_cannot_be_invoked(created: HostingStudio) -> None:
    with pytest.raises(ValidationError) as caught:
        created.invoke("e", "x")
    assert caught.value.message == "Endpoint e of account 000000000000 not found."


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"TargetModel": "m.tar.gz"}, "serves one model. Leave TargetModel out"),
        ({"InferenceComponentName": "c"}, "Inference component c of endpoint e of account"),
        ({"SessionId": "NEW_SESSION"}, "SessionId is not there yet"),
        ({"EnableExplanations": "`true`"}, "EnableExplanations is not there yet"),
        ({"TargetVariant": "other"}, "Variant other of endpoint e of account"),
        ({"CustomAttributes": "a\r\nx: y"}, "CustomAttributes has characters"),
        ({"ContentType": "text/csv\n"}, "ContentType has characters"),
    ],
)
def test_what_the_router_cannot_send_is_refused(
    created: HostingStudio, request_: dict[str, str], words: str
) -> None:
    variant = VariantRoute("v", 1.0, (), "g", "s")
    created.studio.ports.routes.put(EndpointRoute("e", (FleetRoute("c", 1.0, (variant,)),)))
    with pytest.raises(ValidationError, match=words):
        created.invoke("e", "x", **request_)


def test_a_body_beyond_the_limit_is_refused(still: HostingStudio) -> None:
    from bottega.features.hosting.invocations import invoke_endpoint

    body = bytes(still.studio.ports.config.max_invocation_bytes + 1)
    request = {"EndpointName": "e", "Body": body}
    with pytest.raises(RequestEntityTooLarge) as caught:
        asyncio.run(invoke_endpoint(still.studio.owner("sdk"), request))
    assert isinstance(caught.value, BottegaError)
    assert caught.value.status == 413
