"""ONNX models, by ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bottega.algorithms.base import CustomerError, RequestError
from bottega.container import encodings
from bottega.container.formats import bodies

_TYPES = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(float16)": "float16",
    "tensor(int8)": "int8",
    "tensor(int16)": "int16",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
    "tensor(uint8)": "uint8",
    "tensor(bool)": "bool",
    "tensor(string)": "str",
}


class OnnxModel:
    """A session of ONNX Runtime on the CPU.

    A model with one input takes an array. One with several takes a JSON object with an array for
    each input, or a table with a column for each. A model with several outputs answers a JSON
    object with all of them.

    Raises:
        CustomerError: ONNX Runtime is not installed, or cannot load the file.
    """

    decodes = True

    def __init__(self, path: Path, environment: Mapping[str, str]) -> None:
        try:
            import onnxruntime
        except ModuleNotFoundError as error:
            raise CustomerError(
                f"{path.name} needs ONNX Runtime, which is not installed here: install bottega "
                "with the extra onnx (pip install 'bottega[onnx]')."
            ) from error
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # the runtime's errors have no common class
            raise CustomerError(f"{path.name} cannot be loaded: {error}") from error
        self._inputs = self._session.get_inputs()
        self._outputs = [output.name for output in self._session.get_outputs()]

    def read(self, body: bytes, content_type: str) -> Any:
        return bodies.read(body, content_type)

    def predict(self, data: Any, accept: str) -> Any:
        """
        Raises:
            RequestError: the data does not fit the model's inputs.
        """
        feed = {one.name: _fitted(part, one) for one, part in self._parts(data)}
        try:
            found = self._session.run(None, feed)
        except Exception as error:  # shapes are checked by the runtime, with errors of its own
            raise RequestError(400, f"The model does not take this input: {error}") from error
        return found[0] if len(found) == 1 else dict(zip(self._outputs, found, strict=True))

    def write(self, prediction: Any, accept: str) -> tuple[bytes, str]:
        if isinstance(prediction, dict) and encodings.JSON not in accept and "*" not in accept:
            raise encodings.UnsupportedFormat(
                f"The model has several outputs ({', '.join(prediction)}), which only "
                f"{encodings.JSON} can hold, not {accept}."
            )
        return encodings.encode(prediction, accept)

    def _parts(self, data: Any) -> list[tuple[Any, Any]]:
        """Each input of the model with its share of the data."""
        names = [one.name for one in self._inputs]
        if isinstance(data, dict) or hasattr(data, "columns"):
            if missing := [name for name in names if name not in data]:
                raise RequestError(400, f"The request lacks the inputs {', '.join(missing)}.")
            frame = hasattr(data, "columns")
            return [
                (one, data[[one.name]].to_numpy() if frame else data[one.name])
                for one in self._inputs
            ]
        if len(names) == 1:
            return [(self._inputs[0], data.toarray() if hasattr(data, "toarray") else data)]
        if getattr(data, "ndim", 0) == 2 and data.shape[1] == len(names):
            return [(one, data[:, [place]]) for place, one in enumerate(self._inputs)]
        raise RequestError(
            400,
            f"The model has {len(names)} inputs ({', '.join(names)}): send a JSON object with an "
            "array for each.",
        )


def _fitted(part: Any, wanted: Any) -> Any:
    """The array in the input's own type; of a single example, with the axis of examples."""
    import numpy as np

    if (kind := _TYPES.get(wanted.type)) is None:
        raise RequestError(
            400, f"The input {wanted.name} is a {wanted.type}, which no request has."
        )
    try:
        array = np.asarray(part).astype(kind)
    except (ValueError, TypeError) as error:
        raise RequestError(
            400, f"The input {wanted.name} must be a {wanted.type}: {error}"
        ) from error
    if wanted.shape and array.ndim == len(wanted.shape) - 1:
        array = array[np.newaxis]
    return array.astype(object) if kind == "str" else array
