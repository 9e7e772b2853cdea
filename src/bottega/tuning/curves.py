"""What the beginning of a trial's course promises of its end.

Who is ahead early need not be ahead at the end: a small learning rate begins slowly. So trials are
compared at a rung not by where they are but by where those ended that looked alike there: a ridge
regression of the end on the value at the rung and on the way since the rung before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, pstdev

from bottega.tuning.rungs import ETA
from bottega.tuning.trials import Trial

ENOUGH = 8
"""How many trials have to have come to the end before anything is concluded from them."""

RIDGE = 1.0
"""How many trials the assumption that nothing follows from the beginning weighs."""

LARGEST = 1e100
"""Objectives beyond this, of trainings that diverge, count as this."""

_Features = tuple[float, float]


@dataclass(frozen=True)
class Curves:
    """How the end followed from the value at a rung and from the way to it."""

    rung: int
    mean: float
    """Of the ends."""
    middle: _Features
    scale: _Features
    weights: _Features

    def promise(self, trial: Trial) -> float | None:
        """The end that a trial promises; None when it is not known to have come to the rung."""
        features = _features(trial, self.rung)
        if features is None:
            return None
        first, second = _scaled(features, self.middle, self.scale)
        return self.mean + self.weights[0] * first + self.weights[1] * second


def learned(trials: Sequence[Trial], rung: int, end: int) -> Curves | None:
    """What the trials that came to the end teach of a rung; None while they are too few, or when
    all of them were at the same place there.

    Args:
        end: the step at which trainings end.
    """
    known = [
        (features, value)
        for trial in trials
        if (features := _features(trial, rung)) is not None and (value := trial.at(end)) is not None
    ]
    if len(known) < ENOUGH:
        return None
    first, second = zip(*(features for features, _ in known), strict=True)
    middle = (fmean(first), fmean(second))
    scale = (pstdev(first), pstdev(second))
    if not any(scale):
        return None
    mean = fmean(_bounded(value) for _, value in known)
    rows = [_scaled(features, middle, scale) for features, _ in known]
    ends = [_bounded(value) - mean for _, value in known]
    a = sum(row[0] * row[0] for row in rows) + RIDGE
    b = sum(row[0] * row[1] for row in rows)
    d = sum(row[1] * row[1] for row in rows) + RIDGE
    p = sum(row[0] * value for row, value in zip(rows, ends, strict=True))
    q = sum(row[1] * value for row, value in zip(rows, ends, strict=True))
    # Positive, as of any such matrix with a ridge.
    determinant = a * d - b * b
    weights = ((d * p - b * q) / determinant, (a * q - b * p) / determinant)
    return Curves(rung, mean, middle, scale, weights)


def _features(trial: Trial, rung: int) -> _Features | None:
    """The value at a rung, and how much of it came since the rung before."""
    here = trial.at(rung)
    if here is None:
        return None
    before = trial.at(max(1, rung // ETA))
    here = _bounded(here)
    return here, 0.0 if before is None else here - _bounded(before)


def _bounded(value: float) -> float:
    """A value whose square is a number."""
    return min(max(value, -LARGEST), LARGEST)


def _scaled(features: _Features, middle: _Features, scale: _Features) -> _Features:
    first, second = (
        (value - mean) / spread if spread else 0.0
        for value, mean, spread in zip(features, middle, scale, strict=True)
    )
    return first, second
