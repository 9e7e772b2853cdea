"""Keeps an MLflow run for every transform job, which is its trial component."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bottega.features.transform.entities import KIND, LOG_GROUP, JobFolders, TransformJob
from bottega.jobs.run_tracker import JobRunTracker
from bottega.jobs.trial_components import transform_facts


class TransformTracker(JobRunTracker):
    """Opens the run of each transform job, and closes it after the job's end."""

    kind = KIND
    job = TransformJob
    tracked = "TrackedTransformRun"
    log_group = LOG_GROUP
    experiment = "transform-jobs"

    @classmethod
    def facts(cls, body: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
        return transform_facts(body)

    @classmethod
    def tags(cls, job: TransformJob) -> Mapping[str, str]:
        return {"mlflow.source.name": job.body["ModelName"]}

    def logs_of(self, job: TransformJob) -> Iterable[tuple[str, str]]:
        for instance in JobFolders.of(self._ports.config, job).instances:
            yield f"instance-{instance.number + 1}", instance.log_stream
