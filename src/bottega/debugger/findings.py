"""What a rule found: when, in what, the numbers behind it, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Number = float | int | str


@dataclass(frozen=True)
class Finding:
    """One reason for a rule to fire.

    Attributes:
        rule: the rule's name, as RuleParameters' ``rule_to_invoke`` gives it.
        message: one sentence that says what was seen.
        advice: what to do about it, a sentence or two.
        step: the global step at which it was seen; None for findings in a profile.
        tensors: names of the tensors that it was seen in.
        numbers: what was measured and the limits that it was held to, by name. What is not a finite
            number is a text, so that everything can be written as JSON.
        start: where it began, in seconds since 1970; None where only the step is known.
        end: where it ended, likewise.
        node: the host (``algo-1``) that it was seen on; empty where it is not one host's.
    """

    rule: str
    message: str
    advice: str
    step: int | None = None
    tensors: tuple[str, ...] = ()
    numbers: Mapping[str, Number] = field(default_factory=dict)
    start: float | None = None
    end: float | None = None
    node: str = ""

    def to_json(self) -> dict[str, object]:
        """As it is kept in files and shown by operations; members without a value are left out."""
        members = {
            "Rule": self.rule,
            "Step": self.step,
            "StartTime": self.start,
            "EndTime": self.end,
            "Node": self.node,
            "Tensors": list(self.tensors),
            "Numbers": dict(self.numbers),
            "Message": self.message,
            "Advice": self.advice,
        }
        return {name: value for name, value in members.items() if value not in (None, "", [], {})}

    @classmethod
    def from_json(cls, document: Mapping[str, object]) -> Finding:
        """The finding that :meth:`to_json` wrote.

        Raises:
            ValueError: this is no finding.
        """
        tensors, numbers = document.get("Tensors", []), document.get("Numbers", {})
        if not isinstance(tensors, list) or not isinstance(numbers, Mapping):
            raise ValueError("a finding's Tensors are a list and its Numbers an object")
        step = document.get("Step")
        return cls(
            rule=str(document.get("Rule", "")),
            message=str(document.get("Message", "")),
            advice=str(document.get("Advice", "")),
            step=int(str(step)) if step is not None else None,
            tensors=tuple(str(name) for name in tensors),
            numbers=dict(numbers),
            start=_seconds(document.get("StartTime")),
            end=_seconds(document.get("EndTime")),
            node=str(document.get("Node", "")),
        )


def number(value: float) -> Number:
    """A measured number as a finding keeps it: a float, or ``nan``, ``inf`` as a text.

    >>> number(0.5), number(float("nan"))
    (0.5, 'nan')
    """
    value = float(value)
    return value if value - value == 0 else str(value)


def _seconds(value: object) -> float | None:
    return None if value is None else float(str(value))
