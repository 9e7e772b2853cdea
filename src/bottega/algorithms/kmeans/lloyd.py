"""The final stage: Lloyd's method, on the summary and then, where they are at hand, on the rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from bottega.algorithms.kmeans.assignment import Assignment, Totals
from bottega.algorithms.kmeans.seeding import choose
from bottega.algorithms.kmeans.streaming import SEED, Summary

if TYPE_CHECKING:
    from bottega.algorithms.cluster import Cluster

_BEYOND = 0.8
"""How far centres step beyond the mean of their rows, as a share of the way to it: a step that
Lloyd's method would take in about the next iteration."""
_SAMPLE = 16
_ROWS_A_CLUSTER = 100
_NUDGE = 0.1


def shrink(
    summary: Summary,
    k: int,
    *,
    method: str,
    trials: int,
    iterations: int,
    tolerance: float,
    side_by_side: Callable[[Any, Sequence[int]], Sequence[Any]],
    report: Callable[[int, float], None],
) -> list[Any]:
    """Reduce the weighted points of a summary to k centres, in some attempts.

    Args:
        summary: of at least one point.
        k: how many centres.
        method: ``random`` or ``kmeans++``, how an attempt begins.
        trials: how many attempts.
        iterations: the most of each.
        tolerance: the change of the loss, as a share of it, that ends an attempt.
        side_by_side: applies a function to the numbers of the attempts.
        report: told of each attempt its number and its mean squared distance.

    Returns:
        The centres of every attempt, the best first: ``float64``, k x d.
    """
    total = summary.weights.sum()
    middle = (summary.weights @ summary.points) / total
    points = summary.points - middle
    within = summary.losses.sum()

    def attempt(number: int) -> tuple[float, Any]:
        random = np.random.default_rng([SEED, number])
        size = min(k, points.shape[0])
        centers = choose(method, points, summary.weights, size, random)
        return _weighted(points, summary.weights, centers, iterations, tolerance)

    found = side_by_side(attempt, range(trials))
    for number, (loss, _) in enumerate(found):
        report(number, float((loss + within) / total))
    found = sorted(found, key=lambda attempt: attempt[0])
    # Fewer points than centres: the same ones again, which an iteration on the rows may part.
    return [centers[np.arange(k) % centers.shape[0]] + middle for _, centers in found]


def _weighted(
    points: Any, weights: Any, centers: Any, iterations: int, tolerance: float
) -> tuple[float, Any]:
    """Lloyd's method on weighted points: the loss and the centres."""
    norms = np.einsum("nd,nd->n", points, points)
    rows = np.arange(points.shape[0])
    previous = np.inf
    for _ in range(iterations):
        distances = points @ (-2.0 * centers.T)
        distances += np.einsum("kd,kd->k", centers, centers)
        nearest = distances.argmin(axis=1)
        loss = float(weights @ np.maximum(distances[rows, nearest] + norms, 0.0))
        counts = np.bincount(nearest, weights=weights, minlength=centers.shape[0])
        member = sparse.csr_matrix(
            (weights, (nearest, rows)), shape=(centers.shape[0], points.shape[0])
        )
        means = (member @ points) / np.maximum(counts, 1e-300)[:, None]
        centers = np.where(counts[:, None] > 0, means, centers)
        if previous - loss <= tolerance * loss:
            break
        previous = loss
    return loss, centers


def refine(
    pieces: Sequence[Any],
    attempts: Sequence[Any],
    *,
    iterations: int,
    tolerance: float,
    assignment: Assignment,
    cluster: Cluster,
) -> tuple[Any, float]:
    """Lloyd's method on the rows of all hosts: first on a sample of them where they are many.

    Args:
        pieces: the rows of this host; may be none.
        attempts: centres to begin with, ``float64``, k x d, the same on every host. The best
            result is taken.
        iterations: the most of each round.
        tolerance: the change of the loss, as a share of it, that ends a round.
        assignment: knows the shift, the same on every host.
        cluster: the hosts.

    Returns:
        The centres, and the mean squared distance of the rows to them.
    """
    rows = int(cluster.sum(np.array([sum(piece.shape[0] for piece in pieces)]))[0])
    sample = None
    if rows >= _SAMPLE * _ROWS_A_CLUSTER * attempts[0].shape[0]:
        random = np.random.default_rng([SEED, cluster.rank])
        sample = [_sampled(piece, random) for piece in pieces]
    rounds = _Rounds(iterations, tolerance, assignment, cluster)
    found = []
    for attempt in attempts:
        centers = attempt - assignment.shift
        if sample is not None:
            # A centre without rows among these may well have some among the others.
            centers, _ = rounds.run(sample, centers, share=False)
        centers, mean = rounds.run(pieces, centers, share=True)
        found.append((mean, centers + assignment.shift))
    mean, centers = min(found, key=lambda attempt: attempt[0])
    return centers, mean


def _sampled(piece: Any, random: np.random.Generator) -> Any:
    return piece[random.random(piece.shape[0]) < 1 / _SAMPLE]


@dataclass(frozen=True)
class _Rounds:
    """Lloyd's method with steps that go beyond the mean: fewer of them lead as far."""

    iterations: int
    tolerance: float
    assignment: Assignment
    cluster: Cluster

    def run(self, pieces: Sequence[Any], centers: Any, *, share: bool) -> tuple[Any, float]:
        """Improve centres on some rows.

        Args:
            pieces: the rows of this host.
            centers: less the shift.
            share: whether a centre without rows is given some of another one's.

        Returns:
            The centres, and the mean squared distance to them.
        """
        random = np.random.default_rng(SEED)
        previous, means = np.inf, None
        for _ in range(self.iterations):
            totals = self._totals(pieces, centers)
            losses = totals.losses(centers)
            loss = float(losses.sum())
            if loss > previous and means is not None:
                # That was too far; from the means themselves the loss cannot rise.
                centers, means = means, None
                continue
            found = totals.means(centers)
            best = found, float(totals.losses(found).sum()) / max(1.0, float(totals.counts.sum()))
            parted = share and _part(found, totals, losses, random)
            if previous - loss <= self.tolerance * loss and not parted:
                break
            previous, means = loss, None if parted else found
            centers = found if parted else found + _BEYOND * (found - centers)
        return best

    def _totals(self, pieces: Sequence[Any], centers: Any) -> Totals:
        """The totals over all hosts."""
        size, width = centers.shape
        own = np.zeros((size, width + 2))
        if pieces:
            found = self.assignment.totals(pieces, centers)
            own[:, :width], own[:, width] = found.sums, found.counts
            own[:, width + 1] = found.squares
        everyone = self.cluster.sum(own)
        return Totals(everyone[:, :width], everyone[:, width], everyone[:, width + 1])


def _part(centers: Any, totals: Totals, losses: Any, random: np.random.Generator) -> bool:
    """Move each centre without rows beside the one whose rows lose most, so that they share them.

    Returns:
        Whether one was moved.
    """
    left = losses.copy()
    moved = False
    for empty in np.flatnonzero(totals.counts == 0):
        heaviest = int(left.argmax())
        if left[heaviest] <= 0:
            break
        direction = random.normal(size=centers.shape[1])
        radius = np.sqrt(left[heaviest] / totals.counts[heaviest])
        centers[empty] = centers[heaviest] + direction * (
            _NUDGE * radius / np.sqrt(direction @ direction)
        )
        left[heaviest] = 0.0
        moved = True
    return moved
