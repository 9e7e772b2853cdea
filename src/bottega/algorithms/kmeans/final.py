"""The final stage as a whole: from what each host has seen to the k centres of the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from bottega.algorithms.base import CustomerError
from bottega.algorithms.kmeans.assignment import Assignment
from bottega.algorithms.kmeans.lloyd import refine, shrink
from bottega.algorithms.kmeans.streaming import Summary

if TYPE_CHECKING:
    from bottega.algorithms.cluster import Cluster
    from bottega.algorithms.readers.record_channel import RecordChannel
    from bottega.algorithms.reports import Reporter

_TRIALS = 10
_FINER = 0.1
"""How much finer than ``local_lloyd_tol`` the iterations on the rows themselves are."""
_CHEAP = 1 << 25
"""The most products of numbers that an iteration of all attempts on the rows costs, for them to be
made there as well as on the summary."""


def finish(
    rows: RecordChannel | None,
    summary: Summary | None,
    values: Mapping[str, Any],
    threads: int,
    cluster: Cluster,
    reporter: Reporter,
) -> tuple[Any, float]:
    """Reduce the summaries of all hosts to k centres, and improve those on the rows.

    The rows are used where they are in the memory of every host; else the centres of the summary
    are what comes out.

    Args:
        rows: those of this host; None when it has none.
        summary: what the streaming stage left of them.
        values: the hyperparameters, with defaults.
        threads: how many to use.
        cluster: the hosts.
        reporter: where attempts are told.

    Returns:
        ``float64``, k x d, the same on every host; and the mean squared distance of the rows to
        them, which is an estimate where the rows are not used.

    Raises:
        CustomerError: there are fewer rows than clusters.
    """
    everyone = _merged(summary, values["feature_dim"], cluster)
    k = values["k"]
    if everyone.rows < k:
        raise CustomerError(
            f"k is {k}, and the channel train has only {everyone.rows} rows; choose a smaller k."
        )
    at_hand = not cluster.largest(int(rows is not None and not rows.kept))
    shift = ((everyone.weights @ everyone.points) / everyone.weights.sum()).astype(np.float32)
    if cluster.largest(int(rows is not None and rows.sparse)):
        shift[:] = 0.0
    reporter.info(f"shrinking {everyone.weights.size} centers into {k}")
    with Assignment(shift, threads) as assignment:
        attempts = _attempts(everyone, values, assignment, reporter)
        if not at_hand:
            centers = attempts[0]
            mean = _estimate(everyone, centers)
        else:
            pieces = [] if rows is None else [batch.features for batch in rows.batches(0)]
            if everyone.rows * attempts[0].size * len(attempts) <= _CHEAP:
                themselves = _merged(_rows_themselves(pieces), values["feature_dim"], cluster)
                attempts += _attempts(themselves, values, assignment)
            else:
                attempts = attempts[:1]
            centers, mean = refine(
                pieces,
                attempts,
                iterations=values["local_lloyd_max_iter"],
                tolerance=values["local_lloyd_tol"] * _FINER,
                assignment=assignment,
                cluster=cluster,
            )
    reporter.info(f"finished shrinking process. Mean Square Distance = {mean:f}")
    return centers, mean


def _attempts(
    summary: Summary,
    values: Mapping[str, Any],
    assignment: Assignment,
    reporter: Reporter | None = None,
) -> list[Any]:
    def report(number: int, mean: float) -> None:
        if reporter is not None:
            reporter.info(f"local kmeans attempt #{number}. Current mean square distance {mean:f}")

    trials = values["local_lloyd_num_trials"]
    return shrink(
        summary,
        values["k"],
        method=values["local_lloyd_init_method"],
        trials=_TRIALS if trials == "auto" else trials,
        iterations=values["local_lloyd_max_iter"],
        tolerance=values["local_lloyd_tol"],
        side_by_side=assignment.map,
        report=report,
    )


def _rows_themselves(pieces: Sequence[Any]) -> Summary | None:
    """Each row as a point that stands for itself."""
    if not pieces:
        return None
    dense = [piece.toarray() if sparse.issparse(piece) else piece for piece in pieces]
    points = np.concatenate(dense).astype(np.float64)
    count = points.shape[0]
    return Summary(points, np.ones(count), np.zeros(count), count)


def _merged(summary: Summary | None, width: int, cluster: Cluster) -> Summary:
    """The summaries of all hosts as one, the same on every host."""
    if cluster.hosts == 1 and summary is not None:
        return summary
    size = cluster.largest(summary.weights.size if summary else 0)
    table = np.zeros((cluster.hosts, size, width + 2))
    if summary is not None:
        own = table[cluster.rank, : summary.weights.size]
        own[:, :width] = summary.points
        own[:, width], own[:, width + 1] = summary.weights, summary.losses
    table = cluster.sum(table).reshape(-1, width + 2)
    table = table[table[:, width] > 0]
    if not table.size:
        raise CustomerError("The channel train has no data on any host.")
    rows = int(cluster.sum(np.array([summary.rows if summary else 0]))[0])
    return Summary(table[:, :width], table[:, width], table[:, width + 1], rows)


def _estimate(summary: Summary, centers: Any) -> float:
    """The mean squared distance, as far as the summary tells: its points stand for their rows."""
    middle = summary.points.mean(axis=0)
    points, near = summary.points - middle, centers - middle
    distances = points @ (-2.0 * near.T)
    distances += np.einsum("kd,kd->k", near, near)
    least = distances.min(axis=1) + np.einsum("nd,nd->n", points, points)
    loss = summary.losses.sum() + summary.weights @ np.maximum(least, 0.0)
    return float(loss / summary.weights.sum())
