"""The state of a training after an epoch, so that a stopped job goes on where it was."""

from __future__ import annotations

import io
import json
import os
import re
import zipfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from bottega.algorithms.base import CustomerError
from bottega.algorithms.cluster import Cluster
from bottega.algorithms.linear_learner.settings import Settings

_FILE = re.compile(r"linear-learner-(\d{5,})\.npz")
# Settings that may change from one run to the next.
_FREE = frozenset(
    {
        "epochs",
        "lr_scheduler_factor",
        "num_calibration_samples",
        "binary_classifier_model_selection_criteria",
        "target_recall",
        "target_precision",
        "f_beta",
        "accuracy_top_k",
        "early_stopping_patience",
        "early_stopping_tolerance",
        "stop_by_criteria",
    }
)


def save(folder: Path, epochs: int, arrays: Mapping[str, Any], settings: Settings) -> None:
    """Keep the state after so many epochs, and forget earlier ones.

    A kill leaves the earlier state or this one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"linear-learner-{epochs:05d}.npz"
    draft = folder / f".{path.name}.part"
    with draft.open("wb") as file:
        np.savez(file, settings=np.array(_frozen(settings)), epochs=np.array(epochs), **arrays)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    for other in _files(folder):
        if other != path:
            other.unlink()


def load(folder: Path | None, settings: Settings, cluster: Cluster) -> dict[str, Any] | None:
    """The newest state of the leader; None when there is none.

    Raises:
        CustomerError: it cannot be read, or it is of a job with other settings.
    """
    if folder is None:
        return None
    raw, name = b"", "the newest checkpoint"
    if cluster.leads and (files := _files(folder)):
        name = files[-1].name
        raw = files[-1].read_bytes()
    # A leading byte, for there is no way to broadcast nothing.
    raw = cluster.from_leader(b"-" + raw)[1:]
    if not raw:
        return None
    try:
        with np.load(io.BytesIO(raw), allow_pickle=False) as found:
            state = {key: found[key] for key in found.files}
        frozen, state["epochs"] = json.loads(str(state["settings"])), int(state["epochs"])
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise CustomerError(f"{name} cannot be loaded; remove it to start anew. {error}") from error
    changed = [
        key for key, value in json.loads(_frozen(settings)).items() if frozen.get(key) != value
    ]
    if changed:
        raise CustomerError(
            f"{name} is of a training with another {', '.join(changed)}. Use the same "
            "hyperparameters, or another checkpoint location to start anew."
        )
    return state


def _frozen(settings: Settings) -> str:
    values = {key: value for key, value in asdict(settings).items() if key not in _FREE}
    return json.dumps(values, sort_keys=True)


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    found = [path for path in folder.iterdir() if _FILE.fullmatch(path.name)]
    return sorted(found, key=lambda path: int(path.stem.rpartition("-")[2]))
