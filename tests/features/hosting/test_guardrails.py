"""UpdateEndpoint with DeploymentConfig, on servers that really serve: not one request is lost."""

from __future__ import annotations

import contextlib
import glob
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from bottega.errors import ValidationException
from bottega.features.hosting.instances import run_folders
from bottega.testing.hosting import ECHO, HostingStudio, until

CANARY: dict[str, Any] = {"Type": "CANARY", "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 50}}


def blue_green(wait: int, alarms: tuple[str, ...] = (), **routing: Any) -> dict[str, Any]:
    kind = {"Type": "ALL_AT_ONCE", **routing}
    config: dict[str, Any] = {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {**kind, "WaitIntervalInSeconds": wait}
        }
    }
    if alarms:
        config["AutoRollbackConfiguration"] = {"Alarms": [{"AlarmName": a} for a in alarms]}
    return config


def rolling(batch: int, wait: int = 0, **more: Any) -> dict[str, Any]:
    size = {"Type": "INSTANCE_COUNT", "Value": batch}
    policy = {"MaximumBatchSize": size, "WaitIntervalInSeconds": wait}
    return {"RollingUpdatePolicy": policy, **more}


def update(hosting: HostingStudio, endpoint: str, config: str, policy: dict[str, Any]) -> None:
    hosting.call(
        "UpdateEndpoint",
        EndpointName=endpoint,
        EndpointConfigName=config,
        DeploymentConfig=policy,
    )


def phase(hosting: HostingStudio, endpoint: str) -> str:
    pending = hosting.describe(endpoint).get("PendingDeploymentSummary")
    if not pending:
        return ""
    statuses = pending["ProductionVariants"][0].get("VariantStatus", [{"Status": ""}])
    return str(statuses[0]["Status"])


def failures(answers: list[Any]) -> list[Any]:
    return [answer for answer in answers if not isinstance(answer, bytes)]


def servers(hosting: HostingStudio, endpoint: str) -> int:
    """How many instances have a server; those that are being removed may vanish meanwhile."""
    root = hosting.studio.ports.config.home / "work" / "endpoints" / endpoint
    instances = glob.glob(f"{glob.escape(str(root))}/*/*")
    return sum(bool(run_folders(Path(instance))) for instance in instances)


def test_a_canary_bakes_with_its_share_and_then_takes_over(hosting: HostingStudio) -> None:
    hosting.deploy("canary")
    hosting.config("canary-2", hosting.echo_model("canary-2"))

    with hosting.under_load("canary") as answers:
        update(hosting, "canary", "canary-2", blue_green(1, **CANARY))
        until(lambda: phase(hosting, "canary") == "Baking")
        during = len(answers)
        pending = hosting.describe("canary")["PendingDeploymentSummary"]
        listed = hosting.ask("ListEndpointDeployments", EndpointName="canary")["Deployments"]
        (overview,) = hosting.ask("ListEndpointOverviews", Filter="name:canary")["Endpoints"]
        until(lambda: len(answers) > during + 60)
        seen = Counter(answers[during : during + 60])
        described = hosting.wait("canary", "InService")
        until(lambda: servers(hosting, "canary") == 1)

    assert failures(answers) == []
    assert answers[-1] == b"canary-2: x"
    progress = listed[0]["Progress"]
    assert overview["Progress"] == progress
    assert (progress["Phase"], progress["TrafficShare"]) == ("Baking", 0.5)
    assert (progress["Step"], progress["Steps"]) == (0, [0.5, 1.0])
    assert progress["PhaseEndTime"] == progress["PhaseStartTime"] + 1
    assert "Progress" not in listed[1]
    assert min(seen[b"canary: x"], seen[b"canary-2: x"]) > 5
    assert pending["EndpointConfigName"] == "canary-2"
    assert pending["ProductionVariants"][0]["CurrentInstanceCount"] == 1
    assert described["EndpointConfigName"] == "canary-2"
    assert described["LastDeploymentConfig"] == blue_green(1, **CANARY)
    assert "PendingDeploymentSummary" not in described


def test_an_alarm_takes_all_traffic_back(hosting: HostingStudio) -> None:
    hosting.deploy("alarmed")
    hosting.config("alarmed-2", hosting.echo_model("alarmed-2"))
    alarm = hosting.alarm("too-many-errors")

    with hosting.under_load("alarmed") as answers:
        update(hosting, "alarmed", "alarmed-2", blue_green(600, (alarm,), **CANARY))
        until(lambda: b"alarmed-2: x" in answers)
        hosting.alarm(alarm, "ALARM")
        described = hosting.wait("alarmed", "InService")
        since = len(answers)
        until(lambda: len(answers) > since + 20 and servers(hosting, "alarmed") == 1)

    assert failures(answers) == []
    assert set(answers[-10:]) == {b"alarmed: x"}
    assert described["EndpointConfigName"] == "alarmed"
    assert "alarm too-many-errors is in ALARM" in described["FailureReason"]
    (latest, first) = hosting.ask("ListEndpointDeployments", EndpointName="alarmed")["Deployments"]
    assert (latest["Outcome"], latest["Policy"], latest["Active"]) == (
        "RolledBack",
        "CANARY",
        False,
    )
    assert "too-many-errors" in latest["Reason"]
    assert (first["Outcome"], first["Active"]) == ("Succeeded", True)


