"""Answering requests with a Linear Learner model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bottega.algorithms.linear_learner import artifact
from bottega.algorithms.linear_learner.schema import BINARY, REGRESSOR
from bottega.algorithms.records.answers import choose, encode
from bottega.algorithms.records.requests import parse

CONTENT_TYPES = (
    "application/json",
    "application/jsonlines",
    "application/x-recordio-protobuf",
    "text/csv",
)


@dataclass(frozen=True)
class Model:
    """A model that is ready to answer."""

    linear: artifact.LinearModel

    @classmethod
    def load(cls, folder: Path) -> Model:
        """Load the artifact in a folder.

        Raises:
            CustomerError: there is none.
        """
        return cls(artifact.load(folder))

    def outputs(self, features: Any) -> dict[str, Any]:
        """``score`` and, for classes, ``predicted_label`` of some rows.

        Args:
            features: rows x features, an array or a CSR matrix.
        """
        linear = self.linear
        margins = np.asarray(features @ linear.weights) + linear.bias
        if linear.predictor_type == REGRESSOR:
            return {"score": margins[:, 0]}
        if linear.predictor_type == BINARY:
            margins = margins[:, 0]
            labels = (margins > linear.cut).astype(np.int64)
            scores = _logistic(margins) if linear.loss == "logistic" else margins
            return {"score": scores, "predicted_label": labels}
        return {"score": _softmax(margins), "predicted_label": margins.argmax(axis=1)}


def predict(model: Model, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
    """Answer one request; see ``Algorithm.predict``."""
    media = choose(accept, content_type, CONTENT_TYPES)
    features = parse(body, content_type, width=model.linear.width, accepted=CONTENT_TYPES)
    return encode(model.outputs(features), media), media


def _logistic(margins: Any) -> Any:
    powers = np.exp(-np.abs(margins))
    return np.where(margins >= 0, 1.0, powers) / (1.0 + powers)


def _softmax(margins: Any) -> Any:
    powers = np.exp(margins - margins.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
