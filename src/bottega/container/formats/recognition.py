"""Which file of a model folder says what loads it.

>>> recognise(["model.onnx", "notes.txt"])
Recognised(kind='onnx', path='model.onnx')
>>> recognise(["m/MLmodel", "m/model.pkl"])
Recognised(kind='mlflow', path='m')
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["mlflow", "onnx", "scikit-learn", "pytorch"]
_FILES: tuple[tuple[str, Kind], ...] = (
    ("model.onnx", "onnx"),
    ("model.skops", "scikit-learn"),
    ("model.joblib", "scikit-learn"),
    ("model.pkl", "scikit-learn"),
    ("model.pickle", "scikit-learn"),
    ("model.pt", "pytorch"),
    ("model.pth", "pytorch"),
)
"""What is looked for at the top of the folder; the first that is there decides."""
MLMODEL = "MLmodel"
KNOWN = f"{MLMODEL} (MLflow), {', '.join(name for name, _ in _FILES)}"
"""The names, for people."""


@dataclass(frozen=True)
class Recognised:
    """What loads a model, and from where."""

    kind: Kind
    path: str
    """Below the model folder: the model's file; of MLflow the folder with MLmodel, ``.`` for the
    model folder itself."""


def recognise(names: Iterable[str]) -> Recognised | None:
    """Find what loads a model; None where no file of it is known.

    MLmodel may be at the top or in one folder below it; the others only at the top.

    Args:
        names: the files, with ``/``, relative to the model folder.
    """
    files = set(names)
    if MLMODEL in files:
        return Recognised("mlflow", ".")
    below = [name for name in files if name.endswith(f"/{MLMODEL}") and name.count("/") == 1]
    if len(below) == 1:
        return Recognised("mlflow", below[0].partition("/")[0])
    for name, kind in _FILES:
        if name in files:
            return Recognised(kind, name)
    return None


def recognise_folder(model_dir: Path) -> Recognised | None:
    """The same of a folder that is there; only its two upper levels are read."""
    upper = list(model_dir.iterdir())
    inside = [path / MLMODEL for path in upper if path.is_dir()]
    return recognise(
        path.relative_to(model_dir).as_posix() for path in (*upper, *inside) if path.is_file()
    )
