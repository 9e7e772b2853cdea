"""TorchScript models, by PyTorch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bottega.algorithms.base import CustomerError, RequestError
from bottega.container import encodings


class TorchModel:
    """A module that ``torch.jit.save`` wrote, on the CPU. Floating-point requests become float32.

    Raises:
        CustomerError: PyTorch is not installed, or the file is no TorchScript.
    """

    decodes = True

    def __init__(self, path: Path, environment: Mapping[str, str]) -> None:
        try:
            import torch
        except ModuleNotFoundError as error:
            raise CustomerError(
                f"{path.name} needs PyTorch, which is not installed here: install bottega with the "
                "extra deep (pip install 'bottega[deep]')."
            ) from error
        try:
            load: Any = torch.jit.load
            self._module = load(str(path), map_location="cpu").eval()
        except Exception as error:
            raise CustomerError(
                f"{path.name} is no TorchScript: {error}\nSave the model with "
                "torch.jit.save(torch.jit.script(model), ...), or bring code/inference.py with a "
                "model_fn(model_dir) that builds the model and loads its weights."
            ) from error

    def read(self, body: bytes, content_type: str) -> Any:
        return encodings.decode(body, content_type)

    def predict(self, data: Any, accept: str) -> Any:
        """
        Raises:
            RequestError: the module does not take such a tensor.
        """
        import torch

        dense = data.toarray() if hasattr(data, "toarray") else data
        try:
            tensor = torch.as_tensor(dense)
        except (TypeError, ValueError) as error:
            raise RequestError(400, f"The request is no array of numbers: {error}") from error
        if tensor.is_floating_point():
            tensor = tensor.float()
        try:
            with torch.inference_mode():
                return _arrays(self._module(tensor))
        except RuntimeError as error:
            raise RequestError(400, f"The model does not take this input: {error}") from error

    def write(self, prediction: Any, accept: str) -> tuple[bytes, str]:
        return encodings.encode(prediction, accept)


def _arrays(found: Any) -> Any:
    """Tensors as arrays, at any depth."""
    if isinstance(found, dict):
        return {key: _arrays(value) for key, value in found.items()}
    if isinstance(found, (list, tuple)):
        return [_arrays(value) for value in found]
    return found.detach().cpu().numpy() if hasattr(found, "detach") else found
