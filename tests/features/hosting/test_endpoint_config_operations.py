"""CreateEndpointConfig, DescribeEndpointConfig, DeleteEndpointConfig, ListEndpointConfigs."""

from __future__ import annotations

import re
from typing import Any

import pytest

from bottega.errors import ResourceLimitExceeded, ValidationException
from bottega.testing.hosting import HostingStudio

ARN = "arn:aws:sagemaker:us-east-1:000000000000:endpoint-config/my-config"
VARIANT = {
    "VariantName": "AllTraffic",
    "ModelName": "m",
    "InstanceType": "ml.m5.large",
    "InitialInstanceCount": 1,
}

SERVERLESS = {"ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1}}
SLEEPER = {"VariantName": "v", "ModelName": "m", **SERVERLESS}
HOST = {key: value for key, value in VARIANT.items() if key != "ModelName"}
ROLE = {"ExecutionRoleArn": "arn:aws:iam::000000000000:role/r"}
ASYNC = {"OutputConfig": {"S3OutputPath": "s3://b/o"}}
CAPTURE = {
    "InitialSamplingPercentage": 100,
    "DestinationS3Uri": "s3://b/c",
    "CaptureOptions": [{"CaptureMode": "Input"}],
}


@pytest.fixture
def with_model(still: HostingStudio) -> HostingStudio:
    still.call("CreateModel", ModelName="m", PrimaryContainer={"Image": "python"})
    return still


def create(studio: HostingStudio, *variants: dict[str, Any], **more: Any) -> Any:
    return studio.call(
        "CreateEndpointConfig",
        EndpointConfigName="my-config",
        ProductionVariants=list(variants),
        **more,
    )


def test_a_configuration_is_described_as_it_was_created(with_model: HostingStudio) -> None:
    created = create(with_model, VARIANT)
    described = with_model.call("DescribeEndpointConfig", EndpointConfigName="my-config")

    assert created == {"EndpointConfigArn": ARN}
    assert isinstance(described.pop("CreationTime"), float)
    assert described == {
        "EndpointConfigName": "my-config",
        "EndpointConfigArn": ARN,
        "ProductionVariants": [{**VARIANT, "InitialVariantWeight": 1.0}],
        "EnableNetworkIsolation": False,
    }


def test_a_taken_name_is_refused(with_model: HostingStudio) -> None:
    create(with_model, VARIANT)
    with pytest.raises(ValidationException) as caught:
        create(with_model, VARIANT)
    assert caught.value.message == (
        f'Cannot create already existing endpoint configuration "{ARN}".'
    )


@pytest.mark.parametrize("operation", ["DescribeEndpointConfig", "DeleteEndpointConfig"])
def test_an_absent_configuration_could_not_be_found(still: HostingStudio, operation: str) -> None:
    with pytest.raises(ValidationException) as caught:
        still.call(operation, EndpointConfigName="my-config")
    assert caught.value.message == f'Could not find endpoint configuration "{ARN}".'


def test_a_deleted_configuration_is_gone(with_model: HostingStudio) -> None:
    create(with_model, VARIANT)
    assert len(with_model.call("ListEndpointConfigs")["EndpointConfigs"]) == 1
    with_model.call("DeleteEndpointConfig", EndpointConfigName="my-config")
    assert with_model.call("ListEndpointConfigs") == {"EndpointConfigs": []}


@pytest.mark.parametrize(
    ("variants", "more", "words"),
    [
        ([{**VARIANT, "ModelName": "absent"}], {}, 'Could not find model "arn:.*:model/absent"'),
        ([VARIANT, VARIANT], {}, "names 'AllTraffic' twice"),
        ([{"VariantName": "v", "ModelName": "m"}], {}, "InstanceType is missing"),
        ([{**VARIANT, "InitialInstanceCount": 0}], {}, "(?i)initialInstanceCount"),
        ([HOST], {}, "ExecutionRoleArn is missing: .*inference components"),
        ([{**VARIANT, "VariantName": "v"}, HOST], ROLE, "either for inference components or for"),
        ([HOST], {**ROLE, "AsyncInferenceConfig": ASYNC}, "needed with AsyncInferenceConfig"),
        (
            [{k: v for k, v in SLEEPER.items() if k != "ModelName"}],
            ROLE,
            "a variant with ServerlessConfig needs it",
        ),
        (
            [VARIANT],
            {"ShadowProductionVariants": [{**HOST, "VariantName": "s"}]},
            r"ShadowProductionVariants\[0\].ModelName is missing",
        ),
        ([{**VARIANT, **SERVERLESS}], {}, "InstanceType does not go with .*ServerlessConfig"),
        (
            [{**SLEEPER, "ServerlessConfig": {"MemorySizeInMB": 1500, "MaxConcurrency": 1}}],
            {},
            "MemorySizeInMB is 1500; it must be one of 1024, 2048",
        ),
        (
            [
                {
                    **SLEEPER,
                    "ServerlessConfig": {
                        "MemorySizeInMB": 1024,
                        "MaxConcurrency": 1,
                        "ProvisionedConcurrency": 2,
                    },
                }
            ],
            {},
            "ProvisionedConcurrency is 2, more than MaxConcurrency, 1",
        ),
        (
            [{**VARIANT, "RoutingConfig": {"RoutingStrategy": "KV_AWARE"}}],
            {},
            "RoutingStrategy KV_AWARE is not there yet",
        ),
        ([{**VARIANT, "InitialVariantWeight": 0.0}], {}, "every variant an InitialVariantWeight"),
        ([SLEEPER], {"AsyncInferenceConfig": ASYNC}, "ServerlessConfig does not go with Async"),
        (
            [VARIANT],
            {"AsyncInferenceConfig": {"OutputConfig": {"S3OutputPath": "https://b/o"}}},
            "AsyncInferenceConfig.OutputConfig.S3OutputPath: .*not an S3 URI",
        ),
        (
            [VARIANT],
            {"DataCaptureConfig": {**CAPTURE, "DestinationS3Uri": "https://b/o"}},
            "DataCaptureConfig.DestinationS3Uri: .*not an S3 URI",
        ),
        ([VARIANT], {"ShadowProductionVariants": [VARIANT]}, "needs a name of its own"),
        (
            [VARIANT, {**VARIANT, "VariantName": "b"}],
            {"ShadowProductionVariants": [{**VARIANT, "VariantName": "s"}]},
            "ShadowProductionVariants has 1 and ProductionVariants 2",
        ),
        (
            [VARIANT],
            {"ShadowProductionVariants": [{**SLEEPER, "VariantName": "s"}]},
            r"ShadowProductionVariants\[0\].ServerlessConfig does not go",
        ),
        (
            [VARIANT],
            {
                "ShadowProductionVariants": [{**VARIANT, "VariantName": "s"}],
                "AsyncInferenceConfig": ASYNC,
            },
            "AsyncInferenceConfig does not go with Shadow",
        ),
        (
            [VARIANT],
            {"MetricsConfig": {"EnableEnhancedMetrics": True}},
            "MetricsConfig is not there",
        ),
    ],
)
def test_what_cannot_be_served_is_refused_and_leaves_no_trace(
    with_model: HostingStudio, variants: list[Any], more: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValidationException) as caught:
        create(with_model, *variants, **more)
    assert re.search(words, caught.value.message), caught.value.message
    assert with_model.call("ListEndpointConfigs") == {"EndpointConfigs": []}


def test_more_instances_than_a_machine_bears_are_refused(with_model: HostingStudio) -> None:
    with pytest.raises(ResourceLimitExceeded, match="more than 64 instances"):
        create(with_model, {**VARIANT, "InitialInstanceCount": 65})
