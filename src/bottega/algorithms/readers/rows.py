"""What a channel holds as a whole: features, labels, weights and groups."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from bottega.algorithms.base import CustomerError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bottega.algorithms.readers.blocks import Block

    Floats = NDArray[np.float32]

_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Rows:
    """All rows of a channel, in the order of its files."""

    features: Any
    """``float32``, rows x columns: an array in which NaN is missing, or a scipy CSR matrix in
    which what is not stored is missing."""
    labels: Floats
    weights: Floats | None = None
    groups: NDArray[np.int64] | None = None
    """The query of each row, for ranking."""

    @property
    def count(self) -> int:
        return int(self.features.shape[0])

    @property
    def columns(self) -> int:
        return int(self.features.shape[1])


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


def gather(blocks: Iterable[Block]) -> Rows | None:
    """Put labelled blocks together; None when there is no row.

    Sparse ones become as wide as the widest.

    Raises:
        CustomerError: they do not agree about columns or groups.
    """
    import numpy as np
    from scipy import sparse

    from bottega.algorithms.readers.blocks import check_width
    from bottega.algorithms.readers.row_store import RowStore

    store: RowStore | None = None
    taken: list[Block] = []
    width = 0
    for block in blocks:
        features = block.features
        if store is None:
            width = int(features.shape[1])
            store = RowStore(width, sparse=sparse.issparse(features))
        if not store.sparse:
            check_width(block, width)
            features = features.toarray() if sparse.issparse(features) else features
        elif not sparse.issparse(features):
            features = sparse.csr_matrix(features)
        width = max(width, int(features.shape[1]))
        store.append(features, block.labels)
        # Features are in the store now; what is kept here are the few other columns.
        taken.append(replace(block, features=np.empty((block.count, 0), dtype=np.float32)))
    if store is None:
        return None
    store.finish()
    features, labels = store.everything(width)
    assert labels is not None
    return Rows(features=features, labels=labels, weights=_weights(taken), groups=_groups(taken))


def _weights(blocks: Sequence[Block]) -> Floats | None:
    """The weight of every row, 1 where it has none; None when no row has one."""
    import numpy as np

    if all(block.weights is None for block in blocks):
        return None
    return np.concatenate(
        [
            np.ones(block.count, dtype=np.float32) if block.weights is None else block.weights
            for block in blocks
        ]
    )


def _groups(blocks: Sequence[Block]) -> NDArray[np.int64] | None:
    import numpy as np

    if all(block.groups is None for block in blocks):
        return None
    for block in blocks:
        if block.groups is None or (block.groups < 0).any():
            row = 0 if block.groups is None else int(np.flatnonzero(block.groups < 0)[0])
            raise CustomerError(
                f"There is no qid in {block.origin(row)}, and there is one in others; every row "
                "of the channel needs one, or none."
            )
    return np.concatenate([block.groups for block in blocks if block.groups is not None])
