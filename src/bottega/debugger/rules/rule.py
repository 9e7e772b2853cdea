"""What all rules have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Self

from bottega.debugger.findings import Finding, Number
from bottega.debugger.rules.parameters import read
from bottega.debugger.rules.reading import SHOWN, Reading
from bottega.debugger.tensors.trial import Trial

DEEP = ("tensorflow", "pytorch", "mxnet")
EVERY = (*DEEP, "xgboost", "sklearn")
TREES = ("xgboost",)

Collections = Mapping[str, Mapping[str, str]]
"""Collections to be saved, and their CollectionParameters."""


@dataclass
class Rule(ABC):
    """One rule over the tensors of one training.

    It is shown the steps of a trial in order, each once, and remembers what it needs of them: a new
    rule that is shown the same steps says the same. It never changes the trial.
    """

    looks_for: ClassVar[str]
    """One sentence for a person: what makes it fire."""
    advice: ClassVar[str]
    """What to do when it fires."""
    frameworks: ClassVar[tuple[str, ...]] = DEEP
    """Where it can find something."""
    collections: ClassVar[Collections] = {}
    """What a training has to save for it, where its user did not say otherwise."""
    tensors_wanted: ClassVar[str] = "tensors"
    """What it looks at, for the sentence that says that there was none."""

    other_trials: Sequence[Trial] = field(default=(), init=False, repr=False)
    """Trials to compare with; only some rules look at them."""
    looked_at: int = field(default=0, init=False)
    """How many tensors it has looked at, each step counted."""

    @classmethod
    def from_texts(cls, texts: Mapping[str, str], other_trials: Sequence[Trial] = ()) -> Self:
        """The rule that RuleParameters ask for.

        Raises:
            ParameterRefused: they mean nothing.
        """
        rule = cls(**read(cls, texts))
        rule.other_trials = other_trials
        return rule

    @property
    def name(self) -> str:
        """As ``rule_to_invoke`` gives it."""
        return type(self).__name__

    def invoke_at_step(self, trial: Trial, step: int) -> Finding | None:
        """Look at one more step.

        Args:
            trial: the training's tensors, at least up to this step.
            step: a global step, greater than the one before.

        Returns:
            What was found, None when all is well so far.
        """
        with trial.frozen():
            return self.look(Reading(trial, step))

    @abstractmethod
    def look(self, at: Reading) -> Finding | None:
        """What :meth:`invoke_at_step` does."""

    def invoke_while_waiting(self, waited: float) -> Finding | None:
        """Look at the silence: no step has come for so many seconds."""
        return None

    def conclude(self, trial: Trial) -> Finding | None:
        """The training has ended and all of its steps were shown: is there more to say?"""
        return None

    def remark(self) -> str:
        """Why it could not say anything, as a sentence; empty when it could."""
        if self.looked_at:
            return ""
        return (
            f"It saw no {self.tensors_wanted}, so it could not say anything. "
            "See that DebugHookConfig saves them."
        )

    def found(
        self,
        at: Reading | int | None,
        message: str,
        tensors: Sequence[str] = (),
        advice: str = "",
        **numbers: Number,
    ) -> Finding:
        """A finding of this rule at a step."""
        return Finding(
            rule=self.name,
            message=message,
            advice=advice or self.advice,
            step=at.step if isinstance(at, Reading) else at,
            tensors=tuple(tensors[:SHOWN]),
            numbers=numbers,
        )
