"""Hosting as an unmodified boto3 sees it, through a real daemon."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bottega.testing.daemon import TestDaemon, running_daemon
from bottega.testing.hosting import ECHO, archive

QUICK = {"Delay": 1, "MaxAttempts": 60}


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestDaemon]:
    with running_daemon(tmp_path_factory.mktemp("home") / "h", tracking=False) as started:
        yield started


@pytest.fixture(scope="module")
def sagemaker(daemon: TestDaemon) -> Any:
    return daemon.client("sagemaker")


@pytest.fixture(scope="module")
def runtime(daemon: TestDaemon) -> Any:
    return daemon.client("sagemaker-runtime")


def configure(daemon: TestDaemon, sagemaker: Any, name: str) -> None:
    """A model that answers with its name, and a configuration with one variant of it."""
    bucket = daemon.config.bucket
    files = {"answer": name, "code/inference.py": ECHO}
    daemon.client("s3").put_object(Bucket=bucket, Key=f"{name}.tar.gz", Body=archive(files))
    sagemaker.create_model(
        ModelName=name,
        PrimaryContainer={"Image": "python", "ModelDataUrl": f"s3://{bucket}/{name}.tar.gz"},
        ExecutionRoleArn=daemon.config.role_arn,
    )
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": name,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])


def code_and_message(error: ClientError) -> tuple[str, str]:
    return error.response["Error"]["Code"], error.response["Error"]["Message"]


def test_an_endpoint_from_its_model_to_its_end(
    daemon: TestDaemon, sagemaker: Any, runtime: Any
) -> None:
    for name in ("first", "second"):
        configure(daemon, sagemaker, name)
    created = sagemaker.create_endpoint(EndpointName="e", EndpointConfigName="first")
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="e", WaiterConfig=QUICK)

    answer = runtime.invoke_endpoint(EndpointName="e", Body=b"hello", ContentType="text/plain")
    assert answer["Body"].read() == b"first: hello"
    assert answer["InvokedProductionVariant"] == "AllTraffic"

    sagemaker.update_endpoint(EndpointName="e", EndpointConfigName="second")
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="e", WaiterConfig=QUICK)
    described = sagemaker.describe_endpoint(EndpointName="e")
    assert described["EndpointArn"] == created["EndpointArn"]
    assert described["EndpointConfigName"] == "second"
    answer = runtime.invoke_endpoint(EndpointName="e", Body=b"hello", ContentType="text/plain")
    assert answer["Body"].read() == b"second: hello"

    sagemaker.delete_endpoint(EndpointName="e")
    sagemaker.get_waiter("endpoint_deleted").wait(EndpointName="e", WaiterConfig=QUICK)
    with pytest.raises(ClientError) as caught:
        sagemaker.describe_endpoint(EndpointName="e")
    assert code_and_message(caught.value) == (
        "ValidationException",
        f'Could not find endpoint "{created["EndpointArn"]}".',
    )


def test_a_guarded_update_and_another_capacity(
    daemon: TestDaemon, sagemaker: Any, runtime: Any
) -> None:
    for name in ("guarded", "guarded-2"):
        configure(daemon, sagemaker, name)
    sagemaker.create_endpoint(EndpointName="guarded", EndpointConfigName="guarded")
    waiter = sagemaker.get_waiter("endpoint_in_service")
    waiter.wait(EndpointName="guarded", WaiterConfig=QUICK)
    routing = {
        "Type": "LINEAR",
        "LinearStepSize": {"Type": "CAPACITY_PERCENT", "Value": 50},
        "WaitIntervalInSeconds": 0,
    }
    policy = {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing}}

    sagemaker.update_endpoint(
        EndpointName="guarded", EndpointConfigName="guarded-2", DeploymentConfig=policy
    )
    waiter.wait(EndpointName="guarded", WaiterConfig=QUICK)
    sagemaker.update_endpoint_weights_and_capacities(
        EndpointName="guarded",
        DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "DesiredInstanceCount": 2}],
    )
    waiter.wait(EndpointName="guarded", WaiterConfig=QUICK)

    described = sagemaker.describe_endpoint(EndpointName="guarded")
    assert described["EndpointConfigName"] == "guarded-2"
    assert described["LastDeploymentConfig"] == policy
    assert described["ProductionVariants"][0]["CurrentInstanceCount"] == 2
    with pytest.raises(ClientError) as caught:
        sagemaker.update_endpoint_weights_and_capacities(
            EndpointName="guarded",
            DesiredWeightsAndCapacities=[{"VariantName": "other", "DesiredWeight": 1.0}],
        )
    assert code_and_message(caught.value) == (
        "ValidationException",
        "DesiredWeightsAndCapacities[0].VariantName is 'other'; the endpoint's variants are "
        "AllTraffic.",
    )
    sagemaker.delete_endpoint(EndpointName="guarded")
    sagemaker.get_waiter("endpoint_deleted").wait(EndpointName="guarded", WaiterConfig=QUICK)


def test_models_and_configurations_are_described_listed_and_deleted(
    daemon: TestDaemon, sagemaker: Any
) -> None:
    names = [f"kept-{number}" for number in range(3)]
    for name in names:
        configure(daemon, sagemaker, name)

    model = sagemaker.describe_model(ModelName="kept-0")
    config = sagemaker.describe_endpoint_config(EndpointConfigName="kept-0")
    assert model["PrimaryContainer"]["Image"] == "python"
    assert config["ProductionVariants"][0]["InitialVariantWeight"] == 1.0
    for operation, member, key in (
        ("list_models", "Models", "ModelName"),
        ("list_endpoint_configs", "EndpointConfigs", "EndpointConfigName"),
    ):
        pages = sagemaker.get_paginator(operation).paginate(
            NameContains="kept", SortOrder="Ascending", PaginationConfig={"PageSize": 2}
        )
        assert [item[key] for page in pages for item in page[member]] == names
    for name in names:
        sagemaker.delete_endpoint_config(EndpointConfigName=name)
        sagemaker.delete_model(ModelName=name)
    assert sagemaker.list_models(NameContains="kept")["Models"] == []
    assert sagemaker.list_endpoint_configs(NameContains="kept")["EndpointConfigs"] == []


def test_refusals_have_the_codes_and_words_that_clients_match(
    daemon: TestDaemon, sagemaker: Any, runtime: Any
) -> None:
    configure(daemon, sagemaker, "refused")
    with pytest.raises(ClientError) as caught:
        sagemaker.create_model(ModelName="refused", PrimaryContainer={"Image": "python"})
    code, message = code_and_message(caught.value)
    assert code == "ValidationException"
    assert "Cannot create already existing model" in message

    with pytest.raises(ClientError) as caught:
        runtime.invoke_endpoint(EndpointName="absent", Body=b"x")
    assert code_and_message(caught.value) == (
        "ValidationError",
        "Endpoint absent of account 000000000000 not found.",
    )


def test_a_failing_script_is_a_model_error(
    daemon: TestDaemon, sagemaker: Any, runtime: Any
) -> None:
    configure(daemon, sagemaker, "raises")
    sagemaker.create_endpoint(EndpointName="raises", EndpointConfigName="raises")
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="raises", WaiterConfig=QUICK)
    listed = sagemaker.list_endpoints(StatusEquals="InService", NameContains="raises")
    assert [item["EndpointName"] for item in listed["Endpoints"]] == ["raises"]

    with pytest.raises(runtime.exceptions.ModelError) as caught:
        runtime.invoke_endpoint(EndpointName="raises", Body=b"raise", ContentType="text/plain")

    response = caught.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert response["OriginalStatusCode"] == 500
    assert "no such customer" in response["OriginalMessage"]
    group, _, stream = (
        response["LogStreamArn"].partition(":log-group:")[2].partition(":log-stream:")
    )
    events = daemon.client("logs").get_log_events(
        logGroupName=group, logStreamName=stream, startFromHead=True
    )["events"]
    assert "LookupError: no such customer" in [event["message"] for event in events]
    sagemaker.delete_endpoint(EndpointName="raises")
    sagemaker.get_waiter("endpoint_deleted").wait(EndpointName="raises", WaiterConfig=QUICK)
