"""Answering requests with a K-Means model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bottega.algorithms import zip_artifact
from bottega.algorithms.base import CustomerError
from bottega.algorithms.records.answers import choose, encode
from bottega.algorithms.records.requests import parse

CONTENT_TYPES = (
    "application/json",
    "application/jsonlines",
    "application/x-recordio-protobuf",
    "text/csv",
)
_BLOCK = 1 << 22


@dataclass(frozen=True)
class Model:
    """The centres, and what their distances need."""

    centers: Any
    """``float32``, k x d."""
    middle: Any
    """``float64``, d: the mean of the centres; distances are taken from there."""
    turned: Any
    """``float64``, d x k: the centres less the middle, times -2."""
    norms: Any
    """``float64``, k: their squared lengths."""

    @classmethod
    def load(cls, folder: Path) -> Model:
        """Load the artifact in a folder.

        Raises:
            CustomerError: there is none, or it is damaged.
        """
        _, arrays = zip_artifact.load(folder, "kmeans", ("centers",))
        centers = arrays["centers"]
        if centers.ndim != 2 or not centers.size or not np.isfinite(centers).all():
            raise CustomerError("The model holds no centres, or some that are no numbers.")
        middle = centers.mean(axis=0, dtype=np.float64)
        near = centers - middle
        return cls(
            centers=centers,
            middle=middle,
            turned=np.ascontiguousarray(-2.0 * near.T),
            norms=np.einsum("kd,kd->k", near, near),
        )

    def closest(self, rows: Any) -> tuple[Any, Any]:
        """The number of the closest centre of each row, and the distance to it.

        Args:
            rows: ``float32``, n x d, an array or a CSR matrix.
        """
        if type(rows) is not np.ndarray:
            rows = rows.toarray()
        near = rows - self.middle
        products = near @ self.turned
        products += self.norms
        closest = products.argmin(axis=1)
        near = rows - self.centers[closest].astype(np.float64)
        return closest, np.sqrt(np.einsum("nd,nd->n", near, near))


def predict(model: Model, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
    """Answer one request; see ``Algorithm.predict``."""
    media = choose(accept, content_type, CONTENT_TYPES)
    width = model.centers.shape[1]
    rows = parse(body, content_type, width=width, accepted=CONTENT_TYPES)
    # Blocks, so that a large request needs little more memory than its rows.
    block = max(1, _BLOCK // max(width, model.norms.size))
    found = [model.closest(rows[start : start + block]) for start in range(0, rows.shape[0], block)]
    columns = {
        "closest_cluster": np.concatenate([part[0] for part in found]).astype(np.float32),
        "distance_to_cluster": np.concatenate([part[1] for part in found]).astype(np.float32),
    }
    return encode(columns, media), media
