"""scikit-learn models (and what else has ``predict``) from joblib, pickle or skops."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bottega.algorithms.base import CustomerError, RequestError
from bottega.container import encodings
from bottega.container.formats import bodies

METHOD_VARIABLE = "SAGEMAKER_PREDICT_METHOD"
"""The method that answers where the request does not say."""
METHODS = ("predict", "predict_proba", "predict_log_proba", "decision_function", "transform")
_TRUSTED = "SKOPS_TRUSTED_TYPES"


class SklearnModel:
    """A fitted estimator.

    A request chooses another method with a parameter of its Accept header:
    ``application/json;method=predict_proba``.

    Raises:
        CustomerError: the file cannot be loaded, or the estimator has no such method.
    """

    decodes = True

    def __init__(self, path: Path, environment: Mapping[str, str]) -> None:
        self._estimator = _loaded(path, environment)
        self._method = environment.get(METHOD_VARIABLE, METHODS[0])
        names = getattr(self._estimator, "feature_names_in_", None)
        self._columns = None if names is None else [str(name) for name in names]
        try:
            self._function(self._method)
        except RequestError as error:
            raise CustomerError(f"{METHOD_VARIABLE}: {error.message}") from error

    def read(self, body: bytes, content_type: str) -> Any:
        return bodies.read(body, content_type)

    def predict(self, data: Any, accept: str) -> Any:
        """
        Raises:
            RequestError: the method is unknown, or the rows are not what the model takes.
        """
        function = self._function(_wanted(accept) or self._method)
        rows = bodies.as_rows(data, self._columns)
        try:
            return function(rows)
        except (ValueError, TypeError) as error:
            raise RequestError(400, f"The model does not take these rows: {error}") from error

    def write(self, prediction: Any, accept: str) -> tuple[bytes, str]:
        dense = prediction.toarray() if hasattr(prediction, "toarray") else prediction
        return encodings.encode(dense, accept)

    def _function(self, name: str) -> Any:
        offered = [one for one in METHODS if hasattr(self._estimator, one)]
        if name not in offered:
            kind = type(self._estimator).__name__
            raise RequestError(
                406, f"{kind} has no method {name!r} to ask for; it has: {', '.join(offered)}."
            )
        return getattr(self._estimator, name)


def _wanted(accept: str) -> str:
    for parameter in accept.partition(",")[0].split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "method":
            return value.strip()
    return ""


def _loaded(path: Path, environment: Mapping[str, str]) -> Any:
    try:
        if path.suffix == ".skops":
            return _from_skops(path, environment)
        import joblib

        print(
            f"{path.name} is a pickle: loading it runs whatever code its author put there. Serve "
            "only files that you made or trust.",
            file=sys.stderr,
        )
        return joblib.load(path)  # which reads what pickle wrote, too
    except CustomerError:
        raise
    except ModuleNotFoundError as error:
        raise CustomerError(
            f"{path.name} needs the module {error.name!r}, which is not installed. Put a "
            "requirements.txt and an inference.py with model_fn into the model's folder code."
        ) from error
    except Exception as error:  # a pickle may raise anything
        raise CustomerError(
            f"{path.name} cannot be loaded: {type(error).__name__}: {error}"
        ) from error


def _from_skops(path: Path, environment: Mapping[str, str]) -> Any:
    from skops import io
    from skops.io.exceptions import UntrustedTypesFoundException

    trusted = [name for name in environment.get(_TRUSTED, "").split(",") if name]
    try:
        return io.load(path, trusted=trusted)
    except UntrustedTypesFoundException as error:
        raise CustomerError(
            f"{path.name}: {error} Name those that you trust in the variable {_TRUSTED}, with "
            "commas."
        ) from error
