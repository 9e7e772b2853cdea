"""Follows the runs of jobs with phases: opens each while its job is under way, closes it after."""

from __future__ import annotations

import json
import logging
import tempfile
import threading
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from bottega.controller import Controller
from bottega.jobs.phased import PhasedJob
from bottega.jobs.tracked_runs import RUN_STATUS, TrackedRuns, send_log
from bottega.jobs.trial_components import placement
from bottega.ports import Ports
from bottega.storage.metadata import Resource, ResourceMissing
from bottega.tracking.experiments import JOB_TAG, KIND_TAG
from bottega.tracking.port import Tracking, TrackingRefused, TrackingUnavailable

log = logging.getLogger(__name__)

RETRY_SECONDS = 1.0

_OPENING = tuple(threading.Lock() for _ in range(16))
"""A job's run is opened by whoever comes first, the job's controller or the tracker's."""

Job = TypeVar("Job", bound=PhasedJob)


class JobRunTracker(Controller):
    """Opens the run of each job of one kind, which is its trial component, and closes it."""

    job: ClassVar[type[PhasedJob]]
    """The view over a job's resource."""
    tracked: ClassVar[str]
    """The kind of the small resource that stands for a run which is not closed yet."""
    log_group: ClassVar[str]
    """Where the logs of such jobs are."""
    experiment: ClassVar[str]
    """MLflow's, of jobs that name none."""

    def __init__(self, ports: Ports, tracking: Tracking) -> None:
        self._ports = ports
        self._tracking = tracking
        self._runs = self.runs(ports)

    @classmethod
    def runs(cls, ports: Ports) -> TrackedRuns:
        """The runs that are not closed yet."""
        return TrackedRuns(ports.store, cls.tracked)

    @classmethod
    def begin(cls, ports: Ports, job: PhasedJob) -> None:
        """Note durably that this job wants a run; must happen before the job can end."""
        if ports.tracking is not None:
            cls.runs(ports).begin(job.resource, ports.clock.now())

    @classmethod
    def note_deletion(cls, ports: Ports, job: PhasedJob) -> None:
        """Keep what closing the run needs, because the job itself is about to be deleted."""
        if run_id := run_of(job):
            ended = job.body.get(f"{job.NAMED}EndTime", job.resource.modified)
            cls.runs(ports).note_deletion(job.name, run_id, job.status, ended)

    @classmethod
    def open_run(cls, ports: Ports, tracking: Tracking, job: Job) -> Job:
        """Make sure the job has a run, and remember its id with the job.

        Raises:
            TrackingUnavailable: the tracker does not answer now.
            TrackingRefused: it never will.
            ResourceMissing: the job was deleted meanwhile; its run will be closed.
        """
        if run_of(job):
            return job
        with _OPENING[hash((cls.kind, job.name)) % len(_OPENING)]:
            job = type(job)(ports.store.get(cls.kind, job.name))
            return job if run_of(job) else cls._open(ports, tracking, job)

    @classmethod
    def _open(cls, ports: Ports, tracking: Tracking, job: Job) -> Job:
        config = job.body.get("ExperimentConfig", {})
        place = placement(cls.kind, job.name, config, cls.experiment)
        parameters, artifacts = cls.facts(job.body)
        tags = {KIND_TAG: cls.kind, JOB_TAG: job.name, "mlflow.source.type": "JOB"}
        if trial := config.get("TrialName"):
            tags["bottega.trial"] = trial
        run = tracking.open_run(
            experiment=place.experiment,
            name=place.run_name,
            arn=job.resource.arn,
            started=job.resource.created,
            tags={**tags, **cls.tags(job), **artifacts},
            parameters=parameters,
            component=place.component,
            reused=place.reused,
            trial=place.trial,
        )

        def linked(present: Resource) -> Resource:
            if present.created != job.resource.created:
                raise ResourceMissing(f"{cls.kind} {job.name} is another one now")
            return type(job)(present).with_private(run_id=run.run_id).resource

        try:
            return type(job)(ports.store.modify(cls.kind, job.name, linked))
        except ResourceMissing:
            cls.note_deletion(ports, job.with_private(run_id=run.run_id))
            raise

    @classmethod
    @abstractmethod
    def facts(cls, body: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
        """What Describe shows as the component's parameters, and as tags that are artifacts."""

    @classmethod
    @abstractmethod
    def tags(cls, job: Any) -> Mapping[str, str]:
        """Further tags of a job's run."""

    @abstractmethod
    def logs_of(self, job: Any) -> Iterable[tuple[str, str]]:
        """The logs of a job: the name of each, and its stream."""

    def _send_artifacts(self, job: PhasedJob) -> None:
        """Keep files with the run of a job that has ended."""
        run = run_of(job)
        with tempfile.TemporaryDirectory(prefix="bottega-run-") as scratch:
            file = Path(scratch) / f"{job.NAMED.lower()}-job.json"
            file.write_text(json.dumps(job.body, indent=2))
            self._tracking.log_artifact(run, file, file.name)
            for name, stream in self.logs_of(job):
                copy = Path(scratch) / f"{name}.log"
                send_log(self._ports.logs, self.log_group, stream, self._tracking, run, copy)

    def pending(self) -> Iterable[str]:
        return self._runs.names()

    def reconcile(self, name: str) -> float | None:
        if (entry := self._runs.get(name)) is None:
            return None
        try:
            for reason in self._runs.close_deleted(entry, self._tracking).values():
                log.warning("an MLflow run of %s cannot be closed: %s", name, reason)
            try:
                job = self.job(self._ports.store.get(self.kind, name))
            except ResourceMissing:
                return None if self._runs.done(entry) else 0.0
            job = self.open_run(self._ports, self._tracking, job)
            if not job.ended:
                return None  # a change of its status wakes us
            self._close(job)
        except ResourceMissing:  # it was deleted while we were at it
            return 0.0
        except TrackingUnavailable:
            return RETRY_SECONDS
        except TrackingRefused as error:
            log.warning("MLflow no longer follows %s %s: %s", self.kind, name, error)
        return None if self._runs.done(entry) else 0.0

    def _close(self, job: PhasedJob) -> None:
        try:
            self._send_artifacts(job)
        except TrackingRefused as error:  # its run is ended all the same
            log.warning("the run of %s %s has no artifacts: %s", self.kind, job.name, error)
        tags = {"bottega.status": job.status}
        for member, tag in (("FailureReason", "failure"), ("ExitMessage", "message")):
            if member in job.body:
                tags[f"bottega.{tag}"] = job.body[member]
        self._tracking.set_tags(run_of(job), tags)
        self._tracking.close_run(
            run_of(job), status=RUN_STATUS[job.status], ended=job.body[f"{job.NAMED}EndTime"]
        )


def run_of(job: PhasedJob) -> str:
    """The MLflow run of a job; empty before there is one."""
    return str(job.resource.private.get("run_id", ""))
