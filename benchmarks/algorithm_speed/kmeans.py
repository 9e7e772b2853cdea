"""K-Means on rows in memory, and as a whole job that reads them from RecordIO."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

_ROWS, _WIDTH = 1_000_000, 20
_QUICK_ROWS = 2_000
WORKLOADS = (("blobs", 10), ("blobs", 100), ("uniform", 10), ("uniform", 100))

TITLE = "K-Means: 1,000,000 rows of 20 numbers"
METHOD = (
    "Four data sets of 1,000,000 rows x 20 in single precision: scikit-learn's blobs (as many as "
    "clusters are asked for, each of variance 1 in every direction) and uniform numbers, with k of "
    "10 and of 100. The time is that of the training, from rows in memory to the centres (for a "
    "whole job: from the RecordIO file on disk to the artifact, on one machine); beside it is the "
    "mean squared distance of all rows to their nearest centre, computed anew in double precision. "
    "Hyperparameters are the defaults of each: one pass of batches of 5,000 for bottega; "
    "k-means++ once, at most 300 iterations and a tolerance of 0.0001 for KMeans (its Elkan "
    "variant is slower on all four), batches of 5,000 for MiniBatchKMeans."
)
PACKAGES = ("scikit-learn",)
COLUMNS = tuple(f"{kind}, k={k}, {what}" for kind, k in WORKLOADS for what in ("seconds", "msd"))
ROUNDS = 3


def prepare(folder: Path, quick: bool) -> None:
    """Write each data set as an array, and as RecordIO."""
    from sklearn.datasets import make_blobs

    from bottega.algorithms.readers.record_writing import write_rows

    rows = _QUICK_ROWS if quick else _ROWS
    for kind, k in WORKLOADS:
        if kind == "uniform":
            table = np.random.default_rng(k).random((rows, _WIDTH), dtype=np.float32)
        else:
            table = make_blobs(rows, _WIDTH, centers=k, random_state=0)[0].astype(np.float32)
        np.save(folder / f"{kind}-{k}.npy", table)
        data = folder / f"job-{kind}-{k}" / "input" / "data" / "train"
        data.mkdir(parents=True)
        with (data / "rows.pbr").open("wb") as file:
            write_rows(file, table)


def _each(folder: Path, cluster: Callable[[Path, Any, int], tuple[float, Any]]) -> Sequence[float]:
    found: list[float] = []
    for kind, k in WORKLOADS:
        table = np.load(folder / f"{kind}-{k}.npy")
        seconds, centers = cluster(folder / f"job-{kind}-{k}", table, k)
        found += [seconds, _mean_squared_distance(table, centers)]
    return found


def _mean_squared_distance(table: Any, centers: Any) -> float:
    total = 0.0
    for start in range(0, len(table), 10_000):
        rows = table[start : start + 10_000].astype(np.float64)
        distances = (rows**2).sum(axis=1)[:, None] - 2 * rows @ centers.T + (centers**2).sum(axis=1)
        total += float(distances.min(axis=1).sum())
    return total / len(table)


@dataclass(frozen=True)
class InMemory:
    """Rows at hand, as a channel that has been read."""

    rows: Any
    name: str = "train"
    sparse: bool = False
    kept: bool = True

    @property
    def width(self) -> int:
        return int(self.rows.shape[1])

    def batches(self, size: int, *, epoch: int = 0, seed: int | None = None) -> Iterator[Any]:
        from bottega.algorithms.readers.record_channel import Batch

        size = size or 1 << 14
        order = None
        if seed is not None:
            order = np.random.default_rng([seed, epoch]).permutation(len(self.rows))
        for start in range(0, len(self.rows), size):
            part = slice(start, start + size)
            yield Batch(self.rows[part if order is None else order[part]], None)


def _ours(folder: Path, quick: bool) -> Sequence[float]:
    import os

    from bottega.algorithms.kmeans.training import fit
    from bottega.algorithms.reports import Reporter

    def cluster(job: Path, table: Any, k: int) -> tuple[float, Any]:
        values = {"k": str(k), "feature_dim": str(_WIDTH)}
        threads = len(os.sched_getaffinity(0))
        began = time.perf_counter()
        centers, _ = fit(InMemory(table), values, threads, Reporter("", "", speaks=False))
        return time.perf_counter() - began, centers

    return _each(folder, cluster)


def _job(folder: Path, quick: bool) -> Sequence[float]:
    import contextlib
    import io

    from bottega.algorithms.registry import algorithm
    from bottega.testing.job_folder import JobFolder

    def cluster(job: Path, table: Any, k: int) -> tuple[float, Any]:
        values = {"k": str(k), "feature_dim": str(_WIDTH)}
        made = JobFolder(job, values, image="kmeans").channel(
            "train", "application/x-recordio-protobuf", {}
        )
        began = time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()):
            algorithm("kmeans").train(made.read())
        seconds = time.perf_counter() - began
        return seconds, algorithm("kmeans").load(job / "model", {}).centers.astype(np.float64)

    return _each(folder, cluster)


def _theirs(make: Callable[[int], Any]) -> Callable[[Path, bool], Sequence[float]]:
    def run(folder: Path, quick: bool) -> Sequence[float]:
        def cluster(job: Path, table: Any, k: int) -> tuple[float, Any]:
            model = make(k)
            began = time.perf_counter()
            with warnings.catch_warnings():
                # Not converged in 300 iterations: that is what is measured.
                warnings.simplefilter("ignore")
                model.fit(table)
            return time.perf_counter() - began, model.cluster_centers_.astype(np.float64)

        return _each(folder, cluster)

    return run


def _lloyd(k: int) -> Any:
    from sklearn.cluster import KMeans

    return KMeans(k, random_state=0)


def _mini_batch(k: int) -> Any:
    from sklearn.cluster import MiniBatchKMeans

    return MiniBatchKMeans(k, batch_size=5000, random_state=0)


CONTESTANTS = {
    "bottega": _ours,
    "bottega, a whole job": _job,
    "scikit-learn KMeans": _theirs(_lloyd),
    "scikit-learn MiniBatchKMeans": _theirs(_mini_batch),
}
RATIOS = tuple(
    (
        f"{who} beside bottega, {kind}, k={k}, time",
        f"scikit-learn {who}",
        "bottega",
        f"{kind}, k={k}, seconds",
    )
    for kind, k in WORKLOADS
    for who in ("KMeans", "MiniBatchKMeans")
)
