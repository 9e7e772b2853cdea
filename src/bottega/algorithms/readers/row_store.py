"""Rows kept in memory, and how much memory the readers of a process may keep."""

from __future__ import annotations

import os
import threading
import weakref
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse as matrices

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bottega.algorithms.readers.blocks import Floats

_LARGEST_BUDGET = 2 << 30
_SHARE_OF_MEMORY = 8
_GROWTH = 8


class Budget:
    """How many bytes of rows may be kept, over all channels of a process.

    ``BOTTEGA_READER_MEMORY`` (in MiB) sets it; else it is an eighth of the machine's memory, and at
    most 2 GiB.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken = 0

    @property
    def limit(self) -> int:
        """All there is, in bytes."""
        if given := os.environ.get("BOTTEGA_READER_MEMORY"):
            return max(0, int(float(given) * (1 << 20)))
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        return min(_LARGEST_BUDGET, memory // _SHARE_OF_MEMORY)

    def take(self, size: int) -> bool:
        """Take some of what is left, if there is so much."""
        with self._lock:
            if self._taken + size > self.limit:
                return False
            self._taken += size
            return True

    def give_back(self, size: int) -> None:
        """What was taken is free again."""
        with self._lock:
            self._taken -= size


BUDGET = Budget()


class RowStore:
    """Rows one after another; first filled, then read.

    Args:
        width: how many features each has.
        sparse: whether they come as CSR matrices.
        budget: where the memory is taken from; None when somebody else sees to that.
    """

    def __init__(self, width: int, *, sparse: bool, budget: Budget | None = None) -> None:
        self.width = width
        self.sparse = sparse
        self.rows = 0
        self._labels = _Growing(np.float32)
        self._labelled = False
        self._values = _Growing(np.float32)
        self._indices = _Growing(np.int32)
        self._pointers = _Growing(np.int64)
        self._budget = budget
        self._taken = [0]
        if budget is not None:
            weakref.finalize(self, _release, budget, self._taken)

    @property
    def bytes(self) -> int:
        """How much memory the rows take."""
        parts = (self._labels, self._values, self._indices, self._pointers)
        return sum(part.size * part.itemsize for part in parts)

    def append(self, features: Any, labels: Floats | None) -> bool:
        """Add rows; False, and nothing is added, when the budget does not allow it."""
        if self._budget is not None:
            size = weight(features, labels)
            if not self._budget.take(size):
                return False
            self._taken[0] += size
        if self.sparse:
            self._pointers.extend(features.indptr[1:].astype(np.int64) + self._values.size)
            self._indices.extend(features.indices)
            self._values.extend(features.data)
        else:
            self._values.extend(features.reshape(-1))
        if labels is not None:
            self._labelled = True
            self._labels.extend(labels)
        self.rows += int(features.shape[0])
        return True

    def unbind(self) -> None:
        """Take more rows whatever the budget says, for somebody else sees to their number now."""
        self._budget = None

    def finish(self) -> None:
        """All rows are there: give back what is spare."""
        for part in (self._labels, self._values, self._indices, self._pointers):
            part.trim()

    def slice(self, start: int, stop: int) -> tuple[Any, Floats | None]:
        """Rows from ``start`` to ``stop``, as views: features and labels."""
        stop = min(stop, self.rows)
        labels = self._labels.used[start:stop] if self._labelled else None
        if not self.sparse:
            values = self._values.used[start * self.width : stop * self.width]
            return values.reshape(stop - start, self.width), labels
        begin = int(self._pointers.used[start - 1]) if start else 0
        pointers = np.zeros(stop - start + 1, dtype=np.int32)
        pointers[1:] = self._pointers.used[start:stop] - begin
        end = begin + int(pointers[-1])
        return (
            csr(self._values.used[begin:end], self._indices.used[begin:end], pointers, self.width),
            labels,
        )

    def everything(self, width: int) -> tuple[Any, Floats | None]:
        """All rows, as views, of at least the width they were stored with: features and labels."""
        labels = self._labels.used if self._labelled else None
        if not self.sparse:
            return self._values.used.reshape(self.rows, self.width), labels
        pointers = np.zeros(self.rows + 1, dtype=np.int64)
        pointers[1:] = self._pointers.used
        return csr(self._values.used, self._indices.used, pointers, width), labels

    def take(self, rows: NDArray[np.int64]) -> tuple[Any, Floats | None]:
        """These rows in this order, copied: features and labels."""
        labels = self._labels.used[rows] if self._labelled else None
        if not self.sparse:
            return self._values.used.reshape(self.rows, self.width).take(rows, axis=0), labels
        ends = self._pointers.used[rows]
        begins = np.where(rows > 0, self._pointers.used[rows - 1], 0)
        pointers = np.zeros(rows.size + 1, dtype=np.int32)
        np.cumsum(ends - begins, out=pointers[1:])
        places = np.repeat(begins - pointers[:-1], ends - begins) + np.arange(pointers[-1])
        return (
            csr(self._values.used[places], self._indices.used[places], pointers, self.width),
            labels,
        )


def csr(values: Any, indices: Any, pointers: Any, width: int) -> Any:
    """A CSR matrix of rows whose indices are in order."""
    found = matrices.csr_matrix((values, indices, pointers), shape=(pointers.size - 1, width))
    found.has_sorted_indices = True
    return found


def weight(features: Any, labels: Floats | None) -> int:
    """How many bytes some rows take."""
    size = 0 if labels is None else labels.nbytes
    if matrices.issparse(features):
        return int(size + features.data.nbytes + features.indices.nbytes + 8 * features.shape[0])
    return int(size + features.nbytes)


def _release(budget: Budget, taken: list[int]) -> None:
    budget.give_back(taken[0])


class _Growing:
    """An array that grows in place, so that what it holds is never in memory twice."""

    def __init__(self, dtype: Any) -> None:
        self._array = np.empty(0, dtype=dtype)
        self.size = 0

    @property
    def itemsize(self) -> int:
        return int(self._array.itemsize)

    @property
    def used(self) -> Any:
        return self._array[: self.size]

    def extend(self, values: Any) -> None:
        wanted = self.size + values.size
        if wanted > self._array.size:
            # No view is out yet: rows are read when all are there.
            self._array.resize(max(wanted, self.size + self.size // _GROWTH), refcheck=False)
        self._array[self.size : wanted] = values
        self.size = wanted

    def trim(self) -> None:
        self._array.resize(self.size, refcheck=False)
