"""Runs tuning jobs: starts their training jobs, stops weak ones, and ends when there is a reason.

Whatever it does is found out anew each time from the trials' records and their training jobs. A
record is written before its training job is created, and the name of a training job follows from
its number, so a kill at any line repeats a step and never doubles one.
"""

from __future__ import annotations

import importlib
import logging
import os
import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bottega.context import Errand
from bottega.controller import Controller
from bottega.errors import ClientFault, ResourceInUse
from bottega.events import Event, ResourceChanged
from bottega.features.tuning import endings
from bottega.features.tuning.entities import KIND, TuningJob, child_request
from bottega.features.tuning.plans import DefinitionPlan
from bottega.features.tuning.records import (
    ENDED,
    TRAINING_JOB,
    Prior,
    TrialRecord,
    standing,
    trial_records,
)
from bottega.features.tuning.tally import tallied
from bottega.identifiers import sagemaker_arn
from bottega.jobs.trial_courses import live_courses
from bottega.ports import Ports
from bottega.storage.metadata import Resource, ResourceMissing, ResourceQuery
from bottega.tuning import stopping
from bottega.tuning.search import Search

log = logging.getLogger(__name__)

ROLE = "AWSServiceRoleForSageMakerTuning"
_CHILD = re.compile(r"(.+)-\d{3,}-[0-9a-f]{8}")
_UNSEEN_SECONDS = 10.0
"""How often a tuning job is looked at besides the notice that its training jobs give."""
_MODELLED = ("Bayesian", "Hyperband")
_DELETED = "ClientError: the training job was deleted before its end was seen."
_LIVE_SECONDS = 0.1
"""How often the log of a training job is read whose course decides whether it goes on."""

Call = Callable[[str, str, Mapping[str, Any], Errand | None], Mapping[str, Any]]
"""Calls an operation as the tuning service."""


