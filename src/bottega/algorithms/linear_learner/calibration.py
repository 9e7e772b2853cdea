"""The threshold of a binary classifier: every one that makes a difference is tried."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bottega.algorithms.linear_learner.ordering import restored, sorted_with_labels
from bottega.algorithms.linear_learner.settings import Settings


@dataclass(frozen=True)
class Calibration:
    """A threshold and what it gives."""

    cut: float
    """Rows with a margin above it are of class 1."""
    value: float
    """Of the criterion; more is better."""
    reached: bool = True
    """False when no threshold reaches the target recall or precision."""


def calibrate(margins: Any, labels: Any, settings: Settings) -> Calibration:
    """Find the threshold that is best by ``binary_classifier_model_selection_criteria``.

    Of equally good ones it is the one next to 0; it lies halfway between two margins.

    Args:
        margins: ``float32``, of at least one row.
        labels: 0 or 1 for each.
        settings: the criterion (none of the losses) and its targets.
    """
    ranked, ones = sorted_with_labels(np.ascontiguousarray(margins), labels > 0)
    # A cut has so many rows below it: none, all, or a number at which margins differ.
    inner = np.flatnonzero(ranked[1:] != ranked[:-1]) + 1
    below = np.concatenate(([0], inner, [ranked.size]))
    positives = int(ones.sum())
    ones_below = np.concatenate(([0], np.cumsum(ones)[inner - 1], [positives]))
    values, reached = _values(
        ranked.size - below, positives - ones_below, positives, ranked.size, settings
    )
    best = np.flatnonzero(values == values.max())
    lowest, highest = _gaps(ranked, below[best])
    # Where 0 lies in such a gap it is as good as the middle.
    inside = (lowest <= 0) & (highest > 0)
    middles = np.where(inside, 0.0, lowest + (highest - lowest) / 2)
    place = int(np.argmin(np.abs(middles)))
    return Calibration(float(middles[place]), float(values[best[place]]), reached)


def _values(
    predicted: Any, hits: Any, positives: int, rows: int, settings: Settings
) -> tuple[Any, bool]:
    """The criterion for each number of rows that are predicted to be of class 1."""
    criterion = settings.binary_classifier_model_selection_criteria
    if criterion == "accuracy":
        # Of the rows above the cut those of class 1, of the rows below it those of class 0.
        return (2 * hits + (rows - positives) - predicted) / rows, True
    recall = hits / max(1, positives)
    precision = hits / np.maximum(1, predicted)
    if criterion in ("f1", "f_beta"):
        square = 1.0 if criterion == "f1" else settings.f_beta**2
        # The same as the usual formula, without its division of 0 by 0.
        return (1 + square) * hits / np.maximum(1, square * positives + predicted), True
    if criterion == "precision_at_target_recall":
        return _at_target(precision, recall, settings.target_recall)
    return _at_target(recall, precision, settings.target_precision)


def _at_target(wanted: Any, bound: Any, target: float) -> tuple[Any, bool]:
    """What is wanted where the bound reaches its target; else whatever comes nearest to that."""
    enough = bound >= target
    if enough.any():
        return np.where(enough, wanted, -1.0), True
    return bound - 1.0, False


def _gaps(ranked: Any, below: Any) -> tuple[Any, Any]:
    """Between which margins a cut lies that has so many rows below it."""
    least, most = (float(restored(ranked[place])) for place in (0, -1))
    span = max(1.0, most - least)
    under = np.where(below > 0, restored(ranked[below - 1]), least - span)
    over = np.where(
        below < ranked.size, restored(ranked[np.minimum(below, ranked.size - 1)]), most + span
    )
    return under.astype(np.float64), over.astype(np.float64)
