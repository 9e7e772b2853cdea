"""Messages that are to be sent: a resource for each, from the firing of a rule to the outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from bottega.features.debugger.messages import Message
from bottega.jobs.debugging.evaluations import RuleEvaluation
from bottega.ports import Ports
from bottega.storage.metadata import Resource, ResourceExists, ResourceMissing

KIND = "RuleMessage"


@dataclass(frozen=True)
class Letter:
    """A message on its way, over its resource.

    Attributes:
        evaluation: the evaluation whose rule fired, by its name.
        number: which of its actions the message is.
        attempts: how often it was sent, the time that goes on now included.
        due: when it may be sent next; seconds since the epoch.
    """

    name: str
    evaluation: str
    number: int
    message: Message
    attempts: int
    due: float

    @classmethod
    def of(cls, resource: Resource) -> Letter:
        """The letter that a resource is of."""
        private: Mapping[str, Any] = resource.private
        message = dict(private["message"])
        message["findings"] = tuple(message["findings"])
        return cls(
            name=resource.name,
            evaluation=private["evaluation"],
            number=private["number"],
            message=Message(**message),
            attempts=private["attempts"],
            due=private["due"],
        )


def put(ports: Ports, evaluation: RuleEvaluation, number: int, message: Message) -> bool:
    """Have a message sent; returns whether that is new. It is on the disk when this returns."""
    now = ports.clock.now()
    entry = Resource(
        KIND,
        f"{evaluation.name}.{number}",
        f"{evaluation.resource.arn}/message/{number}",
        "InProgress",
        now,
        now,
        private={
            "evaluation": evaluation.name,
            "number": number,
            "message": asdict(message),
            "attempts": 0,
            "due": now,
        },
    )
    try:
        ports.store.create(entry)
    except ResourceExists:
        return False
    return True


def count(ports: Ports, letter: Letter, due: float) -> None:
    """Write down that a letter is being sent once more, before it is."""

    def changed(present: Resource) -> Resource:
        private = {**present.private, "attempts": letter.attempts + 1, "due": due}
        return replace(present, private=private)

    ports.store.modify(KIND, letter.name, changed)


def drop(ports: Ports, name: str) -> None:
    """Its outcome is written down, or nobody asks for it any more."""
    try:
        ports.store.delete(KIND, name)
    except ResourceMissing:
        return
