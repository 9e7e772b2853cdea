"""What a tuning job begins with: the trials of its parents, as they were at its creation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bottega.errors import ResourceLimitExceeded, ValidationException
from bottega.features.tuning.entities import KIND, TuningJob, image_of
from bottega.features.tuning.plans import DefinitionPlan
from bottega.features.tuning.records import Prior, trial_records
from bottega.features.tuning.tally import objective_value, warm_start
from bottega.jobs.trial_courses import OBJECTIVE_HYPERPARAMETER
from bottega.ports import Ports
from bottega.storage.metadata import ResourceMissing
from bottega.tuning import warm_start as rules


def prior(ports: Ports, job: TuningJob, request: Mapping[str, Any]) -> Prior | None:
    """What a tuning job that is about to be created begins with; None without a warm start.

    Raises:
        ValidationException: it cannot begin with these parents.
        ResourceLimitExceeded: there would be too many training jobs.
    """
    if "WarmStartConfig" not in request:
        return None
    names = [
        one.get("HyperParameterTuningJobName", "")
        for one in request["WarmStartConfig"]["ParentHyperParameterTuningJobs"]
    ]
    parents = [_parent(ports, name) for name in names]
    kind: Any = warm_start(job.body)
    found = {
        definition.name: _trials(ports, job, definition, parents, kind)
        for definition in job.plan.definitions
    }
    count = sum(len(trial_records(ports).all(parent)) for parent in parents)
    asked = job.config["ResourceLimits"].get("MaxNumberOfTrainingJobs")
    if asked is not None and (said := rules.too_many(count, asked)):
        raise ResourceLimitExceeded(said)
    return Prior(found, count, _best(job, parents) if kind == "IdenticalDataAndAlgorithm" else None)


def _parent(ports: Ports, name: str) -> TuningJob:
    try:
        return TuningJob(ports.store.get(KIND, name))
    except ResourceMissing as error:
        raise ValidationException(
            f"WarmStartConfig: there is no hyperparameter tuning job {name!r} to begin with."
        ) from error


def _trials(
    ports: Ports,
    job: TuningJob,
    definition: DefinitionPlan,
    parents: list[TuningJob],
    kind: rules.WarmStartType,
) -> list[Any]:
    child = _view(job, definition)
    matching = [(parent, _counterpart(parent, definition)) for parent in parents]
    views = [_view(parent, theirs) for parent, theirs in matching]
    if said := rules.refusal(child, views, kind):
        raise ValidationException(f"WarmStartConfig: {said}")
    known = []
    for view, (parent, theirs) in zip(views, matching, strict=True):
        records = trial_records(ports).all(parent)
        trials = [record.trial for record in records if record.definition == theirs.name]
        known.append((view, trials))
    return list(rules.prior_trials(child, known, kind))


def _counterpart(parent: TuningJob, definition: DefinitionPlan) -> DefinitionPlan:
    """The parent's definition of the same name; the only one where it has no other."""
    found = parent.plan.definitions
    if len(found) == 1:
        return found[0]
    for one in found:
        if one.name == definition.name:
            return one
    names = ", ".join(one.name for one in found)
    raise ValidationException(
        f"WarmStartConfig: the parent tuning job {parent.name} has no training job definition "
        f"{definition.name!r}; it has {names}."
    )


def _view(job: TuningJob, definition: DefinitionPlan) -> rules.TuningJob:
    given = job.definition(definition.name)
    static = {
        name: value
        for name, value in given.get("StaticHyperParameters", {}).items()
        if name != OBJECTIVE_HYPERPARAMETER
    }
    return rules.TuningJob(
        name=job.name,
        status=job.status,
        metric=definition.metric,
        maximize=job.plan.maximize,
        static=static,
        ranges=definition.ranges,
        image=image_of(given),
        data=given.get("InputDataConfig", []),
    )


def _best(job: TuningJob, parents: list[TuningJob]) -> Mapping[str, Any] | None:
    found = [
        parent.body["BestTrainingJob"] for parent in parents if "BestTrainingJob" in parent.body
    ]
    if not found:
        return None
    choose = max if job.plan.maximize else min
    best: Mapping[str, Any] = choose(found, key=objective_value)
    return best
