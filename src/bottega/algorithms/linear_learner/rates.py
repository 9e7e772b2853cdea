"""Learning rates and penalties by column, and how the rates fall with time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bottega.algorithms.linear_learner.grid import Candidate
from bottega.algorithms.linear_learner.settings import Settings

MINIMUM_SHARE = 1e-3
"""Below which share of itself a learning rate does not fall when nobody said so."""


class Rates:
    """Of all columns; row 0 of each array is for features, row 1 for the bias."""

    def __init__(self, settings: Settings, chosen: Sequence[Candidate]) -> None:
        def spread(values: Sequence[float]) -> Any:
            return np.repeat(np.array(values), settings.num_classes)

        given = settings.bias_lr_mult
        mults = spread([model.bias_lr_mult if given is None else given for model in chosen])
        self._settings = settings
        self._rates = spread([model.learning_rate for model in chosen])
        self._mults = np.stack([np.ones_like(mults), mults])
        wd = spread([model.wd for model in chosen])
        self._decays = np.stack([wd, wd * settings.bias_wd_mult]).astype(np.float32)
        l1 = spread([model.l1 for model in chosen])
        self._shrinks = np.stack([l1, np.zeros_like(l1)]).astype(np.float32)
        self.stopped = np.zeros(self._rates.size, dtype=bool)
        """Columns that learn no more."""
        self._falls = -1
        self._now: Any = None

    @property
    def penalties(self) -> tuple[Any, Any]:
        """L2 and L1 penalties, each 2 x P."""
        return self._decays, self._shrinks

    def stop(self, columns: Any) -> None:
        """These columns, too, learn no more."""
        self.stopped = self.stopped | columns
        self._falls = -1

    def at(self, step: int, batches: int | None) -> tuple[Any, Any, Any]:
        """Learning rates, L2 and L1 penalties, each 2 x P, ``float32``.

        Args:
            step: from 0.
            batches: how many steps an epoch has; None while that is not known.
        """
        settings = self._settings
        falls = 0
        if settings.use_lr_scheduler:
            every = settings.lr_scheduler_step or batches
            falls = 0 if every is None else step // every
        if falls != self._falls:
            minimum = settings.lr_scheduler_minimum_lr
            least = self._rates * MINIMUM_SHARE if minimum is None else minimum
            rates = self._rates * settings.lr_scheduler_factor**falls
            # A given minimum may be above the rate itself, which then stays as it is.
            rates = np.maximum(rates, np.minimum(least, self._rates))
            rates = np.where(self.stopped, 0, rates)
            self._now = (rates * self._mults).astype(np.float32)
            self._falls = falls
        return self._now, self._decays, self._shrinks
