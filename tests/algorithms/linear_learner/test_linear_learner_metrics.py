"""Thresholds against every threshold there is, and metrics against scikit-learn's."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as theirs

from bottega.algorithms.cluster import Cluster
from bottega.algorithms.linear_learner.calibration import calibrate
from bottega.algorithms.linear_learner.metric_names import definitions
from bottega.algorithms.linear_learner.metrics import (
    BinaryEvaluation,
    MulticlassEvaluation,
    RegressionEvaluation,
)
from bottega.algorithms.linear_learner.ordering import ordered, restored
from bottega.algorithms.linear_learner.settings import Settings, resolve
from bottega.algorithms.reports import Reporter

ALONE = Cluster(1, 0)
RNG = np.random.default_rng(2)
CRITERIA = (
    "accuracy",
    "f1",
    "f_beta",
    "precision_at_target_recall",
    "recall_at_target_precision",
)


def settings(criterion: str = "accuracy", **values: str) -> Settings:
    return resolve(
        {
            "predictor_type": "binary_classifier",
            "binary_classifier_model_selection_criteria": criterion,
            "f_beta": "2",
            "target_recall": "0.7",
            "target_precision": "0.6",
            **values,
        }
    )


def value_at(criterion: str, cut: float, margins: np.ndarray, labels: np.ndarray) -> float:
    predicted = margins > np.float64(cut)
    hits = int((predicted & (labels > 0)).sum())
    precision = hits / max(1, predicted.sum())
    recall = hits / max(1, (labels > 0).sum())
    if criterion == "accuracy":
        return float((predicted == (labels > 0)).mean())
    if criterion == "precision_at_target_recall":
        return precision if recall >= 0.7 else -1
    if criterion == "recall_at_target_precision":
        return recall if precision >= 0.6 else -1
    square = 1 if criterion == "f1" else 4
    both = square * precision + recall
    return (1 + square) * precision * recall / both if both else 0.0


ROWS = st.lists(st.tuples(st.floats(-5, 5, width=32), st.booleans()), min_size=1, max_size=25)


@pytest.mark.parametrize("criterion", CRITERIA)
@given(rows=ROWS)
def test_no_threshold_is_better(criterion: str, rows: list[tuple[float, bool]]) -> None:
    margins = np.array([margin for margin, _ in rows], dtype=np.float32)
    labels = np.array([label for _, label in rows], dtype=np.float32)
    found = calibrate(margins, labels, settings(criterion))
    edges = np.unique(margins.astype(np.float64))
    cuts = [edges[0] - 1, *edges]
    best = max(value_at(criterion, cut, margins, labels) for cut in cuts)
    if best == -1:
        assert not found.reached
    else:
        assert found.reached
        assert found.value == pytest.approx(best)
        assert value_at(criterion, found.cut, margins, labels) == pytest.approx(best)


def test_of_equal_thresholds_the_one_next_to_the_middle() -> None:
    margins = np.array([-3, -1, 2, 4], dtype=np.float32)
    assert calibrate(margins, np.array([0, 0, 1, 1]), settings()).cut == 0
    assert calibrate(margins + 2, np.array([0, 0, 1, 1]), settings()).cut == 2.5
    # All are of one class: the threshold is beyond them all.
    assert calibrate(margins + 9, np.zeros(4), settings()).cut > 13
    assert calibrate(margins - 9, np.ones(4), settings()).cut < -12


def test_a_target_that_nothing_reaches() -> None:
    margins, labels = np.array([1, 2, 3], dtype=np.float32), np.array([1, 0, 0])
    found = calibrate(margins, labels, settings("recall_at_target_precision"))
    assert not found.reached
    # The best precision is that of predicting class 1 always.
    assert found.cut < 1


@given(st.lists(st.floats(width=32, allow_nan=False), min_size=1))
def test_ordered_numbers(values: list[float]) -> None:
    floats = np.array(values, dtype=np.float32)
    numbers = ordered(floats)
    np.testing.assert_array_equal(restored(numbers), floats)
    np.testing.assert_array_equal(
        np.argsort(numbers, kind="stable"), np.argsort(floats, kind="stable")
    )
    assert ordered(np.array([-0.0], dtype=np.float32)) == ordered(np.zeros(1, dtype=np.float32))


@given(rows=ROWS, cut=st.floats(-5, 5))
def test_binary_metrics_are_scikit_learns(rows: list[tuple[float, bool]], cut: float) -> None:
    margins = np.array([margin for margin, _ in rows], dtype=np.float32)
    labels = np.array([label for _, label in rows], dtype=np.float32)
    into = BinaryEvaluation(cut, 2.0)
    half = len(rows) // 2
    for part in (slice(0, half), slice(half, None)):
        into.add(margins[part, None], labels[part])
    found = {name: value for name, _, value in into.metrics(ALONE)}
    predicted = margins > np.float64(cut)
    expected = {
        "binary_classification_accuracy": theirs.accuracy_score(labels, predicted),
        "binary_f_2.000": theirs.fbeta_score(labels, predicted, beta=2, zero_division=0),
        "precision": theirs.precision_score(labels, predicted, zero_division=0),
        "recall": theirs.recall_score(labels, predicted, zero_division=0),
    }
    if len(set(labels)) == 2:
        expected["roc_auc_score"] = theirs.roc_auc_score(labels, margins)
    assert found == pytest.approx(expected)


def test_the_area_of_many_rows_is_nearly_exact() -> None:
    labels = RNG.integers(0, 2, 5000).astype(np.float32)
    margins = (RNG.normal(size=5000) + labels).astype(np.float32)
    exact, binned = BinaryEvaluation(0, 1, exact=10**6), BinaryEvaluation(0, 1, exact=100)
    for start in range(0, 5000, 700):
        part = slice(start, start + 700)
        exact.add(margins[part, None], labels[part])
        binned.add(margins[part, None], labels[part])
    assert (exact.approximate, binned.approximate) == (False, True)
    areas = [{n: v for n, _, v in e.metrics(ALONE)}["roc_auc_score"] for e in (exact, binned)]
    assert areas[0] == pytest.approx(theirs.roc_auc_score(labels, margins))
    assert areas[1] == pytest.approx(areas[0], abs=1e-4)


@pytest.mark.parametrize("chunk", [40, 1 << 22])
def test_multiclass_metrics_are_scikit_learns(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bottega.algorithms.linear_learner.metrics.CHUNK", chunk)
    labels = RNG.integers(0, 4, 300)
    margins = RNG.normal(size=(300, 6)).astype(np.float32)
    margins[np.arange(300), labels] += 1
    margins[:, 5] = -9  # A class that is neither in the data nor predicted.
    into = MulticlassEvaluation(
        resolve(
            {
                "predictor_type": "multiclass_classifier",
                "num_classes": "6",
                "accuracy_top_k": "2",
                "f_beta": "0.5",
            }
        )
    )
    into.add(margins[:100], labels[:100].astype(np.float32))
    into.add(margins[100:], labels[100:].astype(np.float32))
    found = {name: value for name, _, value in into.metrics(ALONE)}
    predicted = margins.argmax(axis=1)
    shares = np.exp(margins.astype(np.float64))
    shares /= shares.sum(axis=1, keepdims=True)
    ranks = (margins > margins[np.arange(300), labels][:, None]).sum(axis=1)
    recalls = theirs.recall_score(labels, predicted, average=None, labels=range(4))
    expected = {
        "multiclass_accuracy": theirs.accuracy_score(labels, predicted),
        "multiclass_top_k_accuracy_2": (ranks < 2).mean(),
        "dcg": (1 / np.log2(ranks + 2)).mean(),
        "macro_recall": theirs.recall_score(labels, predicted, average="macro", zero_division=0),
        "macro_precision": theirs.precision_score(
            labels, predicted, average="macro", zero_division=0
        ),
        "macro_f_0.500": theirs.fbeta_score(
            labels, predicted, beta=0.5, average="macro", zero_division=0
        ),
        "multiclass_balanced_accuracy": recalls.mean(),
        "multiclass_log_loss": theirs.log_loss(labels, shares, labels=range(6)),
    }
    assert found == pytest.approx(expected)


def test_regression_metrics() -> None:
    labels, margins = RNG.normal(size=50), RNG.normal(size=(50, 1))
    into = RegressionEvaluation()
    into.add(margins[:20], labels[:20])
    into.add(margins[20:], labels[20:])
    found = {name: value for name, _, value in into.metrics(ALONE)}
    assert found == pytest.approx(
        {
            "mse": theirs.mean_squared_error(labels, margins),
            "absolute_loss": theirs.mean_absolute_error(labels, margins),
            "rmse": theirs.root_mean_squared_error(labels, margins),
        }
    )


def test_definitions_find_what_the_log_says(capsys: pytest.CaptureFixture[str]) -> None:
    found = {metric.name: metric for metric in definitions()}
    assert len(found) <= 40  # More are not shown by Describe.
    report = Reporter("Linear Learner", "algo-1")
    lines = {
        "validation:objective_loss": ("validation mse_objective", "loss"),
        "test:binary_f_beta": ("test binary_f_1.000", "score"),
        "validation:multiclass_top_k_accuracy": ("validation multiclass_top_k_accuracy_3", "score"),
        "test:macro_f_beta": ("test macro_f_0.500", "score"),
        "validation:recall": ("validation recall", "score"),
        "validation:macro_recall": ("validation macro_recall", "score"),
        "train:objective_loss": (
            "train binary_classification_cross_entropy_objective",
            "loss",
        ),
        "test:rmse": ("test rmse", "loss"),
        "test:mse": ("test mse", "loss"),
    }
    for what, goal in lines.values():
        report.quality(what, goal, 0.25, epoch=None)
    log = capsys.readouterr().out.splitlines()
    for (name, _), line in zip(lines.items(), log, strict=True):
        values = {
            other: match.group(1)
            for other, metric in found.items()
            if (match := re.search(metric.regex, line))
        }
        assert values == {name: "0.25"}


def test_definitions_of_progress(capsys: pytest.CaptureFixture[str]) -> None:
    Reporter("Linear Learner", "algo-1").progress(3, 4)
    line = capsys.readouterr().out
    regex = next(metric.regex for metric in definitions() if metric.name == "train:progress")
    found = re.search(regex, line)
    assert found
    assert found.group(1) == "75"
