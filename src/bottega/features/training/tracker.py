"""Keeps an MLflow run for every training job: parameters, live metrics, artifacts, state."""

from __future__ import annotations

import json
import logging
import tempfile
import threading
from collections.abc import Iterable
from pathlib import Path

from bottega.controller import Controller
from bottega.features.training.entities import KIND, LOG_GROUP, TrainingJob
from bottega.features.training.job_log import JobLogs
from bottega.jobs.tracked_runs import LARGEST_ARTIFACT_BYTES, RUN_STATUS, TrackedRuns, send_log
from bottega.jobs.trial_components import placement, training_facts
from bottega.ports import Ports
from bottega.storage import s3_uris
from bottega.storage.metadata import Resource, ResourceMissing
from bottega.storage.objects import BucketMissing, ObjectMissing
from bottega.tracking.experiments import JOB_TAG, KIND_TAG
from bottega.tracking.port import Tracking, TrackingRefused, TrackingUnavailable

log = logging.getLogger(__name__)

TRACKED = "TrackedRun"
"""The kind of the small resource that stands for a run which is not closed yet."""

DEFAULT_EXPERIMENT = "training-jobs"
LIVE_SECONDS = 0.5
RETRY_SECONDS = 1.0

_OPENING = tuple(threading.Lock() for _ in range(64))
"""A job's run is opened by whoever comes first, the job's controller or the tracker's."""


def begin(ports: Ports, job: TrainingJob) -> None:
    """Note durably that this job wants a run; must happen before the job can end."""
    if ports.tracking is not None:
        _runs(ports).begin(job.resource, ports.clock.now())


def follows(ports: Ports, name: str) -> bool:
    """Whether a job of this name has, or had, a run that is not closed yet."""
    return _runs(ports).get(name) is not None


def _runs(ports: Ports) -> TrackedRuns:
    return TrackedRuns(ports.store, TRACKED)


def open_run(ports: Ports, tracking: Tracking, job: TrainingJob) -> TrainingJob:
    """Make sure the job has a run, and remember its id with the job.

    Raises:
        TrackingUnavailable: the tracker does not answer now.
        ResourceMissing: the job was deleted meanwhile; its run will be closed.
    """
    if job.run_id:
        return job
    with _OPENING[hash(job.name) % len(_OPENING)]:
        job = TrainingJob(ports.store.get(KIND, job.name))
        return job if job.run_id else _open(ports, tracking, job)


def _open(ports: Ports, tracking: Tracking, job: TrainingJob) -> TrainingJob:
    config = job.body.get("ExperimentConfig", {})
    place = placement(KIND, job.name, config, DEFAULT_EXPERIMENT)
    parameters, artifacts = training_facts(job.body)
    run = tracking.open_run(
        experiment=place.experiment,
        name=place.run_name,
        arn=job.resource.arn,
        started=job.resource.created,
        tags={**_tags(job), **artifacts},
        parameters=parameters,
        component=place.component,
        reused=place.reused,
        trial=place.trial,
    )
    details = {"MlflowExperimentId": run.experiment_id, "MlflowRunId": run.run_id}

    def linked(present: Resource) -> Resource:
        if present.created != job.resource.created:
            raise ResourceMissing(f"{KIND} {job.name} is another one now")
        running = TrainingJob(present).with_private(run_id=run.run_id)
        return running.with_body(MlflowDetails=details).resource

    try:
        return TrainingJob(ports.store.modify(KIND, job.name, linked))
    except ResourceMissing:
        note_deletion(ports, job.with_private(run_id=run.run_id))
        raise


def _tags(job: TrainingJob) -> dict[str, str]:
    tags = {
        KIND_TAG: KIND,
        JOB_TAG: job.name,
        "bottega.image": job.image,
        "bottega.output": job.body["ModelArtifacts"]["S3ModelArtifacts"],
        "mlflow.source.type": "JOB",
        "mlflow.source.name": job.hyperparameters.get("sagemaker_program", job.image).strip('"'),
        "mlflow.user": job.body["RoleArn"].rpartition("/")[2],
    }
    if trial := job.body.get("ExperimentConfig", {}).get("TrialName"):
        tags["bottega.trial"] = trial
    return tags


