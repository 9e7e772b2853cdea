"""The trials of a tuning job: one record each, written before its training job is created.

A record says what the training job was given, and after its end what became of it, so that the
search, the counters and the lists need no training job that somebody may have deleted since.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, Self

from bottega.features.tuning.entities import KIND as JOB_KIND
from bottega.features.tuning.entities import TuningJob
from bottega.jobs.trial_courses import (
    NO_COURSE,
    RECORD,
    LiveCourses,
    ObjectiveCourse,
    live_courses,
)
from bottega.ports import Ports
from bottega.storage.metadata import (
    MetadataStore,
    Resource,
    ResourceExists,
    ResourceMissing,
    ResourceQuery,
)
from bottega.tuning.trials import PriorTrial, Trial

KIND = "TuningTrial"
TRAINING_JOB = "TrainingJob"
"""The kind of the training jobs, which are another feature's."""
ENDED = ("Completed", "Failed", "Stopped")
_SWEPT_AT_ONCE = 100
_REMEMBERED = 16
"""Tuning jobs whose ended trials are kept in memory."""
_RETRYABLE = ("InternalServerError", "CapacityError")


@dataclass(frozen=True)
class TrialRecord:
    """One trial."""

    number: int
    """From 1, in order of creation."""
    definition: str
    parameters: Mapping[str, str]
    """The tuned hyperparameters."""
    job: str
    """The name of its training job."""
    arn: str
    created: float
    """When its training job was created; before that, when this record was."""
    status: str = "InProgress"
    """TrainingJobStatus as of what was seen; Stopping is seen, too."""
    secondary: str = "Starting"
    started: float | None = None
    ended: float | None = None
    failure: str = ""
    """FailureReason of the training job."""
    stop_reason: str = ""
    """Why this tuning job stopped it, as a sentence; written before it is stopped."""
    stopped_early: bool = False
    """Whether it was stopped for being weak, rather than because the tuning job came to its end."""
    course: ObjectiveCourse = NO_COURSE
    launched: bool = False
    """Whether its training job is known to have been created."""
    waiting: bool = False
    """Whether it waits for one of the machine's slots."""
    version: int = field(default=0, compare=False)

    @property
    def over(self) -> bool:
        """Whether its training job has ended, and this record is final."""
        return self.ended is not None

    @property
    def objective(self) -> float | None:
        """The final objective; None while it runs, and where it failed or told none."""
        return self.course.final if self.over and self.status != "Failed" else None

    @property
    def objective_status(self) -> str:
        """``Pending``, ``Succeeded`` or ``Failed``."""
        if not self.over:
            return "Pending"
        return "Failed" if self.objective is None else "Succeeded"

    @property
    def retryable(self) -> bool:
        """Whether it failed for a reason that lies in the service."""
        return self.failure.startswith(_RETRYABLE)

    @cached_property
    def trial(self) -> Trial:
        """The trial as the search sees it."""
        state: Mapping[str, Literal["running", "succeeded", "failed"]] = {
            "Pending": "running",
            "Succeeded": "succeeded",
            "Failed": "failed",
        }
        return Trial(
            number=self.number - 1,
            definition=self.definition,
            parameters=self.parameters,
            state=state[self.objective_status],
            objective=self.objective,
            course=tuple(zip(self.course.steps, self.course.values, strict=True)),
            stopped_early=self.stopped_early and self.status == "Stopped",
        )

    def as_of(self, child: Resource, courses: LiveCourses) -> Self:
        """The record as its training job stands.

        Args:
            courses: of the training jobs that run.
        """
        body = child.body
        if child.status not in ENDED:
            course = courses.get(child.name, child.created)
        else:
            kept = child.private.get(RECORD)
            course = ObjectiveCourse.from_json(kept) if kept is not None else NO_COURSE
        return replace(
            self,
            created=child.created,
            status=child.status,
            secondary=body["SecondaryStatus"],
            started=body.get("TrainingStartTime"),
            ended=body["TrainingEndTime"] if child.status in ENDED else None,
            failure=body.get("FailureReason", ""),
            course=course,
            waiting=body["SecondaryStatus"] in ("Starting", "Pending"),
        )

    def lost(self, reason: str, now: float) -> Self:
        """The record of a trial that has no training job, or has none any more."""
        return replace(
            self, status="Failed", secondary="Failed", ended=now, failure=reason, waiting=False
        )

    def as_resource(self, job: TuningJob) -> Resource:
        body = {
            name: getattr(self, name)
            for name in (
                *("number", "definition", "job", "arn", "created", "status", "secondary"),
                *("started", "ended", "failure", "stop_reason", "stopped_early", "launched"),
            )
        }
        body |= {"parameters": dict(self.parameters), "course": self.course.as_json()}
        return Resource(
            KIND,
            record_name(job, self.number),
            f"{job.arn}/trial/{_key(job)[1]}/{self.number}",
            "Ended" if self.over else "Running",
            created=job.resource.created,  # of the record; it never changes
            modified=job.resource.created,
            body=body,
            version=self.version,
        )

    @classmethod
    def from_resource(cls, resource: Resource) -> Self:
        fields = {**resource.body, "course": ObjectiveCourse.from_json(resource.body["course"])}
        return cls(**fields, version=resource.version)


