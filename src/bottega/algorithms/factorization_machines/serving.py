"""Answering requests with a Factorization Machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bottega.algorithms.factorization_machines import weights as artifact
from bottega.algorithms.factorization_machines.metrics import probabilities
from bottega.algorithms.factorization_machines.schema import BINARY
from bottega.algorithms.records.answers import choose, encode
from bottega.algorithms.records.requests import parse

CONTENT_TYPES = (
    "application/json",
    "application/jsonlines",
    "application/x-recordio-protobuf",
)
_BLOCK = 1 << 22


@dataclass(frozen=True)
class Model:
    """The weights, and what margins need."""

    weights: artifact.Weights
    squares: Any
    """``float32``, d: of each feature, the squared length of its factors."""
    binary: bool

    @classmethod
    def load(cls, folder: Path) -> Model:
        """Load the artifact in a folder.

        Raises:
            CustomerError: there is none, or it is damaged.
        """
        weights, predictor_type = artifact.load(folder)
        squares = np.einsum("df,df->d", weights.factors, weights.factors)
        return cls(weights, squares, predictor_type == BINARY)

    def outputs(self, rows: Any) -> dict[str, Any]:
        """``score`` and, for classes, ``predicted_label`` of some rows.

        Args:
            rows: ``float32``, n x d, an array or a CSR matrix.
        """
        step = max(1, _BLOCK // self.weights.factors.shape[1])
        margins = np.concatenate(
            [self._margins(rows[start : start + step]) for start in range(0, rows.shape[0], step)]
        )
        if not self.binary:
            return {"score": margins}
        scores = probabilities(margins)
        return {"score": scores, "predicted_label": (scores >= 0.5).astype(np.int64)}

    def _margins(self, rows: Any) -> Any:
        weights = self.weights
        if type(rows) is not np.ndarray and rows.shape[0] == 1:
            # The row alone, rather than scipy's way for any matrix.
            chosen, values = rows.indices, rows.data
            sums = (values @ weights.factors[chosen])[None]
            linear = values @ weights.linear[chosen]
            own = (values * values) @ self.squares[chosen]
        else:
            sums = np.asarray(rows @ weights.factors)
            linear = rows @ weights.linear
            powers = rows * rows if type(rows) is np.ndarray else rows.multiply(rows).tocsr()
            own = powers @ self.squares
        both = np.einsum("nf,nf->n", sums, sums)
        return weights.bias[0] + linear + np.float32(0.5) * (both - own)


def predict(model: Model, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
    """Answer one request; see ``Algorithm.predict``."""
    media = choose(accept, content_type, CONTENT_TYPES)
    rows = parse(body, content_type, width=model.weights.width, accepted=CONTENT_TYPES)
    return encode(model.outputs(rows), media), media
