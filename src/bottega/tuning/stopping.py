"""Which running trial to stop, because it promises less than others did when they were as far.

Two rules. *Median* (TrainingJobEarlyStoppingType Auto): a trial whose objective is worse than the
median of the earlier trials' running averages up to the same step. *Rungs* (Hyperband):
asynchronous successive halving. Rungs lie at MinResource times powers of three; at each, a trial
goes on if it is in the best third of all that have come so far, whether they go on or not. So
nobody waits for a rung to fill. As in Hyperband, trials are dealt to brackets: the higher the
bracket, the later the first rung that a trial is judged at, for configurations that learn slowly.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from statistics import median

from bottega.tuning.curves import learned
from bottega.tuning.rungs import ETA, bracket, rungs
from bottega.tuning.search import SearchPlan
from bottega.tuning.trials import Trial, better

FEWEST_EARLIER = 3
"""How many earlier trials a median is taken of at least."""

_LONGEST = 20_000

RESOURCE_KEYS = ("epochs", "numepochs", "n-epochs", "n_epochs", "num_epochs", "num_round")
"""Static hyperparameters that say how long a training is: those that SageMaker reads, and that of
XGBoost."""


def weak(
    plan: SearchPlan, trial: Trial, trials: Sequence[Trial], *, early_stopping: bool
) -> str | None:
    """Why a running trial should be stopped now, as a sentence; None when it should go on.

    Args:
        plan: of the trial's definition; the rungs are judged with strategy Hyperband.
        trial: the one to judge, as far as its course is known.
        trials: all of the definition, this one included or not.
        early_stopping: whether TrainingJobEarlyStoppingType is Auto. Of no effect with Hyperband,
            which stops by itself.
    """
    if trial.state != "running" or not trial.course:
        return None
    others = [other for other in trials if other.number != trial.number]
    if plan.strategy == "Hyperband":
        return _judged_at_rung(plan, trial, others)
    return _judged_by_median(plan, trial, others) if early_stopping else None


def max_resource(static: Mapping[str, str]) -> int | None:
    """How long a training is by its static hyperparameters: Hyperband's MaxResource where the
    request has none; None when they do not say it."""
    for name in RESOURCE_KEYS:
        text = static.get(name, "").strip().strip('"')
        if text.isdecimal() and 1 <= int(text) <= _LONGEST:
            return int(text)
    return None


def _judged_at_rung(plan: SearchPlan, trial: Trial, others: Sequence[Trial]) -> str | None:
    if plan.max_resource is not None and trial.steps >= plan.max_resource:
        return f"It reached MaxResource ({plan.max_resource})."
    longest = max(other.steps for other in (trial, *others))
    all_rungs = rungs(plan.min_resource, plan.max_resource, longest)
    judged = [
        rung for rung in all_rungs[bracket(trial.number, len(all_rungs)) :] if rung <= trial.steps
    ]
    if not judged:
        return None
    rung = judged[-1]
    own = trial.at(rung)
    if own is None:
        return f"Its objective metric at step {rung} is not a number."
    came = [other for other in others if other.at(rung) is not None]
    rank, by = _ranking((trial, *others), rung, plan.max_resource or longest)
    going_on = max(1, (len(came) + 1) // ETA)
    mine = rank(trial)
    ahead = sum(better(rank(other), mine, maximize=plan.maximize) for other in came)
    if ahead < going_on:
        return None
    return (
        f"Its objective metric at step {rung} was {own:g}; of {len(came) + 1} trials that came "
        f"so far {ahead} {by}, and the best {going_on} go on."
    )


def _ranking(trials: Sequence[Trial], rung: int, end: int) -> tuple[Callable[[Trial], float], str]:
    """What trials that came to a rung are compared by there, and how that is said of those ahead:
    the end that their courses promise once enough trials have ended, until then the value."""
    curves = learned(trials, rung, end)

    def rank(trial: Trial) -> float:
        value = trial.at(rung) if curves is None else curves.promise(trial)
        if value is None:
            raise ValueError(f"trial {trial.number} did not come to step {rung}")
        return value

    return rank, "were better" if curves is None else "promise a better end"


def _judged_by_median(plan: SearchPlan, trial: Trial, others: Sequence[Trial]) -> str | None:
    step, own = trial.steps, trial.at(trial.steps)
    averages = [
        average
        for other in others
        if other.number < trial.number and (average := running_average(other, step)) is not None
    ]
    if len(averages) < FEWEST_EARLIER:
        return None
    middle = median(averages)
    if own is not None and not better(middle, own, maximize=plan.maximize):
        return None
    shown = "not a number" if own is None else f"{own:g}"
    return (
        f"Its objective metric at step {step} was {shown}, worse than {middle:g}, the median of "
        f"the running averages of {len(averages)} earlier trials."
    )


def running_average(trial: Trial, step: int) -> float | None:
    """The mean of the objective metric up to a step; None when the trial did not come so far."""
    here = trial.at(step)
    if here is None:
        return None
    place = bisect_right(trial.course, step, key=lambda point: point[0])
    # Before the first value that is a number there is the one that ``at`` gave.
    found = trial.averages[place - 1] if place else math.nan
    return found if math.isfinite(found) else here
