"""Profiles of training jobs: the machine's samples, the rules over them, the report, the timeline;
and switching it on and off while a job runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from bottega.errors import ValidationException
from bottega.testing.debugging import DebuggingStudio, rule, until
from bottega.testing.requests import code_archive, script_job

PAUSED = {"PAUSE": "0.1"}


@pytest.fixture(scope="module")
def studio() -> Iterator[DebuggingStudio]:
    with DebuggingStudio.opened() as opened:
        yield opened


@pytest.fixture(scope="module")
def profiled(studio: DebuggingStudio) -> Any:
    """A job that was profiled ten times a second, with a report."""
    studio.create(
        "profiled",
        [1.0] * 25,
        environment=PAUSED,
        ProfilerConfig={
            "S3OutputPath": f"s3://{studio.bucket}/profiles",
            "ProfilingIntervalInMilliseconds": 100,
        },
        ProfilerRuleConfigurations=[
            rule("ProfilerReport-1", "ProfilerReport"),
            rule("LowGPU", "LowGPUUtilization"),
        ],
    )
    studio.ended("profiled")
    studio.stands("profiled", "ProfilerReport-1", "NoIssuesFound", "IssuesFound", "Error")
    return studio.describe("profiled")


def test_the_machine_is_sampled(studio: DebuggingStudio, profiled: Any) -> None:
    assert profiled["ProfilingStatus"] == "Enabled"
    prefix = "profiles/profiled/profiler-output/system/incremental/"
    keys = studio.keys(prefix)
    assert all(key.endswith(".algo-1.json") for key in keys)
    lines = []
    for key in keys:
        with studio.ports.objects.open(studio.bucket, prefix + key) as stream:
            lines += [json.loads(line) for line in stream.read().splitlines()]
    kinds = {(line["Type"], line["Dimension"]) for line in lines}
    assert {
        ("cpu", "CPUUtilization"),
        ("cpu", "I/OWaitPercentage"),
        ("memory", "Memory"),
        ("network", "Algorithm"),
    } <= kinds
    assert {line["NodeId"] for line in lines} == {"algo-1"}
    times = sorted({line["Timestamp"] for line in lines})
    assert len(times) >= 5
    percents = [line["Value"] for line in lines if line["Type"] in ("cpu", "memory")]
    assert all(0 <= value <= 100 for value in percents)


def test_a_report_is_written(studio: DebuggingStudio, profiled: Any) -> None:
    found = studio.status("profiled", "ProfilerReport-1")
    assert found["RuleEvaluationStatus"] == "NoIssuesFound", found
    report, _ = studio.debugger("profiled")["Rules"]
    assert report["Kind"] == "Profiler"
    assert report["Reports"][0]["Name"] == "profiler-output/profiler-report.html"
    assert report["Reports"][0]["S3Uri"].startswith(
        f"s3://{studio.bucket}/profiles/profiled/rule-output/ProfilerReport-1/"
    )


def test_a_rule_without_anything_to_look_at_says_so(studio: DebuggingStudio, profiled: Any) -> None:
    entry = studio.stands("profiled", "LowGPU", "NoIssuesFound", "IssuesFound", "Error")
    assert entry["RuleEvaluationStatus"] in ("NoIssuesFound", "IssuesFound")
    _, low = studio.debugger("profiled")["Rules"]
    if entry["RuleEvaluationStatus"] == "NoIssuesFound":
        assert "GPU" in low["NotApplicable"] or "points" in low["NotApplicable"]


def test_the_timeline_has_it_all(studio: DebuggingStudio, profiled: Any) -> None:
    whole = studio.call("GetTrainingJobTimeline", "bottega", TrainingJobName="profiled")
    (host,) = whole["Hosts"]
    names = [one["Name"] for one in host["Series"]]
    assert {"CPUUtilization", "CPUUtilization cpu0", "MemoryUsedPercent"} <= set(names)
    cpu = host["Series"][names.index("CPUUtilization")]
    assert whole["Begin"] <= cpu["Times"][0] <= cpu["Times"][-1] <= whole["End"]
    middle = (cpu["Times"][0] + cpu["Times"][-1]) / 2
    part = studio.call(
        "GetTrainingJobTimeline", "bottega", TrainingJobName="profiled", From=middle, MaxPoints=4
    )
    shown = next(one for one in part["Hosts"][0]["Series"] if one["Name"] == "CPUUtilization")
    assert len(shown["Times"]) <= 4
    assert shown["Times"][0] >= middle
    assert shown["PointCount"] < cpu["PointCount"]
    lines = studio.call(
        "ReadLogLines",
        "bottega",
        LogGroupName=host["LogGroupName"],
        LogStreamName=host["LogStreamName"],
        AroundTime=whole["End"],
    )
    assert "step 24" in [line["Message"] for line in lines["Lines"]]


def test_a_job_that_is_not_profiled_has_a_timeline(studio: DebuggingStudio) -> None:
    studio.create("plain", [1.0] * 10, environment=PAUSED)
    studio.ended("plain")
    told = studio.call("GetTrainingJobTimeline", "bottega", TrainingJobName="plain")
    units = {one["Name"]: one["Unit"] for one in told["Hosts"][0]["Series"]}
    assert units["CPUUtilization"] == "PercentOfOneCore"
    assert units["MemoryUsed"] == "Bytes"
    with pytest.raises(ValidationException, match="later than"):
        studio.call("GetTrainingJobTimeline", "bottega", TrainingJobName="plain", From=2.0, To=1.0)
    assert studio.debugger("plain")["Rules"] == []


ROUNDS = """
import time
import numpy as np
import xgboost

