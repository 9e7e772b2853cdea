"""How well Linear Learner predicts, beside scikit-learn's solvers on the same rows.

Both minimise the same loss with the same L2 penalty on the same training rows (but for Huber's
loss, whose scale scikit-learn estimates), so that what differs is how near they come to the least
of it.

Run: ``python benchmarks/parity_linear_learner.py [--data ../shared/data] [--splits 5]``.
"""

from __future__ import annotations

import contextlib
import io
import math
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from measurement import Ratio, Result, Table, finish, options, scratch
from sklearn.datasets import load_digits, load_svmlight_file
from sklearn.linear_model import (
    HuberRegressor,
    LogisticRegression,
    QuantileRegressor,
    Ridge,
    SGDClassifier,
)
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from bottega.algorithms.readers.record_writing import write_rows
from bottega.algorithms.registry import algorithm
from bottega.testing.job_folder import JobFolder

RECORDIO = "application/x-recordio-protobuf"
TITLE = "Linear Learner: quality beside scikit-learn"
METHOD = (
    "Every learner gets the same training rows and is measured on the same test rows: those of the "
    "data set where it has its own, else a fifth of it; medians of {splits} random splits. "
    "bottega: a job with the channel train alone, mini_batch_size=100, epochs=50 without early "
    "stopping and num_models=auto; wd is scikit-learn's penalty and l1 is 0, so that the models "
    "differ in their learning rates. scikit-learn: StandardScaler and the solver named, with its "
    "default penalty (none for QuantileRegressor); huber_delta is 3, where HuberRegressor finds "
    "its own scale. Accuracy of two classes is at the threshold that bottega finds "
    "on the training rows, and at a half for scikit-learn."
)


Rows = tuple[Any, np.ndarray]


@dataclass(frozen=True)
class Task:
    """A data set, what is learned from it and with what."""

    title: str
    splits: Callable[[Path, int], Sequence[tuple[Rows, Rows]]]
    values: Mapping[str, str]
    peers: Mapping[str, Callable[[], Any]]
    penalty: Callable[[int], float]
    """``wd`` for so many rows."""
    better: str
    """Of the first measure: ``higher`` or ``lower``."""
    standardised: bool = True


def random_splits(features: Any, labels: np.ndarray, count: int) -> Sequence[tuple[Rows, Rows]]:
    found = []
    for seed in range(count):
        parts = train_test_split(features, labels, test_size=0.2, random_state=seed)
        found.append(((parts[0], parts[2]), (parts[1], parts[3])))
    return found


def adult(data: Path, count: int) -> Sequence[tuple[Rows, Rows]]:
    parts = [
        pd.read_csv(
            data / "adult-census" / f"adult-{name}.csv.gz", header=None, skipinitialspace=True
        )
        for name in ("train", "test")
    ]
    both = pd.concat(parts)
    labels = both[14].str.startswith(">50K").astype(int).to_numpy()
    features = pd.get_dummies(both.drop(columns=14)).astype("f4").to_numpy()
    cut = len(parts[0])
    return [((features[:cut], labels[:cut]), (features[cut:], labels[cut:]))]


def telco(data: Path, count: int) -> Sequence[tuple[Rows, Rows]]:
    frame = pd.read_csv(data / "telco-churn" / "Telco-Customer-Churn.csv")
    labels = (frame.pop("Churn") == "Yes").astype(int).to_numpy()
    frame["TotalCharges"] = pd.to_numeric(frame["TotalCharges"], errors="coerce").fillna(0)
    features = pd.get_dummies(frame.drop(columns="customerID")).astype("f4").to_numpy()
    return random_splits(features, labels, count)


def abalone(data: Path, count: int) -> Sequence[tuple[Rows, Rows]]:
    frame = pd.read_csv(data / "abalone" / "abalone.csv", header=None)
    features = pd.get_dummies(frame.drop(columns=8)).astype("f4").to_numpy()
    return random_splits(features, frame[8].to_numpy().astype(float), count)


def agaricus(data: Path, count: int) -> Sequence[tuple[Rows, Rows]]:
    train, test = (
        load_svmlight_file(str(data / "agaricus" / f"agaricus.txt.{name}"), n_features=127)
        for name in ("train", "test")
    )
    return [((train[0].astype("f4"), train[1]), (test[0].astype("f4"), test[1]))]


def digits(data: Path, count: int) -> Sequence[tuple[Rows, Rows]]:
    features, labels = load_digits(return_X_y=True)
    return random_splits(features.astype("f4"), labels, count)


def logistic() -> Any:
    return LogisticRegression(max_iter=5000)


def stochastic() -> Any:
    return SGDClassifier(loss="log_loss", random_state=0)


def median_regression() -> Any:
    return QuantileRegressor(quantile=0.5, alpha=0)


