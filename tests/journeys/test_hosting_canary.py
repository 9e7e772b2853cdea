"""A canary with a fault in it: its own alarm rolls it back, and nobody of the old fleet notices."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator

import pytest

from bottega.testing.boto_hosting import BotoHosting
from bottega.testing.daemon import eventually, running_daemon

FAULTY = """
asked = 0

def model_fn(model_dir):
    return "new"

def transform_fn(model, data, content_type, accept):
    global asked
    asked += 1
    if asked % 2 == 0:
        raise LookupError("the injected fault")
    return "new: x"
"""


@pytest.fixture(scope="module")
def hosting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BotoHosting]:
    with running_daemon(tmp_path_factory.mktemp("home") / "h", tracking=False) as daemon:
        yield BotoHosting(daemon)


@pytest.mark.slow
@pytest.mark.parametrize("dimension", ["VariantName", "EndpointConfigName"])
def test_a_fault_in_the_canary_rolls_it_back(hosting: BotoHosting, dimension: str) -> None:
    name = f"canary-{dimension.lower()}"
    hosting.endpoint(
        name,
        {"VariantName": "v", "ModelName": hosting.script(f"{name}-old"), "InitialInstanceCount": 2},
    )
    faulty = f"{name}-faulty"
    hosting.config(
        faulty,
        {
            "VariantName": "v",
            "ModelName": hosting.script(faulty, FAULTY),
            "InitialInstanceCount": 2,
        },
    )
    looked_at = {"EndpointName": name, "VariantName": "v"}
    if dimension == "EndpointConfigName":
        looked_at[dimension] = faulty
    alarm = f"{name}-5xx"
    hosting.cloudwatch.put_metric_alarm(
        AlarmName=alarm,
        Namespace="AWS/SageMaker",
        MetricName="Invocation5XXErrors",
        Dimensions=[{"Name": key, "Value": value} for key, value in looked_at.items()],
        Statistic="Sum",
        Period=10,
        EvaluationPeriods=1,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )

    def alarm_state() -> str:
        (found,) = hosting.cloudwatch.describe_alarms(AlarmNames=[alarm])["MetricAlarms"]
        return str(found["StateValue"])

    def baking() -> bool:
        found = hosting.sagemaker.describe_endpoint(EndpointName=name)
        pending = found.get("PendingDeploymentSummary", {}).get("ProductionVariants", [])
        return any(
            status["Status"] == "Baking"
            for one in pending
            for status in one.get("VariantStatus", [])
        )

    eventually(lambda: alarm_state() == "OK", "the alarm is well")
    routing = {
        "Type": "CANARY",
        "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 50},
        "WaitIntervalInSeconds": 600,
    }
    policy = {
        "BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing},
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": alarm}]},
    }
    with hosting.under_load(name, callers=2, pause=0.02) as found:
        hosting.sagemaker.update_endpoint(
            EndpointName=name, EndpointConfigName=faulty, DeploymentConfig=policy
        )
        eventually(baking, "the canary bakes")
        began = time.monotonic()
        described = hosting.settled(name)
        print(f"rolled back {time.monotonic() - began:.1f} s after the canary had begun")
        settled_at = len(found)
        eventually(lambda: len(found) > settled_at + 100, "more requests")
        assert {one[2] for one in found[settled_at + 2 :]} == {f"{name}-old: x"}

    assert described["EndpointConfigName"] == name
    assert alarm in described["FailureReason"]
    assert described["ProductionVariants"][0]["CurrentInstanceCount"] == 2
    # A ModelError is a 424. Nothing failed but what the canary itself was asked.
    old, new = f"{name}-old: x", "new: x"
    seen = Counter(
        (status, body if body in (old, new) else "injected fault" in body)
        for status, _, body in found
    )
    assert set(seen) == {(200, old), (200, new), (424, True)}, seen
    hosting.sagemaker.delete_endpoint(EndpointName=name)
