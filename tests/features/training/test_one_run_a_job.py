"""A job has one run, although its controller and the tracker both want it opened."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bottega.config import Config
from bottega.features.training import tracker
from bottega.features.training.entities import KIND, TrainingJob
from bottega.storage.metadata import Resource
from bottega.studio import Studio
from bottega.testing.requests import training_job
from bottega.tracking.port import MetricPoint, TrackedRun, Tracking

NAME = "one-run"
CALLERS = 6


class CountingTracker(Tracking):
    """Makes a new run at every call, however often it is asked for the same."""

    def __init__(self) -> None:
        self.opened: list[str] = []
        self.asked = threading.Event()

    def open_run(self, **facts: Any) -> TrackedRun:
        self.opened.append(facts["arn"])
        # Gives whoever else is on the way the time to come here too.
        self.asked.wait(0.3)
        return TrackedRun(f"run-{len(self.opened)}", "1")

    def log_metrics(self, run_id: str, points: Sequence[MetricPoint]) -> None:
        raise AssertionError("no metrics are sent here")

    def log_artifact(self, run_id: str, path: Path, name: str) -> None:
        raise AssertionError("no artifacts are sent here")

    def close_run(self, run_id: str, **facts: Any) -> None:
        raise AssertionError("no run is closed here")

    def set_tags(self, run_id: str, tags: Mapping[str, str]) -> None:
        raise AssertionError("no tags are set here")

    @property
    def client_environment(self) -> Mapping[str, str]:
        return {}


def test_one_run_however_many_ask_at_once(tmp_path: Path) -> None:
    counting = CountingTracker()
    config = Config.load(tmp_path / "h", environment={}, preload=False)
    studio = Studio.open(config, tracking=counting)
    try:
        now = studio.ports.clock.now()
        request = training_job(NAME, config.bucket, config.role_arn)
        body = {**request, "ModelArtifacts": {"S3ModelArtifacts": "s3://b/model.tar.gz"}}
        arn = f"arn:aws:sagemaker:us-east-1:000000000000:training-job/{NAME}"
        resource = Resource(KIND, NAME, arn, "InProgress", created=now, modified=now, body=body)
        job = TrainingJob(studio.ports.store.create(resource))
        with ThreadPoolExecutor(CALLERS) as threads:
            asked = [
                threads.submit(tracker.open_run, studio.ports, counting, job)
                for _ in range(CALLERS)
            ]
            assert {call.result().run_id for call in asked} == {"run-1"}
        assert counting.opened == [arn]
        kept = TrainingJob(studio.ports.store.get(KIND, NAME))
        assert kept.body["MlflowDetails"]["MlflowRunId"] == "run-1"
    finally:
        studio.close()
