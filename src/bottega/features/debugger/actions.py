"""What is done when a rule fires: the training is stopped, somebody is told. Each of it once.

What will be done is written down before it is done: what can be repeated without harm (stopping a
certain job) is repeated after a kill, and what cannot (a message) is not.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from bottega.errors import ClientFault, ValidationException
from bottega.events import RuleNotified
from bottega.features.debugger.messages import Message, MessageNotSent, send
from bottega.jobs.debugging.configuration import Action, RuleConfiguration, actions_of
from bottega.jobs.debugging.evaluations import KIND, RuleEvaluation
from bottega.jobs.debugging.session import TRAINING
from bottega.ports import Ports
from bottega.storage.metadata import Resource, ResourceMissing, ResourceQuery

log = logging.getLogger(__name__)

Call = Callable[[str, str, Mapping[str, Any]], Mapping[str, Any]]

WAITING, BEGUN, DONE, FAILED = "Waiting", "Begun", "Done", "Failed"


def planned(rule: RuleConfiguration, training: str) -> list[dict[str, Any]]:
    """The entries for a rule's actions, to be written with the status that it has fired."""
    return [
        {"Name": action.name, "Target": action.target, "Outcome": WAITING}
        for action in actions_of(rule, training)
    ]


def act(ports: Ports, call: Call, evaluation: RuleEvaluation, training: Resource) -> None:
    """Do what is left to do because a rule has fired."""
    for number, entry in enumerate(evaluation.actions):
        if entry["Outcome"] in (DONE, FAILED):
            continue
        action = Action(entry["Name"], entry["Target"])
        if action.name == "StopTraining":
            _stop(ports, call, evaluation, number, entry)
        else:
            _tell(ports, evaluation, number, entry, action, training)


def _note(ports: Ports, evaluation: RuleEvaluation, number: int, **values: Any) -> None:
    """Write into the entry of one action."""

    def changed(present: Resource) -> Resource:
        current = RuleEvaluation(present)
        entries = current.actions
        entries[number] = {**entries[number], **values}
        return current.with_private(actions=entries).resource

    try:
        ports.store.modify(KIND, evaluation.name, changed)
    except ResourceMissing:  # the training was deleted
        return


def _end(ports: Ports, evaluation: RuleEvaluation, number: int, outcome: str, message: str) -> None:
    _note(ports, evaluation, number, Outcome=outcome, Message=message, Time=ports.clock.now())


def _stop(
    ports: Ports,
    call: Call,
    evaluation: RuleEvaluation,
    number: int,
    entry: Mapping[str, Any],
) -> None:
    """Stop the one active job with the prefix. Which job that is stands fixed before it is
    stopped, so that a later look does not find another one."""
    job = entry.get("Job")
    if job is None:
        prefix = entry["Target"]
        query = ResourceQuery(TRAINING, name_contains=prefix, statuses=("InProgress", "Stopping"))
        active = [one for one in ports.store.each(query) if one.name.startswith(prefix)]
        if len(active) != 1:
            found = ", ".join(one.name for one in active[:5]) or "none"
            _end(
                ports,
                evaluation,
                number,
                FAILED,
                f"exactly one active training job must have the prefix {prefix!r}; found: {found}",
            )
            return
        job = active[0].name
        _note(ports, evaluation, number, Outcome=BEGUN, Job=job)
    try:
        call("sagemaker", "StopTrainingJob", {"TrainingJobName": job})
    except ValidationException as refusal:
        # It has ended by itself, or it was stopped before a kill and this is the second time.
        _end(ports, evaluation, number, DONE, f"{job}: {refusal}")
        return
    except ClientFault as refusal:
        _end(ports, evaluation, number, FAILED, f"{job}: {refusal}")
        return
    _end(ports, evaluation, number, DONE, f"stopped the training job {job}")


def _tell(
    ports: Ports,
    evaluation: RuleEvaluation,
    number: int,
    entry: Mapping[str, Any],
    action: Action,
    training: Resource,
) -> None:
    if entry["Outcome"] == BEGUN:
        _end(
            ports,
            evaluation,
            number,
            FAILED,
            "bottega ended while it was being sent; it may have arrived",
        )
        return
    _note(ports, evaluation, number, Outcome=BEGUN)
    message = Message(
        channel=action.name,
        address=action.target,
        job=training.name,
        rule=evaluation.rule,
        details=evaluation.details,
        findings=tuple(str(one.get("Message", "")) for one in evaluation.result["findings"][:5]),
    )
    ports.events.publish(
        RuleNotified(
            ports.clock.now(),
            training.name,
            evaluation.rule,
            action.name,
            action.target,
            message.subject,
        )
    )
    try:
        how = send(ports.config, message)
    except MessageNotSent as problem:
        log.warning("the rule %s of %s: %s", evaluation.rule, training.name, problem)
        _end(ports, evaluation, number, FAILED, f"shown in the Studio, but {problem}")
        return
    _end(ports, evaluation, number, DONE, how)
