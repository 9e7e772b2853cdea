"""Tuning jobs through boto3: real training jobs, on a daemon that may be killed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bottega.testing.daemon import TestDaemon, eventually
from bottega.testing.requests import SKLEARN_IMAGE, channel, code_archive
from bottega.testing.tuning import ranges, tuning_job

ROWS = 400

SCRIPT = """
import argparse, time
parser = argparse.ArgumentParser()
parser.add_argument("--level", type=float)
parser.add_argument("--epochs", type=int)
parser.add_argument("--pause", type=float, default=0.0)
given, _ = parser.parse_known_args()
if given.level < 0:
    raise SystemExit("the level is below zero")
for epoch in range(1, given.epochs + 1):
    print(f"epoch={epoch} score={given.level + epoch / 100:.3f}", flush=True)
    time.sleep(given.pause)
"""


class Tuner:
    """Tuning jobs of one daemon."""

    def __init__(self, daemon: TestDaemon, data: Path) -> None:
        self.daemon = daemon
        environment = daemon.environment()
        self.bucket, self.role = environment["BOTTEGA_BUCKET"], environment["BOTTEGA_ROLE_ARN"]
        s3 = daemon.client("s3")
        lines = (data / "abalone" / "abalone.libsvm").read_bytes().splitlines(keepends=True)
        for part, rows in (("train", lines[:ROWS]), ("validation", lines[ROWS : 2 * ROWS])):
            s3.put_object(Bucket=self.bucket, Key=f"tuning/{part}/a", Body=b"".join(rows))
        code = code_archive(train__py=SCRIPT)
        s3.put_object(Bucket=self.bucket, Key="code/sourcedir.tar.gz", Body=code)

    @property
    def client(self) -> Any:
        return self.daemon.client("sagemaker")

    def create(self, name: str, **changes: Any) -> str:
        request = tuning_job(name, self.bucket, self.role, **changes)
        answer = self.client.create_hyper_parameter_tuning_job(**request)
        return str(answer["HyperParameterTuningJobArn"])

    def script(self, epochs: int = 1, pause: float = 0.0) -> dict[str, Any]:
        """Changes that train with a script: its score is its level and a little more each epoch."""
        return {
            "metric": "score",
            "direction": "Maximize",
            "InputDataConfig": None,
            "AlgorithmSpecification": {
                "TrainingImage": SKLEARN_IMAGE,
                "TrainingInputMode": "File",
                "MetricDefinitions": [{"Name": "score", "Regex": "score=([-0-9.]+)"}],
            },
            "StaticHyperParameters": {
                "sagemaker_program": "train.py",
                "sagemaker_submit_directory": f"s3://{self.bucket}/code/sourcedir.tar.gz",
                "epochs": str(epochs),
                "pause": str(pause),
            },
        }

    def describe(self, name: str) -> Any:
        return self.client.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)

    def trials(self, name: str, **request: Any) -> Any:
        pages = self.client.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job")
        given = {"SortBy": "CreationTime", "SortOrder": "Ascending", **request}
        found = pages.paginate(HyperParameterTuningJobName=name, **given)
        return [one for page in found for one in page["TrainingJobSummaries"]]

    def ended(self, name: str) -> Any:
        """What Describe says at the end; the counters are held to the training jobs then."""

        def terminal() -> Any:
            shown = self.describe(name)
            status = shown["HyperParameterTuningJobStatus"]
            return None if status in ("InProgress", "Stopping") else shown

        shown = eventually(terminal, f"{name} has ended")
        trials = self.trials(name)
        jobs = [
            self.client.describe_training_job(TrainingJobName=trial["TrainingJobName"])
            for trial in trials
        ]
        statuses = [job["TrainingJobStatus"] for job in jobs]
        counters = shown["TrainingJobStatusCounters"]
        assert counters["Completed"] == statuses.count("Completed")
        assert counters["Stopped"] == statuses.count("Stopped")
        assert counters["NonRetryableError"] + counters["RetryableError"] == statuses.count(
            "Failed"
        )
        assert counters["InProgress"] == 0
        told = [trial["ObjectiveStatus"] for trial in trials]
        assert shown["ObjectiveStatusCounters"] == {
            status: told.count(status) for status in ("Succeeded", "Pending", "Failed")
        }
        assert all(job["TuningJobArn"] == shown["HyperParameterTuningJobArn"] for job in jobs)
        return shown


@pytest.fixture(scope="module")
def tuner(plain_daemon: TestDaemon, shared_data: Path) -> Tuner:
    return Tuner(plain_daemon, shared_data)


def values_of(trials: Any) -> list[float]:
    return [
        trial["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
        for trial in trials
        if "FinalHyperParameterTuningJobObjectiveMetric" in trial
    ]


def test_xgboost_is_tuned(tuner: Tuner) -> None:
    sagemaker = tuner.client
    arn = tuner.create("random", trials=3)
    assert arn.endswith(":hyper-parameter-tuning-job/random")
    shown = tuner.ended("random")
    assert shown["HyperParameterTuningJobStatus"] == "Completed"
    trials = tuner.trials("random", MaxResults=2)
    assert len(trials) == 3
    best = shown["BestTrainingJob"]
    assert best["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] == min(values_of(trials))
    job = sagemaker.describe_training_job(TrainingJobName=best["TrainingJobName"])
    final = {one["MetricName"]: one["Value"] for one in job["FinalMetricDataList"]}
    assert final["validation:rmse"] == min(values_of(trials))
    assert best["TunedHyperParameters"].items() <= job["HyperParameters"].items()
    key = job["ModelArtifacts"]["S3ModelArtifacts"].partition(f"{tuner.bucket}/")[2]
    assert tuner.daemon.client("s3").head_object(Bucket=tuner.bucket, Key=key)["ContentLength"]
    listed = sagemaker.list_hyper_parameter_tuning_jobs(NameContains="random")
    assert listed["HyperParameterTuningJobSummaries"][0]["Strategy"] == "Random"
    sagemaker.delete_hyper_parameter_tuning_job(HyperParameterTuningJobName="random")
    with pytest.raises(sagemaker.exceptions.ResourceNotFound):
        tuner.describe("random")
    sagemaker.describe_training_job(TrainingJobName=best["TrainingJobName"])


def test_bad_input(tuner: Tuner) -> None:
    sagemaker = tuner.client
    with pytest.raises(sagemaker.exceptions.ClientError) as error:
        tuner.create("contradiction", tuned=ranges(eta=(0.5, 0.1)))
    assert error.value.response["Error"]["Code"] == "ValidationException"
    with pytest.raises(sagemaker.exceptions.ResourceLimitExceeded):
        tuner.create("many", trials=100_000)
    with pytest.raises(sagemaker.exceptions.ResourceNotFound):
        sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName="contradiction")


def test_an_objective_that_is_never_told(tuner: Tuner) -> None:
    train = [channel("train", f"s3://{tuner.bucket}/tuning/train", "text/libsvm")]
    tuner.create("silent", trials=2, InputDataConfig=train)
    shown = tuner.ended("silent")
    assert shown["HyperParameterTuningJobStatus"] == "Failed"
    assert "No objective metrics found" in shown["FailureReason"]
    assert shown["TrainingJobStatusCounters"]["Completed"] == 2
    assert "BestTrainingJob" not in shown


def test_trials_that_fail(tuner: Tuner) -> None:
    tuner.create("failing", trials=2, tuned=ranges(level=(-2.0, -1.0)), **tuner.script())
    shown = tuner.ended("failing")
    assert shown["HyperParameterTuningJobStatus"] == "Failed"
    assert "All 2 training jobs failed" in shown["FailureReason"]
    assert "the level is below zero" in shown["FailureReason"]
    assert shown["TrainingJobStatusCounters"]["NonRetryableError"] == 2


def test_stopping(tuner: Tuner) -> None:
    sagemaker = tuner.client
    slow = tuner.script(epochs=3000, pause=0.1)
    tuner.create("stopped", trials=9, tuned=ranges(level=(0.0, 1.0)), **slow)

    def told() -> bool:
        answer = sagemaker.list_training_jobs(NameContains="stopped-", StatusEquals="InProgress")
        found = [one["SecondaryStatus"] for one in answer["TrainingJobSummaries"]]
        return found == ["Training", "Training"]

    eventually(told, "both trials train")
    name = {"HyperParameterTuningJobName": "stopped"}
    sagemaker.stop_hyper_parameter_tuning_job(**name)
    shown = tuner.ended("stopped")
    assert shown["HyperParameterTuningJobStatus"] == "Stopped"
    assert shown["TrainingJobStatusCounters"]["Stopped"] == 2
    with pytest.raises(sagemaker.exceptions.ClientError) as error:
        sagemaker.stop_hyper_parameter_tuning_job(**name)
    assert error.value.response["Error"]["Code"] == "ValidationException"


STRATEGIES: list[tuple[str, dict[str, Any], int]] = [
    ("Bayesian", {"trials": 7}, 7),
    ("Grid", {"trials": None, "tuned": ranges(booster=["gbtree", "dart"], eta=["0.1", "0.3"])}, 4),
    ("Hyperband", {"trials": 5}, 5),
]


@pytest.mark.slow
@pytest.mark.parametrize(("strategy", "changes", "count"), STRATEGIES, ids=lambda one: str(one)[:9])
def test_each_strategy(tuner: Tuner, strategy: str, changes: Mapping[str, Any], count: int) -> None:
    name = strategy.lower()
    tuner.create(name, strategy=strategy, **changes)
    shown = tuner.ended(name)
    assert shown["HyperParameterTuningJobStatus"] == "Completed"
    assert shown["ObjectiveStatusCounters"]["Succeeded"] == count
    found = values_of(tuner.trials(name, SortBy="FinalObjectiveMetricValue"))
    assert found == sorted(found)
    best = shown["BestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
    assert best == found[0]


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["Random", "Hyperband"])
def test_weak_trials_are_stopped(tuner: Tuner, strategy: str) -> None:
    """By the median rule, or at a rung; what was best never is."""
    config: dict[str, Any] = {"TrainingJobEarlyStoppingType": "Auto"}
    if strategy == "Hyperband":
        limits = {"HyperbandStrategyConfig": {"MinResource": 1, "MaxResource": 40}}
        config = {"StrategyConfig": limits}
    name = f"weak-{strategy.lower()}"
    tuner.create(
        name,
        strategy=strategy,
        trials=8,
        tuned=ranges(level=(0.0, 9.0)),
        config=config,
        **tuner.script(epochs=40, pause=0.05),
    )
    shown = tuner.ended(name)
    assert shown["HyperParameterTuningJobStatus"] == "Completed"
    trials = tuner.trials(name)
    stopped = [trial for trial in trials if trial["TrainingJobStatus"] == "Stopped"]
    assert stopped
    assert len(stopped) < len(trials)
    assert shown["ObjectiveStatusCounters"]["Succeeded"] == 8
    levels = [float(trial["TunedHyperParameters"]["level"]) for trial in trials]
    best = float(shown["BestTrainingJob"]["TunedHyperParameters"]["level"])
    assert best == max(levels)
    assert shown["BestTrainingJob"]["TrainingJobStatus"] == "Completed"


@pytest.mark.slow
def test_a_warm_start(tuner: Tuner) -> None:
    tuner.create("parent", trials=3)
    tuner.ended("parent")
    request = tuning_job("child", tuner.bucket, tuner.role, strategy="Bayesian", trials=2)
    request["WarmStartConfig"] = {
        "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": "parent"}],
        "WarmStartType": "IdenticalDataAndAlgorithm",
    }
    tuner.client.create_hyper_parameter_tuning_job(**request)
    shown = tuner.ended("child")
    every = values_of(tuner.trials("parent")) + values_of(tuner.trials("child"))
    overall = shown["OverallBestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"]
    assert overall["Value"] == min(every)


@pytest.mark.slow
def test_a_daemon_that_is_killed_goes_on(tmp_path: Path, shared_data: Path) -> None:
    """Killed three times while it searches, at whatever it is doing then."""
    daemon = TestDaemon(tmp_path / "h", {"tracking": False})
    try:
        daemon.start()
        tuner = Tuner(daemon, shared_data)
        slow = tuner.script(epochs=10, pause=0.05)
        tuner.create(
            "killed", strategy="Bayesian", trials=10, tuned=ranges(level=(0.0, 9.0)), **slow
        )

        def started(count: int) -> bool:
            return len(tuner.trials("killed")) >= count

        for count in (1, 4, 7):
            eventually(partial(started, count), f"{count} trials have started")
            daemon.restart()
        shown = tuner.ended("killed")
        assert shown["HyperParameterTuningJobStatus"] == "Completed"
        assert shown["TrainingJobStatusCounters"]["Completed"] == 10
        trials = tuner.trials("killed")
        numbers = [int(trial["TrainingJobName"].split("-")[1]) for trial in trials]
        assert numbers == list(range(1, 11))
        listed = tuner.client.list_training_jobs(NameContains="killed-", MaxResults=100)
        assert len(listed["TrainingJobSummaries"]) == 10
        levels = [float(trial["TunedHyperParameters"]["level"]) for trial in trials]
        best = float(shown["BestTrainingJob"]["TunedHyperParameters"]["level"])
        assert best == max(levels)
    finally:
        daemon.clean_up()
