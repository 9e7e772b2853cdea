"""The steps of a training job at the places where something else comes between them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bottega.compute.runner import (
    Cause,
    HostResult,
    Phase,
    Runner,
    WorkloadSpec,
    WorkloadState,
)
from bottega.features.training.controller import TrainingController
from bottega.features.training.entities import KIND, JobFolders, TrainingJob
from bottega.features.training.job_log import JobLogs
from bottega.studio import Studio
from bottega.testing.requests import channel, training_job


class StillRunner(Runner):
    """Starts nothing; a workload is in the phase that the test says."""

    def __init__(self) -> None:
        self.states: dict[Path, WorkloadState] = {}

    def start(self, spec: WorkloadSpec) -> None:
        spec.directory.mkdir(parents=True, exist_ok=True)
        self.states.setdefault(spec.directory, WorkloadState(Phase.RUNNING))

    def state(self, directory: Path) -> WorkloadState:
        return self.states.get(directory, WorkloadState(Phase.ABSENT))

    def stop(self, directory: Path, *, grace_seconds: float | None = None) -> None:
        return

    def signal(self, directory: Path, host: str, number: int) -> None:
        raise AssertionError("nothing is signalled here")

    def watch(self, directory: Path, callback: Callable[[], None]) -> None:
        return

    def describe(self) -> Mapping[str, str]:
        return {}

    def close(self) -> None:
        return


class Bench:
    """One studio without controllers of its own, and a controller that goes step by step."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.runner = StillRunner()
        self.ports = replace(studio.ports, runner=self.runner)
        self.controller = TrainingController(
            self.ports, JobLogs(self.ports.logs, keep_points=False), wake=lambda name: None
        )

    def call(self, operation: str, **request: Any) -> Any:
        return self.studio.registry.call("sagemaker", operation, request, self.studio.owner("sdk"))

    def create(self, name: str = "job", **changes: Any) -> None:
        config = self.ports.config
        base = {
            "HyperParameters": {"num_round": "3"},
            "InputDataConfig": [channel("train", f"s3://{config.bucket}/train", "text/csv")],
        }
        request = training_job(name, config.bucket, config.role_arn, **{**base, **changes})
        self.call("CreateTrainingJob", **request)

    def job(self, name: str = "job") -> TrainingJob:
        return TrainingJob(self.ports.store.get(KIND, name))

    def folders(self, name: str = "job") -> JobFolders:
        return JobFolders.of(self.ports.config, self.job(name))

    def until(self, secondary: str, name: str = "job") -> TrainingJob:
        for _ in range(20):
            if self.job(name).secondary == secondary:
                return self.job(name)
            self.controller.reconcile(name)
        raise AssertionError(f"{name} is {self.job(name).body}")

    def end(self, exit_code: int = 0) -> None:
        """The workload of the job ends by itself."""
        self.runner.states[self.folders().supervisor] = WorkloadState(
            Phase.ENDED, 1.0, 2.0, Cause.EXITED, (HostResult("algo-1", exit_code),)
        )

    def keys(self, prefix: str) -> list[str]:
        return [info.key for info in self.ports.objects.each(self.ports.config.bucket, prefix)]


@pytest.fixture
def bench() -> Iterator[Bench]:
    studio = Studio.temporary(isolation="process", preload=False)
    studio.ports.objects.put(studio.ports.config.bucket, "train/a.csv", b"1,2\n")
    yield Bench(studio)
    studio.close()


def test_a_job_deleted_as_soon_as_it_ended_leaves_nothing(bench: Bench):
    bench.create()
    bench.until("Training")
    folder = bench.folders().root
    bench.end()
    bench.until("Completed")
    assert bench.ports.capacity.in_use == 1
    bench.call("DeleteTrainingJob", TrainingJobName="job")
    assert bench.controller.reconcile("job") is None
    assert bench.ports.capacity.in_use == 0
    assert not folder.exists()


def test_a_new_job_of_a_deleted_ones_name_begins_from_nothing(bench: Bench):
    bench.create()
    bench.until("Training")
    bench.end()
    bench.until("Completed")
    former = bench.folders()
    assert former.staged.exists()
    bench.call("DeleteTrainingJob", TrainingJobName="job")
    bench.create()
    bench.until("Downloading")
    assert not former.root.exists()


def test_a_job_whose_folder_is_gone_does_not_complete_without_a_model(bench: Bench):
    bench.create()
    bench.until("Training")
    bench.end()
    bench.until("Uploading")
    shutil.rmtree(bench.folders().root)
    bench.runner.states.clear()
    job = bench.until("Failed")
    assert job.body["FailureReason"].startswith("InternalServerError: ")
    assert bench.keys("output/") == []


def test_a_second_attempt_keeps_its_checkpoints(bench: Bench):
    uri = f"s3://{bench.ports.config.bucket}/ckpt"
    bench.create(
        CheckpointConfig={"S3Uri": uri},
        RetryStrategy={"MaximumRetryAttempts": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
    )
    for number in ("first", "second"):
        bench.until("Training")
        folders = bench.folders()
        (folders.host("algo-1") / "checkpoints" / number).write_text(number)
        for _ in range(3):
            bench.controller.reconcile("job")
        assert f"ckpt/{number}" in bench.keys("ckpt")
        bench.runner.states[folders.supervisor] = WorkloadState(Phase.LOST)
        bench.controller.reconcile("job")
    bench.until("Failed")
    assert bench.controller.reconcile("job") is None
    assert list((bench.ports.config.home / "work" / "training").iterdir()) == []


def test_what_the_job_put_in_place_of_its_model_is_told(bench: Bench):
    bench.create()
    bench.until("Training")
    model = bench.folders().host("algo-1") / "model"
    shutil.rmtree(model)
    model.symlink_to(bench.ports.config.home)
    bench.end()
    job = bench.until("Failed")
    assert job.body["FailureReason"] == (
        "ClientError: Artifact upload failed: /opt/ml/model: is not a folder any more"
    )
    assert bench.keys("output") == []


@pytest.mark.parametrize("key", ["train/" + "n" * 300, "train/./a.csv", "train/x/../a.csv"])
def test_input_that_cannot_be_files_fails_the_job(bench: Bench, key: str):
    bench.ports.objects.put(bench.ports.config.bucket, key, b"1,2\n")
    bench.create()
    assert bench.until("Failed").body["FailureReason"].startswith("ClientError: ")
    bench.controller.reconcile("job")
    assert bench.ports.capacity.in_use == 0
