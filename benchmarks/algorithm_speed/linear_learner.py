"""Linear Learner's 32 models beside 32 fits of scikit-learn's SGDClassifier."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

_ROWS, _WIDTH, _EPOCHS = 200_000, 50, 15
_QUICK_ROWS, _QUICK_EPOCHS = 4_000, 2
_TEST_SHARE = 10

TITLE = "Linear Learner: 32 models of 200,000 rows x 50"
METHOD = (
    "Logistic regression of 200,000 made rows of 50 correlated features, 15 epochs, 32 models. "
    "bottega: a whole job, from RecordIO-protobuf files on disk to the artifact, with "
    "num_models=auto and everything else at its default but early stopping, which is off; it "
    "reads, scales, trains, calibrates the threshold and evaluates. scikit-learn: 32 fits of "
    "SGDClassifier (4 learning rates x 4 alphas x 2 penalties, max_iter=15, tol=None) of arrays in "
    "memory that StandardScaler scaled, on as many threads as there are cores; reading is not "
    "timed. The log loss is that of the best model of each on 20,000 other rows."
)
PACKAGES = ("scikit-learn",)
COLUMNS = ("seconds", "log loss")
ROUNDS = 3


def _rows(count: int, seed: int) -> tuple[Any, Any]:
    """Features that share a few causes, on scales of their own, and noisy labels."""
    fixed = np.random.default_rng(0)
    causes, scales = fixed.normal(size=(10, _WIDTH)), 10 ** fixed.uniform(-2, 2, _WIDTH)
    true = fixed.normal(size=_WIDTH) / 6
    random = np.random.default_rng(seed)
    features = random.normal(size=(count, 10)) @ causes / 3 + random.normal(size=(count, _WIDTH))
    chances = 1 / (1 + np.exp(-(features @ true) + 1))
    labels = (random.random(count) < chances).astype(np.float32)
    return (features * scales + 5 * scales).astype(np.float32), labels


def prepare(folder: Path, quick: bool) -> None:
    """Write the rows as arrays, and as the channels of a job."""
    from bottega.algorithms.readers.record_writing import write_rows

    count = _QUICK_ROWS if quick else _ROWS
    for seed, (name, rows) in enumerate((("train", count), ("test", count // _TEST_SHARE))):
        features, labels = _rows(rows, seed + 1)
        np.savez(folder / f"{name}.npz", features=features, labels=labels)
        channel = folder / "job" / "input" / "data" / name
        channel.mkdir(parents=True)
        with (channel / "rows.pbr").open("wb") as file:
            write_rows(file, features, labels)


def _ours(folder: Path, quick: bool) -> Sequence[float]:
    import contextlib
    import io

    from bottega.algorithms.linear_learner import kernels
    from bottega.algorithms.registry import algorithm
    from bottega.testing.job_folder import JobFolder

    # A daemon compiles kernels when it starts, before there are jobs.
    assert kernels.logistic.signatures
    epochs = _QUICK_EPOCHS if quick else _EPOCHS
    values = {
        "predictor_type": "binary_classifier",
        "epochs": str(epochs),
        "early_stopping_patience": str(epochs + 1),
    }
    job = JobFolder(folder / "job", values, image="linear-learner")
    for name in ("train", "test"):
        job.channel(name, "application/x-recordio-protobuf", {})
    log = io.StringIO()
    began = time.perf_counter()
    with contextlib.redirect_stdout(log):
        algorithm("linear-learner").train(job.read())
    seconds = time.perf_counter() - began
    losses = [line for line in log.getvalue().splitlines() if " test " in line and "<loss>" in line]
    return seconds, float(losses[-1].rpartition("=")[2])


def _theirs(folder: Path, quick: bool) -> Sequence[float]:
    from joblib import Parallel, delayed
    from sklearn.linear_model import SGDClassifier
    from sklearn.metrics import log_loss
    from sklearn.preprocessing import StandardScaler

    parts = {name: np.load(folder / f"{name}.npz") for name in ("train", "test")}
    features, labels = parts["train"]["features"], parts["train"]["labels"]
    epochs = _QUICK_EPOCHS if quick else _EPOCHS
    grid = itertools.product((0.001, 0.01, 0.05, 0.2), (1e-6, 1e-5, 1e-4, 1e-3), ("l1", "l2"))

    def fit(scaled: Any, rate: float, alpha: float, penalty: str) -> Any:
        model = SGDClassifier(
            loss="log_loss",
            penalty=penalty,
            alpha=alpha,
            learning_rate="invscaling",
            eta0=rate,
            max_iter=epochs,
            tol=None,
            random_state=0,
        )
        return model.fit(scaled, labels)

    began = time.perf_counter()
    scaler = StandardScaler().fit(features)
    scaled = scaler.transform(features)
    cores = len(os.sched_getaffinity(0))
    models = Parallel(n_jobs=cores, prefer="threads")(
        delayed(fit)(scaled, *settings) for settings in grid
    )
    seconds = time.perf_counter() - began
    tested = scaler.transform(parts["test"]["features"])
    truth = parts["test"]["labels"]
    return seconds, min(log_loss(truth, model.predict_proba(tested)) for model in models)


CONTESTANTS = {"bottega": _ours, "scikit-learn SGDClassifier": _theirs}
RATIOS = (
    (
        "32 fits of scikit-learn's SGDClassifier / bottega, time",
        "scikit-learn SGDClassifier",
        "bottega",
        "seconds",
    ),
)
