"""What linear models give for rows, and the gradients that follow: dense rows and sparse ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse as matrices

from bottega.algorithms.linear_learner import kernels
from bottega.algorithms.linear_learner.losses import Loss, LossSums
from bottega.algorithms.linear_learner.scaling import Scaling
from bottega.algorithms.linear_learner.workers import Workers

CHUNK = 1 << 22
"""How many margins are in memory at once."""
_LARGE = 1 << 24
"""How many weights are too many for each worker to have a gradient of its own."""


class Margins:
    """What linear models give for rows.

    Args:
        scaling: brings rows to the scale of the weights.
        weights: ``float32``, (d + 1) x P, the bias last.
    """

    def __init__(self, scaling: Scaling, weights: Any) -> None:
        self._scaling = scaling
        self._weights = weights
        self._scale = sparse_scale(scaling, weights.shape[0] - 1)

    def of(self, features: Any) -> Any:
        """Rows x P, for dense or CSR rows as they are in the data."""
        if matrices.issparse(features):
            start = sparse_start(self._scaling, self._weights)
            return _sparse_margins(_parts_of(features), self._scale, self._weights, start)
        return _dense_margins(self._scaling.dense(features), self._weights)


class Gradient:
    """The gradient of a loss, added up over rows.

    Args:
        scaling: brings rows to the scale of the weights.
        loss: of margins.
        weights: ``float32``, (d + 1) x P, the bias last; they may change between calls.
        models: how many models the columns belong to.
        workers: share the rows.
    """

    def __init__(
        self, scaling: Scaling, loss: Loss, weights: Any, models: int, workers: Workers
    ) -> None:
        self._scaling = scaling
        self._loss = loss
        self._weights = weights
        self._models = models
        self._workers = workers
        self._scale = sparse_scale(scaling, weights.shape[0] - 1)
        self._marks = np.zeros(weights.shape[0], dtype=np.int64)
        self._mark = 0
        self._touched = np.zeros(weights.shape[0], dtype=np.int64)
        self.values = np.zeros_like(weights)
        """Who uses a row of it sets the row to 0."""

    def add(self, features: Any, labels: Any, sums: LossSums) -> Any:
        """Add the gradient of some rows, and their losses.

        Args:
            features: rows as they are in the data.
            labels: of them, on the scale of the training.
            sums: added to.

        Returns:
            The features that any of the rows has, for CSR rows; of a shift nothing is known here.
        """
        if matrices.issparse(features):
            return self._add_sparse(features, labels, sums)
        self._add_dense(features, labels, sums)
        return np.arange(self._weights.shape[0] - 1)

    def _add_dense(self, features: Any, labels: Any, sums: LossSums) -> None:
        weights = self._weights
        most = max(1, CHUNK // weights.shape[1])
        if weights.size > _LARGE:
            for first in range(0, features.shape[0], most):
                part = slice(first, first + most)
                self._add_by_columns(self._scaling.dense(features[part]), labels[part], sums)
            return

        def part_of(rows: slice) -> tuple[Any, LossSums]:
            here = LossSums.of(self._models)
            scaled = self._scaling.dense(features[rows])
            slopes = self._loss.slope(_dense_margins(scaled, weights), labels[rows], here)
            found = np.empty_like(weights)
            np.matmul(scaled.T, slopes, out=found[:-1])
            slopes.sum(axis=0, out=found[-1])
            return found, here

        parts = self._workers.parts(features.shape[0], 2 * weights.size, most=most)
        at_once = self._workers.threads
        for first in range(0, len(parts), at_once):
            for found, here in self._workers.run(part_of, parts[first : first + at_once]):
                self.values += found
                sums.add(here)

    def _add_by_columns(self, scaled: Any, labels: Any, sums: LossSums) -> None:
        """The same for weights so many that no worker can have a gradient of its own."""
        weights, (rows, width) = self._weights, scaled.shape
        margins = np.empty((rows, weights.shape[1]), dtype=np.float32)

        def forward(columns: slice) -> None:
            np.matmul(scaled, weights[:-1, columns], out=margins[:, columns])
            margins[:, columns] += weights[-1, columns]

        def slope(some: slice) -> tuple[Any, LossSums]:
            here = LossSums.of(self._models)
            return self._loss.slope(margins[some], labels[some], here), here

        parts = self._workers.parts(
            weights.shape[1], rows * width, least=16, most=max(16, CHUNK // width)
        )
        self._workers.run(forward, parts)
        found = self._workers.run(slope, self._workers.parts(rows, 8 * weights.shape[1]))
        slopes = found[0][0] if len(found) == 1 else np.concatenate([part for part, _ in found])
        for _, here in found:
            sums.add(here)

        def backward(columns: slice) -> None:
            self.values[:-1, columns] += scaled.T @ slopes[:, columns]
            self.values[-1, columns] += slopes[:, columns].sum(axis=0)

        self._workers.run(backward, parts)

    def _add_sparse(self, features: Any, labels: Any, sums: LossSums) -> Any:
        weights, columns = self._weights, self._weights.shape[1]
        start = sparse_start(self._scaling, weights)
        step, rows = max(1, CHUNK // columns), features.shape[0]
        self._mark += 1
        touched = 0
        for first in range(0, rows, step):
            chunk = features if step >= rows else features[first : first + step]
            those = labels[first : first + step]
            slopes = self._sparse_slopes(chunk, those, sums, start)
            total = slopes.sum(axis=0)
            self.values[-1] += total
            if self._scaling.shift is not None:
                self.values[:-1] -= np.outer(_offset(self._scaling), total)
            touched = self._sparse_backward(chunk, slopes, touched)
        return self._touched[:touched]

    def _sparse_slopes(self, features: Any, labels: Any, sums: LossSums, start: Any) -> Any:
        pointers, indices, values = _parts_of(features)
        work = self._weights.shape[1] * features.nnz / max(1, features.shape[0])

        def part(rows: slice) -> tuple[Any, LossSums]:
            here = LossSums.of(self._models)
            some = pointers[rows.start : rows.stop + 1]
            margins = _sparse_margins((some, indices, values), self._scale, self._weights, start)
            return self._loss.slope(margins, labels[rows], here), here

        found = self._workers.run(part, self._workers.parts(features.shape[0], work))
        for _, here in found:
            sums.add(here)
        return found[0][0] if len(found) == 1 else np.concatenate([slopes for slopes, _ in found])

    def _sparse_backward(self, features: Any, slopes: Any, touched: int) -> int:
        """Add the products of features and slopes; each worker has some of the columns."""
        pointers, indices, values = _parts_of(features)
        columns = self._weights.shape[1]

        def part(those: slice) -> int:
            found: int = kernels.sparse_backward(
                pointers,
                indices,
                values,
                self._scale,
                slopes,
                self.values,
                those.start,
                those.stop,
                self._marks,
                # One of them notes which features there are.
                self._mark if those.start == 0 else 0,
                self._touched,
                touched,
            )
            return found

        # Less than a line of cache for each worker is no gain.
        parts = self._workers.parts(columns, features.nnz, least=16)
        return self._workers.run(part, parts)[0]


def sparse_start(scaling: Scaling, weights: Any) -> Any:
    """The margins of a row that stores nothing: the bias, less what a shift takes away."""
    if scaling.shift is None:
        return weights[-1]
    return weights[-1] - _offset(scaling) @ weights[:-1]


def sparse_scale(scaling: Scaling, width: int) -> Any:
    """What stored values are multiplied by."""
    return np.ones(width, dtype=np.float32) if scaling.scale is None else scaling.scale


def _dense_margins(scaled: Any, weights: Any) -> Any:
    found = scaled @ weights[:-1]
    found += weights[-1]
    return found


def _sparse_margins(parts: tuple[Any, Any, Any], scale: Any, weights: Any, start: Any) -> Any:
    pointers, indices, values = parts
    found = np.empty((pointers.size - 1, weights.shape[1]), dtype=np.float32)
    found[:] = start
    kernels.sparse_forward(pointers, indices, values, scale, weights, found)
    return found


def _parts_of(features: Any) -> tuple[Any, Any, Any]:
    return (
        features.indptr.astype(np.int64, copy=False),
        features.indices.astype(np.int32, copy=False),
        features.data,
    )


def _offset(scaling: Scaling) -> Any:
    return scaling.shift if scaling.scale is None else scaling.shift * scaling.scale
