"""A trained model, and how it is kept in ``model_algo-1``.

``weights`` (features x k) and ``bias`` (k) are for features as they are in the data:
``x @ weights + bias`` is all that a prediction takes. The facts in JSON say how to read the result;
k is 1, or the number of classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bottega.algorithms import zip_artifact
from bottega.algorithms.base import CustomerError

_NAME = "linear-learner"


@dataclass(frozen=True)
class LinearModel:
    """A trained model."""

    weights: Any
    """``float64``, features x k."""
    bias: Any
    """``float64``, k."""
    predictor_type: str
    loss: str
    cut: float
    """Margins above it mean class 1, for a binary classifier."""
    hyperparameters: Mapping[str, Any]
    """Of the model that was chosen, for people."""

    @property
    def width(self) -> int:
        """How many features a row has."""
        return int(self.weights.shape[0])

    @property
    def threshold(self) -> float:
        """The score above which the predicted label is 1."""
        if self.loss != "logistic":
            return self.cut
        return float(1 / (1 + np.exp(-np.clip(self.cut, -700, 700))))


def save(folder: Path, model: LinearModel) -> None:
    """Leave a model in a folder; the same model gives the same bytes."""
    facts = {
        "predictor_type": model.predictor_type,
        "loss": model.loss,
        "feature_dim": model.width,
        "num_classes": int(model.bias.size),
        "cut": model.cut,
        "threshold": model.threshold,
        "hyperparameters": dict(model.hyperparameters),
    }
    arrays = {"weights": np.ascontiguousarray(model.weights), "bias": model.bias}
    zip_artifact.save(folder, _NAME, facts, arrays)


def load(folder: Path) -> LinearModel:
    """Read what :func:`save` left.

    Raises:
        CustomerError: there is no such file, or it is damaged.
    """
    facts, arrays = zip_artifact.load(folder, _NAME, ("weights", "bias"))
    weights, bias = arrays["weights"], arrays["bias"]
    if weights.ndim != 2 or bias.shape != weights.shape[1:]:
        raise CustomerError(
            f"{zip_artifact.FILE} is no model of {_NAME}: weights and bias have the shapes "
            f"{weights.shape} and {bias.shape}."
        )
    try:
        return LinearModel(
            weights=weights.astype(np.float64),
            bias=bias.astype(np.float64),
            predictor_type=str(facts["predictor_type"]),
            loss=str(facts["loss"]),
            cut=float(facts["cut"]),
            hyperparameters=dict(facts["hyperparameters"]),
        )
    except (KeyError, ValueError, TypeError) as error:
        raise CustomerError(f"{zip_artifact.FILE} is no model of {_NAME}: {error}") from error
