"""UpdateTrainingJob: the profiler of a job that runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bottega.context import Context
from bottega.errors import ValidationException
from bottega.features.training.debug_rules import check_debugger
from bottega.features.training.entities import KIND, TrainingJob
from bottega.features.training.jobs import find_job
from bottega.features.training.rules import NOT_HERE, TAKEN
from bottega.jobs.debugging import configuration, session
from bottega.jobs.debugging.configuration import (
    DEFAULT_INTERVAL_MILLISECONDS,
    PROFILER_RULES,
    STATUSES,
)
from bottega.jobs.debugging.evaluations import first_statuses
from bottega.jobs.debugging.outputs import DebugOutputs
from bottega.registry import operation
from bottega.specs.generated.training import UpdateTrainingJobRequest, UpdateTrainingJobResponse
from bottega.storage.metadata import Resource, ResourceMissing


@operation(
    "UpdateTrainingJob",
    note="ProfilerConfig and ProfilerRuleConfigurations of a job in progress; ResourceConfig and "
    "RemoteDebugConfig are refused.",
)
def update_training_job(
    context: Context, request: UpdateTrainingJobRequest
) -> UpdateTrainingJobResponse:
    """Change how a job is profiled while it runs."""
    for member in ("ResourceConfig", "RemoteDebugConfig"):
        if member in request:
            raise ValidationException(f"UpdateTrainingJob: {member} {NOT_HERE}")
    ports, name = context.ports, request["TrainingJobName"]
    job = find_job(context, name)
    check_debugger(ports, {**job.body, **_changes(job, request)}, TAKEN)

    def changed(present: Resource) -> Resource:
        current = TrainingJob(present)
        if current.status != "InProgress":
            raise ValidationException(
                f"The training job is in status {current.status}; only a job that is InProgress "
                "can be updated."
            )
        body = {**current.body, **_changes(current, request)}
        statuses = first_statuses(ports.config, name, present.created, body)
        member = STATUSES[PROFILER_RULES]
        known = {one["RuleConfigurationName"]: one for one in current.body.get(member, ())}
        entries = [
            known.get(one["RuleConfigurationName"], {**one, "LastModifiedTime": ports.clock.now()})
            for one in statuses.get(member, ())
        ]
        if entries:
            body[member] = entries
        body["ProfilingStatus"] = configuration.profiling_status(body)
        return TrainingJob(present).with_body(**body).resource

    try:
        updated = ports.store.modify(KIND, name, changed)
    except ResourceMissing as error:
        raise ValidationException("Requested resource not found.") from error
    session.begin(ports, updated)
    DebugOutputs.of(ports).forget(updated)
    return {"TrainingJobArn": updated.arn}


def _changes(job: TrainingJob, request: Mapping[str, Any]) -> dict[str, Any]:
    """The members that change. What a ProfilerConfig leaves out stays as it was, and rules that are
    there already stay, too."""
    changes: dict[str, Any] = {}
    if "ProfilerConfig" in request:
        given = request["ProfilerConfig"]
        disabled = bool(given.get("DisableProfiler", False))
        # Who updates it wants a profile, unlike the SDK, which gives every new job a configuration.
        usual = (
            {} if disabled else {"ProfilingIntervalInMilliseconds": DEFAULT_INTERVAL_MILLISECONDS}
        )
        before = job.body.get("ProfilerConfig", {})
        changes["ProfilerConfig"] = {**usual, **before, **given, "DisableProfiler": disabled}
    if PROFILER_RULES in request:
        old = {one["RuleConfigurationName"]: one for one in job.body.get(PROFILER_RULES, ())}
        new = {one["RuleConfigurationName"]: one for one in request[PROFILER_RULES]}
        changes[PROFILER_RULES] = list({**old, **new}.values())
    return changes
