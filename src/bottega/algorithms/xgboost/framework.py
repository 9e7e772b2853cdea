"""What the XGBoost image does where a user's inference script has no function of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bottega.algorithms.xgboost.serving import load_boosters, parse


def model_fn(model_dir: str) -> Any:
    """The booster in ``xgboost-model``.

    Raises:
        CustomerError: there is none, or it cannot be loaded.
    """
    return load_boosters(Path(model_dir))[0]


def input_fn(body: bytes, content_type: str) -> Any:
    """A matrix of the rows.

    Raises:
        RequestError: the body is not what it says it is.
    """
    import xgboost

    return xgboost.DMatrix(parse(body, content_type))


def predict_fn(data: Any, model: Any) -> Any:
    """What the booster predicts for a matrix."""
    return model.predict(data, validate_features=False)
