"""State dicts on disk: written whole or not at all, and read without running anything."""

from __future__ import annotations

import io
import os
import pickle
import re
import zipfile
from pathlib import Path
from typing import Any

import torch

_UNREADABLE = (OSError, RuntimeError, EOFError, KeyError, ValueError, zipfile.BadZipFile)
_CHECKPOINT = re.compile(r"checkpoint-(\d{4,})\.pt")


def save(state: Any, path: Path) -> None:
    """Write tensors, numbers, strings and containers of them; a kill leaves the old file or the
    new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    with draft.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def load(path: Path) -> Any:
    """Read what :func:`save` wrote, or any ``.pth`` of tensors, onto the CPU.

    Raises:
        ValueError: it is no such file, or it holds objects whose loading would run code; the
            message names the file.
    """
    try:
        return load_bytes(path.read_bytes(), path.name)
    except OSError as error:
        raise ValueError(f"{path.name} cannot be read: {error}") from error


def load_bytes(content: bytes, name: str) -> Any:
    """Read the content of such a file.

    Args:
        content: of the file.
        name: what messages call it.

    Raises:
        ValueError: see :func:`load`.
    """
    try:
        return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ValueError(
            f"{name} cannot be read as PyTorch weights. It must hold tensors only, as written by "
            "torch.save(model.state_dict(), path)."
        ) from error
    except _UNREADABLE as error:
        raise ValueError(f"{name} is no file of PyTorch weights: {error}") from error


def load_state(model: Any, state: Any, origin: str, *, leave: str = "") -> None:
    """Load a state dict into a model.

    Args:
        model: a ``torch.nn.Module``.
        state: what was read, names to tensors.
        origin: what it came from, for messages.
        leave: parameters whose names begin so keep what they have, such as ``fc.``.

    Raises:
        ValueError: names or shapes do not fit; the message names the first that does not.
    """
    if not isinstance(state, dict):
        raise ValueError(f"{origin} holds a {type(state).__name__}, not a dictionary of weights.")
    wanted = model.state_dict()
    for name, value in wanted.items():
        if leave and name.startswith(leave):
            continue
        # Checkpoints older than PyTorch 0.4.1 count no batches.
        if name.endswith("num_batches_tracked") and name not in state:
            continue
        found = state.get(name)
        if not isinstance(found, torch.Tensor):
            raise ValueError(f"{origin} has no weights {name}; it is of another network.")
        if found.shape != value.shape:
            raise ValueError(
                f"{origin}: the weights {name} have the shape {tuple(found.shape)}, and this "
                f"network needs {tuple(value.shape)}."
            )
        wanted[name] = found.to(value.dtype)
    model.load_state_dict(wanted)


def newest_checkpoint(folder: Path | None) -> tuple[int, Path] | None:
    """The last checkpoint that a job left: how many epochs it had done, and the file."""
    if folder is None or not folder.is_dir():
        return None
    found = [
        (int(match.group(1)), path)
        for path in folder.iterdir()
        if (match := _CHECKPOINT.fullmatch(path.name))
    ]
    return max(found, default=None)


def save_checkpoint(folder: Path | None, epochs: int, state: Any) -> None:
    """Leave a checkpoint after this many epochs and remove the one before; without a folder, do
    nothing."""
    if folder is None:
        return
    before = newest_checkpoint(folder)
    path = folder / f"checkpoint-{epochs:04d}.pt"
    save(state, path)
    if before is not None and before[1] != path:
        before[1].unlink(missing_ok=True)
