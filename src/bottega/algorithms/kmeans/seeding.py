"""Choosing the first centres among some rows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def choose(method: str, points: Any, weights: Any, count: int, random: np.random.Generator) -> Any:
    """Choose some of the points as centres.

    Args:
        method: ``random`` or ``kmeans++``.
        points: ``float64``, n x d.
        weights: n; points of no weight are not chosen while there are others.
        count: how many, at most n.
        random: where chance comes from.

    Returns:
        ``float64``, count x d.
    """
    if method == "random":
        shares = _shares(weights, count)
        return points[random.choice(points.shape[0], count, replace=False, p=shares)]
    return _spread(points, weights, count, random)


def _spread(points: Any, weights: Any, count: int, random: np.random.Generator) -> Any:
    """k-means++, in its greedy form: of a few candidates, the one that lowers the loss most."""
    candidates = 2 + int(math.log(count))
    size = points.shape[0]
    norms = np.einsum("nd,nd->n", points, points)
    chosen = np.empty(count, dtype=np.int64)
    chosen[0] = random.choice(size, p=_shares(weights, 1))
    distances = _to(points, norms, chosen[:1])[0]
    for number in range(1, count):
        reach = np.cumsum(distances * weights)
        if reach[-1] <= 0:
            # Every point lies on a centre already; which of them are taken twice does not matter.
            chosen[number:] = random.choice(size, count - number)
            break
        tried = np.searchsorted(reach, random.random(candidates) * reach[-1], side="right")
        tried = np.minimum(tried, size - 1)
        reached = np.minimum(distances, _to(points, norms, tried))
        best = int(np.argmin(reached @ weights))
        chosen[number] = tried[best]
        distances = reached[best]
    return points[chosen]


def _to(points: Any, norms: Any, chosen: Any) -> Any:
    """Squared distances of all points to some of them."""
    products = points[chosen] @ points.T
    return np.maximum(norms[chosen, None] + norms - 2.0 * products, 0.0)


def _shares(weights: Any, count: int) -> Any:
    """The chance of each point; None for the same, where too few have a weight."""
    if np.count_nonzero(weights) < count:
        return None
    return weights / weights.sum()
