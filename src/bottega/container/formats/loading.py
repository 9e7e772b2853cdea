"""Loading a model without a script, by the kind of its file."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from bottega.container.formats.recognition import Recognised, recognise_folder


class ServedModel(Protocol):
    """A loaded model and how it reads, predicts and writes."""

    decodes: bool
    """Whether ``read`` wants bytes; otherwise text types come as text."""

    def read(self, body: Any, content_type: str) -> Any:
        """The data of a request."""

    def predict(self, data: Any, accept: str) -> Any:
        """What the model says to it."""

    def write(self, prediction: Any, accept: str) -> tuple[Any, str]:
        """The body of the answer and its media type."""


def load(model_dir: Path, environment: Mapping[str, str]) -> ServedModel | None:
    """Load the model of a folder; None where no loader knows a file of it.

    Raises:
        CustomerError: it cannot be loaded; the message says why.
    """
    found = recognise_folder(model_dir)
    if found is None:
        return None
    print(f"There is no inference script: {found.path} is served as {found.kind}.", file=sys.stderr)
    return _loaded(found, model_dir / found.path, environment)


def _loaded(found: Recognised, path: Path, environment: Mapping[str, str]) -> ServedModel:
    # Imported here: each brings what only its own kind needs.
    if found.kind == "mlflow":
        from bottega.container.formats.mlflow_model import MlflowModel

        return MlflowModel(path, environment)
    if found.kind == "onnx":
        from bottega.container.formats.onnx_model import OnnxModel

        return OnnxModel(path, environment)
    if found.kind == "scikit-learn":
        from bottega.container.formats.sklearn_model import SklearnModel

        return SklearnModel(path, environment)
    from bottega.container.formats.torch_model import TorchModel

    return TorchModel(path, environment)
