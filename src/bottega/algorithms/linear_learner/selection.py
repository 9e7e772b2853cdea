"""Which of the models is the best one, and at which threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bottega.algorithms.base import CustomerError
from bottega.algorithms.linear_learner.calibration import Calibration, calibrate
from bottega.algorithms.linear_learner.losses import Logistic, Loss
from bottega.algorithms.linear_learner.scoring import Scored
from bottega.algorithms.linear_learner.settings import Settings
from bottega.algorithms.linear_learner.workers import Workers

_SCORES = 64 << 20
"""Bytes of scores that calibration looks at where nobody said how many rows."""


@dataclass(frozen=True)
class Choice:
    """The best model."""

    model: int
    cut: float
    """Its threshold of margins; 0 for other predictors than binary classifiers."""
    reached: bool
    """Whether it reaches the target recall or precision, if there is one."""


def calibrated(settings: Settings) -> bool:
    """Whether thresholds are looked for: not when models are chosen by a loss."""
    criterion = settings.binary_classifier_model_selection_criteria
    return settings.binary and criterion not in ("cross_entropy_loss", "loss_function")


def calibration_rows(settings: Settings, models: int, hosts: int) -> int:
    """How many rows each host gives for the calibration of so many models."""
    if settings.num_calibration_samples is not None:
        return -(-settings.num_calibration_samples // hosts)
    return max(1, _SCORES // (4 * models * settings.num_classes * hosts))


def selection_loss(settings: Settings, objective: Loss, columns: int) -> Loss:
    """The loss that models are chosen by: the objective, or the plain cross entropy."""
    criterion = settings.binary_classifier_model_selection_criteria
    if settings.binary and criterion == "cross_entropy_loss":
        return Logistic(np.ones(columns, dtype=np.float32))
    return objective


def costs(
    scored: Scored, settings: Settings, workers: Workers
) -> tuple[Any, list[Calibration] | None]:
    """What the criterion says of each model, less being better, and their thresholds if any.

    The cost of a model that is broken is infinite.
    """
    if not calibrated(settings):
        return scored.losses, None

    def some(models: slice) -> list[Calibration]:
        return [
            calibrate(scored.margins[:, model], scored.labels, settings)
            if np.isfinite(scored.losses[model])
            else Calibration(0.0, -np.inf)
            for model in range(models.start, models.stop)
        ]

    # Sorting takes as long as a hundred multiplications for each row.
    parts = workers.parts(scored.losses.size, 100 * scored.labels.size)
    found = [item for part in workers.run(some, parts) for item in part]
    values = np.array([item.value if item.reached else item.value - 2 for item in found])
    return -values, found


def choose(scored: Scored, settings: Settings, bests: Any, workers: Workers) -> Choice:
    """The best model; of equally good ones the one with the least loss.

    Args:
        scored: the models.
        settings: with the criterion.
        bests: what each was in its best epoch; infinite for one that never was any good.
        workers: share the models.

    Raises:
        CustomerError: none of them is usable.
    """
    values, found = costs(scored, settings, workers)
    usable = np.isfinite(scored.losses) & np.isfinite(bests)
    if not usable.any():
        raise CustomerError(
            "The training diverged: no weights are numbers any more. Use a smaller learning_rate, "
            "or normalize_data=true."
        )
    order = np.lexsort((scored.losses, np.where(usable, values, np.inf)))
    model = int(order[0])
    if found is None:
        return Choice(model, 0.0, reached=True)
    return Choice(model, found[model].cut, found[model].reached)
