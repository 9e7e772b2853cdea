"""The small resource that stands for a debugged training job until the Debugger is done with it.

A training job ends before its rules are concluded, and may be deleted and another one of its name
created meanwhile; so what the Debugger still has to do is kept apart from the job.
"""

from __future__ import annotations

from collections.abc import Iterator

from bottega.jobs.debugging import configuration
from bottega.jobs.debugging.evaluations import KIND as EVALUATION
from bottega.jobs.debugging.evaluations import RuleEvaluation, evaluation_name
from bottega.jobs.debugging.outputs import session_name
from bottega.ports import Ports
from bottega.storage.metadata import Resource, ResourceExists, ResourceMissing

KIND = "DebuggedJob"
TRAINING = "TrainingJob"


def begin(ports: Ports, training: Resource) -> None:
    """Note durably that a job has something for the Debugger to do; must happen before the job can
    end. Again is nothing new, but for rules that came since."""
    if not configuration.is_debugged(training.body):
        return
    now = ports.clock.now()
    for rule in configuration.rule_configurations(training.body):
        evaluation = RuleEvaluation.begin(ports.config, training, rule, now)
        try:
            ports.store.create(evaluation.resource)
        except ResourceExists:
            continue
    entry = Resource(
        KIND,
        session_name(training),
        f"{training.arn}/debugger/{int(training.created * 1000)}",
        "InProgress",
        now,
        now,
        private={"training": training.name, "created": training.created},
    )
    try:
        ports.store.create(entry)
    except ResourceExists:
        return


def training_of(ports: Ports, entry: Resource) -> Resource | None:
    """The training job of a session; None when it was deleted."""
    try:
        training = ports.store.get(TRAINING, entry.private["training"])
    except ResourceMissing:
        return None
    return training if training.created == entry.private["created"] else None


def evaluations_of(ports: Ports, training: Resource) -> dict[str, RuleEvaluation]:
    """The evaluations of a job's rules that there are, by RuleConfigurationName, in the order of
    the rules."""
    names = {
        evaluation_name(training.name, training.created, rule.name): rule.name
        for rule in configuration.rule_configurations(training.body)
    }
    found = ports.store.get_many(EVALUATION, names) if names else {}
    return {rule: RuleEvaluation(found[name]) for name, rule in names.items() if name in found}


def names_of_evaluations(training: Resource) -> Iterator[str]:
    """The names of the jobs that stand for the evaluation of its rules."""
    for rule in configuration.rule_configurations(training.body):
        yield evaluation_name(training.name, training.created, rule.name)


def forget(ports: Ports, training: Resource) -> None:
    """A training job is deleted: what its rules' evaluations found goes with it."""
    for name in names_of_evaluations(training):
        try:
            ports.store.delete(EVALUATION, name)
        except ResourceMissing:
            continue
