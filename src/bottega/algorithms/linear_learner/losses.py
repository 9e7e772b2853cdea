"""The losses: of a margin (what a linear model gives for a row) and a label.

Each call gives losses and their derivatives for all columns at once. Losses of regression are in
the units of the label, whatever scale the training uses; their derivatives are on that scale.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from bottega.algorithms.linear_learner import kernels
from bottega.algorithms.linear_learner.scaling import Scaling
from bottega.algorithms.linear_learner.settings import Settings


@dataclass
class LossSums:
    """Sums over rows: for each model of the weighted loss, and of the weights."""

    losses: Any
    weights: Any

    @classmethod
    def of(cls, models: int) -> LossSums:
        return cls(np.zeros(models), np.zeros(models))

    def add(self, others: LossSums) -> None:
        """Add the sums over other rows."""
        self.losses += others.losses
        self.weights += others.weights

    def means(self) -> Any:
        """The mean loss of each model; infinite where it is no number."""
        means = self.losses / np.maximum(self.weights, np.finfo(float).tiny)
        return np.where(np.isfinite(means), means, np.inf)


class Loss(ABC):
    """A loss over all columns."""

    unit = 1.0
    """What a loss of 1 on the scale of the training is in units of the label."""

    @abstractmethod
    def slope(self, margins: Any, labels: Any, sums: LossSums) -> Any:
        """Add the losses of some rows up, and give their derivatives.

        Args:
            margins: rows x P, ``float32``; overwritten.
            labels: of the rows, on the scale of the training.
            sums: added to.

        Returns:
            rows x P, derivatives with respect to the margins; may be ``margins``.
        """

    @property
    def curvature(self) -> float:
        """About the largest second derivative, for the size of a stable step."""
        return 1.0


class Logistic(Loss):
    """Cross entropy of two classes; rows of class 1 have a weight by column."""

    curvature = 0.25

    def __init__(self, positive: Any) -> None:
        self._positive = positive

    def slope(self, margins: Any, labels: Any, sums: LossSums) -> Any:
        powers = np.abs(margins)
        np.negative(powers, out=powers)
        np.exp(powers, out=powers)
        kernels.logistic(margins, powers, labels, self._positive, sums.losses, sums.weights)
        return margins


class Hinge(Loss):
    """``max(0, margin - y z)`` with y of -1 and 1."""

    def __init__(self, positive: Any, margin: float) -> None:
        self._positive = positive
        self._margin = np.float32(margin)

    def slope(self, margins: Any, labels: Any, sums: LossSums) -> Any:
        ones = labels > 0
        signs = np.where(ones, np.float32(1), np.float32(-1))[:, None]
        weights = np.where(ones[:, None], self._positive, np.float32(1))
        slack = self._margin - signs * margins
        np.maximum(slack, 0, out=slack)
        sums.losses += (weights * slack).sum(axis=0, dtype=np.float64)
        sums.weights += weights.sum(axis=0, dtype=np.float64)
        return np.where(slack > 0, -signs * weights, np.float32(0))


class Softmax(Loss):
    """Cross entropy of several classes, which each have a weight."""

    curvature = 0.5

    def __init__(self, class_weights: Any) -> None:
        self._weights = class_weights

    def slope(self, margins: Any, labels: Any, sums: LossSums) -> Any:
        models = sums.losses.size
        true = np.empty((labels.size, models), dtype=np.float32)
        kernels.softmax_shift(margins, labels, models, true)
        np.exp(margins, out=margins)
        kernels.softmax(margins, true, labels, self._weights, sums.losses, sums.weights)
        return margins


class _Regression(Loss):
    """A loss of the difference between margin and label.

    Args:
        unit: what a loss of 1 on the scale of the training is in units of the label.
        parameter: the loss's own setting, on the scale of the training where it is a difference.
    """

    def __init__(self, unit: float = 1.0, parameter: float = 0.0) -> None:
        self.unit = unit
        self.parameter = np.float32(parameter)

    def slope(self, margins: Any, labels: Any, sums: LossSums) -> Any:
        margins -= labels[:, None]
        losses, slopes = self._of(margins)
        sums.losses += losses.sum(axis=0, dtype=np.float64) * self.unit
        sums.weights += labels.size
        return slopes

    @abstractmethod
    def _of(self, errors: Any) -> tuple[Any, Any]:
        """The losses of errors, and their derivatives."""


class Squared(_Regression):
    """The square of the error."""

    curvature = 2.0

    def _of(self, errors: Any) -> tuple[Any, Any]:
        return errors * errors, np.multiply(errors, 2, out=errors)


class Absolute(_Regression):
    """The size of the error."""

    def _of(self, errors: Any) -> tuple[Any, Any]:
        return np.abs(errors), np.sign(errors)


class InsensitiveAbsolute(_Regression):
    """How much larger the error is than what is tolerated."""

    def _of(self, errors: Any) -> tuple[Any, Any]:
        over = np.maximum(np.abs(errors) - self.parameter, 0)
        return over, np.where(over > 0, np.sign(errors), np.float32(0))


class InsensitiveSquared(_Regression):
    """The square of how much larger the error is than what is tolerated."""

    curvature = 2.0

    def _of(self, errors: Any) -> tuple[Any, Any]:
        over = np.maximum(np.abs(errors) - self.parameter, 0)
        return over * over, np.copysign(2 * over, errors)


class Quantile(_Regression):
    """The size of the error, weighted so that the parameter's quantile has the least."""

    def _of(self, errors: Any) -> tuple[Any, Any]:
        slopes = np.where(errors < 0, -self.parameter, 1 - self.parameter)
        return slopes * errors, slopes


class Huber(_Regression):
    """Half the square of a small error; grows linearly from the parameter on."""

    def _of(self, errors: Any) -> tuple[Any, Any]:
        slopes = np.clip(errors, -self.parameter, self.parameter)
        return slopes * (errors - slopes / 2), slopes


def loss_of(
    settings: Settings, scaling: Scaling, *, positive: Any = None, class_weights: Any = None
) -> Loss:
    """The loss of these settings.

    Args:
        settings: which, and its own settings.
        scaling: of the labels.
        positive: ``float32`` for each column, the weight of rows of class 1; binary only.
        class_weights: ``float32`` by class; multiclass only.
    """
    scale, name = scaling.label_scale, settings.loss
    if name == "logistic":
        return Logistic(positive)
    if name == "hinge_loss":
        return Hinge(positive, settings.margin)
    if name == "softmax_loss":
        return Softmax(class_weights)
    if name == "squared_loss":
        return Squared(scale**2)
    if name == "absolute_loss":
        return Absolute(scale)
    if name == "quantile_loss":
        return Quantile(scale, settings.quantile)
    if name == "huber_loss":
        return Huber(scale**2, settings.huber_delta / scale)
    tolerated = settings.loss_insensitivity / scale
    if name == "eps_insensitive_absolute_loss":
        return InsensitiveAbsolute(scale, tolerated)
    return InsensitiveSquared(scale**2, tolerated)
