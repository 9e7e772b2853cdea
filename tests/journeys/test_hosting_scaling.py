"""Target tracking under real load: out within seconds, in after it, and nobody is refused."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from bottega.testing.boto_hosting import BotoHosting
from bottega.testing.daemon import eventually, running_daemon


@pytest.fixture(scope="module")
def hosting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BotoHosting]:
    home = tmp_path_factory.mktemp("home") / "h"
    with running_daemon(home, tracking=False, autoscaling_period_seconds=1) as daemon:
        yield BotoHosting(daemon)


@pytest.mark.slow
def test_capacity_follows_the_load(hosting: BotoHosting) -> None:
    hosting.endpoint("tide", {"VariantName": "v", "ModelName": hosting.script("tide")})
    scaling = hosting.daemon.client("application-autoscaling")
    target = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": "endpoint/tide/variant/v",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    scaling.register_scalable_target(**target, MinCapacity=1, MaxCapacity=3)
    kind = "SageMakerVariantInvocationsPerInstance"
    scaling.put_scaling_policy(
        **target,
        PolicyName="rate",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 1200.0,
            "PredefinedMetricSpecification": {"PredefinedMetricType": kind},
            "ScaleInCooldown": 0,
            "ScaleOutCooldown": 0,
        },
    )
    with hosting.under_load("tide", callers=4, pause=0.02) as found:
        began = time.monotonic()
        eventually(lambda: hosting.instances("tide") == 3, "three instances", 60)
        print(f"out to three after {time.monotonic() - began:.1f} s")
        seen = len(found)
        eventually(lambda: len(found) > seen + 300, "more requests", 30)
        assert hosting.instances("tide") == 3, "it stays under a steady load"
    # Some go on asking while it shrinks.
    with hosting.under_load("tide", callers=1, pause=0.2) as few:
        began = time.monotonic()
        eventually(lambda: hosting.instances("tide") == 1, "one instance", 90)
        print(f"in to one {time.monotonic() - began:.1f} s after the load")
    assert Counter(status for status, _, _ in (*found, *few)) == {200: len(found) + len(few)}

    def activities() -> list[dict[str, Any]]:
        found = scaling.describe_scaling_activities(ServiceNamespace="sagemaker")
        told: list[dict[str, Any]] = found["ScalingActivities"]
        return [] if any(one["StatusCode"] == "InProgress" for one in told) else told

    told = eventually(activities, "every activity has come to its end", 10)
    assert {one["StatusCode"] for one in told} == {"Successful"}
    assert "triggered policy rate" in told[-1]["Cause"]
    assert "below its target" in told[0]["Cause"]
    assert told[0]["Description"] == "Setting desired instance count to 1."
    assert len(told) <= 5, "it goes there and back, without swinging"
