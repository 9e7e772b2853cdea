"""Keeps an MLflow run for every processing job, which is its trial component: what it was asked to
do, its log, how it ended. The program of a job with an ExperimentConfig finds the run's id in
MLFLOW_RUN_ID and may log to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bottega.features.processing.entities import KIND, LOG_GROUP, ProcessingJob
from bottega.jobs.run_tracker import JobRunTracker
from bottega.jobs.trial_components import processing_facts
from bottega.ports import Ports


class ProcessingTracker(JobRunTracker):
    """Opens the run of each processing job, and closes it after the job's end."""

    kind = KIND
    job = ProcessingJob
    tracked = "TrackedProcessingRun"
    log_group = LOG_GROUP
    experiment = "processing-jobs"

    @classmethod
    def facts(cls, body: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
        return processing_facts(body)

    @classmethod
    def tags(cls, job: ProcessingJob) -> Mapping[str, str]:
        command = job.body["AppSpecification"].get("ContainerEntrypoint") or [job.image]
        return {
            "bottega.image": job.image,
            "mlflow.source.name": command[-1].rpartition("/")[2],
            "mlflow.user": job.body["RoleArn"].rpartition("/")[2],
        }

    def logs_of(self, job: ProcessingJob) -> Iterable[tuple[str, str]]:
        return ((host, job.log_stream(host)) for host in job.host_names)


def logs_to_run(ports: Ports, job: ProcessingJob) -> bool:
    """Whether a job's program is given its run: where it is said to be part of an experiment."""
    return ports.tracking is not None and bool(job.body.get("ExperimentConfig"))


begin = ProcessingTracker.begin
open_run = ProcessingTracker.open_run
note_deletion = ProcessingTracker.note_deletion
