"""One step of every stage: each row goes to its nearest centre, and the centres' totals are added.

Dense rows are worked on less a shift near their mean, for distances in single precision are worth
little when the data lie far from zero. The result does not depend on how many threads there are:
rows are cut into pieces by their number alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from types import TracebackType
from typing import Any

import numpy as np
from scipy import sparse
from threadpoolctl import threadpool_limits

from bottega.algorithms.base import CustomerError
from bottega.algorithms.kmeans.kernels import (
    NARROW,
    narrow_totals,
    sparse_nearest,
    wide_totals,
)

_PIECES = 32
_LEAST_PIECE = 512
_WIDE_BLOCK = 256


@dataclass(frozen=True)
class Totals:
    """What the rows of each of K centres add up to, less the shift."""

    sums: Any
    """``float64``, K x d."""
    counts: Any
    """``float64``, K."""
    squares: Any
    """``float64``, K: of the rows' lengths."""

    def means(self, otherwise: Any) -> Any:
        """The mean of each centre's rows; ``otherwise``, where it has none."""
        counts = self.counts[:, None]
        return np.where(counts > 0, self.sums / np.maximum(counts, 1.0), otherwise)

    def losses(self, centers: Any) -> Any:
        """The sum of squared distances of each centre's rows to it, K."""
        found = (
            self.squares
            - 2.0 * np.einsum("kd,kd->k", centers, self.sums)
            + self.counts * np.einsum("kd,kd->k", centers, centers)
        )
        return np.maximum(found, 0.0)


class Assignment:
    """Assigns rows to centres, on some threads; to be used in a ``with`` statement.

    Args:
        shift: ``float32``, d: what centres and totals are relative to; zero for sparse rows.
        threads: how many.
    """

    def __init__(self, shift: Any, threads: int) -> None:
        self.shift = shift
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="kmeans")
        self._limits: Any = None

    def __enter__(self) -> Assignment:
        # The pieces are worked on side by side already.
        self._limits = threadpool_limits(1, user_api="blas")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown()
        self._limits.restore_original_limits()

    def map(self, function: Any, items: Sequence[Any]) -> list[Any]:
        """Apply a function that releases the GIL to some items, in order."""
        if len(items) == 1 or self._threads == 1:
            return [function(item) for item in items]
        return list(self._pool.map(function, items))

    def totals(self, pieces: Sequence[Any], centers: Any) -> Totals:
        """Assign rows.

        Args:
            pieces: of rows: ``float32`` arrays, or CSR matrices.
            centers: ``float64``, K x d, less the shift.

        Raises:
            CustomerError: the numbers are so large that their squares are infinite.
        """
        add = _sparse_adder(centers) if sparse.issparse(pieces[0]) else self._dense_adder(centers)
        found = self.map(add, pieces)
        sums, counts, squares = found[0]
        for more in found[1:]:
            sums += more[0]
            counts += more[1]
            squares += more[2]
        if sparse.issparse(sums):
            sums = sums.toarray()
        if not np.isfinite(squares.sum()):
            raise CustomerError(
                "The data hold numbers so large that squared distances are infinite in single "
                "precision; scale the features first."
            )
        return Totals(sums, counts, squares)

    def _dense_adder(self, centers: Any) -> Callable[[Any], tuple[Any, Any, Any]]:
        shape = centers.shape
        single = centers.astype(np.float32)
        half = np.einsum("kd,kd->k", single, single) / np.float32(2)
        if shape[1] <= NARROW:
            if shape[0] % 2:
                single = np.concatenate([single, np.zeros((1, shape[1]), np.float32)])
                half = np.append(half, np.float32(np.inf))

            def narrow(piece: Any) -> tuple[Any, Any, Any]:
                sums, counts, squares = _zeros(half.size, shape[1])
                narrow_totals(piece, self.shift, single, half, sums, counts, squares)
                return sums[: shape[0]], counts[: shape[0]], squares[: shape[0]]

            return narrow
        turned = np.ascontiguousarray(-single.T)

        def wide(piece: Any) -> tuple[Any, Any, Any]:
            sums, counts, squares = _zeros(*shape)
            products = np.empty((_WIDE_BLOCK, shape[0]), np.float32)
            for start in range(0, piece.shape[0], _WIDE_BLOCK):
                rows = piece[start : start + _WIDE_BLOCK] - self.shift
                compared = products[: rows.shape[0]]
                np.dot(rows, turned, out=compared)
                compared += half
                wide_totals(compared, rows, sums, counts, squares)
            return sums, counts, squares

        return wide


def cut(rows: Any) -> list[Any]:
    """Pieces of a batch of rows, to be worked on side by side."""
    count = rows.shape[0]
    pieces = max(1, min(_PIECES, count // _LEAST_PIECE))
    bounds = [count * piece // pieces for piece in range(pieces + 1)]
    return [rows[start:stop] for start, stop in pairwise(bounds)]


def _zeros(count: int, width: int) -> tuple[Any, Any, Any]:
    return np.zeros((count, width)), np.zeros(count), np.zeros(count)


def _sparse_adder(centers: Any) -> Callable[[Any], tuple[Any, Any, Any]]:
    turned = np.ascontiguousarray(centers.T, dtype=np.float32)
    half = (np.einsum("kd,kd->k", centers, centers) / 2).astype(np.float32)

    def add(rows: Any) -> tuple[Any, Any, Any]:
        count, size = rows.shape[0], half.size
        nearest = np.empty(count, np.int32)
        sparse_nearest(rows.indptr, rows.indices, rows.data, turned, half, nearest)
        counts = np.bincount(nearest, minlength=size).astype(np.float64)
        norms = np.asarray(rows.multiply(rows).sum(axis=1), dtype=np.float64).ravel()
        squares = np.bincount(nearest, weights=norms, minlength=size)
        member = sparse.csr_matrix(
            (np.ones(count), nearest, np.arange(count + 1)), shape=(count, size)
        )
        return member.T @ rows, counts, squares

    return add
