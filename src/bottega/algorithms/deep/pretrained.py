"""Weights to start from: those of the channel ``model``, or torchvision's where they can be had.

Bottega ships no weights. See ``docs/algorithms/pretrained-weights.md``.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from bottega.algorithms.base import CustomerError
from bottega.algorithms.deep import checkpoints
from bottega.algorithms.previous_model import MODEL_CHANNEL, previous_model
from bottega.algorithms.readers.rows import data_files

if TYPE_CHECKING:
    from bottega.container.environment import TrainingEnvironment

_ADDRESS = "https://download.pytorch.org/models/"
_FILES: dict[str, tuple[str, ...]] = {
    "resnet-18": ("resnet18-f37072fd.pth", "resnet18-5c106cde.pth"),
    "resnet-34": ("resnet34-b627a593.pth", "resnet34-333f7ec4.pth"),
    "resnet-50": ("resnet50-0676ba61.pth", "resnet50-11ad3fa6.pth", "resnet50-19c8e357.pth"),
    "resnet-101": ("resnet101-63fe2227.pth", "resnet101-cd907fc2.pth", "resnet101-5d3b4d8f.pth"),
    "resnet-152": ("resnet152-394f9c45.pth", "resnet152-f82ba261.pth", "resnet152-b121ed2d.pth"),
    "vgg-16": ("vgg16-397923af.pth",),
    "vgg-16-bn": ("vgg16_bn-6c64b313.pth",),
}
"""Names of torchvision's files: the first is downloaded, any is taken where the cache has it."""
_PATIENCE_SECONDS = 20.0
_WEIGHTS = (".pth", ".pt", ".bin", ".params")


class NoWeights(Exception):
    """There are no weights of that network to be had; the message says what to do."""


@dataclass(frozen=True)
class Start:
    """What the channel ``model`` holds."""

    state: dict[str, Any]
    """Names to tensors, on the CPU."""
    description: dict[str, Any] | None
    """The JSON that came with an artifact of bottega; None for a plain file of weights."""
    origin: str
    """The file it came from, for messages."""


def given_model(environment: TrainingEnvironment, suffix: str) -> Start | None:
    """Read the channel ``model``: the artifact of an earlier job, or a plain file of weights.

    Args:
        environment: of the job.
        suffix: how the name of the artifact's description ends, such as ``-symbol.json``. The
            description's entry ``params`` names the file of weights beside it.

    Returns:
        None when the job has no such channel.

    Raises:
        CustomerError: the channel holds neither, or it cannot be read.
    """
    if MODEL_CHANNEL.name not in environment.input_data_config:
        return None
    files = data_files(environment.paths.channel(MODEL_CHANNEL.name))
    try:
        if len(files) == 1 and files[0].suffix in _WEIGHTS:
            return Start(
                _state(checkpoints.load(files[0])), None, f"{files[0].name} (channel model)"
            )
        with previous_model(environment) as folder:
            if folder is None:
                return None
            return _artifact(folder, suffix)
    except ValueError as error:
        raise CustomerError(f"The channel model: {error}") from error


def read_artifact(folder: Path, suffix: str) -> Start:
    """Read an unpacked artifact.

    Args:
        folder: where it is.
        suffix: see :func:`given_model`.

    Raises:
        CustomerError: the folder holds no artifact of this kind, or one that cannot be read.
    """
    try:
        return _artifact(folder, suffix)
    except ValueError as error:
        raise CustomerError(f"The model cannot be loaded: {error}") from error


def _artifact(folder: Path, suffix: str) -> Start:
    described = sorted(folder.rglob(f"*{suffix}"))
    if not described:
        loose = sorted(path for path in folder.rglob("*") if path.suffix in _WEIGHTS)
        if len(loose) == 1:
            return Start(_state(checkpoints.load(loose[0])), None, loose[0].name)
        raise ValueError(f"it has no file *{suffix}, so it is no artifact of this algorithm.")
    file = described[0]
    try:
        description = json.loads(file.read_text("utf-8"))
        name = description["params"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{file.name} does not describe a model of bottega; a model that was trained by "
            "SageMaker itself holds MXNet's files, which cannot be read here."
        ) from error
    weights = file.parent / Path(str(name)).name
    if not weights.is_file():
        raise ValueError(f"{file.name} names {weights.name}, which is not there.")
    return Start(_state(checkpoints.load(weights)), description, weights.name)


def _state(found: Any) -> dict[str, Any]:
    """The weights in what a file holds: trainers often wrap them with other things."""
    for key in ("state_dict", "model"):
        if isinstance(found, dict) and isinstance(found.get(key), dict):
            found = found[key]
    if not isinstance(found, dict) or not all(
        isinstance(value, torch.Tensor) for value in found.values()
    ):
        raise ValueError("it holds no state dict, names with tensors.")
    return {name.removeprefix("module."): value for name, value in found.items()}


def torchvision_weights(network: str) -> tuple[dict[str, Any], str]:
    """Weights that were trained on ImageNet: from torch's cache folder, else from the network.

    Args:
        network: ``resnet-18``, ``-34``, ``-50``, ``-101``, ``-152``, ``vgg-16``, ``vgg-16-bn``.

    Returns:
        Names to tensors, on the CPU, and the name of the file.

    Raises:
        NoWeights: there are none for that network, or they cannot be had from here.
    """
    names = _FILES.get(network, ())
    if not names:
        raise NoWeights(f"There are no public weights of the network {network}. {_remedy(None)}")
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    for name in names:
        if (folder / name).is_file():
            try:
                return _state(checkpoints.load(folder / name)), name
            except ValueError as error:
                raise NoWeights(f"{error} Remove {folder / name}.") from error
    try:
        with _bounded_patience():
            state = torch.hub.load_state_dict_from_url(
                _ADDRESS + names[0],
                map_location="cpu",
                progress=False,
                check_hash=True,
                weights_only=True,
            )
    except (OSError, RuntimeError) as error:
        raise NoWeights(
            f"The weights of {network} are not in {folder}, and {_ADDRESS}{names[0]} cannot be "
            f"fetched from here: {error}. {_remedy(names[0])}"
        ) from error
    return _state(state), names[0]


@contextmanager
def _bounded_patience() -> Iterator[None]:
    """A network that swallows packets must not hold a job up for ever."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_PATIENCE_SECONDS)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _remedy(name: str | None) -> str:
    file = f"{name}, or another" if name else "a"
    return (
        f"Give {file} file of weights with torchvision's names, or the model.tar.gz of an earlier "
        "job, in the channel 'model' (content type application/x-sagemaker-model), or set "
        "use_pretrained_model to 0 to train from scratch."
    )
