"""Models that MLflow logged, of any flavour with ``pyfunc``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bottega.algorithms.base import CustomerError, RequestError
from bottega.container import encodings
from bottega.container.formats import mlflow_inference

_TYPES = (encodings.JSON, encodings.CSV)


class MlflowModel:
    """Takes and answers what :mod:`.mlflow_inference` does.

    Raises:
        CustomerError: MLflow or what the model needs is not installed, or it cannot be loaded.
    """

    decodes = False

    def __init__(self, path: Path, environment: Mapping[str, str]) -> None:
        try:
            self._model = mlflow_inference.load(str(path))
        except ModuleNotFoundError as error:
            raise CustomerError(
                f"The MLflow model needs the module {error.name!r}, which is not installed. "
                "Install it beside bottega, or put a requirements.txt and an inference.py with "
                "model_fn into the model's folder code."
            ) from error
        except Exception as error:  # flavours raise what their libraries raise
            raise CustomerError(
                f"The MLflow model cannot be loaded: {type(error).__name__}: {error}"
            ) from error

    def read(self, body: bytes | str, content_type: str) -> Any:
        if encodings.media_type(content_type) not in _TYPES:
            raise encodings.UnsupportedFormat(
                f"Content type {content_type} is not supported; {', '.join(_TYPES)} are."
            )
        try:
            return mlflow_inference.input_fn(body, content_type)
        except ValueError as error:
            raise encodings.Undecodable(f"The body is not {content_type}: {error}") from error

    def predict(self, data: Any, accept: str) -> Any:
        """
        Raises:
            RequestError: the rows are not what the model's signature says.
        """
        from mlflow.exceptions import MlflowException

        try:
            return mlflow_inference.predict_fn(data, self._model)
        except (ValueError, TypeError, MlflowException) as error:
            raise RequestError(400, f"The model does not take these rows: {error}") from error

    def write(self, prediction: Any, accept: str) -> tuple[str, str]:
        return mlflow_inference.output_fn(prediction, accept)
