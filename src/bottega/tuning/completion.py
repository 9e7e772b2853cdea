"""When no more trials are to start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bottega.tuning.trials import Trial, settled

IMPROVEMENT = 0.01
"""A trial improves the objective when it is better than the best before it by more than this share
of that."""

IMPROBABLE = 0.05
"""A search has converged when the next trial is at most this likely to improve the objective."""


@dataclass(frozen=True)
class Criteria:
    """What a tuning job ends by, apart from its time; None or False where it was not asked for."""

    most_trials: int | None
    target: float | None
    not_improving: int | None
    on_convergence: bool
    maximize: bool


def finished(criteria: Criteria, trials: Sequence[Trial]) -> str | None:
    """Why no more trials are to start, as a sentence; None when more may.

    Args:
        trials: all of the tuning job, running ones included.
    """
    if criteria.target is not None:
        for trial in settled(trials):
            assert trial.value is not None
            short = criteria.target - trial.value
            if (short if criteria.maximize else -short) <= 0:
                return f"The objective reached {trial.value:g}; the target was {criteria.target:g}."
    stuck = not_improving(criteria, trials)
    if criteria.not_improving is not None and stuck >= criteria.not_improving:
        return (
            f"{stuck} training jobs did not improve the objective by more than 1%; "
            f"MaxNumberOfTrainingJobsNotImproving is {criteria.not_improving}."
        )
    if criteria.on_convergence and converged(criteria, trials):
        return (
            f"The search has converged: {stuck} training jobs in a row did not improve the "
            "objective by more than 1%."
        )
    if criteria.most_trials is not None and len(trials) >= criteria.most_trials:
        return f"All {criteria.most_trials} training jobs were launched."
    return None


def not_improving(criteria: Criteria, trials: Sequence[Trial]) -> int:
    """NumberOfTrainingJobsObjectiveNotImproving: how many trials with an objective there are since
    the last that improved it by more than 1%.

    Improvement is measured from the last trial that improved, so that several small ones add up to
    one.
    """
    found, reference = 0, None
    for trial in settled(trials):
        value = trial.value
        assert value is not None
        if not criteria.maximize:
            value = -value
        if reference is None or value - reference > IMPROVEMENT * abs(reference):
            found, reference = 0, value
        else:
            found += 1
    return found


def converged(criteria: Criteria, trials: Sequence[Trial]) -> bool:
    """Whether the next trial is unlikely to improve the objective by more than 1%.

    After m trials in a row without an improvement, the rule of succession gives the next one a
    chance of 1 in m + 2.
    """
    return 1 / (not_improving(criteria, trials) + 2) <= IMPROBABLE
