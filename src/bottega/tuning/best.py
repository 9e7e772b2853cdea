"""Which trial was best, and which hyperparameters made the difference."""

from __future__ import annotations

from collections.abc import Sequence

from bottega.tuning.optuna_study import OptunaStudy
from bottega.tuning.spaces import Range, contains
from bottega.tuning.trials import Trial, settled

FEWEST = 8
"""Importance is not told of fewer trials with an objective."""


def best(trials: Sequence[Trial], *, maximize: bool) -> Trial | None:
    """The trial with the best objective, the earliest of equals; None when none has one."""
    found = settled(trials)
    if not found:
        return None
    # Both take the first of equals.
    return (max if maximize else min)(found, key=lambda trial: trial.value or 0.0)


def importance(
    ranges: Sequence[Range], trials: Sequence[Trial], *, maximize: bool
) -> dict[str, float]:
    """How much each hyperparameter mattered, as shares that add up to 1, the largest first.

    Empty with too few trials, or when all objectives are the same. Hyperparameters with a single
    value do not appear. The same trials give the same shares.
    """
    found = [trial for trial in settled(trials) if contains(ranges, trial.parameters)]
    if len(found) < FEWEST or len({trial.value for trial in found}) == 1:
        return {}
    study = OptunaStudy(ranges, maximize=maximize)
    for trial in found:
        assert trial.value is not None
        study.finish(study.add(trial.parameters), trial.value)
    return study.importances()
