"""What is done when a rule fires: the training is stopped, somebody is told. Each of it once.

What will be done is written down before it is done. Stopping a certain job is done here, and again
after a kill; a message is handed to the messenger, since nobody knows how long its server takes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bottega.errors import ClientFault, ValidationException
from bottega.events import RuleNotified
from bottega.features.debugger import outbox
from bottega.features.debugger.messages import Message
from bottega.jobs.debugging.configuration import Action, RuleConfiguration, actions_of
from bottega.jobs.debugging.evaluations import KIND, RuleEvaluation
from bottega.jobs.debugging.session import TRAINING
from bottega.ports import Ports
from bottega.storage.metadata import Resource, ResourceMissing, ResourceQuery

Call = Callable[[str, str, Mapping[str, Any]], Mapping[str, Any]]

WAITING, BEGUN, DONE, FAILED = "Waiting", "Begun", "Done", "Failed"
"""How an action stands; what is done or has failed stays so."""


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
        elif entry["Outcome"] == WAITING:
            _tell(ports, evaluation, number, action, training)


def outcome(ports: Ports, evaluation: str, number: int) -> str | None:
    """How one action of an evaluation stands; None when its training was deleted."""
    try:
        entries = RuleEvaluation(ports.store.get(KIND, evaluation)).actions
    except ResourceMissing:
        return None
    return str(entries[number]["Outcome"])


def note(ports: Ports, evaluation: str, number: int, **values: Any) -> None:
    """Write into the entry of one action, unless it has come to its end.

    Args:
        evaluation: its name.
    """

    def changed(present: Resource) -> Resource:
        current = RuleEvaluation(present)
        entries = current.actions
        if entries[number]["Outcome"] in (DONE, FAILED):
            return present
        entries[number] = {**entries[number], **values}
        return current.with_private(actions=entries).resource

    try:
        ports.store.modify(KIND, evaluation, changed)
    except ResourceMissing:  # the training was deleted
        return


def end(ports: Ports, evaluation: str, number: int, outcome: str, message: str) -> None:
    """Write down that an action is ``DONE`` or has ``FAILED``, and what there is to say of it."""
    note(ports, evaluation, number, Outcome=outcome, Message=message, Time=ports.clock.now())


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
            end(
                ports,
                evaluation.name,
                number,
                FAILED,
                f"exactly one active training job must have the prefix {prefix!r}; found: {found}",
            )
            return
        job = active[0].name
        note(ports, evaluation.name, number, Outcome=BEGUN, Job=job)
    try:
        call("sagemaker", "StopTrainingJob", {"TrainingJobName": job})
    except ValidationException as refusal:
        # It has ended by itself, or it was stopped before a kill and this is the second time.
        end(ports, evaluation.name, number, DONE, f"{job}: {refusal}")
        return
    except ClientFault as refusal:
        end(ports, evaluation.name, number, FAILED, f"{job}: {refusal}")
        return
    end(ports, evaluation.name, number, DONE, f"stopped the training job {job}")


def _tell(
    ports: Ports,
    evaluation: RuleEvaluation,
    number: int,
    action: Action,
    training: Resource,
) -> None:
    """Hand the message over. It is on the disk before it counts as begun."""
    message = Message(
        channel=action.name,
        address=action.target,
        job=training.name,
        rule=evaluation.rule,
        details=evaluation.details,
        findings=tuple(str(one.get("Message", "")) for one in evaluation.result["findings"][:5]),
        identity=f"{evaluation.name}.{number}",
    )
    if outbox.put(ports, evaluation, number, message):
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
    note(ports, evaluation.name, number, Outcome=BEGUN)
