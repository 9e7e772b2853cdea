"""Every run is closed once, whatever becomes of its job meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from bottega.config import Config
from bottega.features.training import tracker
from bottega.features.training.entities import KIND, TrainingJob
from bottega.features.training.job_log import JobLogs
from bottega.storage.metadata import Resource, ResourceMissing
from bottega.studio import Studio
from bottega.testing.requests import training_job
from bottega.tracking.port import MetricPoint, TrackedRun, Tracking

NAME = "tracked"


class RecordingTracker(Tracking):
    """Remembers which runs were opened and how they were closed."""

    def __init__(self) -> None:
        self.opened: list[str] = []
        self.closed: dict[str, str] = {}
        self.meanwhile: Callable[[], None] = lambda: None
        """What happens while a run is being opened."""
        self.at_the_end: Callable[[], None] = lambda: None
        """What happens while a run is being closed."""

    def open_run(self, **facts: Any) -> TrackedRun:
        self.opened.append(f"run-{len(self.opened) + 1}")
        self.meanwhile()
        return TrackedRun(self.opened[-1], "1")

    def log_metrics(self, run_id: str, points: Sequence[MetricPoint]) -> None:
        raise AssertionError("no metrics are sent here")

    def log_artifact(self, run_id: str, path: Path, name: str) -> None:
        return

    def close_run(self, run_id: str, *, status: str, ended: float) -> None:
        self.closed[run_id] = status
        self.at_the_end()

    def set_tags(self, run_id: str, tags: Mapping[str, str]) -> None:
        return

    @property
    def client_environment(self) -> Mapping[str, str]:
        return {}


class Bench:
    """A studio whose jobs move when the test says so, and the tracker beside it."""

    def __init__(self, studio: Studio, runs: RecordingTracker) -> None:
        self.ports = studio.ports
        self.studio = studio
        self.runs = runs
        logs = JobLogs(studio.ports.logs, keep_points=True)
        self.controller = tracker.TrainingTracker(studio.ports, runs, logs)

    def create(self) -> None:
        """A job that its controller has begun to look after."""
        config = self.ports.config
        now = self.ports.clock.now()
        body = {
            **training_job(NAME, config.bucket, config.role_arn),
            "ModelArtifacts": {"S3ModelArtifacts": f"s3://{config.bucket}/model.tar.gz"},
            "SecondaryStatus": "Starting",
            "SecondaryStatusTransitions": [],
        }
        arn = f"arn:aws:sagemaker:us-east-1:000000000000:training-job/{NAME}"
        resource = Resource(KIND, NAME, arn, "InProgress", created=now, modified=now, body=body)
        tracker.begin(self.ports, TrainingJob(self.ports.store.create(resource)))

    def end(self, status: str = "Completed") -> None:
        def ended(present: Resource) -> Resource:
            return TrainingJob(present).moved(status, self.ports.clock.now()).resource

        self.ports.store.modify(KIND, NAME, ended)

    def delete(self) -> None:
        request = {"TrainingJobName": NAME}
        context = self.studio.owner("sdk")
        self.studio.registry.call("sagemaker", "DeleteTrainingJob", request, context)

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


def test_a_run_is_opened_and_closed(bench: Bench) -> None:
    bench.create()
    bench.settle()
    assert (bench.runs.opened, bench.runs.closed) == (["run-1"], {})
    bench.end()
    bench.settle()
    assert bench.runs.closed == {"run-1": "FINISHED"}
    assert not tracker.follows(bench.ports, NAME)


def test_a_job_that_waits_is_not_looked_at_again_and_again(bench: Bench) -> None:
    bench.create()
    assert bench.controller.reconcile(NAME) is None
    bench.end("Training")
    assert bench.controller.reconcile(NAME) == tracker.LIVE_SECONDS


def test_the_run_of_a_deleted_job_is_closed(bench: Bench) -> None:
    bench.create()
    bench.settle()
    bench.end("Failed")
    bench.delete()
    bench.settle()
    assert bench.runs.closed == {"run-1": "FAILED"}
    assert not tracker.follows(bench.ports, NAME)


def test_a_job_and_its_namesake_get_a_run_each(bench: Bench) -> None:
    bench.create()
    bench.settle()
    bench.end()
    bench.delete()
    bench.create()
    bench.settle()
    assert bench.runs.closed == {"run-1": "FINISHED"}
    bench.end("Stopped")
    bench.settle()
    assert bench.runs.closed == {"run-1": "FINISHED", "run-2": "KILLED"}
    assert not tracker.follows(bench.ports, NAME)


def test_a_namesake_that_begins_while_the_first_run_is_closed_is_followed(bench: Bench) -> None:
    bench.create()
    bench.settle()
    bench.end()

    def replaced() -> None:
        bench.runs.at_the_end = lambda: None
        bench.delete()
        bench.create()

    bench.runs.at_the_end = replaced
    bench.settle()
    assert bench.runs.opened == ["run-1", "run-2"]
    assert tracker.follows(bench.ports, NAME)
    bench.end()
    bench.settle()
    assert bench.runs.closed == {"run-1": "FINISHED", "run-2": "FINISHED"}


def test_a_job_deleted_while_its_run_is_opened(bench: Bench) -> None:
    bench.create()
    bench.end()
    bench.runs.meanwhile = bench.delete
    bench.settle()
    assert bench.runs.closed == {"run-1": "FINISHED"}
    assert not tracker.follows(bench.ports, NAME)


def test_a_run_is_never_given_to_a_namesake(bench: Bench) -> None:
    bench.create()
    bench.end()
    first = TrainingJob(bench.ports.store.get(KIND, NAME))

    def replaced() -> None:
        bench.runs.meanwhile = lambda: None
        bench.delete()
        bench.create()

    bench.runs.meanwhile = replaced
    with pytest.raises(ResourceMissing):
        tracker.open_run(bench.ports, bench.runs, first)
    assert TrainingJob(bench.ports.store.get(KIND, NAME)).run_id == ""
    bench.settle()
    assert bench.runs.closed == {"run-1": "FINISHED"}
    assert TrainingJob(bench.ports.store.get(KIND, NAME)).run_id == "run-2"
