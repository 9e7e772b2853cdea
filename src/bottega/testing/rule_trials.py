"""Rules shown to trials that are made of a few arrays, for tests of rules and reports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bottega.debugger.findings import Finding
from bottega.debugger.rules.rule import Rule
from bottega.debugger.tensors.trial import Trial
from bottega.testing.trials import RecordedTrial


def trial_of_steps(
    steps: Iterable[Mapping[str, Any]],
    *,
    collections: Mapping[str, str | Iterable[str]] | None = None,
    modes: Sequence[str] = (),
) -> Trial:
    """A training that has ended, in memory.

    Args:
        steps: for each step the tensors that were saved, by name; empty where none was.
        collections: for each collection the expressions of its tensors' names.
        modes: what each step is of; GLOBAL where there are fewer.
    """
    played = RecordedTrial(collections)
    for place, tensors in enumerate(steps):
        played.step(tensors, modes[place] if place < len(modes) else "GLOBAL")
    played.end()
    return played.trial


def first_finding(rule: Rule, trial: Trial) -> Finding | None:
    """What a rule finds first in a training that has ended."""
    for step in trial.steps():
        finding = rule.invoke_at_step(trial, step)
        if finding is not None:
            return finding
    return rule.conclude(trial)
