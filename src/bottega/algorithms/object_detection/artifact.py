"""The artifact: weights, what network they belong to, and the hyperparameters."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from bottega.algorithms.base import CustomerError
from bottega.algorithms.deep import checkpoints
from bottega.algorithms.deep.pretrained import Start, read_artifact
from bottega.algorithms.object_detection.network import Architecture, Detector

PARAMS = "model_algo_1-0000.params"
SYMBOL = "model_algo_1-symbol.json"
SYMBOL_SUFFIX = "-symbol.json"
HYPERPARAMETERS = "hyperparams.json"
FORMAT = "bottega object detection 1"


def save(
    folder: Path, architecture: Architecture, state: dict[str, Any], values: dict[str, Any]
) -> None:
    """Write the artifact; a kill leaves the one before or the new one, or both of some file.

    Args:
        folder: where to.
        architecture: of the network.
        state: its state dict, on the CPU.
        values: the hyperparameters, as JSON can hold them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    symbol = {"format": FORMAT, "params": PARAMS, **architecture.document()}
    # The description comes first: weights without it would be of no use.
    _write_json(folder / SYMBOL, symbol)
    _write_json(folder / HYPERPARAMETERS, values)
    checkpoints.save(state, folder / PARAMS)


def build(start: Start) -> Detector:
    """The network of an artifact, with its weights.

    Raises:
        CustomerError: it is no artifact of this algorithm.
    """
    if start.description is None or start.description.get("format") != FORMAT:
        raise CustomerError(
            f"{start.origin} is no model of object detection; a model.tar.gz of an earlier job of "
            "this algorithm is needed."
        )
    model = Detector(Architecture.of(start.description, start.origin))
    try:
        checkpoints.load_state(model, start.state, start.origin)
    except ValueError as error:
        raise CustomerError(f"The model cannot be loaded: {error}") from error
    return model


def load(folder: Path) -> tuple[Detector, dict[str, Any]]:
    """The network of an unpacked artifact, and the hyperparameters that it was trained with.

    Raises:
        CustomerError: the folder holds no artifact of this algorithm.
    """
    model = build(read_artifact(folder, SYMBOL_SUFFIX))
    files = sorted(folder.rglob(HYPERPARAMETERS))
    try:
        values = json.loads(files[0].read_text("utf-8")) if files else {}
    except ValueError as error:
        raise CustomerError(f"The model's {HYPERPARAMETERS} is no JSON: {error}") from error
    return model, values if isinstance(values, dict) else {}


def _write_json(path: Path, document: dict[str, Any]) -> None:
    draft = path.with_name(f".{path.name}.draft")
    with draft.open("w", encoding="utf-8") as file:
        json.dump(document, file, indent=2)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