class TrainingTracker(Controller):
    """Follows each job that has a :data:`TRACKED` entry until its run is closed."""

    kind = KIND

    def __init__(self, ports: Ports, tracking: Tracking, logs: JobLogs) -> None:
        self._ports = ports
        self._tracking = tracking
        self._logs = logs
        self._runs = _runs(ports)

    def pending(self) -> Iterable[str]:
        return self._runs.names()

    def reconcile(self, name: str) -> float | None:
        store = self._ports.store
        if (entry := self._runs.get(name)) is None:
            return None
        try:
            for reason in self._runs.close_deleted(entry, self._tracking).values():
                log.warning("an MLflow run of %s cannot be closed: %s", name, reason)
            try:
                job = TrainingJob(store.get(KIND, name))
            except ResourceMissing:
                return self._done(entry)
            job = open_run(self._ports, self._tracking, job)
            self._send_metrics(job)
            if not job.ended:
                # Whatever else happens to it is a change of status, which wakes us.
                return LIVE_SECONDS if job.ran else None
            try:
                self._send_artifacts(job)
            except TrackingRefused as error:  # its run is ended all the same
                log.warning("the run of training job %s has no artifacts: %s", name, error)
            self._tracking.set_tags(job.run_id, _final_tags(job))
            self._tracking.close_run(
                job.run_id,
                status=RUN_STATUS[job.status],
                ended=job.body.get("TrainingEndTime", job.resource.modified),
            )
        except ResourceMissing:  # it was deleted while we were at it
            return 0.0
        except TrackingUnavailable:
            return RETRY_SECONDS
        except TrackingRefused as error:
            log.warning("MLflow no longer follows training job %s: %s", name, error)
        return self._done(entry)

    def _done(self, entry: Resource) -> float | None:
        """Forget the entry, unless it has come to stand for another job of the same name."""
        if not self._runs.done(entry):
            return 0.0
        self._logs.forget(entry.name)
        return None

    def _send_metrics(self, job: TrainingJob) -> None:
        log = self._logs.of(job)
        log.advance()
        points = log.take_points()
        try:
            if points:
                self._tracking.log_metrics(job.run_id, points)
        except TrackingUnavailable:
            log.return_points(points)
            raise

    def _send_artifacts(self, job: TrainingJob) -> None:
        with tempfile.TemporaryDirectory(prefix="bottega-run-") as scratch:
            file = Path(scratch) / "training-job.json"
            file.write_text(json.dumps(job.body, indent=2))
            self._tracking.log_artifact(job.run_id, file, "training-job.json")
            for host in job.host_names:
                copy = Path(scratch) / f"{host}.log"
                stream = job.log_stream(host)
                send_log(self._ports.logs, LOG_GROUP, stream, self._tracking, job.run_id, copy)
            self._send_model(job, Path(scratch))

    def _send_model(self, job: TrainingJob, scratch: Path) -> None:
        bucket, key = s3_uris.split(job.body["ModelArtifacts"]["S3ModelArtifacts"])
        try:
            info = self._ports.objects.info(bucket, key)
            if job.status != "Completed" or info.size > LARGEST_ARTIFACT_BYTES:
                return
            copy = scratch / "model.tar.gz"
            self._ports.objects.download(bucket, key, copy)
        except (BucketMissing, ObjectMissing):
            return  # CompressionType NONE leaves a folder, and the user may delete the archive
        self._tracking.log_artifact(job.run_id, copy, "model/model.tar.gz")


def _final_tags(job: TrainingJob) -> dict[str, str]:
    tags: dict[str, str] = {"bottega.status": job.secondary}
    if "FailureReason" in job.body:
        tags["bottega.failure"] = job.body["FailureReason"]
    return tags


def note_deletion(ports: Ports, job: TrainingJob) -> None:
    """Keep what closing the run needs, because the job itself is about to be deleted."""
    if job.run_id:
        ended = job.body.get("TrainingEndTime", job.resource.modified)
        _runs(ports).note_deletion(job.name, job.run_id, job.status, ended)
