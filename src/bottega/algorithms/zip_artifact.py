"""``model_algo-1``: a zip file of numpy arrays and of what they mean as JSON.

``numpy.load`` opens it and gives each array by its name. It is read without running any code of
its own, and the same model always gives the same bytes.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bottega.algorithms.base import CustomerError

FILE = "model_algo-1"
_FACTS = "model.json"
_FORMAT = 1
_EPOCH = (1980, 1, 1, 0, 0, 0)


def save(folder: Path, algorithm: str, facts: Mapping[str, Any], arrays: Mapping[str, Any]) -> None:
    """Leave a model in a folder, whole or not at all.

    Args:
        folder: made where it is absent.
        algorithm: whose model it is, by the name of its image.
        facts: what the arrays mean; JSON.
        arrays: numpy arrays by name.
    """
    document = {"format": _FORMAT, "algorithm": algorithm, **facts}
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{FILE}.part"
    with draft.open("wb") as file:
        with zipfile.ZipFile(file, "w", allowZip64=True) as archive:
            archive.writestr(zipfile.ZipInfo(_FACTS, _EPOCH), json.dumps(document, indent=1))
            for name, array in arrays.items():
                member = zipfile.ZipInfo(f"{name}.npy", _EPOCH)
                with archive.open(member, "w", force_zip64=True) as part:
                    np.lib.format.write_array(part, array, allow_pickle=False)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / FILE)


def load(
    folder: Path, algorithm: str, names: Sequence[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read what :func:`save` left: the facts, and the arrays of these names.

    Raises:
        CustomerError: there is no such file, or it is damaged, or of another algorithm.
    """
    path = folder / FILE
    if not path.is_file():
        raise CustomerError(f"The model has no file {FILE}; it is no model of {algorithm}.")
    try:
        with zipfile.ZipFile(path) as archive:
            facts = json.loads(archive.read(_FACTS))
            if facts["algorithm"] != algorithm or facts["format"] != _FORMAT:
                raise ValueError(
                    f"it is format {facts['format']} of {facts['algorithm']}, "
                    f"not format {_FORMAT} of {algorithm}"
                )
            arrays = {
                name: np.lib.format.read_array(
                    io.BytesIO(archive.read(f"{name}.npy")), allow_pickle=False
                )
                for name in names
            }
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, EOFError, OSError) as error:
        raise CustomerError(f"{FILE} is no model of {algorithm}: {error}") from error
    return facts, arrays
