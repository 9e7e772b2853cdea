"""Keeps an MLflow run for every processing job with an ExperimentConfig: what it was asked to do,
its log, how it ended. The job's program finds the run's id in MLFLOW_RUN_ID and may log to it."""

from __future__ import annotations

import json
import logging
import tempfile
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

from bottega.controller import Controller
from bottega.features.processing.entities import KIND, LOG_GROUP, ProcessingJob
from bottega.jobs.tracked_runs import RUN_STATUS, TrackedRuns, send_log
from bottega.ports import Ports
from bottega.storage.metadata import Resource, ResourceMissing
from bottega.tracking.port import Tracking, TrackingRefused, TrackingUnavailable

log = logging.getLogger(__name__)

TRACKED = "TrackedProcessingRun"
"""The kind of the small resource that stands for a run which is not closed yet."""
DEFAULT_EXPERIMENT = "processing-jobs"
"""Where ExperimentConfig names no experiment."""
RETRY_SECONDS = 1.0

_OPENING = tuple(threading.Lock() for _ in range(16))
"""A job's run is opened by whoever comes first, the job's controller or the tracker's."""


def wanted(ports: Ports, job: ProcessingJob) -> bool:
    """Whether a job has a run."""
    return ports.tracking is not None and bool(job.body.get("ExperimentConfig"))


def begin(ports: Ports, job: ProcessingJob) -> None:
    """Note durably that this job wants a run, if it does; must happen before the job can end."""
    if wanted(ports, job):
        _runs(ports).begin(job.resource, ports.clock.now())


def _runs(ports: Ports) -> TrackedRuns:
    return TrackedRuns(ports.store, TRACKED)


def open_run(ports: Ports, tracking: Tracking, job: ProcessingJob) -> ProcessingJob:
    """Make sure the job has a run, and remember its id with the job.

    Raises:
        TrackingUnavailable: the tracker does not answer now.
        TrackingRefused: it never will.
        ResourceMissing: the job was deleted meanwhile; its run will be closed.
    """
    if job.run_id:
        return job
    with _OPENING[hash(job.name) % len(_OPENING)]:
        job = ProcessingJob(ports.store.get(KIND, job.name))
        return job if job.run_id else _open(ports, tracking, job)


def _open(ports: Ports, tracking: Tracking, job: ProcessingJob) -> ProcessingJob:
    experiment = job.body["ExperimentConfig"]
    run = tracking.open_run(
        experiment=experiment.get("ExperimentName", DEFAULT_EXPERIMENT),
        name=experiment.get("RunName", job.name),
        arn=job.resource.arn,
        started=job.resource.created,
        tags=_tags(job),
        parameters=parameters(job.body["AppSpecification"].get("ContainerArguments", ())),
    )

    def linked(present: Resource) -> Resource:
        if present.created != job.resource.created:
            raise ResourceMissing(f"{KIND} {job.name} is another one now")
        return ProcessingJob(present).with_private(run_id=run.run_id).resource

    try:
        return ProcessingJob(ports.store.modify(KIND, job.name, linked))
    except ResourceMissing:
        note_deletion(ports, job.with_private(run_id=run.run_id))
        raise


def parameters(arguments: Sequence[str]) -> dict[str, str]:
    """Command line options as a run's parameters: ``--name value``, ``--name=value``, ``--flag``.

    >>> parameters(["--rows", "10", "--mode=fast", "train.csv", "--quiet"])
    {'rows': '10', 'mode': 'fast', 'quiet': 'true'}
    """
    found: dict[str, str] = {}
    waiting = ""
    for argument in arguments:
        if not argument.startswith("--"):
            if waiting:
                found[waiting] = argument
            waiting = ""
            continue
        name, equals, value = argument[2:].partition("=")
        if name:
            found[name] = value if equals else "true"
        waiting = "" if equals else name
    return found


def _tags(job: ProcessingJob) -> dict[str, str]:
    specification = job.body["AppSpecification"]
    command = specification.get("ContainerEntrypoint") or [job.image]
    tags = {
        "bottega.kind": KIND,
        "bottega.job": job.name,
        "bottega.image": job.image,
        "mlflow.source.type": "JOB",
        "mlflow.source.name": command[-1].rpartition("/")[2],
        "mlflow.user": job.body["RoleArn"].rpartition("/")[2],
    }
    if trial := job.body["ExperimentConfig"].get("TrialName"):
        tags["bottega.trial"] = trial
    for entry in job.inputs:
        tags[f"bottega.input.{entry['InputName']}"] = entry["S3Input"]["S3Uri"]
    for entry in job.outputs:
        tags[f"bottega.output.{entry['OutputName']}"] = entry["S3Output"]["S3Uri"]
    return tags


def note_deletion(ports: Ports, job: ProcessingJob) -> None:
    """Keep what closing the run needs, because the job itself is about to be deleted."""
    if job.run_id:
        ended = job.body.get("ProcessingEndTime", job.resource.modified)
        _runs(ports).note_deletion(job.name, job.run_id, job.status, ended)


class ProcessingTracker(Controller):
    """Opens the run of each job that has a :data:`TRACKED` entry, and closes it after its end."""

    kind = KIND

    def __init__(self, ports: Ports, tracking: Tracking) -> None:
        self._ports = ports
        self._tracking = tracking
        self._runs = _runs(ports)

    def pending(self) -> Iterable[str]:
        return self._runs.names()

    def reconcile(self, name: str) -> float | None:
        if (entry := self._runs.get(name)) is None:
            return None
        try:
            for reason in self._runs.close_deleted(entry, self._tracking).values():
                log.warning("an MLflow run of %s cannot be closed: %s", name, reason)
            try:
                job = ProcessingJob(self._ports.store.get(KIND, name))
            except ResourceMissing:
                return None if self._runs.done(entry) else 0.0
            if wanted(self._ports, job):  # a later job of the same name may want none
                job = open_run(self._ports, self._tracking, job)
                if not job.ended:
                    return None  # a change of its status wakes us
                self._close(job)
        except ResourceMissing:  # it was deleted while we were at it
            return 0.0
        except TrackingUnavailable:
            return RETRY_SECONDS
        except TrackingRefused as error:
            log.warning("MLflow no longer follows processing job %s: %s", name, error)
        return None if self._runs.done(entry) else 0.0

    def _close(self, job: ProcessingJob) -> None:
        try:
            self._send_artifacts(job)
        except TrackingRefused as error:  # its run is ended all the same
            log.warning("the run of processing job %s has no artifacts: %s", job.name, error)
        tags = {"bottega.status": job.status}
        for member, tag in (("FailureReason", "failure"), ("ExitMessage", "message")):
            if member in job.body:
                tags[f"bottega.{tag}"] = job.body[member]
        self._tracking.set_tags(job.run_id, tags)
        self._tracking.close_run(
            job.run_id, status=RUN_STATUS[job.status], ended=job.body["ProcessingEndTime"]
        )

    def _send_artifacts(self, job: ProcessingJob) -> None:
        with tempfile.TemporaryDirectory(prefix="bottega-run-") as scratch:
            file = Path(scratch) / "processing-job.json"
            file.write_text(json.dumps(job.body, indent=2))
            self._tracking.log_artifact(job.run_id, file, file.name)
            for host in job.host_names:
                copy = Path(scratch) / f"{host}.log"
                stream = job.log_stream(host)
                send_log(self._ports.logs, LOG_GROUP, stream, self._tracking, job.run_id, copy)