BINARY = {"predictor_type": "binary_classifier"}
REGRESSOR = {"predictor_type": "regressor"}
CLASSIFIERS = {"LogisticRegression": logistic, "SGDClassifier": stochastic}
TASKS = (
    Task("adult-census, one-hot", adult, BINARY, CLASSIFIERS, lambda rows: 1 / rows, "higher"),
    Task("telco-churn, one-hot", telco, BINARY, CLASSIFIERS, lambda rows: 1 / rows, "higher"),
    Task(
        "agaricus, sparse",
        agaricus,
        BINARY,
        CLASSIFIERS,
        lambda rows: 1 / rows,
        "higher",
        standardised=False,
    ),
    Task(
        "digits, 10 classes",
        digits,
        {"predictor_type": "multiclass_classifier", "num_classes": "10"},
        CLASSIFIERS,
        lambda rows: 1 / rows,
        "higher",
    ),
    Task(
        "abalone, squared_loss",
        abalone,
        REGRESSOR,
        {"Ridge": Ridge},
        lambda rows: 2 / rows,
        "lower",
    ),
    Task(
        "abalone, quantile_loss of 0.5",
        abalone,
        {**REGRESSOR, "loss": "quantile_loss"},
        {"QuantileRegressor": median_regression},
        lambda rows: 0,
        "lower",
    ),
    Task(
        "abalone, huber_loss",
        abalone,
        {**REGRESSOR, "loss": "huber_loss", "huber_delta": "3"},
        {"HuberRegressor": HuberRegressor},
        lambda rows: 0,
        "lower",
    ),
)


def ours(task: Task, train: Rows, test: Rows, folder: Path) -> list[float]:
    """Train as a job does; the measures of the test rows."""
    values = {
        **task.values,
        "mini_batch_size": "100",
        "epochs": "50",
        "early_stopping_patience": "51",
        "wd": repr(task.penalty(len(train[1]))),
        "l1": "0",
    }
    buffer = io.BytesIO()
    write_rows(buffer, *train)
    job = JobFolder(folder, values, image="linear-learner")
    job.channel("train", RECORDIO, {"rows.pbr": buffer.getvalue()})
    learner = algorithm("linear-learner")
    with contextlib.redirect_stdout(io.StringIO()):
        learner.train(job.read())
    outputs = learner.load(folder / "model", {}).outputs(test[0])
    return measures(task, test[1], outputs["score"], outputs.get("predicted_label"))


def theirs(task: Task, make: Callable[[], Any], train: Rows, test: Rows) -> list[float]:
    """Fit a model of scikit-learn; the measures of the test rows."""
    steps = [StandardScaler(), make()] if task.standardised else [make()]
    model = make_pipeline(*steps).fit(*train)
    predicted = model.predict(test[0])
    if task.values["predictor_type"] == "regressor":
        return measures(task, test[1], predicted, None)
    chances = model.predict_proba(test[0])
    if task.values["predictor_type"] == "binary_classifier":
        chances = chances[:, 1]
    return measures(task, test[1], chances, predicted)


def measures(task: Task, truth: np.ndarray, scores: Any, labels: Any) -> list[float]:
    if task.values["predictor_type"] == "regressor":
        errors = scores - truth
        if "quantile" in task.title:
            return [float(np.abs(errors).mean() / 2), math.nan]
        return [float((errors**2).mean()), float(np.abs(errors).mean())]
    if task.values["predictor_type"] == "binary_classifier":
        return [float(accuracy_score(truth, labels)), float(roc_auc_score(truth, scores))]
    return [float(accuracy_score(truth, labels)), float(log_loss(truth, scores))]


def columns(task: Task) -> tuple[str, str]:
    kind = task.values["predictor_type"]
    if kind == "binary_classifier":
        return "accuracy", "ROC AUC"
    if kind == "multiclass_classifier":
        return "accuracy", "log loss"
    return ("pinball loss", "") if "quantile" in task.title else ("mse", "mean absolute error")


def measure(task: Task, data: Path, count: int) -> tuple[Table, Ratio]:
    """All learners on all splits of a task; medians."""
    found: dict[str, list[list[float]]] = {}
    splits = task.splits(data, count)
    for number, (train, test) in enumerate(splits):
        with scratch() as folder:
            found.setdefault("bottega", []).append(ours(task, train, test, folder / "ml"))
        for name, make in task.peers.items():
            found.setdefault(f"scikit-learn {name}", []).append(theirs(task, make, train, test))
        print(task.title, number + 1, "of", len(splits), file=sys.stderr, flush=True)
    names = [name for name in columns(task) if name]
    rows = {
        who: [statistics.median(row[place] for row in taken) for place in range(len(names))]
        for who, taken in found.items()
    }
    first = next(who for who in rows if who != "bottega")
    pair = ("bottega", first) if task.better == "higher" else (first, "bottega")
    ratio = Ratio(
        f"{task.title}: {names[0]}, {' / '.join(pair)}", rows[pair[0]][0] / rows[pair[1]][0]
    )
    return Table(f"{task.title}, test rows", names, rows), ratio


def main() -> int:
    parser = options(__doc__)
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(__file__).resolve().parents[2] / "shared" / "data",
        help="the folder of real data sets (default: shared/data beside the clone)",
    )
    parser.add_argument("--splits", type=int, default=5, help="random splits (default: 5)")
    asked = parser.parse_args()
    if not asked.data.is_dir():
        parser.error(f"the real data sets are not at {asked.data}; give --data")
    measured = [measure(task, asked.data, asked.splits) for task in TASKS]
    finish(
        Result(
            name="parity_linear_learner",
            title=TITLE,
            method=METHOD.format(splits=asked.splits),
            tables=[table for table, _ in measured],
            ratios=[ratio for _, ratio in measured],
            packages=("numpy", "scikit-learn"),
        ),
        asked.results,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