@dataclass(frozen=True)
class Prior:
    """What a warm start begins with, as the parents were when the tuning job was created."""

    trials: Mapping[str, Sequence[PriorTrial]] = field(default_factory=dict)
    """By definition."""
    count: int = 0
    """How many training jobs the parents had launched."""
    best: Mapping[str, Any] | None = None
    """The summary of the best of them, where their objectives mean the same."""

    def as_json(self) -> dict[str, Any]:
        """As it is kept with the tuning job."""
        trials = {
            name: [[dict(one.parameters), one.objective, one.comparable] for one in found]
            for name, found in self.trials.items()
        }
        return {"trials": trials, "count": self.count, "best": self.best}

    @staticmethod
    def best_of(job: TuningJob) -> Mapping[str, Any] | None:
        """The best alone, without reading what may be thousands of trials."""
        found: Mapping[str, Any] | None = job.resource.private.get("prior", {}).get("best")
        return found

    @classmethod
    def of(cls, job: TuningJob) -> Self:
        """What a tuning job begins with; nothing without a warm start."""
        fields = job.resource.private.get("prior")
        if fields is None:
            return cls()
        trials = {
            name: [PriorTrial(one[0], one[1], one[2]) for one in found]
            for name, found in fields["trials"].items()
        }
        return cls(trials, fields["count"], fields["best"])


def _key(job: TuningJob) -> tuple[str, str]:
    return job.name, f"{job.resource.created:.3f}"


def record_name(job: TuningJob, number: int) -> str:
    """The name of a record; a later tuning job of the same name has others."""
    name, created = _key(job)
    return f"{name}/{created}/{number}"


class TrialRecords:
    """The records in the store. Ended ones never change, so they are read once."""

    def __init__(self, store: MetadataStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._over: OrderedDict[tuple[str, str], dict[int, TrialRecord]] = OrderedDict()

    def all(self, job: TuningJob) -> list[TrialRecord]:
        """All trials in order of creation."""
        with self._lock:
            over = self._over.setdefault(_key(job), {})
            self._over.move_to_end(_key(job))
            while len(self._over) > _REMEMBERED:
                self._over.popitem(last=False)
            found = dict(over)
        # Written one after the other, so the first that is missing is the end.
        first, size = 1, max(job.plan.parallel, len(found), 16)
        while True:
            wanted = [number for number in range(first, first + size) if number not in found]
            names = {record_name(job, number): number for number in wanted}
            for name, resource in self._store.get_many(KIND, names).items():
                found[names[name]] = TrialRecord.from_resource(resource)
            first += size
            if first - 1 not in found:
                break
        with self._lock:
            over.update((record.number, record) for record in found.values() if record.over)
        return [found[number] for number in sorted(found)]

    def add(self, job: TuningJob, record: TrialRecord) -> TrialRecord:
        """Write a new record; the one that is there already wins."""
        resource = record.as_resource(job)
        try:
            return TrialRecord.from_resource(self._store.create(resource))
        except ResourceExists as error:
            return TrialRecord.from_resource(error.existing)

    def write(self, job: TuningJob, record: TrialRecord) -> TrialRecord:
        """Write a record anew.

        Raises:
            VersionConflict: it was removed; nobody but the one controller writes it.
        """
        return TrialRecord.from_resource(self._store.update(record.as_resource(job)))

    def sweep(self, name: str, present: TuningJob | None) -> bool:
        """Remove some of the records that tuning jobs of a name left when they were deleted.

        Args:
            present: the tuning job of that name that is there now; its records stay.

        Returns:
            Whether there may be more.
        """
        own = "" if present is None else record_name(present, 0)[:-1]
        left = [
            outline.name
            for outline in self._store.outlines(ResourceQuery(KIND, name_contains=f"{name}/"))
            if outline.name.startswith(f"{name}/") and not (own and outline.name.startswith(own))
        ]
        for found in left[:_SWEPT_AT_ONCE]:
            try:
                self._store.delete(KIND, found)
            except ResourceMissing:
                continue
        with self._lock:
            kept = None if present is None else _key(present)
            for key in [key for key in self._over if key[0] == name and key != kept]:
                del self._over[key]
        return len(left) > _SWEPT_AT_ONCE

    def orphans(self) -> set[str]:
        """The names of tuning jobs that are not there any more and left records."""
        found = {
            outline.name.partition("/")[0] for outline in self._store.outlines(ResourceQuery(KIND))
        }
        return found - {one.name for one in self._store.outlines(ResourceQuery(JOB_KIND))}


def trial_records(ports: Ports) -> TrialRecords:
    """The records of one studio."""
    return ports.memory.of(TrialRecords, lambda: TrialRecords(ports.store))


def standing(ports: Ports, job: TuningJob) -> list[tuple[TrialRecord, Resource | None]]:
    """All trials in order of creation, each with its training job where that is needed: of those
    that are over the record says it all."""
    records = trial_records(ports).all(job)
    running = [record.job for record in records if not record.over]
    children = ports.store.get_many(TRAINING_JOB, running)
    return [(record, children.get(record.job)) for record in records]


def as_they_stand(ports: Ports, job: TuningJob) -> list[TrialRecord]:
    """All trials in order of creation, as their training jobs stand now."""
    courses = live_courses(ports.memory)
    return [
        record if child is None or record.over else record.as_of(child, courses)
        for record, child in standing(ports, job)
    ]
