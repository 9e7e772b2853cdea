"""Autoscaling as an unmodified boto3 sees it, with a real endpoint that grows and shrinks."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bottega.testing.daemon import TestDaemon, eventually, running_daemon
from bottega.testing.hosting import ECHO, archive

_WAYS = {
    "ServiceNamespace": "sagemaker",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}
_V0 = {**_WAYS, "ResourceId": "endpoint/grows/variant/v0"}


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestDaemon]:
    home = tmp_path_factory.mktemp("home") / "h"
    with running_daemon(home, tracking=False, autoscaling_period_seconds=1) as started:
        yield started


@pytest.fixture(scope="module")
def scaling(daemon: TestDaemon) -> Any:
    return daemon.client("application-autoscaling")


@pytest.fixture(scope="module")
def sagemaker(daemon: TestDaemon) -> Any:
    client, s3 = daemon.client("sagemaker"), daemon.client("s3")
    s3.create_bucket(Bucket="models")
    model = archive({"answer": "m", "code/inference.py": ECHO})
    s3.put_object(Bucket="models", Key="m.tar.gz", Body=model)
    client.create_model(
        ModelName="grows",
        PrimaryContainer={"Image": "python", "ModelDataUrl": "s3://models/m.tar.gz"},
        ExecutionRoleArn="arn:aws:iam::000000000000:role/r",
    )
    client.create_endpoint_config(
        EndpointConfigName="grows",
        ProductionVariants=[
            {
                "VariantName": "v0",
                "ModelName": "grows",
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": 1,
            }
        ],
    )
    client.create_endpoint(EndpointName="grows", EndpointConfigName="grows")
    client.get_waiter("endpoint_in_service").wait(
        EndpointName="grows", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    return client


def refused(call: Any, **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**request)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def instances(sagemaker: Any) -> int:
    described = sagemaker.describe_endpoint(EndpointName="grows")
    if described["EndpointStatus"] != "InService":
        return -1
    return int(described["ProductionVariants"][0]["CurrentInstanceCount"])


def activities(scaling: Any, **more: Any) -> list[Any]:
    pages = scaling.get_paginator("describe_scaling_activities")
    return [
        one
        for page in pages.paginate(ServiceNamespace="sagemaker", **more)
        for one in page["ScalingActivities"]
    ]


def test_refusals(scaling: Any, sagemaker: Any) -> None:
    register = scaling.register_scalable_target
    code, text = refused(register, **{**_V0, "ServiceNamespace": "ecs"})
    assert (code, "sagemaker alone" in text) == ("ValidationException", True)
    code, text = refused(
        register, **{**_V0, "ResourceId": "endpoint/other/variant/v0"}, MinCapacity=1, MaxCapacity=2
    )
    assert (code, "Could not find" in text) == ("ValidationException", True)
    code, text = refused(
        register, **{**_V0, "ResourceId": "endpoint/grows/variant/x"}, MinCapacity=1, MaxCapacity=2
    )
    assert (code, "serves v0" in text) == ("ValidationException", True)
    code, text = refused(register, **_V0, MinCapacity=0, MaxCapacity=2)
    assert (code, "only asynchronous" in text) == ("ValidationException", True)
    code, text = refused(register, **_V0, MinCapacity=3, MaxCapacity=2)
    assert (code, "less than minimum" in text) == ("ValidationException", True)
    code, text = refused(register, **_V0, MinCapacity=1)
    assert (code, "MaxCapacity is missing" in text) == ("ValidationException", True)
    assert refused(scaling.deregister_scalable_target, **_V0)[0] == "ObjectNotFoundException"
    assert (
        refused(scaling.put_scaling_policy, **_V0, PolicyName="p")[0] == "ObjectNotFoundException"
    )
    assert (
        refused(scaling.delete_scaling_policy, **_V0, PolicyName="p")[0]
        == "ObjectNotFoundException"
    )
    code, _ = refused(scaling.put_scheduled_action, **_V0, ScheduledActionName="a")
    assert code == "ObjectNotFoundException"
    code, _ = refused(scaling.delete_scheduled_action, **_V0, ScheduledActionName="a")
    assert code == "ObjectNotFoundException"
    arn = "arn:aws:application-autoscaling:us-east-1:000000000000:scalable-target/none"
    for call, more in (
        (scaling.tag_resource, {"Tags": {"a": "b"}}),
        (scaling.untag_resource, {"TagKeys": ["a"]}),
        (scaling.list_tags_for_resource, {}),
    ):
        assert refused(call, ResourceARN=arn, **more)[0] == "ResourceNotFoundException"
    code, _ = refused(
        scaling.describe_scalable_targets, ServiceNamespace="sagemaker", NextToken="x"
    )
    assert code == "InvalidNextTokenException"
    assert activities(scaling) == []


def test_it_grows_and_shrinks_with_the_load(
    daemon: TestDaemon, scaling: Any, sagemaker: Any
) -> None:
    arn = scaling.register_scalable_target(**_V0, MinCapacity=1, MaxCapacity=3, Tags={"a": "b"})[
        "ScalableTargetARN"
    ]
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 3)
    assert target["ScalableTargetARN"] == arn
    scaling.tag_resource(ResourceARN=arn, Tags={"c": "d"})
    scaling.untag_resource(ResourceARN=arn, TagKeys=["a"])
    assert scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"c": "d"}
    scaling.put_scaling_policy(
        **_V0,
        PolicyName="calls",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 60.0,
            "PredefinedMetricSpecification": {
                "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
            },
            "ScaleOutCooldown": 0,
            "ScaleInCooldown": 0,
        },
    )
    (policy,) = scaling.describe_scaling_policies(**_V0)["ScalingPolicies"]
    assert policy["PolicyName"] == "calls"

    failed: list[Exception] = []
    over = threading.Event()

    def load() -> None:
        runtime = daemon.client("sagemaker-runtime")
        while not over.is_set():
            try:
                runtime.invoke_endpoint(EndpointName="grows", Body=b"x", ContentType="text/plain")
            except Exception as error:
                failed.append(error)
            over.wait(0.02)

    thread = threading.Thread(target=load)
    thread.start()
    try:
        eventually(lambda: instances(sagemaker) == 3, "three instances", 40)
        # One that cannot grow any more says so, once.
        eventually(
            lambda: any(
                "NotScaledReasons" in one
                for one in activities(scaling, IncludeNotScaledActivities=True)
            ),
            "an activity that tells why it does not grow",
            20,
        )
    finally:
        over.set()
        thread.join()
    assert failed == []
    done = activities(scaling, ResourceId=_V0["ResourceId"])[-1]
    assert done["Description"].startswith("Setting desired instance count to ")
    assert "triggered policy calls" in done["Cause"]
    assert done["StatusCode"] == "Successful"
    details = json.loads(done["Details"])
    assert details["targetValue"] == 60.0
    assert details["arithmetic"].startswith("ceil(1 x ")
    idle = [
        one
        for one in activities(scaling, IncludeNotScaledActivities=True)
        if "NotScaledReasons" in one
    ]
    assert idle[0]["NotScaledReasons"][0]["Code"] == "AlreadyAtMaxCapacity"
    assert idle[0]["NotScaledReasons"][0]["MaxCapacity"] == 3

    eventually(lambda: instances(sagemaker) == 1, "one instance", 60)
    assert "below its target" in activities(scaling)[0]["Cause"]
    scaling.delete_scaling_policy(**_V0, PolicyName="calls")


def test_steps_follow_an_alarm(daemon: TestDaemon, scaling: Any, sagemaker: Any) -> None:
    cloudwatch = daemon.client("cloudwatch")
    scaling.register_scalable_target(**_V0, MinCapacity=1, MaxCapacity=4)
    arn = scaling.put_scaling_policy(
        **_V0,
        PolicyName="steps",
        PolicyType="StepScaling",
        StepScalingPolicyConfiguration={
            "AdjustmentType": "ChangeInCapacity",
            "Cooldown": 0,
            "StepAdjustments": [
                {
                    "MetricIntervalLowerBound": 0,
                    "MetricIntervalUpperBound": 5,
                    "ScalingAdjustment": 1,
                },
                {"MetricIntervalLowerBound": 5, "ScalingAdjustment": 2},
            ],
        },
    )["PolicyARN"]
    cloudwatch.put_metric_alarm(
        AlarmName="queue",
        Namespace="Shop",
        MetricName="Queue",
        Statistic="Maximum",
        Period=1,
        EvaluationPeriods=60,
        DatapointsToAlarm=1,
        Threshold=10,
        ComparisonOperator="GreaterThanThreshold",
        AlarmActions=[arn],
    )
    cloudwatch.put_metric_data(
        Namespace="Shop",
        MetricData=[{"MetricName": "Queue", "Value": 17.0, "StorageResolution": 1}],
    )
    eventually(lambda: instances(sagemaker) == 3, "three instances", 30)
    newest = activities(scaling)[0]
    assert newest["Cause"] == "monitor alarm queue in state ALARM triggered policy steps"
    assert json.loads(newest["Details"])["scalingAdjustment"] == 2
    cloudwatch.delete_alarms(AlarmNames=["queue"])
    scaling.delete_scaling_policy(**_V0, PolicyName="steps")


def test_a_schedule_moves_the_bounds_and_they_hold_at_once(scaling: Any, sagemaker: Any) -> None:
    due = datetime.now(UTC) + timedelta(seconds=2)
    scaling.put_scheduled_action(
        **_V0,
        ScheduledActionName="evening",
        Schedule=f"at({due:%Y-%m-%dT%H:%M:%S})",
        ScalableTargetAction={"MinCapacity": 1, "MaxCapacity": 1},
    )
    (action,) = scaling.describe_scheduled_actions(ServiceNamespace="sagemaker")["ScheduledActions"]
    assert action["ScheduledActionName"] == "evening"
    eventually(lambda: instances(sagemaker) == 1, "one instance", 30)
    newest, scheduled = activities(scaling)[:2]
    assert newest["Cause"] == "maximum capacity was set to 1"
    assert scheduled["Cause"] == "scheduled action name evening was triggered"
    assert scheduled["Description"] == "Setting min capacity to 1 and max capacity to 1"
    scaling.delete_scheduled_action(**_V0, ScheduledActionName="evening")


def test_pages(scaling: Any, sagemaker: Any) -> None:
    found = activities(scaling)
    page = scaling.describe_scaling_activities(ServiceNamespace="sagemaker", MaxResults=1)
    assert page["ScalingActivities"] == found[:1]
    page = scaling.describe_scaling_activities(
        ServiceNamespace="sagemaker", MaxResults=1, NextToken=page["NextToken"]
    )
    assert page["ScalingActivities"] == found[1:2]


def test_the_target_goes_with_the_endpoint(scaling: Any, sagemaker: Any) -> None:
    scaling.deregister_scalable_target(**_V0)
    scaling.register_scalable_target(**_V0, MinCapacity=1, MaxCapacity=2)
    sagemaker.delete_endpoint(EndpointName="grows")
    eventually(
        lambda: (
            not scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
        ),
        "no target",
        30,
    )
    assert activities(scaling), "what was done stays known"
