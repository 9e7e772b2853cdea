"""Linear Learner on the real data sets: as good as scikit-learn's solvers, which converge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits, load_svmlight_file
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

Rows = tuple[np.ndarray, np.ndarray]
Jobs = Any


def split(features: np.ndarray, labels: np.ndarray) -> tuple[Rows, Rows]:
    train_x, test_x, train_y, test_y = train_test_split(
        features, labels, test_size=0.2, random_state=0
    )
    return (train_x, train_y), (test_x, test_y)


def reference(model: Any, rows: Rows) -> Any:
    return make_pipeline(StandardScaler(), model).fit(*rows)


def test_adult_census(jobs: Jobs, shared_data: Path) -> None:
    parts = {
        name: pd.read_csv(
            shared_data / "adult-census" / f"adult-{name}.csv.gz",
            header=None,
            skipinitialspace=True,
        )
        for name in ("train", "test")
    }
    both = pd.concat(parts)
    labels = both[14].str.startswith(">50K").astype(int).to_numpy()
    features = pd.get_dummies(both.drop(columns=14)).astype("f4").to_numpy()
    cut = len(parts["train"])
    rows, test = (features[:cut], labels[:cut]), (features[cut:], labels[cut:])
    done = jobs.run(
        {"predictor_type": "binary_classifier", "mini_batch_size": 200}, train=rows, test=test
    )
    theirs = reference(LogisticRegression(max_iter=1000), rows)
    chances = theirs.predict_proba(test[0])[:, 1]
    assert done.metric("test roc_auc_score") > roc_auc_score(test[1], chances) - 0.002
    accuracy = done.metric("test binary_classification_accuracy")
    assert accuracy > theirs.score(*test) - 0.004
    scores = done.outputs(test[0])["score"]
    assert np.abs(scores - chances).mean() < 0.01


def test_telco_churn(jobs: Jobs, shared_data: Path) -> None:
    frame = pd.read_csv(shared_data / "telco-churn" / "Telco-Customer-Churn.csv")
    labels = (frame.pop("Churn") == "Yes").astype(int).to_numpy()
    frame["TotalCharges"] = pd.to_numeric(frame["TotalCharges"], errors="coerce").fillna(0)
    features = pd.get_dummies(frame.drop(columns="customerID")).astype("f4").to_numpy()
    rows, test = split(features, labels)
    done = jobs.run(
        {"predictor_type": "binary_classifier", "mini_batch_size": 100}, train=rows, test=test
    )
    theirs = reference(LogisticRegression(max_iter=1000), rows)
    area = roc_auc_score(test[1], theirs.predict_proba(test[0])[:, 1])
    assert done.metric("test roc_auc_score") > area - 0.006
    accuracy = done.metric("test binary_classification_accuracy")
    assert accuracy > theirs.score(*test) - 0.01


def test_abalone(jobs: Jobs, shared_data: Path) -> None:
    frame = pd.read_csv(shared_data / "abalone" / "abalone.csv", header=None)
    features = pd.get_dummies(frame.drop(columns=8)).astype("f4").to_numpy()
    rows, test = split(features, frame[8].to_numpy())
    done = jobs.run(
        {"predictor_type": "regressor", "mini_batch_size": 100, "epochs": 50}, train=rows, test=test
    )
    theirs = reference(Ridge(), rows)
    mse = float(np.mean((theirs.predict(test[0]) - test[1]) ** 2))
    assert done.metric("test mse") < mse * 1.03


def test_agaricus_as_sparse_records(jobs: Jobs, shared_data: Path) -> None:
    rows, test = (
        load_svmlight_file(str(shared_data / "agaricus" / f"agaricus.txt.{name}"), n_features=127)
        for name in ("train", "test")
    )
    done = jobs.run(
        {"predictor_type": "binary_classifier", "mini_batch_size": 100},
        recordio=True,
        train=(rows[0].astype("f4"), rows[1]),
        test=(test[0].astype("f4"), test[1]),
    )
    assert done.metric("test binary_classification_accuracy") > 0.998
    assert done.metric("test roc_auc_score") > 0.9999


def test_digits(jobs: Jobs) -> None:
    rows, test = split(*load_digits(return_X_y=True))
    values = {"predictor_type": "multiclass_classifier", "num_classes": 10}
    # The penalty of scikit-learn's C=1.
    values |= {"wd": 1 / len(rows[1]), "l1": 0, "mini_batch_size": 100}
    values |= {"epochs": 50, "early_stopping_patience": 51}
    done = jobs.run(values, train=rows, test=test)
    theirs = reference(LogisticRegression(max_iter=1000), rows)
    # A row of the test is 0.3 %.
    assert done.metric("test multiclass_accuracy") > theirs.score(*test) - 0.01
    assert done.metric("test multiclass_log_loss") < 0.18


@pytest.mark.parametrize("quantile", [0.1, 0.5])
def test_quantiles_of_abalone(jobs: Jobs, shared_data: Path, quantile: float) -> None:
    frame = pd.read_csv(shared_data / "abalone" / "abalone.csv", header=None)
    features = pd.get_dummies(frame.drop(columns=8)).astype("f4").to_numpy()
    rows, test = split(features, frame[8].to_numpy())
    values = {"predictor_type": "regressor", "loss": "quantile_loss", "quantile": quantile}
    done = jobs.run({**values, "mini_batch_size": 100, "epochs": 50}, train=rows, test=test)
    below = (test[1] < done.outputs(test[0])["score"]).mean()
    assert below == pytest.approx(quantile, abs=0.05)
