"""How well margins fit labels, added up over batches and hosts."""

from __future__ import annotations

from typing import Any

import numpy as np

from bottega.algorithms.factorization_machines.schema import BINARY

_SUMS = 7


def probabilities(margins: Any) -> Any:
    """The chance of class 1, in the precision of the margins."""
    powers = np.exp(-np.abs(margins))
    return np.where(margins >= 0, 1, powers) / (1 + powers)


class Score:
    """Running sums from which the metrics of a type of predictor follow."""

    def __init__(self, predictor_type: str) -> None:
        self._binary = predictor_type == BINARY
        self.sums = np.zeros(_SUMS)
        """What hosts add up to speak of all rows."""

    def add(self, margins: Any, labels: Any) -> None:
        """Count the rows of a batch.

        Args:
            margins: n; what the model says.
            labels: n; 0 and 1 for a classifier.
        """
        margins = margins.astype(np.float64)
        if self._binary:
            positive, found = labels > 0.5, margins >= 0
            losses = np.logaddexp(0.0, np.where(positive, -margins, margins))
            more = (
                (positive == found).sum(),
                losses.sum(),
                (positive & found).sum(),
                (~positive & found).sum(),
                (positive & ~found).sum(),
            )
        else:
            errors = margins - labels
            more = (errors @ errors, np.abs(errors).sum(), 0, 0, 0)
        self.sums[0] += labels.size
        self.sums[1 : 1 + len(more)] += more

    @property
    def rows(self) -> int:
        """How many were counted."""
        return int(self.sums[0])

    def values(self) -> dict[str, float]:
        """Each metric by the name that log lines give it."""
        rows = max(1.0, self.sums[0])
        if not self._binary:
            mse = self.sums[1] / rows
            return {
                "rmse": float(np.sqrt(mse)),
                "mse": float(mse),
                "absolute_loss": float(self.sums[2] / rows),
            }
        right, losses, hits, wrong, missed = self.sums[1:6]
        return {
            "binary_classification_accuracy": float(right / rows),
            "binary_classification_cross_entropy": float(losses / rows),
            "binary_f_1.000": float(2 * hits / max(1.0, 2 * hits + wrong + missed)),
        }