class TuningController(Controller):
    """Runs the tuning jobs of one studio."""

    kind = KIND

    def __init__(self, ports: Ports, call: Call, wake: Callable[[str], None]) -> None:
        """
        Args:
            wake: has the controller's host reconcile a name soon.
        """
        self._ports = ports
        self._call = call
        self._wake = wake
        self._records = trial_records(ports)
        self._courses = live_courses(ports.memory)
        self._running: set[str] = set()
        self._prepared = False
        self._searches: dict[tuple[str, float, str], Search] = {}
        ports.events.subscribe(self._on_event)
        self._courses.listen(self._on_course)

    def pending(self) -> Iterable[str]:
        query = ResourceQuery(KIND, statuses=("InProgress", "Stopping"), descending=False)
        running = [found.name for found in self._ports.store.outlines(query)]
        return [*running, *sorted(self._records.orphans())]

    def _on_event(self, event: Event) -> None:
        """A training job that ended makes room for the next one."""
        if (
            isinstance(event, ResourceChanged)
            and event.kind == TRAINING_JOB
            and (event.status in ENDED or event.change == "deleted")
        ):
            self._wake_of(event.name)

    def _on_course(self, name: str) -> None:
        self._wake_of(name)

    def _wake_of(self, child: str) -> None:
        if (match := _CHILD.fullmatch(child)) and match[1] in self._running:
            self._wake(match[1])

    def reconcile(self, name: str) -> float | None:
        try:
            job = TuningJob(self._ports.store.get(KIND, name))
        except ResourceMissing:
            return self._forget(name, None)
        if job.ended:
            return self._forget(name, job)
        self._running.add(name)
        records = self._look(job)
        if job.status == "InProgress" and not job.stops_trials:
            job = self._decide(job, records)
        if job.status == "Stopping" or job.stops_trials:
            self._stop_all(job, records)
        else:
            records = self._stop_weak(job, records)
            if not job.end_reason:
                records = self._start(job, records)
        job = self._write(job, records)
        if job.ended:
            return 0.0
        left = job.resource.created + job.plan.runtime_seconds - self._ports.clock.now()
        return min(left, _UNSEEN_SECONDS) if left > 0 else _UNSEEN_SECONDS

    def _forget(self, name: str, job: TuningJob | None) -> float | None:
        """Let go of a tuning job that has ended or is gone, and of what earlier ones left."""
        self._running.discard(name)
        # Other tuning jobs' threads add theirs meanwhile.
        for key in list(self._searches):
            if key[0] == name:
                self._searches.pop(key, None)
        return 0.0 if self._records.sweep(name, job) else None

    # -- looking ----------------------------------------------------------------------------------

    def _look(self, job: TuningJob) -> list[TrialRecord]:
        """All trials as their training jobs stand; what ended is kept in the records."""
        found = []
        for record, child in standing(self._ports, job):
            if record.over:
                found.append(record)
            elif child is not None:
                found.append(self._seen(job, record, child))
            elif record.launched:
                lost = record.lost(_DELETED, self._ports.clock.now())
                found.append(self._records.write(job, lost))
            else:
                found.append(self._create(job, record))
        return found

    def _seen(self, job: TuningJob, record: TrialRecord, child: Resource) -> TrialRecord:
        if child.body.get("TuningJobArn") != job.arn:
            reason = f"ClientError: the training job {record.job} is not of this tuning job."
            return self._records.write(job, record.lost(reason, self._ports.clock.now()))
        seen = record.as_of(child, self._courses)
        return self._records.write(job, seen) if seen.over else seen

    def _create(self, job: TuningJob, record: TrialRecord) -> TrialRecord:
        """Create the training job of a record, or find that it is there.

        Returns:
            The record with the training job; a failed one where it was refused.
        """
        ports, plan = self._ports, job.plan
        definition = job.definition(record.definition)
        request = child_request(
            definition,
            record.job,
            record.parameters,
            experiment=job.name,
            tags=ports.store.tags(job.arn),
        )
        at_once = min(plan.parallel, ports.capacity.slots)
        errand = Errand(
            job.arn,
            cores=max(1, (os.cpu_count() or 1) // at_once),
            live_seconds=_LIVE_SECONDS if plan.judges_running else None,
        )
        try:
            self._call("sagemaker", "CreateTrainingJob", request, errand)
        except ResourceInUse:
            log.info("the training job %s is there already", record.job)
        except ClientFault as error:
            reason = f"ClientError: {error.message}"
            return self._records.write(job, record.lost(reason, ports.clock.now()))
        # Known from now on: one that is missing was deleted, and is not to be trained again.
        record = self._records.write(job, replace(record, launched=True))
        try:
            child = ports.store.get(TRAINING_JOB, record.job)
        except ResourceMissing:  # deleted as soon as it had ended
            return self._records.write(job, record.lost(_DELETED, ports.clock.now()))
        return self._seen(job, record, child)

    # -- deciding ---------------------------------------------------------------------------------

    def _decide(self, job: TuningJob, records: Sequence[TrialRecord]) -> TuningJob:
        """Note why it comes to its end, where it does, so that the decision holds.

        That no more trials start is no last word: time or the target may still stop those that run.
        """
        ending = endings.ending(job, records, self._ports.clock.now())
        if ending is None or (job.end_reason and not ending.stops_trials):
            return job
        return self._note(job, ending)

    def _note(self, job: TuningJob, ending: endings.Ending) -> TuningJob:
        def noted(present: Resource) -> Resource:
            current = TuningJob(present)
            if current.status != "InProgress" or current.stops_trials:
                return present
            if current.end_reason and not ending.stops_trials:
                return present
            return current.with_private(
                end_reason=ending.reason,
                failure=ending.failure,
                stops_trials=ending.stops_trials,
            ).resource

        return TuningJob(self._ports.store.modify(KIND, job.name, noted))

    def _stop_all(self, job: TuningJob, records: Sequence[TrialRecord]) -> None:
        reason = job.end_reason or "The tuning job was stopped."
        for record in records:
            if not record.over and record.status == "InProgress":
                self._stop(job, record, reason, early=False)

    def _stop_weak(self, job: TuningJob, records: Sequence[TrialRecord]) -> list[TrialRecord]:
        plan = job.plan
        if not plan.judges_running:
            return list(records)
        found = list(records)
        for place, record in enumerate(records):
            if record.over or record.status != "InProgress" or not record.course.count:
                continue
            if record.stop_reason:  # written, and then killed
                self._stop(job, record, record.stop_reason, early=True)
                continue
            search = plan.search(plan.definition(record.definition))
            if record.course.count == search.max_resource:
                continue  # most likely it ends here by itself, and has its model to save
            rivals = [other.trial for other in found if other.definition == record.definition]
            why = stopping.weak(search, record.trial, rivals, early_stopping=plan.early_stopping)
            if why is not None:
                found[place] = self._stop(job, record, why, early=True)
        return found

    def _stop(self, job: TuningJob, record: TrialRecord, why: str, *, early: bool) -> TrialRecord:
        """Stop a training job, having written why."""
        if not record.stop_reason:
            record = self._records.write(job, replace(record, stop_reason=why, stopped_early=early))
        try:
            self._call("sagemaker", "StopTrainingJob", {"TrainingJobName": record.job}, None)
        except ClientFault as error:  # it ended meanwhile, which the next look shows
            log.info("training job %s was not stopped: %s", record.job, error.message)
        return record

    # -- starting ---------------------------------------------------------------------------------

    def _start(self, job: TuningJob, records: Sequence[TrialRecord]) -> list[TrialRecord]:
        """Start as many trials as may run at once."""
        found = list(records)
        plan = job.plan
        while (
            sum(not record.over for record in found) < plan.parallel
            and endings.ending(job, found, self._ports.clock.now()) is None
        ):
            chosen = self._choose(job, found)
            if chosen is None:
                self._note(job, endings.exhausted(found))
                break
            definition, parameters = chosen
            number = len(found) + 1
            name = job.child_name(number)
            config = self._ports.config
            record = self._records.add(
                job,
                TrialRecord(
                    number=number,
                    definition=definition.name,
                    parameters=parameters,
                    job=name,
                    arn=sagemaker_arn(config.region, config.account, "training-job", name),
                    created=self._ports.clock.now(),
                ),
            )
            found.append(self._create(job, record))
        return found

    def _choose(
        self, job: TuningJob, records: Sequence[TrialRecord]
    ) -> tuple[DefinitionPlan, Mapping[str, str]] | None:
        """What to try next; None when everything was tried."""
        plan = job.plan
        started = {one.name: 0 for one in plan.definitions}
        for record in records:
            started[record.definition] += 1
        # Definitions take turns; the one with the fewest trials is next.
        for definition in sorted(plan.definitions, key=lambda one: started[one.name]):
            trials = [one.trial for one in records if one.definition == definition.name]
            asked = self._search(job, definition).ask(trials)
            if asked is not None:
                return definition, dict(asked)
        return None

    def _search(self, job: TuningJob, definition: DefinitionPlan) -> Search:
        key = (job.name, job.resource.created, definition.name)
        if job.plan.strategy in _MODELLED and not self._prepared:
            self._prepared = True
            # The first trials are drawn without a model, so its library comes while they run.
            threading.Thread(
                target=importlib.import_module, args=("optuna",), name="optuna", daemon=True
            ).start()
        search = self._searches.get(key)
        if search is None:
            prior = Prior.of(job).trials.get(definition.name, ())
            search = self._searches[key] = Search(job.plan.search(definition), prior)
        return search

    # -- writing ----------------------------------------------------------------------------------

    def _write(self, job: TuningJob, records: Sequence[TrialRecord]) -> TuningJob:
        """Write what Describe shows, and the end where everything has ended."""
        now = self._ports.clock.now()
        running = any(not record.over for record in records)
        best = Prior.best_of(job)

        def written(present: Resource) -> Resource:
            current = TuningJob(present)
            if current.ended or present.created != job.resource.created:
                return present
            updated = tallied(current, records, best)
            if not running and current.status == "Stopping":
                updated = updated.moved("Stopped", now)
            elif not running and current.end_reason:
                updated = endings.ended(updated, records, now)
            return present if updated.resource == present else updated.resource

        return TuningJob(self._ports.store.modify(KIND, job.name, written))
