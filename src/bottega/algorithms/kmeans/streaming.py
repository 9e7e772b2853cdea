"""The streaming stage: many centres that follow the data, a batch at a time, in constant memory.

Each batch moves the centres that are nearest to its rows towards their mean, by the share that they
have of all rows the centre has seen: web-scale k-means. What is left are K weighted points that
stand for the data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from threadpoolctl import threadpool_limits

from bottega.algorithms.kmeans.assignment import Assignment, cut
from bottega.algorithms.kmeans.seeding import choose

if TYPE_CHECKING:
    from bottega.algorithms.kmeans.assignment import Totals
    from bottega.algorithms.readers.record_channel import RecordChannel

SEED = 0
_MOST_BYTES = 256 << 20
_FEW, _MANY = 4, 10
_ENOUGH = 1000
_ROWS_A_CENTER = 3


@dataclass(frozen=True)
class Summary:
    """Weighted points that stand for the rows of a channel."""

    points: Any
    """``float64``, K x d."""
    weights: Any
    """``float64``, K: how many rows each stands for; fewer, where older rows count less."""
    losses: Any
    """``float64``, K: the sum of squared distances of those rows to the point."""
    rows: int
    """How many rows the channel has."""


def center_count(k: int, width: int, factor: int | str) -> int:
    """How many centres the stage keeps.

    Where it may choose, it takes 10 times k up to a k of 100 and 4 times k above 250; fewer where
    they would take more than 256 MiB.
    """
    if isinstance(factor, int):
        return k * factor
    wanted = max(_FEW, min(_MANY, _ENOUGH // k))
    return k * max(1, min(wanted, _MOST_BYTES // (4 * k * width)))


def summarize(
    channel: RecordChannel,
    values: Mapping[str, Any],
    threads: int,
    report: Callable[[int, int], None],
) -> Summary:
    """Pass over a channel once for each epoch.

    Args:
        channel: the rows.
        values: the hyperparameters, with defaults.
        threads: how many to use.
        report: told after each epoch how many are done, and how many rows it had.

    Returns:
        What the last epoch left.

    Raises:
        CustomerError: something in the data is wrong.
    """
    wanted = center_count(values["k"], channel.width, values["extra_center_factor"])
    needed = wanted * (_ROWS_A_CENTER if values["init_method"] == "kmeans++" else 1)
    stage: _Stage | None = None
    waiting: list[Any] = []
    with ExitStack() as stack:
        # With one thread, products are the same numbers whatever the machine has.
        stack.enter_context(threadpool_limits(1, user_api="blas"))

        def begin() -> _Stage:
            started = _Stage.begin(waiting, wanted, values, threads)
            stack.enter_context(started.assignment)
            for rows in waiting:
                started.learn(rows)
            waiting.clear()
            return started

        for epoch in range(values["epochs"]):
            for batch in channel.batches(values["mini_batch_size"], epoch=epoch, seed=SEED):
                if stage is not None:
                    stage.learn(batch.features)
                    continue
                waiting.append(batch.features)
                if sum(rows.shape[0] for rows in waiting) >= needed:
                    stage = begin()
            if stage is None:
                # There are fewer rows than centres would be chosen from.
                stage = begin()
            found = stage.end_epoch()
            report(epoch + 1, found.rows)
        return found


class _Stage:
    """The centres, less the shift, and how many rows they have seen."""

    def __init__(self, centers: Any, assignment: Assignment, half_life: int) -> None:
        self.assignment = assignment
        self._centers = centers
        self._half_life = half_life
        self._seen = np.zeros(centers.shape[0])
        self._start_epoch()

    @classmethod
    def begin(
        cls, batches: list[Any], wanted: int, values: Mapping[str, Any], threads: int
    ) -> _Stage:
        """Choose the first centres among the rows of some batches, learning from none of them."""
        if sparse.issparse(batches[0]):
            rows = sparse.vstack(batches, format="csr")
            shift = np.zeros(rows.shape[1], dtype=np.float32)
        else:
            rows = np.concatenate(batches)
            shift = rows.mean(axis=0, dtype=np.float64).astype(np.float32)
        random = np.random.default_rng(SEED)
        count = min(wanted, rows.shape[0])
        centers = _first_centers(rows, shift, count, values["init_method"], random)
        return cls(centers, Assignment(shift, threads), values["half_life_time_size"])

    def learn(self, rows: Any) -> None:
        """Move the centres towards the rows of a batch."""
        totals = self.assignment.totals(cut(rows), self._centers)
        if self._half_life:
            kept = 0.5 ** (rows.shape[0] / self._half_life)
            self._seen *= kept
            self._weights *= kept
            self._losses *= kept
        self._seen += totals.counts
        share = totals.counts / np.maximum(self._seen, 1e-300)
        moved = totals.means(self._centers)
        moved -= self._centers
        moved *= share[:, None]
        self._add(totals, moved)
        self._centers += moved
        self._rows += rows.shape[0]

    def _add(self, totals: Totals, moved: Any) -> None:
        """Keep what is known about this epoch's rows true of the centres after they moved.

        Around their mean the rows before have a loss of their own; a centre that is no mean of them
        (it has forgotten some) makes that an approximation.
        """
        squares = np.einsum("kd,kd->k", moved, moved)
        self._losses += self._weights * squares
        self._losses += totals.losses(self._centers + moved)
        self._weights += totals.counts

    def _start_epoch(self) -> None:
        size = self._centers.shape[0]
        self._weights, self._losses, self._rows = np.zeros(size), np.zeros(size), 0

    def end_epoch(self) -> Summary:
        """What the centres stand for after an epoch; begins the next one."""
        held = self._weights > 0
        found = Summary(
            self._centers[held] + self.assignment.shift,
            self._weights[held],
            self._losses[held],
            self._rows,
        )
        self._start_epoch()
        return found


def _first_centers(
    rows: Any, shift: Any, count: int, method: str, random: np.random.Generator
) -> Any:
    if method == "random":
        chosen = rows[np.sort(random.choice(rows.shape[0], count, replace=False))]
        return _dense(chosen) - shift
    some = min(rows.shape[0], count * _ROWS_A_CENTER)
    if some < rows.shape[0]:
        rows = rows[np.sort(random.choice(rows.shape[0], some, replace=False))]
    points = _dense(rows) - shift
    return choose(method, points, np.ones(points.shape[0]), count, random)


def _dense(rows: Any) -> Any:
    found = rows.toarray() if sparse.issparse(rows) else rows
    return found.astype(np.float64)
