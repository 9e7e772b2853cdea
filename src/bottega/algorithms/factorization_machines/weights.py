"""What a Factorization Machine has learned: its bias, linear weights and factors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bottega.algorithms import zip_artifact
from bottega.algorithms.base import CustomerError
from bottega.algorithms.factorization_machines.schema import BINARY, REGRESSOR

NAME = "factorization-machines"
SEED = 0


@dataclass
class Weights:
    """Changed in place by training; all in single precision."""

    bias: Any
    """1 number, in an array."""
    linear: Any
    """d."""
    factors: Any
    """d x f."""

    @property
    def width(self) -> int:
        """How many features a row has."""
        return int(self.factors.shape[0])

    @classmethod
    def begin(cls, values: Mapping[str, Any]) -> Weights:
        """What training begins with, as the hyperparameters say."""
        random = np.random.default_rng(SEED)
        width, factors = values["feature_dim"], values["num_factors"]
        return cls(
            bias=_begin("bias", (1,), values, random),
            linear=_begin("linear", (width,), values, random),
            factors=_begin("factors", (width, factors), values, random),
        )

    def save(self, folder: Path, predictor_type: str) -> None:
        """Leave the artifact in a folder."""
        facts = {
            "predictor_type": predictor_type,
            "feature_dim": self.width,
            "num_factors": int(self.factors.shape[1]),
        }
        arrays = {"bias": self.bias, "linear": self.linear, "factors": self.factors}
        zip_artifact.save(folder, NAME, facts, arrays)


def load(folder: Path) -> tuple[Weights, str]:
    """Read an artifact: the weights and the type of predictor.

    Raises:
        CustomerError: there is none, or it is damaged.
    """
    facts, arrays = zip_artifact.load(folder, NAME, ("bias", "linear", "factors"))
    weights = Weights(**arrays)
    fits = (
        weights.factors.ndim == 2
        and weights.linear.shape == weights.factors.shape[:1]
        and weights.bias.shape == (1,)
    )
    kind = facts.get("predictor_type")
    if not fits or kind not in (BINARY, REGRESSOR):
        raise CustomerError("The parts of the model do not fit together; it is damaged.")
    return weights, str(kind)


def _begin(
    part: str, shape: tuple[int, ...], values: Mapping[str, Any], random: np.random.Generator
) -> Any:
    method = values[f"{part}_init_method"]
    if method == "constant":
        return np.full(shape, values[f"{part}_init_value"], dtype=np.float32)
    if method == "uniform":
        found = random.random(shape, dtype=np.float32)
        found -= np.float32(0.5)
        found *= np.float32(2 * values[f"{part}_init_scale"])
        return found
    found = random.standard_normal(shape, dtype=np.float32)
    found *= np.float32(values[f"{part}_init_sigma"])
    return found