def test_a_rolling_update_replaces_instances_in_batches(hosting: HostingStudio) -> None:
    hosting.deploy("rolls", instances=2)
    hosting.config("rolls-2", hosting.echo_model("rolls-2"), instances=2)
    most = 0

    with hosting.under_load("rolls") as answers:
        update(hosting, "rolls", "rolls-2", rolling(1))
        while hosting.describe("rolls")["EndpointStatus"] == "Updating":
            most = max(most, servers(hosting, "rolls"))
        described = hosting.wait("rolls", "InService")
        until(lambda: servers(hosting, "rolls") == 2)

    assert failures(answers) == []
    assert answers[-1] == b"rolls-2: x"
    assert most <= 3
    assert described["ProductionVariants"][0]["CurrentInstanceCount"] == 2


def test_a_rolling_update_goes_back_when_an_alarm_says_so(hosting: HostingStudio) -> None:
    hosting.deploy("unrolls", instances=2)
    hosting.config("unrolls-2", hosting.echo_model("unrolls-2"), instances=2)
    alarm = hosting.alarm("unrolls-alarm")
    alarms = {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": alarm}]}}

    with hosting.under_load("unrolls") as answers:
        update(hosting, "unrolls", "unrolls-2", rolling(1, wait=600, **alarms))
        until(lambda: b"unrolls-2: x" in answers)
        hosting.alarm(alarm, "ALARM")
        described = hosting.wait("unrolls", "InService")
        until(lambda: servers(hosting, "unrolls") == 2)
        until(lambda: set(answers[-10:]) == {b"unrolls: x"})

    assert failures(answers) == []
    assert described["EndpointConfigName"] == "unrolls"
    assert described["ProductionVariants"][0]["CurrentInstanceCount"] == 2


def test_going_back_and_undoing_an_update(hosting: HostingStudio) -> None:
    hosting.deploy("back")
    hosting.config("back-2", hosting.echo_model("back-2"))
    with pytest.raises(ValidationException, match="no other deployment that served"):
        hosting.ask("RollBackEndpoint", EndpointName="back")
    hosting.call("UpdateEndpoint", EndpointName="back", EndpointConfigName="back-2")
    hosting.wait("back", "InService")
    for operation, key in (("DeleteModel", "Model"), ("DeleteEndpointConfig", "EndpointConfig")):
        hosting.call(operation, **{f"{key}Name": "back"})

    hosting.ask("RollBackEndpoint", EndpointName="back")
    described = hosting.wait("back", "InService")
    assert described["EndpointConfigName"] == "back"
    assert hosting.invoke("back", "x")["Body"] == b"back: x"

    update(hosting, "back", "back-2", blue_green(600))
    until(lambda: phase(hosting, "back") == "Baking")
    assert hosting.invoke("back", "x")["Body"] == b"back-2: x"
    hosting.ask("RollBackEndpoint", EndpointName="back")
    described = hosting.wait("back", "InService")
    assert "was rolled back by arn:aws:sts::" in described["FailureReason"]
    assert hosting.invoke("back", "x")["Body"] == b"back: x"
    found = hosting.ask("ListEndpointDeployments", EndpointName="back")["Deployments"]
    assert [one["Outcome"] for one in found] == ["RolledBack", *["Succeeded"] * 3]
    assert [one["EndpointConfigName"] for one in found] == ["back-2", "back", "back-2", "back"]
    assert [one["Active"] for one in found] == [False, True, False, False]
    with pytest.raises(ValidationException, match="never served"):
        hosting.ask("RollBackEndpoint", EndpointName="back", DeploymentId=found[0]["DeploymentId"])
    with pytest.raises(ValidationException, match="serves now"):
        hosting.ask("RollBackEndpoint", EndpointName="back", DeploymentId=found[1]["DeploymentId"])
    with pytest.raises(ValidationException, match="no deployment 'd-0'"):
        hosting.ask("RollBackEndpoint", EndpointName="back", DeploymentId="d-0")


def test_refusals_leave_the_endpoint_alone(hosting: HostingStudio) -> None:
    hosting.deploy("alone")
    hosting.config("alone-2", hosting.echo_model("alone-2"))
    for policy, words in (
        (blue_green(0, ("absent",)), r"Alarms\[0\]: could not find the alarm 'absent'"),
        (blue_green(0, Type="CANARY"), "CanarySize is missing"),
    ):
        with pytest.raises(ValidationException, match=words):
            update(hosting, "alone", "alone-2", policy)
    described = hosting.describe("alone")
    assert described["EndpointStatus"] == "InService"
    (only,) = hosting.ask("ListEndpointDeployments", EndpointName="alone")["Deployments"]
    assert only["Outcome"] == "Succeeded"


def test_the_last_policy_can_be_used_again(hosting: HostingStudio) -> None:
    hosting.config("retains", hosting.echo_model("retains"))
    policy = blue_green(0, **CANARY)
    hosting.call(
        "CreateEndpoint",
        EndpointName="retains",
        EndpointConfigName="retains",
        DeploymentConfig=policy,
    )
    hosting.wait("retains", "InService")
    hosting.call(
        "UpdateEndpoint",
        EndpointName="retains",
        EndpointConfigName="retains",
        RetainDeploymentConfig=True,
    )
    assert hosting.wait("retains", "InService")["LastDeploymentConfig"] == policy
    found = hosting.ask("ListEndpointDeployments", EndpointName="retains")["Deployments"]
    assert [one["Policy"] for one in found] == ["CANARY", "ALL_AT_ONCE"]


def test_old_servers_that_do_not_come_back_fail_the_rollback(hosting: HostingStudio) -> None:
    script = ECHO.replace(
        "def model_fn(model_dir):\n",
        "def model_fn(model_dir):\n"
        "    import os\n"
        "    if os.path.exists('/opt/ml/model/../second'): raise ValueError('no way back')\n",
    )
    hosting.config("stuck", hosting.echo_model("stuck", script), instances=2)
    hosting.call("CreateEndpoint", EndpointName="stuck", EndpointConfigName="stuck")
    hosting.wait("stuck", "InService")
    # Whatever is started from now on finds the file that the script looks for.
    root = hosting.studio.ports.config.home / "work" / "endpoints" / "stuck"
    (staged,) = root.glob("*/.models/v0")
    (staged / "second").write_text("")
    hosting.config("stuck-2", hosting.echo_model("stuck-2"), instances=2)
    alarm = hosting.alarm("stuck-alarm")
    alarms = {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": alarm}]}}
    update(hosting, "stuck", "stuck-2", rolling(1, wait=600, **alarms))
    until(lambda: phase(hosting, "stuck") == "Baking" and servers(hosting, "stuck") == 2)

    hosting.alarm(alarm, "ALARM")
    described = hosting.wait("stuck", "UpdateRollbackFailed")

    assert "stuck-alarm is in ALARM" in described["FailureReason"]
    assert "ValueError: no way back" in described["FailureReason"]
    answers = {answer["Body"] for answer in hosting.invoke_together("stuck", ["x"] * 30)}
    assert answers == {b"stuck: x", b"stuck-2: x"}
    with pytest.raises(ValidationException, match="it can only be deleted"):
        update(hosting, "stuck", "stuck-2", blue_green(0))
    hosting.delete("stuck")


@pytest.mark.slow
def test_fifty_changes_under_load_lose_no_request(hosting: HostingStudio) -> None:
    choose = random.Random(6)
    linear = {"Type": "LINEAR", "LinearStepSize": {"Type": "CAPACITY_PERCENT", "Value": 25}}
    half = {"MaximumBatchSize": {"Type": "CAPACITY_PERCENT", "Value": 50}}
    policies = [
        blue_green(0),
        blue_green(0, **CANARY),
        blue_green(0, **linear),
        {"RollingUpdatePolicy": {**half, "WaitIntervalInSeconds": 0}},
    ]
    hosting.deploy("busy", instances=2)
    hosting.config("busy-2", hosting.echo_model("busy-2"), instances=2)

    def change() -> None:
        kind = choose.choice(("update", "size", "back"))
        if kind == "size":
            entry = {"VariantName": "v0", "DesiredInstanceCount": choose.randint(1, 3)}
            hosting.call(
                "UpdateEndpointWeightsAndCapacities",
                EndpointName="busy",
                DesiredWeightsAndCapacities=[entry],
            )
        elif kind == "update":
            config = choose.choice(("busy", "busy-2"))
            update(hosting, "busy", config, choose.choice(policies))
        if kind == "back" or (kind == "update" and choose.random() < 0.3):
            # Undoes the update, or goes back where that was quicker.
            with contextlib.suppress(ValidationException):
                hosting.ask("RollBackEndpoint", EndpointName="busy")

    with hosting.under_load("busy") as answers:
        for _ in range(50):
            change()
            hosting.wait("busy", "InService")

    assert len(answers) > 500
    assert set(answers) == {b"busy: x", b"busy-2: x"}
    wanted = hosting.describe("busy")["ProductionVariants"][0]["DesiredInstanceCount"]
    until(lambda: servers(hosting, "busy") == wanted)
