"""Batches as training takes them: sparse, and by their features where threads share the work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from bottega.algorithms.factorization_machines.kernels import turn
from bottega.algorithms.readers.prefetch import ahead

if TYPE_CHECKING:
    from bottega.algorithms.readers.record_channel import RecordChannel

_AHEAD = 32 << 20
_CHUNK_ROWS = 4096
WORTH_SHARING = 1 << 17
"""How many products of numbers in a batch make it worth several threads."""


@dataclass(frozen=True)
class SparseRows:
    """Some rows: a batch, or several that follow one another."""

    labels: Any
    """``float32``, n."""
    pointers: Any
    """``int32``, n + 1."""
    indices: Any
    """``int32``, of each value, its feature."""
    values: Any
    """``float32``."""

    @property
    def rows(self) -> int:
        """How many there are."""
        return int(self.labels.size)

    @property
    def met(self) -> Any:
        """The features that occur; some of them several times."""
        return self.indices


@dataclass(frozen=True)
class TurnedRows(SparseRows):
    """The same rows, and their values in the order of the features that occur."""

    features: Any
    """``int32``: the features that occur."""
    begins: Any
    """``int64``, one longer: where the values of each begin, and the end."""
    value_rows: Any
    """``int32``: of each value by feature, its row."""
    turned: Any
    """``float32``: the values by feature."""

    @property
    def met(self) -> Any:
        return self.features


def rows_in_order(channel: RecordChannel) -> Iterator[SparseRows]:
    """The rows of a channel as they come."""
    for batch in channel.batches(0):
        yield sparse_rows(batch.features, batch.labels)


def training_rows(
    channel: RecordChannel, size: int, *, factors: int, epoch: int, seed: int
) -> Iterator[SparseRows]:
    """The shuffled rows of a channel, prepared in a thread while others are learned from.

    Args:
        channel: the rows.
        size: how many a batch has.
        factors: how many factors a feature has.
        epoch: which pass it is.
        seed: of the shuffle.

    Yields:
        Batches that are worth several threads, as :class:`TurnedRows`; and of smaller ones, several
        at a time.
    """

    def prepared() -> Iterator[SparseRows]:
        slots = np.full(channel.width, -1, dtype=np.int32)
        together = size * max(1, _CHUNK_ROWS // size)
        for batch in channel.batches(together, epoch=epoch, seed=seed):
            rows = sparse_rows(batch.features, batch.labels)
            batches = -(-rows.rows // size)
            if rows.values.size * factors < WORTH_SHARING * batches:
                yield rows
                continue
            for start in range(0, rows.rows, size):
                part = slice(start, start + size)
                yield turned_rows(sparse_rows(batch.features[part], rows.labels[part]), slots)

    with closing(ahead(prepared(), lambda rows: 24 * rows.values.size, _AHEAD)) as found:
        yield from found


def sparse_rows(features: Any, labels: Any) -> SparseRows:
    """Rows of any form (an array, or a CSR matrix) and their labels."""
    found = features if sparse.issparse(features) else sparse.csr_matrix(features)
    return SparseRows(
        labels=np.ascontiguousarray(labels, dtype=np.float32),
        pointers=np.ascontiguousarray(found.indptr, dtype=np.int32),
        indices=np.ascontiguousarray(found.indices, dtype=np.int32),
        values=np.ascontiguousarray(found.data, dtype=np.float32),
    )


def turned_rows(rows: SparseRows, slots: Any) -> TurnedRows:
    """Rows by their features as well.

    Args:
        rows: a batch.
        slots: ``int32``, d: -1 everywhere, before and after.
    """
    size = rows.values.size
    features = np.empty(size, np.int32)
    begins = np.empty(size + 1, np.int64)
    value_rows = np.empty(size, np.int32)
    turned = np.empty(size, np.float32)
    count = turn(
        rows.pointers,
        rows.indices,
        rows.values,
        0,
        rows.rows,
        slots,
        features,
        begins,
        value_rows,
        turned,
    )
    return TurnedRows(
        labels=rows.labels,
        pointers=rows.pointers,
        indices=rows.indices,
        values=rows.values,
        features=features[:count],
        begins=begins[: count + 1],
        value_rows=value_rows,
        turned=turned,
    )
