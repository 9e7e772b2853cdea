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
    from bottega.sdk.flow import Flow
    from bottega.sdk.notebook_job import NotebookJob
    from bottega.sdk.session import Session, connect
    from bottega.sdk.training_job import TrainingJob
    from bottega.sdk.tuning_job import TuningJob
    from bottega.widgets import (
        DataWrangler,
        DebuggerReport,
        EndpointTester,
        JobMonitor,
        TrainingLauncher,
        TuningMonitor,
        show,
    )
    from bottega.wrangler.transformer import FlowTransformer

__all__ = [
    "BottegaError",
    "DataWrangler",
    "DebuggerReport",
    "Endpoint",
    "EndpointTester",
    "Flow",
    "FlowTransformer",
    "JobMonitor",
    "NotebookJob",
    "Session",
    "TrainingJob",
    "TrainingLauncher",
    "TuningJob",
    "TuningMonitor",
    "__version__",
    "connect",
    "load_ipython_extension",
    "show",
]

_PUBLIC = {
    "BottegaError": "bottega.errors",
    "DataWrangler": "bottega.widgets",
    "DebuggerReport": "bottega.widgets",
    "Endpoint": "bottega.sdk.endpoint",
    "EndpointTester": "bottega.widgets",
    "Flow": "bottega.sdk.flow",
    "FlowTransformer": "bottega.wrangler.transformer",
    "JobMonitor": "bottega.widgets",
    "NotebookJob": "bottega.sdk.notebook_job",
    "Session": "bottega.sdk.session",
    "TrainingJob": "bottega.sdk.training_job",
    "TrainingLauncher": "bottega.widgets",
    "TuningJob": "bottega.sdk.tuning_job",
    "TuningMonitor": "bottega.widgets",
    "connect": "bottega.sdk.session",
    "show": "bottega.widgets",
}


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("bottega")
    except PackageNotFoundError:  # run from a source tree that was never installed
        return "0.0.0+source"


def load_ipython_extension(shell: Any) -> None:
    """``%load_ext bottega``: the magics."""
    importlib.import_module("bottega.magics").load(shell)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        value = globals()["__version__"] = _version()
        return value
    if name in _PUBLIC:
        value = globals()[name] = getattr(importlib.import_module(_PUBLIC[name]), name)
        return value
    raise AttributeError(f"module 'bottega' has no attribute {name!r}")
