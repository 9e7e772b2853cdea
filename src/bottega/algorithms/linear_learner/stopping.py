"""When to stop, and the best that each model has been."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


class Progress:
    """Follows the models from epoch to epoch.

    Args:
        models: how many models there are.
        classes: how many columns of weights each has.
        patience: how many epochs without improvement of the best model are too many.
        tolerance: an improvement of less than this share of the best value is none.
    """

    def __init__(self, models: int, classes: int, patience: int, tolerance: float) -> None:
        self._classes = classes
        self._patience = patience
        self._tolerance = tolerance
        self._bests = np.full(models, np.inf)
        self._weights: Any = None
        self._reference = np.inf
        self._waited = 0

    @property
    def exhausted(self) -> bool:
        """Whether the patience is at its end."""
        return self._waited >= self._patience

    @property
    def weights(self) -> Any:
        """The weights that each model had when it was best."""
        return self._weights

    @property
    def bests(self) -> Any:
        """The least loss of each model; infinite for one that never had any."""
        return self._bests

    def update(self, losses: Any, weights: Any, values: Any = None) -> None:
        """An epoch ended.

        Args:
            losses: of each model; its weights are kept when it has never had so little.
            weights: of the models.
            values: of each model, what the patience looks at, less being better; the losses when
                there is nothing else.
        """
        values = losses if values is None else values
        improved = losses < self._bests
        self._bests = np.where(improved, losses, self._bests)
        if self._weights is None or improved.all():
            self._weights = weights.copy()
        elif improved.any():
            columns = np.repeat(improved, self._classes)
            self._weights[:, columns] = weights[:, columns]
        best = float(values.min())
        if self._better(best):
            self._reference, self._waited = best, 0
        else:
            self._waited += 1

    def state(self) -> dict[str, Any]:
        """Everything that changes, as arrays."""
        return {
            "bests": self._bests,
            "best_weights": self._weights,
            "reference": np.array(self._reference),
            "waited": np.array(self._waited),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what :meth:`state` gave."""
        self._bests = np.array(state["bests"])
        self._weights = np.array(state["best_weights"])
        self._reference = float(state["reference"])
        self._waited = int(state["waited"])

    def _better(self, value: float) -> bool:
        if not np.isfinite(self._reference):
            return bool(np.isfinite(value))
        gain = self._reference - value
        return bool(gain > 0 and gain >= self._tolerance * abs(self._reference))
