"""What a channel holds: features, labels, weights and groups, and where each row came from."""

from __future__ import annotations

import gzip
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from bottega.algorithms.base import CustomerError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Part:
    """The rows of one file."""

    path: Path
    features: Any
    """``float32``, rows x columns: an array in which NaN is missing, or a scipy CSR matrix in
    which what is not stored is missing."""
    labels: Floats | None
    weights: Floats | None = None
    groups: NDArray[np.int64] | None = None
    """The query of each row, for ranking."""


@dataclass(frozen=True)
class Rows:
    """The rows of a channel, in the order of its files."""

    features: Any
    labels: Floats
    weights: Floats | None
    groups: NDArray[np.int64] | None
    parts: tuple[tuple[Path, int], ...]
    """Each file and how many rows it gave."""

    @property
    def count(self) -> int:
        return int(self.features.shape[0])

    @property
    def columns(self) -> int:
        return int(self.features.shape[1])

    def origin(self, row: int) -> str:
        """Where a row came from, such as ``line 3 of train.csv``."""
        for path, count in self.parts:
            if row < count:
                return f"{_place(path, row)} of {path.name}"
            row -= count
        return f"row {row}"


def data_files(folder: Path) -> list[Path]:
    """The files of a channel in order, with those in subfolders, without hidden and empty ones."""
    found: list[Path] = []
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "_")))
        for name in files:
            path = Path(parent, name)
            if not name.startswith((".", "_")) and path.is_file() and path.stat().st_size:
                found.append(path)
    return sorted(found)


def open_data(path: Path) -> IO[bytes]:
    """Open a file for reading, through gzip where its content says so."""
    with path.open("rb") as file:
        packed = file.read(len(_GZIP)) == _GZIP
    return cast("IO[bytes]", gzip.open(path, "rb")) if packed else path.open("rb")


def join(parts: Sequence[Part], *, width: int = 0) -> Rows:
    """Put the files of a channel together.

    Args:
        parts: at least one.
        width: the least number of columns of a sparse result.

    Raises:
        CustomerError: the files do not agree about columns, weights or groups.
    """
    import numpy as np
    from scipy import sparse

    first = parts[0]
    for part in parts[1:]:
        for name in ("weights", "groups"):
            if (getattr(part, name) is None) != (getattr(first, name) is None):
                with_it, without = (first, part) if getattr(part, name) is None else (part, first)
                raise CustomerError(
                    f"{with_it.path.name} has {name} and {without.path.name} has none; "
                    f"every file of a channel needs them, or none."
                )
    if sparse.issparse(first.features):
        width = max(width, *(part.features.shape[1] for part in parts))
        for part in parts:
            part.features.resize((part.features.shape[0], width))
        blocks = [part.features for part in parts]
        features = blocks[0] if len(blocks) == 1 else sparse.vstack(blocks, format="csr")
    else:
        for part in parts[1:]:
            if part.features.shape[1] != first.features.shape[1]:
                raise CustomerError(
                    f"{part.path.name} has {part.features.shape[1]} feature columns and "
                    f"{first.path.name} has {first.features.shape[1]}; "
                    "every file of a channel needs the same columns."
                )
        blocks = [part.features for part in parts]
        features = blocks[0] if len(blocks) == 1 else np.concatenate(blocks)

    def together(name: str) -> Any:
        values = [getattr(part, name) for part in parts]
        return None if values[0] is None else np.concatenate(values)

    return Rows(
        features=features,
        labels=together("labels"),
        weights=together("weights"),
        groups=together("groups"),
        parts=tuple((part.path, int(part.features.shape[0])) for part in parts),
    )


def _place(path: Path, row: int) -> str:
    """The line of a row in a text file (blank lines hold no row), or its number in any other."""
    with open_data(path) as file:
        if file.read(4) == b"PAR1":
            return f"row {row + 1}"
    with open_data(path) as file:
        for number, line in enumerate(file, start=1):
            if line.strip() and not line.lstrip().startswith(b"#"):
                if row == 0:
                    return f"line {number}"
                row -= 1
    return f"row {row + 1}"
