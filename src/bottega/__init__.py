"""Bottega: an open SageMaker that runs where you are.

>>> import bottega
>>> studio = bottega.connect()  # doctest: +SKIP
>>> job = studio.train(
...     "xgboost", data=df, target="y", objective="binary:logistic"
... )  # doctest: +SKIP
>>> endpoint = job.deploy()  # doctest: +SKIP
>>> endpoint.predict(rows)  # doctest: +SKIP

Everything public is imported on first use, so that ``import bottega`` stays light.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bottega.errors import BottegaError
    from bottega.sdk.endpoint import Endpoint
    from bottega.sdk.session import Session, connect
    from bottega.sdk.training_job import TrainingJob

__all__ = ["BottegaError", "Endpoint", "Session", "TrainingJob", "__version__", "connect"]

_PUBLIC = {
    "BottegaError": "bottega.errors",
    "Endpoint": "bottega.sdk.endpoint",
    "Session": "bottega.sdk.session",
    "TrainingJob": "bottega.sdk.training_job",
    "connect": "bottega.sdk.session",
}


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("bottega")
    except PackageNotFoundError:  # run from a source tree that was never installed
        return "0.0.0+source"


def __getattr__(name: str) -> Any:
    if name == "__version__":
        value = globals()["__version__"] = _version()
        return value
    if name in _PUBLIC:
        value = globals()[name] = getattr(importlib.import_module(_PUBLIC[name]), name)
        return value
    raise AttributeError(f"module 'bottega' has no attribute {name!r}")
