"""Inference components as an unmodified boto3 sees them, through a real daemon."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bottega.testing.boto_hosting import BotoHosting
from bottega.testing.daemon import eventually, running_daemon

COPIES = {
    "ServiceNamespace": "sagemaker",
    "ScalableDimension": "sagemaker:inference-component:DesiredCopyCount",
    "ResourceId": "inference-component/c",
}


@pytest.fixture(scope="module")
def hosting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BotoHosting]:
    """An endpoint ``e`` for components, whose requests are captured, and a component ``c``."""
    home = tmp_path_factory.mktemp("home") / "h"
    with running_daemon(home, tracking=False, autoscaling_period_seconds=1) as daemon:
        made = BotoHosting(daemon)
        variant = {"VariantName": "v", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        made.sagemaker.create_endpoint_config(
            EndpointConfigName="e",
            ProductionVariants=[variant],
            ExecutionRoleArn=daemon.config.role_arn,
            DataCaptureConfig={
                "InitialSamplingPercentage": 100,
                "DestinationS3Uri": f"s3://{made.bucket}/captured",
                "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            },
        )
        made.sagemaker.create_endpoint(EndpointName="e", EndpointConfigName="e")
        made.sagemaker.get_waiter("endpoint_in_service").wait(
            EndpointName="e", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
        made.sagemaker.create_inference_component(
            InferenceComponentName="c",
            EndpointName="e",
            VariantName="v",
            Specification={
                "ModelName": made.script("m"),
                "ComputeResourceRequirements": {"MinMemoryRequiredInMb": 256},
            },
            RuntimeConfig={"CopyCount": 1},
            Tags=[{"Key": "team", "Value": "blue"}],
        )
        settled(made)
        yield made


def settled(hosting: BotoHosting) -> dict[str, Any]:
    def described() -> dict[str, Any] | None:
        found = hosting.sagemaker.describe_inference_component(InferenceComponentName="c")
        return dict(found) if found["InferenceComponentStatus"] == "InService" else None

    return dict(eventually(described, "the component is in service"))


def metric(hosting: BotoHosting, name: str) -> float:
    """The sum of a metric of the component over the last minutes."""
    now = datetime.now(UTC)
    points = hosting.cloudwatch.get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName=name,
        Dimensions=[{"Name": "InferenceComponentName", "Value": "c"}],
        StartTime=now - timedelta(minutes=5),
        EndTime=now + timedelta(minutes=1),
        Period=60,
        Statistics=["Sum"],
    )["Datapoints"]
    return float(sum(point["Sum"] for point in points))


def refused(call: Any, **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**request)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_it_is_shown_listed_and_asked(hosting: BotoHosting) -> None:
    described = settled(hosting)
    assert described["RuntimeConfig"] == {"DesiredCopyCount": 1, "CurrentCopyCount": 1}
    (listed,) = hosting.sagemaker.list_inference_components(EndpointNameEquals="e")[
        "InferenceComponents"
    ]
    assert listed["InferenceComponentArn"] == described["InferenceComponentArn"]
    tags = hosting.sagemaker.list_tags(ResourceArn=described["InferenceComponentArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "blue"}]

    answer = hosting.runtime.invoke_endpoint(
        EndpointName="e", InferenceComponentName="c", Body=b"hello", ContentType="text/plain"
    )
    assert answer["InvokedProductionVariant"] == "v"
    assert answer["Body"].read().endswith(b": hello")
    streamed = hosting.runtime.invoke_endpoint_with_response_stream(
        EndpointName="e", InferenceComponentName="c", Body=b"hello", ContentType="text/plain"
    )
    parts = [event["PayloadPart"]["Bytes"] for event in streamed["Body"]]
    assert b"".join(parts).endswith(b": hello")
    code, message = refused(hosting.runtime.invoke_endpoint, EndpointName="e", Body=b"x")
    assert (code, message[:31]) == ("ValidationError", "Inference Component Name header")


def test_its_requests_are_counted_and_captured_for_the_endpoint(hosting: BotoHosting) -> None:
    hosting.runtime.invoke_endpoint(
        EndpointName="e", InferenceComponentName="c", Body=b"kept", ContentType="text/csv"
    )

    def captured() -> list[str]:
        keys = hosting.keys("captured/e/v/")
        lines = [line for key in keys for line in hosting.read(key).decode().splitlines()]
        return [json.loads(line)["captureData"]["endpointInput"]["data"] for line in lines]

    eventually(lambda: metric(hosting, "Invocations") >= 1, "the request is counted")
    eventually(lambda: "kept" in captured(), "the request is captured")


def test_no_copies_and_back_by_itself(hosting: BotoHosting) -> None:
    scaling = hosting.daemon.client("application-autoscaling")
    scaling.register_scalable_target(**COPIES, MinCapacity=0, MaxCapacity=2)
    policy = scaling.put_scaling_policy(
        **COPIES,
        PolicyName="from-zero",
        PolicyType="StepScaling",
        StepScalingPolicyConfiguration={
            "AdjustmentType": "ChangeInCapacity",
            "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}],
            "Cooldown": 60,
        },
    )
    hosting.cloudwatch.put_metric_alarm(
        AlarmName="nobody-answers",
        Namespace="AWS/SageMaker",
        MetricName="NoCapacityInvocationFailures",
        Dimensions=[{"Name": "InferenceComponentName", "Value": "c"}],
        Statistic="Sum",
        Period=10,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="notBreaching",
        AlarmActions=[policy["PolicyARN"]],
    )
    hosting.sagemaker.update_inference_component_runtime_config(
        InferenceComponentName="c", DesiredRuntimeConfig={"CopyCount": 0}
    )
    assert settled(hosting)["RuntimeConfig"] == {"DesiredCopyCount": 0, "CurrentCopyCount": 0}
    asked = {"EndpointName": "e", "InferenceComponentName": "c", "Body": b"x"}
    code, message = refused(hosting.runtime.invoke_endpoint, ContentType="text/plain", **asked)
    assert (code, message[:37]) == ("ValidationError", "Inference Component has no capacity t")

    eventually(
        lambda: settled(hosting)["RuntimeConfig"]["CurrentCopyCount"] == 1, "a copy comes back"
    )

    answer = hosting.runtime.invoke_endpoint(ContentType="text/plain", **asked)
    assert answer["Body"].read().endswith(b": x")
    assert metric(hosting, "NoCapacityInvocationFailures") == 1
    (told, *_) = scaling.describe_scaling_activities(ServiceNamespace="sagemaker")[
        "ScalingActivities"
    ]
    assert told["Description"] == "Setting desired copy count to 1."
    assert told["ResourceId"] == "inference-component/c"
    scaling.deregister_scalable_target(**COPIES)


def test_target_tracking_looks_at_its_copies(hosting: BotoHosting) -> None:
    scaling = hosting.daemon.client("application-autoscaling")
    scaling.register_scalable_target(**COPIES, MinCapacity=1, MaxCapacity=3)
    kind = "SageMakerInferenceComponentInvocationsPerCopy"
    scaling.put_scaling_policy(
        **COPIES,
        PolicyName="tracks",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 60.0,
            "PredefinedMetricSpecification": {"PredefinedMetricType": kind},
        },
    )

    def busy() -> bool:
        for _ in range(20):
            hosting.runtime.invoke_endpoint(
                EndpointName="e", InferenceComponentName="c", Body=b"x", ContentType="text/plain"
            )
        return int(settled(hosting)["RuntimeConfig"]["DesiredCopyCount"]) > 1

    eventually(busy, "copies are added")
    scaling.deregister_scalable_target(**COPIES)
    wrong = {**COPIES, "ResourceId": "endpoint/e/variant/v"}
    code, message = refused(scaling.register_scalable_target, **wrong)
    assert code == "ValidationException"
    assert message.endswith("it has the form inference-component/<inference component name>.")


def test_another_model_and_the_end(hosting: BotoHosting) -> None:
    settled(hosting)
    hosting.sagemaker.update_inference_component(
        InferenceComponentName="c",
        Specification={
            "ModelName": hosting.script("m2"),
            "ComputeResourceRequirements": {"MinMemoryRequiredInMb": 256},
        },
        RuntimeConfig={"CopyCount": 1},
    )
    assert settled(hosting)["Specification"]["ModelName"] == "m2"
    code, message = refused(hosting.sagemaker.delete_endpoint, EndpointName="e")
    assert code == "ValidationException"
    assert message.endswith("with inference components (c); delete them first.")

    hosting.sagemaker.delete_inference_component(InferenceComponentName="c")

    eventually(
        lambda: not hosting.sagemaker.list_inference_components()["InferenceComponents"],
        "the component is gone",
    )
    code, message = refused(
        hosting.sagemaker.describe_inference_component, InferenceComponentName="c"
    )
    assert message == (
        'Could not find inference component "arn:aws:sagemaker:us-east-1:000000000000:'
        'inference-component/c".'
    )
    hosting.sagemaker.delete_endpoint(EndpointName="e")
    hosting.sagemaker.get_waiter("endpoint_deleted").wait(
        EndpointName="e", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
