"""XGBoost: what a job adds to the library."""

from __future__ import annotations

import contextlib
import io
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

_ROWS, _WIDTH, _ROUNDS = 200_000, 50, 100
_QUICK_ROWS, _QUICK_ROUNDS = 2_000, 5
_PARAMETERS = {"objective": "binary:logistic", "max_depth": 6, "eta": 0.2, "eval_metric": "logloss"}

TITLE = "XGBoost: 200,000 rows of 50, 100 rounds"
METHOD = (
    "A binary target of 50 normal features, as CSV of 95 MB; binary:logistic with trees of depth "
    "6, eta 0.2 and the histogram method, the log loss of the training rows printed each round, "
    "all cores. A whole job goes from the file to the saved model; so does pandas.read_csv with "
    "xgboost.train and Booster.save_model, as one would write it by hand. The third contestant "
    "has the rows in memory already, and its time is that of DMatrix and xgboost.train alone. "
    "Libraries were imported before."
)
PACKAGES = ("xgboost", "pandas", "pyarrow")
COLUMNS = ("seconds", "log loss")
ROUNDS = 3


def prepare(folder: Path, quick: bool) -> None:
    """Write the rows as CSV and as an array, the label first."""
    import pyarrow as pa
    from pyarrow import csv

    random = np.random.default_rng(0)
    features = random.normal(size=(_QUICK_ROWS if quick else _ROWS, _WIDTH)).round(6)
    margin = features[:, :5].sum(axis=1) + features[:, 5] * features[:, 6]
    label = (margin + random.logistic(size=len(features)) > 0).astype(int)
    table = pa.table({"y": label, **{f"x{i}": column for i, column in enumerate(features.T)}})
    data = folder / "job" / "input" / "data" / "train"
    data.mkdir(parents=True)
    csv.write_csv(table, data / "train.csv", csv.WriteOptions(include_header=False))
    np.save(folder / "rows.npy", np.column_stack([label, features]).astype(np.float32))


def _threads() -> int:
    return len(os.sched_getaffinity(0))


def _rounds(quick: bool) -> int:
    return _QUICK_ROUNDS if quick else _ROUNDS


def _job(folder: Path, quick: bool) -> Sequence[float]:
    import pyarrow.csv  # noqa: F401
    import xgboost  # noqa: F401

    from bottega.algorithms.registry import algorithm
    from bottega.testing.job_folder import JobFolder

    values = {name: str(value) for name, value in _PARAMETERS.items()}
    values |= {"num_round": str(_rounds(quick)), "tree_method": "hist"}
    job = JobFolder(folder / "job", values).channel("train", "text/csv", {})
    log = io.StringIO()
    began = time.perf_counter()
    with contextlib.redirect_stdout(log):
        algorithm("xgboost").train(job.read())
    seconds = time.perf_counter() - began
    return seconds, float(log.getvalue().rpartition("train-logloss:")[2].split()[0])


def _trained(features: Any, labels: Any, quick: bool) -> tuple[Any, float]:
    import xgboost

    data = xgboost.DMatrix(features, label=labels, nthread=_threads())
    history: dict[str, Any] = {}
    with contextlib.redirect_stdout(io.StringIO()):
        booster = xgboost.train(
            {**_PARAMETERS, "tree_method": "hist", "nthread": _threads()},
            data,
            _rounds(quick),
            evals=[(data, "train")],
            evals_result=history,
            verbose_eval=True,
        )
    return booster, history["train"]["logloss"][-1]


def _by_hand(folder: Path, quick: bool) -> Sequence[float]:
    import pandas
    import xgboost  # noqa: F401

    began = time.perf_counter()
    frame = pandas.read_csv(
        folder / "job" / "input" / "data" / "train" / "train.csv", header=None, dtype=np.float32
    )
    booster, loss = _trained(frame.iloc[:, 1:].to_numpy(), frame[0].to_numpy(), quick)
    booster.save_model(folder / "by-hand.ubj")
    return time.perf_counter() - began, loss


def _alone(folder: Path, quick: bool) -> Sequence[float]:
    import xgboost  # noqa: F401

    rows = np.load(folder / "rows.npy")
    features, labels = np.ascontiguousarray(rows[:, 1:]), rows[:, 0].copy()
    began = time.perf_counter()
    _, loss = _trained(features, labels, quick)
    return time.perf_counter() - began, loss


CONTESTANTS = {
    "bottega, a whole job": _job,
    "pandas and xgboost by hand": _by_hand,
    "xgboost.train alone": _alone,
}
RATIOS = (
    (
        "pandas and xgboost by hand / bottega, time",
        "pandas and xgboost by hand",
        "bottega, a whole job",
        "seconds",
    ),
    (
        "xgboost.train alone / bottega, time",
        "xgboost.train alone",
        "bottega, a whole job",
        "seconds",
    ),
)