features = np.random.default_rng(0).normal(size=(50, 3))
data = xgboost.DMatrix(features, features[:, 0], nthread=1)


class Slowly(xgboost.callback.TrainingCallback):
    def after_iteration(self, model, epoch, evals_log):
        time.sleep(0.1)
        return False


xgboost.train({"nthread": 1, "max_depth": 1}, data, 100_000, callbacks=[Slowly()])
"""


def test_phases_begin_in_the_middle_of_a_training(studio: DebuggingStudio) -> None:
    code = f"s3://{studio.bucket}/code/rounds.tar.gz"
    studio.ports.objects.put(studio.bucket, "code/rounds.tar.gz", code_archive(train__py=ROUNDS))
    profiles = f"s3://{studio.bucket}/late"
    request = script_job(
        "late",
        studio.bucket,
        studio.role,
        code,
        ProfilerConfig={"S3OutputPath": profiles, "DisableProfiler": True},
    )
    studio.call("CreateTrainingJob", **request)
    until(lambda: studio.describe("late")["SecondaryStatus"] == "Training", "it runs")
    assert studio.describe("late")["ProfilingStatus"] == "Disabled"
    parameters = {"RotateFileCloseIntervalInSeconds": "1"}
    studio.call(
        "UpdateTrainingJob",
        TrainingJobName="late",
        ProfilerConfig={"S3OutputPath": profiles, "ProfilingParameters": parameters},
    )
    prefix = "late/late/profiler-output/framework/"
    until(lambda: studio.keys(prefix), "the rounds are in the store")
    studio.call("StopTrainingJob", TrainingJobName="late")
    studio.ended("late")


def test_profiling_is_switched_on_and_off(studio: DebuggingStudio) -> None:
    studio.create("switched", [1.0], environment={"GO_ON": "1"})
    until(lambda: studio.describe("switched")["SecondaryStatus"] == "Training", "it runs")
    assert "ProfilingStatus" not in studio.describe("switched")
    studio.call(
        "UpdateTrainingJob",
        TrainingJobName="switched",
        ProfilerConfig={"ProfilingIntervalInMilliseconds": 200},
        ProfilerRuleConfigurations=[rule("ProfilerReport")],
    )
    job = studio.describe("switched")
    assert job["ProfilingStatus"] == "Enabled"
    (entry,) = job["ProfilerRuleEvaluationStatuses"]
    assert entry["RuleEvaluationStatus"] == "InProgress"
    prefix = "output/switched/profiler-output/system/"
    until(lambda: studio.keys(prefix), "the machine is sampled")
    studio.call(
        "UpdateTrainingJob", TrainingJobName="switched", ProfilerConfig={"DisableProfiler": True}
    )
    assert studio.describe("switched")["ProfilingStatus"] == "Disabled"
    for changes, reason in (
        ({"ProfilerConfig": {"ProfilingIntervalInMilliseconds": 150}}, "must be one of"),
        ({"RemoteDebugConfig": {"EnableRemoteDebug": True}}, "RemoteDebugConfig"),
    ):
        with pytest.raises(ValidationException, match=reason):
            studio.call("UpdateTrainingJob", TrainingJobName="switched", **changes)
    studio.call("StopTrainingJob", TrainingJobName="switched")
    studio.ended("switched")
    studio.stands("switched", "ProfilerReport", "NoIssuesFound")
    with pytest.raises(ValidationException, match="InProgress"):
        studio.call(
            "UpdateTrainingJob",
            TrainingJobName="switched",
            ProfilerConfig={"DisableProfiler": True},
        )
    with pytest.raises(ValidationException, match="not found"):
        studio.call("UpdateTrainingJob", TrainingJobName="nobody")
