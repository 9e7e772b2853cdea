"""The models that are trained side by side: which settings each of them has.

A setting that the user gave is the same in all of them; the others are varied. The first model has
the middle values, which is what a single model gets.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from bottega.algorithms.linear_learner.settings import Settings

_ADAPTIVE_RATES = (0.05, 0.01, 0.2, 0.1, 0.02, 0.5, 0.005, 0.002)
# Of sgd: shares of the largest step that is stable without momentum.
_GRADIENT_RATES = (0.3, 0.05, 1.0, 0.01, 2.0, 0.1, 0.5, 0.02)
_WD = (0.0, 1e-4, 1e-2, 1e-3, 1e-5, 1e-6, 0.1, 1e-7)
_L1 = (0.0, 1e-4, 1e-5, 1e-3, 1e-6, 1e-2, 1e-7, 1e-1)


@dataclass(frozen=True)
class Candidate:
    """The settings that differ from model to model."""

    learning_rate: float
    wd: float
    l1: float
    positive_weight: float
    """Weight of rows of class 1; 1 for other predictors than binary classifiers."""

    @property
    def bias_lr_mult(self) -> float:
        """What ``auto`` stands for: a small step is too slow for the bias, which may be far."""
        return max(1.0, min(10.0, 0.1 / self.learning_rate))


def candidates(
    settings: Settings, count: int, *, stable_rate: float, positive_weights: Sequence[float]
) -> list[Candidate]:
    """The settings of ``count`` models.

    Args:
        settings: what the user gave.
        count: how many models.
        stable_rate: a learning rate at which sgd does not diverge on these data.
        positive_weights: weights of the positive rows to try, best first.
    """
    rates: Sequence[float] = _ADAPTIVE_RATES
    if settings.optimizer == "sgd":
        rates = tuple(_rounded(share * stable_rate) for share in _GRADIENT_RATES)
    axes: list[Sequence[float]] = [
        rates if settings.learning_rate is None else (settings.learning_rate,),
        _WD if settings.wd is None else (settings.wd,),
        _L1 if settings.l1 is None else (settings.l1,),
        positive_weights,
    ]
    sizes = _sizes([len(axis) for axis in axes], count)
    # Nearest to the middle first; what one axis has no more of is repeated with other first
    # weights, as the user left nothing else to vary.
    places = sorted(itertools.product(*map(range, sizes)), key=lambda place: (sum(place), place))
    chosen = [places[number % len(places)] for number in range(count)]
    return [
        Candidate(*(axis[index] for axis, index in zip(axes, place, strict=True)))
        for place in chosen
    ]


def _sizes(available: Sequence[int], count: int) -> list[int]:
    """How many values of each axis to use: doubled in turn until there are enough models."""
    sizes = [1] * len(available)
    while math.prod(sizes) < count and any(s < a for s, a in zip(sizes, available, strict=True)):
        for axis, limit in enumerate(available):
            if math.prod(sizes) < count:
                sizes[axis] = min(2 * sizes[axis], limit)
    return sizes


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")
