"""The MLflow run of a processing job with an ExperimentConfig: opened and closed once, whatever
becomes of the job meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from bottega.config import Config
from bottega.features.processing import launch, tracker
from bottega.features.processing.entities import KIND, LOG_GROUP, ProcessingJob
from bottega.jobs.run_tracker import RETRY_SECONDS
from bottega.storage.metadata import ResourceMissing
from bottega.studio import Studio
from bottega.testing.requests import processing_input, processing_job
from bottega.tracking.port import MetricPoint, TrackedRun, Tracking, TrackingUnavailable

NAME = "tracked"
EXPERIMENT = {"ExperimentName": "cleaning", "TrialName": "one"}


class RecordingTracker(Tracking):
    """Remembers which runs were opened, with what, and how they were closed."""

    def __init__(self) -> None:
        self.opened: list[dict[str, Any]] = []
        self.closed: dict[str, str] = {}
        self.tags: dict[str, str] = {}
        self.artifacts: dict[str, str] = {}
        self.away = False
        self.meanwhile: Callable[[], None] = lambda: None
        """What happens while a run is being opened."""

    def open_run(self, **facts: Any) -> TrackedRun:
        if self.away:
            raise TrackingUnavailable("it is away")
        self.opened.append(facts)
        self.meanwhile()
        return TrackedRun(f"run-{len(self.opened)}", "1")

    def log_metrics(self, run_id: str, points: Sequence[MetricPoint]) -> None:
        raise AssertionError("no metrics are sent here")

    def log_artifact(self, run_id: str, path: Path, name: str) -> None:
        self.artifacts[name] = path.read_text()

    def close_run(self, run_id: str, *, status: str, ended: float) -> None:
        if self.away:
            raise TrackingUnavailable("it is away")
        self.closed[run_id] = status

    def set_tags(self, run_id: str, tags: Mapping[str, str]) -> None:
        self.tags.update(tags)

    @property
    def client_environment(self) -> Mapping[str, str]:
        return {"MLFLOW_TRACKING_URI": "http://here"}


class Bench:
    """A studio whose jobs move when the test says so, and the tracker beside it."""

    def __init__(self, studio: Studio, runs: RecordingTracker) -> None:
        self.ports, self.studio, self.runs = studio.ports, studio, runs
        self.controller = tracker.ProcessingTracker(studio.ports, runs)
        studio.ports.objects.put(studio.ports.config.bucket, "raw/a.csv", b"1\n")

    def create(self, **changes: Any) -> None:
        """A job that its controller has begun to look after."""
        config = self.ports.config
        request = processing_job(
            NAME,
            config.bucket,
            config.role_arn,
            ["python3", "/opt/ml/processing/input/code/clean.py"],
            ProcessingInputs=[processing_input("raw", f"s3://{config.bucket}/raw/")],
            **{"ExperimentConfig": EXPERIMENT, **changes},
        )
        request["AppSpecification"]["ContainerArguments"] = ["--rows", "10"]
        self.call("CreateProcessingJob", **request)
        tracker.begin(self.ports, self.job)

    def call(self, operation: str, **request: Any) -> None:
        self.studio.registry.call("sagemaker", operation, request, self.studio.owner("sdk"))

    @property
    def job(self) -> ProcessingJob:
        return ProcessingJob(self.ports.store.get(KIND, NAME))

    def end(self, status: str = "Completed", **members: Any) -> None:
        self.ports.store.modify(
            KIND,
            NAME,
            lambda job: ProcessingJob(job).moved(status, 5.0, **members).resource,
        )

    def delete(self) -> None:
        self.call("DeleteProcessingJob", ProcessingJobName=NAME)

    def settle(self) -> None:
        """Let the tracker do all there is to do."""
        for _ in range(20):
            if self.controller.reconcile(NAME) is None:
                return
        raise AssertionError("the tracker comes to no end")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    runs = RecordingTracker()
    config = Config.load(tmp_path / "h", environment={}, preload=False, isolation="process")
    studio = Studio.open(config, tracking=runs)
    yield Bench(studio, runs)
    studio.close()


def test_a_run_says_what_was_done_and_how_it_ended(bench: Bench) -> None:
    bench.create()
    bench.settle()
    bucket = bench.ports.config.bucket
    (opened,) = bench.runs.opened
    assert (opened["experiment"], opened["name"]) == ("cleaning", NAME)
    assert opened["parameters"] == {
        "rows": "10",
        "SageMaker.InstanceType": "ml.m5.large",
        "SageMaker.InstanceCount": "1",
        "SageMaker.VolumeSizeInGB": "10",
        "SageMaker.ImageUri": opened["tags"]["bottega.image"],
    }
    assert (opened["component"], opened["trial"]) == (f"{NAME}-aws-processing-job", "one")
    assert opened["tags"]["mlflow.source.name"] == "clean.py"
    assert opened["tags"]["bottega.trial"] == "one"
    assert opened["tags"]["bottega.input.raw"] == f"s3://{bucket}/raw/"
    environment = launch.environment(bench.ports, bench.job)
    assert environment["MLFLOW_RUN_ID"] == "run-1"
    assert environment["MLFLOW_TRACKING_URI"] == "http://here"
    log = bench.ports.logs.path(LOG_GROUP, bench.job.log_stream("algo-1"))
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("1000 ten rows\n")
    bench.end("Failed", FailureReason="AlgorithmError: no rows", ExitMessage="sorry")
    bench.settle()
    assert bench.runs.closed == {"run-1": "FAILED"}
    assert bench.runs.tags["bottega.failure"] == "AlgorithmError: no rows"
    assert bench.runs.tags["bottega.message"] == "sorry"
    assert bench.runs.artifacts["logs/algo-1.log"] == "ten rows\n"
    assert '"ProcessingJobStatus": "Failed"' in bench.runs.artifacts["processing-job.json"]
    assert list(bench.controller.pending()) == []


def test_a_job_without_an_experiment_has_a_run_that_its_program_is_not_given(bench: Bench) -> None:
    bench.create(ExperimentConfig={})
    bench.settle()
    (opened,) = bench.runs.opened
    assert (opened["experiment"], opened["trial"]) == ("processing-jobs", None)
    assert "MLFLOW_RUN_ID" not in launch.environment(bench.ports, bench.job)
    bench.end()
    bench.settle()
    assert bench.runs.closed == {"run-1": "FINISHED"}


def test_a_job_in_no_named_experiment_is_in_that_of_processing_jobs(bench: Bench) -> None:
    bench.create(ExperimentConfig={"RunName": "mine"})
    bench.settle()
    (opened,) = bench.runs.opened
    assert (opened["experiment"], opened["name"]) == ("processing-jobs", "mine")
    assert (opened["component"], opened["reused"], opened["trial"]) == ("mine", True, None)


def test_a_tracker_that_is_away_is_asked_again(bench: Bench) -> None:
    bench.create()
    bench.runs.away = True
    assert bench.controller.reconcile(NAME) == RETRY_SECONDS
    bench.runs.away = False
    bench.settle()
    bench.end()
    bench.runs.away = True
    assert bench.controller.reconcile(NAME) == RETRY_SECONDS
    assert list(bench.controller.pending()) == [NAME]
    bench.runs.away = False
    bench.settle()
    assert (len(bench.runs.opened), bench.runs.closed) == (1, {"run-1": "FINISHED"})


@pytest.mark.parametrize("again", [True, False])
def test_the_run_of_a_job_that_is_deleted_is_closed(bench: Bench, again: bool) -> None:
    bench.create()
    bench.settle()
    bench.end("Stopped")
    bench.delete()
    if again:
        bench.create()
    bench.settle()
    assert bench.runs.closed == {"run-1": "KILLED"}
    assert list(bench.controller.pending()) == ([NAME] if again else [])


def test_a_later_job_of_the_name_has_a_run_of_its_own(bench: Bench) -> None:
    bench.create()
    bench.settle()
    bench.end()
    bench.delete()
    bench.create(ExperimentConfig={})
    bench.settle()
    assert bench.runs.closed == {"run-1": "FINISHED"}
    assert (len(bench.runs.opened), list(bench.controller.pending())) == (2, [NAME])


def test_a_job_that_is_deleted_while_its_run_is_opened(bench: Bench) -> None:
    bench.create()
    bench.end()
    bench.runs.meanwhile = bench.delete
    with pytest.raises(ResourceMissing):
        tracker.open_run(bench.ports, bench.runs, bench.job)
    bench.settle()
    assert bench.runs.closed == {"run-1": "FINISHED"}
