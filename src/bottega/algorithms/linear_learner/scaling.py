"""Means and deviations of features and labels, and how they bring data to a common scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse as matrices

from bottega.algorithms.cluster import Cluster
from bottega.algorithms.linear_learner.settings import Settings

_SPREAD = 1e-7
_ITERATIONS = 25


class Moments:
    """Sums over rows, from which means and deviations follow.

    Args:
        width: how many features there are.
        sparse: whether rows come as CSR matrices.
    """

    def __init__(self, width: int, *, sparse: bool) -> None:
        self.rows = 0
        self.sparse = sparse
        self._means = np.zeros(width + 1)
        """Of the features and, last, of the label."""
        self._squares = np.zeros(width + 1)
        """Sums of squared differences from the means."""
        self._stored = np.zeros(width)
        """How many rows store a feature; for sparse rows."""

    def add(self, features: Any, labels: Any) -> None:
        """Take some rows in."""
        rows = int(features.shape[0])
        means, squares = np.empty_like(self._means), np.empty_like(self._squares)
        if matrices.issparse(features):
            width = means.size - 1
            places, values = features.indices, features.data.astype(np.float64)
            means[:-1] = np.bincount(places, weights=values, minlength=width) / rows
            sums = np.bincount(places, weights=values * values, minlength=width)
            squares[:-1] = np.maximum(sums - rows * means[:-1] ** 2, 0)
            self._stored += np.bincount(places, minlength=width)
        else:
            means[:-1] = features.mean(axis=0, dtype=np.float64)
            squares[:-1] = features.var(axis=0, dtype=np.float64) * rows
        means[-1] = labels.mean(dtype=np.float64)
        squares[-1] = labels.var(dtype=np.float64) * rows
        self._merge(rows, means, squares)

    def together(self, cluster: Cluster) -> Moments:
        """Those of the rows of all hosts."""
        if cluster.hosts == 1:
            return self
        whole = Moments(self._stored.size, sparse=self.sparse)
        whole.rows = int(cluster.sum(np.array([self.rows], dtype=np.int64))[0])
        whole._stored = cluster.sum(self._stored)
        whole._means = cluster.sum(self._means * self.rows) / max(1, whole.rows)
        apart = (self._means - whole._means) ** 2 * self.rows
        whole._squares = cluster.sum(self._squares + apart)
        return whole

    def scaling(self, settings: Settings) -> Scaling:
        """How to bring rows to a common scale, as the settings want it.

        A feature (or label) that never changes is not scaled. Sparse features that are not shifted
        are scaled by the root of the mean square of what is stored: their deviation would depend
        on how rare they are, and make the rare ones huge.
        """
        deviations = np.sqrt(self._squares / max(1, self.rows))
        still = deviations <= _SPREAD * np.abs(self._means)
        scales = np.where(still, 1.0, 1 / np.where(still, 1.0, deviations))
        shifts_data = settings.unbias_data
        if shifts_data is None:
            shifts_data = settings.use_bias and not self.sparse
        features = scales[:-1]
        if self.sparse and not shifts_data:
            powers = self._squares[:-1] + self.rows * self._means[:-1] ** 2
            sizes = np.sqrt(powers / np.maximum(self._stored, 1))
            features = np.where(sizes > 0, 1 / np.where(sizes > 0, sizes, 1.0), 1.0)
        label = settings.regression
        return Scaling(
            shift=self._means[:-1].astype(np.float32) if shifts_data else None,
            scale=features.astype(np.float32) if settings.normalize_data else None,
            label_shift=float(self._means[-1]) if label and settings.unbias_label else 0.0,
            label_scale=float(1 / scales[-1]) if label and settings.normalize_label else 1.0,
        )

    def power(self, scaling: Scaling) -> float:
        """The mean squared length of a row, once scaled."""
        shift = 0.0 if scaling.shift is None else scaling.shift
        scale = 1.0 if scaling.scale is None else scaling.scale.astype(np.float64)
        powers = self._squares[:-1] / max(1, self.rows) + (self._means[:-1] - shift) ** 2
        return float((powers * scale**2).sum())

    def _merge(self, rows: int, means: Any, squares: Any) -> None:
        total = self.rows + rows
        apart = means - self._means
        self._squares += squares + apart**2 * (self.rows * rows / total)
        self._means += apart * (rows / total)
        self.rows = total


@dataclass(frozen=True)
class Scaling:
    """Scaled features are ``(x - shift) * scale``, scaled labels ``(y - shift) / scale``."""

    shift: Any
    """``float32`` by feature, or None."""
    scale: Any
    """``float32`` by feature, or None."""
    label_shift: float
    label_scale: float

    def dense(self, features: Any) -> Any:
        """Dense rows, scaled; the rows themselves where there is nothing to scale."""
        if self.shift is not None:
            shifted = np.subtract(features, self.shift)
            if self.scale is not None:
                shifted *= self.scale
            return shifted
        return features if self.scale is None else features * self.scale

    def labels(self, labels: Any) -> Any:
        """Labels, scaled."""
        if self.label_shift == 0 and self.label_scale == 1:
            return labels
        return ((labels - self.label_shift) / self.label_scale).astype(np.float32)

    def original(self, weights: Any) -> tuple[Any, Any]:
        """Weights that take features, and give labels, as they were.

        Args:
            weights: (d + 1) x k for scaled data, the bias last.

        Returns:
            ``float64`` weights, d x k, and biases, k.
        """
        found, bias = weights[:-1].astype(np.float64), weights[-1].astype(np.float64)
        if self.scale is not None:
            found *= self.scale.astype(np.float64)[:, None]
        if self.shift is not None:
            bias = bias - self.shift.astype(np.float64) @ found
        return found * self.label_scale, bias * self.label_scale + self.label_shift


def largest_power(rows: Sequence[Any], scaling: Scaling, width: int, cluster: Cluster) -> float:
    """The mean square of scaled rows along the direction in which it is the largest.

    That is the largest eigenvalue of their second moments, which bounds stable steps. It is found
    by power iteration, on the rows of all hosts.

    Args:
        rows: blocks of features of this host.
        scaling: of them.
        width: how many features there are.
        cluster: the hosts.
    """
    count = cluster.sum(np.array([sum(block.shape[0] for block in rows)], dtype=np.int64))[0]
    direction = np.random.default_rng(0).standard_normal(width)
    power = 0.0
    for _ in range(_ITERATIONS):
        direction /= max(float(np.linalg.norm(direction)), np.finfo(float).tiny)
        found = np.zeros(width)
        for block in rows:
            found += _moment_product(block, scaling, direction)
        direction = cluster.sum(found) / max(1, count)
        power = float(np.linalg.norm(direction))
    return power


def _moment_product(block: Any, scaling: Scaling, direction: Any) -> Any:
    """The product of the transposed scaled rows, the scaled rows and a direction."""
    if not matrices.issparse(block):
        scaled = scaling.dense(block)
        return scaled.T @ (scaled @ direction.astype(np.float32))
    scale = 1.0 if scaling.scale is None else scaling.scale.astype(np.float64)
    shift = 0.0 if scaling.shift is None else scaling.shift.astype(np.float64)
    along = block @ (scale * direction) - np.sum(shift * scale * direction)
    return scale * (block.T @ along) - shift * scale * along.sum()
