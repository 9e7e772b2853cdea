"""The operations and the scaler below the wire; what a kill leaves, and what somebody else does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from bottega.context import Context
from bottega.errors import (
    BottegaError,
    InvalidNextTokenException,
    ObjectNotFoundException,
    ResourceNotFoundException,
    ValidationException,
)
from bottega.features.autoscaling import journal as journals
from bottega.features.autoscaling.entities import TargetKey
from bottega.features.autoscaling.journal import Change
from bottega.features.autoscaling.scaler import Scaler
from bottega.service_calls import ServiceCaller
from bottega.testing.hosting import HostingStudio, until

KEY = TargetKey("e", "v0", "sagemaker:variant:DesiredInstanceCount")
WAYS = KEY.members
TRACKED: dict[str, Any] = {
    "TargetValue": 60.0,
    "PredefinedMetricSpecification": {
        "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
    },
}
STEP: dict[str, Any] = {
    "AdjustmentType": "ChangeInCapacity",
    "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
}


@pytest.fixture(scope="module")
def hosting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostingStudio]:
    home = tmp_path_factory.mktemp("home") / "h"
    with HostingStudio.opened(home, preload=False, isolation="process") as opened:
        opened.studio.start()
        opened.deploy("e")
        yield opened
        opened.delete_all()


@pytest.fixture
def ask(hosting: HostingStudio) -> Iterator[Any]:
    def call(name: str, **request: Any) -> Any:
        studio = hosting.studio
        context: Context = studio.owner("sdk")
        return studio.registry.call("application-autoscaling", name, request, context)

    call("RegisterScalableTarget", **WAYS, MinCapacity=1, MaxCapacity=4)
    yield call
    try:
        call("DeregisterScalableTarget", **WAYS)
    except ObjectNotFoundException:
        return


def scaler(hosting: HostingStudio) -> Scaler:
    """One that a new daemon would have."""
    studio = hosting.studio
    return Scaler(studio.ports, ServiceCaller(studio.registry, studio.ports, "r", "s").call)


def count(hosting: HostingStudio) -> int:
    return int(hosting.describe("e")["ProductionVariants"][0]["DesiredInstanceCount"])


def test_registering_again_changes_what_is_given(ask: Any) -> None:
    ask("RegisterScalableTarget", **WAYS, MaxCapacity=9)
    state = {"DynamicScalingInSuspended": True}
    ask("RegisterScalableTarget", **WAYS, SuspendedState=state)
    (found,) = ask("DescribeScalableTargets", ServiceNamespace="sagemaker")["ScalableTargets"]
    assert (found["MinCapacity"], found["MaxCapacity"]) == (1, 9)
    assert found["SuspendedState"] == {
        "DynamicScalingInSuspended": True,
        "DynamicScalingOutSuspended": False,
        "ScheduledScalingSuspended": False,
    }
    with pytest.raises(ValidationException, match="use TagResource"):
        ask("RegisterScalableTarget", **WAYS, Tags={"a": "b"})
    arn = found["ScalableTargetARN"]
    ask("TagResource", ResourceARN=arn, Tags={"a": "b"})
    assert ask("ListTagsForResource", ResourceARN=arn)["Tags"] == {"a": "b"}
    ask("UntagResource", ResourceARN=arn, TagKeys=["a"])
    with pytest.raises(ResourceNotFoundException):
        ask("ListTagsForResource", ResourceARN=arn[:-4])


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"PolicyType": "PredictiveScaling"}, "is not there"),
        ({"PolicyType": "StepScaling"}, "StepScalingPolicyConfiguration is missing"),
        (
            {"PolicyType": "TargetTrackingScaling", "StepScalingPolicyConfiguration": STEP},
            "does not go with",
        ),
        (
            {"TargetTrackingScalingPolicyConfiguration": {**TRACKED, "TargetValue": 0.0}},
            "must be above 0",
        ),
        ({"TargetTrackingScalingPolicyConfiguration": {"TargetValue": 1.0}}, "needs either"),
        (
            {
                "TargetTrackingScalingPolicyConfiguration": {
                    "TargetValue": 1.0,
                    "PredefinedMetricSpecification": {
                        "PredefinedMetricType": "ECSServiceAverageCPUUtilization"
                    },
                }
            },
            "use SageMakerVariantInvocationsPerInstance or",
        ),
        (
            {
                "TargetTrackingScalingPolicyConfiguration": {
                    "TargetValue": 1.0,
                    "CustomizedMetricSpecification": {"MetricName": "m"},
                }
            },
            "needs MetricName, Namespace and Statistic",
        ),
    ],
)
def test_policies_that_make_no_sense(ask: Any, more: Any, words: str) -> None:
    tracking = "TargetTrackingScalingPolicyConfiguration" in more
    kind = {"PolicyType": "TargetTrackingScaling"} if tracking else {}
    with pytest.raises(ValidationException, match=words):
        ask("PutScalingPolicy", **WAYS, PolicyName="p", **kind, **more)
    assert ask("DescribeScalingPolicies", **WAYS)["ScalingPolicies"] == []


def test_policies_are_changed_listed_and_deleted(ask: Any) -> None:
    put = {**WAYS, "PolicyName": "p"}
    arn = ask("PutScalingPolicy", **put, StepScalingPolicyConfiguration=STEP)["PolicyARN"]
    again = ask("PutScalingPolicy", **put, StepScalingPolicyConfiguration={**STEP, "Cooldown": 9})
    assert again["PolicyARN"] == arn
    ask("PutScalingPolicy", **{**put, "PolicyName": "q"}, StepScalingPolicyConfiguration=STEP)
    first = ask("DescribeScalingPolicies", **WAYS, MaxResults=1)
    assert first["ScalingPolicies"][0]["StepScalingPolicyConfiguration"]["Cooldown"] == 9
    token = first["NextToken"]
    second = ask("DescribeScalingPolicies", **WAYS, MaxResults=1, NextToken=token)
    assert second["ScalingPolicies"][0]["PolicyName"] == "q"
    assert "NextToken" not in second
    with pytest.raises(InvalidNextTokenException):
        ask("DescribeScalingPolicies", **WAYS, MaxResults=2, NextToken=token)
    named = ask("DescribeScalingPolicies", ServiceNamespace="sagemaker", PolicyNames=["q"])
    assert [one["PolicyName"] for one in named["ScalingPolicies"]] == ["q"]
    with pytest.raises(ValidationException, match="delete it first"):
        ask("PutScalingPolicy", **put, PolicyType="TargetTrackingScaling")
    ask("DeleteScalingPolicy", **put)
    with pytest.raises(ObjectNotFoundException):
        ask("DeleteScalingPolicy", **put)
    ask("DeregisterScalableTarget", **WAYS)
    left = ask("DescribeScalingPolicies", ServiceNamespace="sagemaker")
    assert left["ScalingPolicies"] == [], "policies go with their target"


def test_scheduled_actions_that_make_no_sense(ask: Any) -> None:
    put = {**WAYS, "ScheduledActionName": "a"}
    action = {"ScalableTargetAction": {"MinCapacity": 2}}
    for more, words in (
        ({"Schedule": "rate(1 hour)"}, "ScalableTargetAction is missing"),
        ({"Schedule": "rate(1 hour)", "ScalableTargetAction": {}}, "is empty"),
        ({"Schedule": "at(2020-01-01T00:00:00)", **action}, "never due"),
        ({"Schedule": "rate(1 hour)", "ScalableTargetAction": {"MinCapacity": 0}}, "goes below 1"),
        ({"Schedule": "rate(1 hour)", "StartTime": 9.0, "EndTime": 8.0, **action}, "EndTime"),
    ):
        with pytest.raises(ValidationException, match=words):
            ask("PutScheduledAction", **put, **more)
    assert ask("DescribeScheduledActions", **WAYS)["ScheduledActions"] == []
    ask("PutScheduledAction", **put, Schedule="rate(1 hour)", **action)
    ask("PutScheduledAction", **put, Schedule="rate(2 hours)")
    (found,) = ask("DescribeScheduledActions", **WAYS)["ScheduledActions"]
    assert found["Schedule"] == "rate(2 hours)"
    assert found["ScalableTargetAction"] == {"MinCapacity": 2}, "what is left out stays"
    ask("DeleteScheduledAction", **put)


def test_bounds_hold_at_once(hosting: HostingStudio, ask: Any) -> None:
    ask("RegisterScalableTarget", **WAYS, MinCapacity=2)
    until(lambda: count(hosting) == 2)
    ask("RegisterScalableTarget", **WAYS, MinCapacity=1, MaxCapacity=1)
    until(lambda: count(hosting) == 1)
    hosting.wait("e", "InService")
    until(lambda: journals.read(hosting.studio.ports, KEY).change is None)
    found = ask("DescribeScalingActivities", **WAYS)["ScalingActivities"][:2]
    assert [one["Cause"] for one in found] == [
        "maximum capacity was set to 1",
        "minimum capacity was set to 2",
    ]
    assert {one["StatusCode"] for one in found} == {"Successful"}


@pytest.mark.parametrize("asked", [True, False])
def test_a_change_that_a_kill_left_is_ended(hosting: HostingStudio, ask: Any, asked: bool) -> None:
    """Written down and not asked for: it is asked for. Asked for and another one came: it says
    so."""
    ports = hosting.studio.ports
    told = journals.activity(KEY, ports.clock.now(), "Setting", "a test", "Pending")
    wanted = 2 if not asked else 3
    change = Change(told["ActivityId"], 1, wanted, policy=False, asked=asked)
    journals.write(ports, KEY, lambda one: replace(one.told(told), change=change))
    ask("RegisterScalableTarget", **WAYS, MinCapacity=1, MaxCapacity=5)

    def status() -> str:
        kept = journals.read(ports, KEY).activities
        return str(next(o["StatusCode"] for o in kept if o["ActivityId"] == told["ActivityId"]))

    until(lambda: status() not in ("Pending", "InProgress"))
    assert status() == ("Overridden" if asked else "Successful")
    assert asked or count(hosting) == 2


def test_the_operation_refuses_and_the_activity_says_so(hosting: HostingStudio, ask: Any) -> None:
    ask("RegisterScalableTarget", **WAYS, MinCapacity=70, MaxCapacity=70)

    def failed() -> list[Any]:
        found = ask("DescribeScalingActivities", **WAYS)["ScalingActivities"]
        return [one for one in found if one["StatusCode"] == "Failed"]

    until(failed)
    assert "more than 64 instances" in failed()[0]["StatusMessage"]
    before = len(failed())
    scaler(hosting).reconcile(KEY.name)
    assert len(failed()) == before, "it is not tried again at once"


def test_a_name_that_is_no_variant(ask: Any) -> None:
    with pytest.raises(BottegaError, match="has the form endpoint/"):
        ask("RegisterScalableTarget", **{**WAYS, "ResourceId": "endpoint/e"})
    with pytest.raises(ValidationException, match="cannot be scaled here"):
        ask("RegisterScalableTarget", **{**WAYS, "ScalableDimension": "ecs:service:DesiredCount"})
    other = "sagemaker:variant:DesiredProvisionedConcurrency"
    with pytest.raises(ValidationException, match="has instances"):
        ask("RegisterScalableTarget", **{**WAYS, "ScalableDimension": other})


def test_the_studio_sees_all_of_it(hosting: HostingStudio, ask: Any) -> None:
    assert hosting.ask("DescribeEndpointScaling", EndpointName="e")["Targets"][0]["Policies"] == []
    ask(
        "PutScalingPolicy",
        **WAYS,
        PolicyName="calls",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=TRACKED,
    )
    until(lambda: hosting.describe("e")["EndpointStatus"] == "InService")
    action = {"MaxCapacity": 3}
    ask(
        "PutScheduledAction",
        **WAYS,
        ScheduledActionName="a",
        Schedule="rate(1 hour)",
        ScalableTargetAction=action,
    )

    def seen() -> Any:
        (target,) = hosting.ask("DescribeEndpointScaling", EndpointName="e")["Targets"]
        return target

    ask("RegisterScalableTarget", **WAYS, MinCapacity=2)
    until(lambda: seen()["Activities"])
    ask("RegisterScalableTarget", **WAYS, MinCapacity=1, MaxCapacity=6)  # it is looked at again
    until(lambda: "Direction" in seen()["Policies"][0])
    found = seen()
    assert (found["MinCapacity"], found["MaxCapacity"], found["PeriodSeconds"]) == (1, 6, 5)
    assert found["Policies"][0]["TargetValue"] == 60.0
    assert found["ScheduledActions"][0]["MaxCapacity"] == 3
    assert found["ScheduledActions"][0]["NextTime"] > hosting.studio.ports.clock.now()
