"""Keeps an MLflow run for every transform job, which is its trial component."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bottega.features.transform.entities import KIND, LOG_GROUP, JobFolders, TransformJob
from bottega.jobs.run_tracker import JobRunTracker, run_of
from bottega.jobs.tracked_runs import send_log
from bottega.jobs.trial_components import transform_facts


class TransformTracker(JobRunTracker):
    """Opens the run of each transform job, and closes it after the job's end."""

    kind = KIND
    job = TransformJob
    tracked = "TrackedTransformRun"
    experiment = "transform-jobs"

    @classmethod
    def facts(cls, body: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
        return transform_facts(body)

    @classmethod
    def tags(cls, job: TransformJob) -> Mapping[str, str]:
        return {"mlflow.source.name": job.body["ModelName"]}

    def _send_artifacts(self, job: TransformJob) -> None:
        run = run_of(job)
        with tempfile.TemporaryDirectory(prefix="bottega-run-") as scratch:
            file = Path(scratch) / "transform-job.json"
            file.write_text(json.dumps(job.body, indent=2))
            self._tracking.log_artifact(run, file, file.name)
            for instance in JobFolders.of(self._ports.config, job).instances:
                copy = Path(scratch) / f"instance-{instance.number + 1}.log"
                stream = instance.log_stream
                send_log(self._ports.logs, LOG_GROUP, stream, self._tracking, run, copy)
