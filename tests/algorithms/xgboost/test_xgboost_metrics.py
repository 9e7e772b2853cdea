"""The metrics computed here, against scikit-learn."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as reference

from bottega.algorithms.registry import algorithm
from bottega.algorithms.xgboost.metric_names import NAMES
from bottega.algorithms.xgboost.metrics import CLASSIFICATION, REGRESSION, custom_metric

SCORES: dict[str, Any] = {
    "accuracy": reference.accuracy_score,
    "balanced_accuracy": reference.balanced_accuracy_score,
    "f1": lambda y, p: reference.f1_score(y, p, average="macro"),
    "f1_macro": lambda y, p: reference.f1_score(y, p, average="macro"),
    "precision_macro": lambda y, p: reference.precision_score(y, p, average="macro"),
    "precision_micro": lambda y, p: reference.precision_score(y, p, average="micro"),
    "recall_macro": lambda y, p: reference.recall_score(y, p, average="macro"),
    "recall_micro": lambda y, p: reference.recall_score(y, p, average="micro"),
}
BINARY: dict[str, Any] = SCORES | {
    "f1_binary": reference.f1_score,
    "precision": reference.precision_score,
    "recall": reference.recall_score,
}


class Data:
    """A matrix as metrics see one."""

    def __init__(self, labels: np.ndarray) -> None:
        self._labels = labels.astype(np.float32)

    def get_label(self) -> np.ndarray:
        return self._labels


def evaluate(
    names: list[str], objective: str, classes: int, labels: np.ndarray, values: np.ndarray
) -> dict[str, float]:
    metric = custom_metric(names, objective, classes, lambda part: part)
    return dict(metric(values, Data(labels)))


@pytest.mark.parametrize(
    ("objective", "threshold", "shift"),
    [("binary:logistic", 0.5, 0.0), ("binary:logitraw", 0.0, -0.5)],
)
def test_binary(objective: str, threshold: float, shift: float) -> None:
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 2, 500)
    values = np.clip(labels * 0.3 + rng.uniform(0, 0.7, 500), 0, 1) + shift
    found = evaluate(list(BINARY), objective, 2, labels, values)
    predicted = (values > threshold).astype(int)
    for name, score in BINARY.items():
        assert found[name] == pytest.approx(score(labels, predicted)), name


@pytest.mark.parametrize("objective", ["multi:softprob", "multi:softmax"])
def test_multiclass(objective: str) -> None:
    rng = np.random.default_rng(2)
    labels = rng.integers(0, 4, 400)
    scores = rng.uniform(size=(400, 4)) + np.eye(4)[labels] * 0.4
    predicted = scores.argmax(axis=1)
    values = scores if objective == "multi:softprob" else predicted.astype(float)
    found = evaluate([*SCORES, "precision", "recall"], objective, 4, labels, values)
    for name, score in SCORES.items():
        assert found[name] == pytest.approx(score(labels, predicted)), name
    assert found["precision"] == found["precision_macro"]
    assert found["recall"] == found["recall_macro"]


def test_a_class_that_does_not_occur_does_not_count() -> None:
    labels, values = np.array([0, 1, 0]), np.array([0, 1, 1])
    found = evaluate(["f1_macro", "balanced_accuracy"], "multi:softmax", 5, labels, values)
    assert found["f1_macro"] == pytest.approx(reference.f1_score(labels, values, average="macro"))
    assert found["balanced_accuracy"] == pytest.approx(0.75)


def test_regression() -> None:
    rng = np.random.default_rng(3)
    labels = rng.normal(size=300).astype(np.float32)
    values = labels + rng.normal(scale=0.3, size=300)
    found = evaluate(["mse", "r2"], "reg:squarederror", 0, labels, values)
    assert found["mse"] == pytest.approx(reference.mean_squared_error(labels, values))
    assert found["r2"] == pytest.approx(reference.r2_score(labels, values))


def test_statistics_of_hosts_add_up() -> None:
    rng = np.random.default_rng(4)
    labels, values = rng.integers(0, 2, 101), rng.uniform(size=101)
    parts: list[np.ndarray] = []
    metric = custom_metric(
        ["f1"], "binary:logistic", 2, lambda part: parts.append(part) or sum(parts)
    )
    metric(values[:40], Data(labels[:40]))
    together = dict(metric(values[40:], Data(labels[40:])))
    whole = evaluate(["f1"], "binary:logistic", 2, labels, values)
    assert together == whole


def test_every_metric_is_computed_by_the_library_or_here() -> None:
    own = {name for name, metric in NAMES.items() if not metric.native}
    assert own == set(CLASSIFICATION) | set(REGRESSION)


def test_definitions_find_their_number_in_the_log() -> None:
    line = "[12]\ttrain-rmse:1.5\ttrain-mae:0.5\tvalidation-rmse:2.25\tvalidation-mae:1e-05"
    escaped = line.replace("\t", "#011")
    found = {
        definition.name: float(match.group(1))
        for definition in algorithm("xgboost").metric_definitions
        if (match := re.search(definition.regex, escaped))
    }
    assert found == {
        "train:rmse": 1.5,
        "train:mae": 0.5,
        "validation:rmse": 2.25,
        "validation:mae": 1e-05,
    }
