"""What jobs have in common that show one status and go through phases which they do not show.

Processing and transform jobs are such: SageMaker says InProgress of them from their creation to
their end. Their features add what the phases are and what is done in each.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Generic, Self, TypeVar

from bottega.controller import Controller
from bottega.identifiers import sagemaker_arn
from bottega.jobs.outcome import LONGEST_REASON
from bottega.ports import Ports
from bottega.storage.metadata import Resource, ResourceMissing, ResourceQuery

TERMINAL = frozenset({"Completed", "Failed", "Stopped"})
WAITING = ("Starting", "Pending")
"""The phases of a job that has not been given its slots."""


@dataclass(frozen=True)
class PhasedJob(ABC):
    """A job over its resource. Methods that change something return a new job.

    The phase is in the resource's private part; a training job's SecondaryStatus is the same.
    """

    resource: Resource

    NAMED: ClassVar[str]
    """What its members are called after: ``Processing`` for ProcessingJobStatus."""

    @property
    def name(self) -> str:
        return self.resource.name

    @property
    def body(self) -> Mapping[str, Any]:
        return self.resource.body

    @property
    def status(self) -> str:
        return self.resource.status

    @property
    def phase(self) -> str:
        """Where a job in progress is."""
        return str(self.resource.private["phase"])

    @property
    def ended(self) -> bool:
        return self.status in TERMINAL

    @property
    @abstractmethod
    def slots(self) -> int:
        """How many instances it has."""

    def with_private(self, **values: Any) -> Self:
        """The job with further values that only its controller sees."""
        private = {**self.resource.private, **values}
        return replace(self, resource=replace(self.resource, private=private))

    def at(self, phase: str, now: float) -> Self:
        """The job in another phase; it starts when the first is over that only waits."""
        job = self.with_private(phase=phase)
        body = dict(self.body)
        if phase not in WAITING:
            body.setdefault(f"{self.NAMED}StartTime", now)
        return replace(job, resource=replace(job.resource, body=body))

    def moved(self, status: str, now: float, **members: Any) -> Self:
        """The job with another status, and further members of its description."""
        body = {**self.body, f"{self.NAMED}JobStatus": status, **members}
        if status in TERMINAL:
            body[f"{self.NAMED}EndTime"] = now
        return replace(self, resource=replace(self.resource, status=status, body=body))


Job = TypeVar("Job", bound=PhasedJob)
Step = Callable[[Job], "float | None"]


class PhasedController(Controller, Generic[Job]):
    """Makes such jobs happen, one idempotent step at a time.

    What is done is read from the store, the job's folder and the runner, never from memory, so a
    new daemon goes on where the old one was killed.
    """

    job: type[Job]
    """The view over a job's resource."""
    work: str
    """The folder below ``<home>/work`` that has one folder for each job."""

    def __init__(self, ports: Ports, wake: Callable[[str], None]) -> None:
        """
        Args:
            wake: has the controller's host reconcile a name soon.
        """
        self._ports = ports
        self._wake = wake

    def pending(self) -> Iterable[str]:
        """Unfinished jobs in order of creation; those past the queue take their slots at once."""
        query = ResourceQuery(self.kind, statuses=("InProgress", "Stopping"), descending=False)
        jobs = [self.job(resource) for resource in self._ports.store.each(query)]
        for job in jobs:
            if job.phase not in WAITING:
                self._ports.capacity.claim(job.resource.arn, job.slots)
        self._sweep({job.name for job in jobs})
        return [job.name for job in jobs]

    def _sweep(self, wanted: set[str]) -> None:
        """Remove the folders of jobs that ended while nobody was there to tidy up."""
        root = self._ports.config.home / "work" / self.work
        for folder in root.iterdir() if root.is_dir() else ():
            if folder.name not in wanted:
                self._remove_folder(folder)

    def reconcile(self, name: str) -> float | None:
        try:
            job = self.job(self._ports.store.get(self.kind, name))
        except ResourceMissing:  # deleted after its end, perhaps before we came to tidy up
            config = self._ports.config
            service = f"{self.job.NAMED.lower()}-job"
            return self._tidy(name, sagemaker_arn(config.region, config.account, service, name))
        if job.ended:
            return self._tidy(name, job.resource.arn)
        if job.status == "Stopping":
            return self._stop(job)
        return self._steps()[job.phase](job)

    @abstractmethod
    def _steps(self) -> Mapping[str, Step[Job]]:
        """What is done in each phase."""

    @abstractmethod
    def _stop(self, job: Job) -> float | None:
        """What is done with a job that shall stop."""

    @abstractmethod
    def _tidy(self, name: str, arn: str) -> float | None:
        """Let go of everything of a job that has ended, and may be deleted already."""

    @abstractmethod
    def _remove_folder(self, folder: Path) -> None:
        """Remove what an ended job leaves; what resists is tried again at the next start."""

    def _held(self, job: Job) -> bool:
        """Whether the job has its slots now; otherwise it is woken when it may be its turn."""
        return self._ports.capacity.acquire(
            job.resource.arn, job.slots, lambda: self._wake(job.name), order=job.resource.created
        )

    def _cancelled(self, job: Job) -> Callable[[], bool]:
        """Tells whether the job was asked to stop meanwhile."""
        return lambda: self._ports.store.get(self.kind, job.name).status != "InProgress"

    def _write(self, job: Job, change: Callable[[float, Job], Job]) -> float | None:
        """Write a change, unless the job's status was changed by somebody else in between."""

        def changed(present: Resource) -> Resource:
            current = self.job(present)
            if (current.status, current.phase) != (job.status, job.phase):
                return present
            return change(self._ports.clock.now(), current).resource

        self._ports.store.modify(self.kind, job.name, changed)
        return 0.0

    def _at(self, job: Job, phase: str) -> float | None:
        return self._write(job, lambda now, present: present.at(phase, now))

    def _end(self, job: Job, status: str, **members: Any) -> float | None:
        return self._write(job, lambda now, present: present.moved(status, now, **members))

    def _fail(self, job: Job, reason: str, **members: Any) -> float | None:
        return self._end(job, "Failed", FailureReason=reason[:LONGEST_REASON], **members)
