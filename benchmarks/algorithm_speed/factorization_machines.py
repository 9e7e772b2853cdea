"""Factorization Machines on MovieLens-like ratings made at random, beside myFM."""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

_USERS, _FILMS, _RATINGS, _TASTES = 6_000, 3_500, 1_000_000, 4
_NOISE = 0.5
_FACTORS = 8
_ITERATIONS = 50

TITLE = "Factorization Machines: 1,000,000 ratings of 3,500 films by 6,000 users"
METHOD = (
    "Ratings made at random: the mean, a bias of user and film, and the product of 4 tastes of "
    "each (standard deviation of the noise 0.5, which no model can fall below; without the tastes "
    "the error is about 0.8); a tenth of them is tested on. Each row has two features of 9,500, "
    "the user and the film. The time is that of the training: for bottega a whole job, from "
    "RecordIO on disk to the artifact (8 factors, 8 epochs of batches of 1,000, linear_lr and "
    "factors_lr 0.005, linear_wd 0.00001, factors_wd 0.00003, factors_init_sigma 0.1); for myFM "
    "`fit` of the same rows in memory (8 factors, 50 Gibbs iterations, the mean of the last 35 "
    "predicts)."
)
PACKAGES = ("myfm",)
COLUMNS = ("seconds", "test RMSE")
ROUNDS = 3


def prepare(folder: Path, quick: bool) -> None:
    """Write the ratings as arrays, and those to train on as RecordIO."""
    from bottega.algorithms.readers.record_writing import write_rows

    users, films, count = (_USERS, _FILMS, _RATINGS) if not quick else (60, 40, 2000)
    random = np.random.default_rng(0)
    user, film = random.integers(0, users, count), random.integers(0, films, count)
    labels = 3.5 + random.normal(size=users)[user] * 0.3 + random.normal(size=films)[film] * 0.4
    tastes = random.normal(size=(users, _TASTES)) / _TASTES**0.25
    kinds = random.normal(size=(films, _TASTES)) / _TASTES**0.25
    labels += 0.6 * np.einsum("nt,nt->n", tastes[user], kinds[film])
    labels += random.normal(size=count) * _NOISE
    np.savez(folder / "ratings.npz", user=user, film=film, labels=labels.astype(np.float32))
    data = folder / "job" / "input" / "data" / "train"
    data.mkdir(parents=True)
    rows, labels = _part(folder, train=True)
    with (data / "train.pbr").open("wb") as file:
        write_rows(file, rows, labels)


def _part(folder: Path, *, train: bool) -> tuple[Any, Any]:
    from scipy import sparse

    with np.load(folder / "ratings.npz") as found:
        user, film, labels = found["user"], found["film"], found["labels"]
    width = int(user.max()) + int(film.max()) + 2
    cut = len(labels) * 9 // 10
    part = slice(0, cut) if train else slice(cut, None)
    columns = np.stack([user[part], user.max() + 1 + film[part]], axis=1).astype(np.int32)
    pointers = np.arange(0, columns.size + 1, 2, dtype=np.int32)
    ones = np.ones(columns.size, np.float32)
    rows = sparse.csr_matrix((ones, columns.ravel(), pointers), shape=(len(columns), width))
    return rows, labels[part]


def _error(scores: Any, labels: Any) -> float:
    return float(np.sqrt(((scores - labels) ** 2).mean()))


def _ours(folder: Path, quick: bool) -> Sequence[float]:
    from bottega.algorithms.registry import algorithm
    from bottega.testing.job_folder import JobFolder

    fm = algorithm("factorization-machines")
    rows, labels = _part(folder, train=False)
    values = {
        "feature_dim": str(rows.shape[1]),
        "num_factors": str(_FACTORS),
        "predictor_type": "regressor",
        "epochs": "8",
        "linear_lr": "0.005",
        "linear_wd": "0.00001",
        "factors_lr": "0.005",
        "factors_wd": "0.00003",
        "factors_init_sigma": "0.1",
    }
    job = JobFolder(folder / "job", values, image=fm.name)
    job.channel("train", "application/x-recordio-protobuf", {})
    began = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        fm.train(job.read())
    seconds = time.perf_counter() - began
    return seconds, _error(fm.load(job.root / "model", {}).outputs(rows)["score"], labels)


def _theirs(folder: Path, quick: bool) -> Sequence[float]:
    import myfm

    rows, labels = _part(folder, train=True)
    model = myfm.MyFMRegressor(rank=_FACTORS, random_seed=0)
    began = time.perf_counter()
    model.fit(rows, labels, n_iter=_ITERATIONS, n_kept_samples=_ITERATIONS * 7 // 10)
    seconds = time.perf_counter() - began
    rows, labels = _part(folder, train=False)
    return seconds, _error(model.predict(rows), labels)


CONTESTANTS = {"bottega, a whole job": _ours, "myFM": _theirs}
RATIOS = (
    ("myFM beside bottega, time", "myFM", "bottega, a whole job", "seconds"),
    ("myFM beside bottega, test RMSE", "myFM", "bottega, a whole job", "test RMSE"),
)
