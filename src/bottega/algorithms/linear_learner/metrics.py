"""How good one model is: counts over batches of rows, and the metrics that follow from them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from bottega.algorithms.cluster import Cluster
from bottega.algorithms.linear_learner.margins import CHUNK
from bottega.algorithms.linear_learner.metric_names import OBJECTIVES, f_name
from bottega.algorithms.linear_learner.ordering import ordered, sorted_with_labels
from bottega.algorithms.linear_learner.settings import Settings
from bottega.algorithms.reports import Goal

EXACT_ROWS = 1 << 24
"""Up to how many rows the area under the ROC curve is exact."""

Metric = tuple[str, Goal, float]
"""The name in the log, whether it is a loss or a score, and the value."""


class Evaluation(ABC):
    """Collects what one model gives for rows, and their labels."""

    @abstractmethod
    def add(self, margins: Any, labels: Any) -> None:
        """Take in the margins (rows x classes) and labels of some rows, as they are in the data."""

    @abstractmethod
    def metrics(self, cluster: Cluster) -> list[Metric]:
        """All metrics but the objective, over the rows of all hosts."""


class BinaryEvaluation(Evaluation):
    """Two classes, told apart by a threshold.

    Args:
        cut: the threshold of margins.
        beta: of the F score.
        exact: up to how many rows the area under the curve is exact; those that follow count in
            bins of margins then, of a relative width of 1/4096.
    """

    def __init__(self, cut: float, beta: float, exact: int = EXACT_ROWS) -> None:
        # In double precision, in which it may lie between two neighbours in single precision.
        self._cut = np.float64(cut)
        self._beta = beta
        self._exact = exact
        self._rows = 0
        self._counts = np.zeros(4, dtype=np.int64)
        self._margins: list[Any] = []
        self._labels: list[Any] = []
        self._bins: Any = None

    @property
    def approximate(self) -> bool:
        """Whether the area under the curve is."""
        return self._bins is not None

    def add(self, margins: Any, labels: Any) -> None:
        ones, above = labels > 0, margins[:, 0] > self._cut
        self._counts += np.bincount(2 * ones + above, minlength=4)
        self._rows += labels.size
        self._margins.append(margins[:, 0].copy())
        self._labels.append(ones)
        if self._rows > self._exact:
            self._bin()

    def metrics(self, cluster: Cluster) -> list[Metric]:
        true_negative, false_positive, false_negative, true_positive = (
            int(count) for count in cluster.sum(self._counts)
        )
        rows = true_negative + false_positive + false_negative + true_positive
        positives, predicted = true_positive + false_negative, true_positive + false_positive
        square = self._beta**2
        found: list[Metric] = [
            ("binary_classification_accuracy", "score", (true_positive + true_negative) / rows),
            (
                f"binary_{f_name(self._beta)}",
                "score",
                (1 + square) * true_positive / max(1, square * positives + predicted),
            ),
            ("precision", "score", true_positive / max(1, predicted)),
            ("recall", "score", true_positive / max(1, positives)),
        ]
        area = self._area(cluster)
        # With one class only there is no curve.
        return found if area is None else [*found, ("roc_auc_score", "score", area)]

    def _area(self, cluster: Cluster) -> float | None:
        if cluster.largest(int(self._bins is not None)):
            if self._bins is None or self._margins:
                self._bin()
            bins = cluster.sum(self._bins)
            return _area_of(bins[0], bins[1])
        empty = np.empty(0, dtype=np.float32)
        margins = gather(cluster, np.concatenate([empty, *self._margins]))
        labels = gather(cluster, np.concatenate([empty, *self._labels]).astype(np.float32))
        if not labels.size:
            return None
        ranked, ones = sorted_with_labels(margins, labels > 0)
        # Rows of the same margin count together.
        starts = np.flatnonzero(np.append(True, ranked[1:] != ranked[:-1]))
        counts = np.diff(np.append(starts, ranked.size))
        found = np.add.reduceat(ones, starts, dtype=np.int64)
        return _area_of(counts - found, found)

    def _bin(self) -> None:
        if self._bins is None:
            self._bins = np.zeros((2, 1 << 21), dtype=np.int64)
        for margins, ones in zip(self._margins, self._labels, strict=True):
            places = ordered(margins) >> 11
            for label in (0, 1):
                self._bins[label] += np.bincount(places[ones == label], minlength=1 << 21)
        self._margins, self._labels = [], []


def _area_of(zeros: Any, ones: Any) -> float | None:
    """The area under the ROC curve, from the counts of each class by rising margin."""
    total_zeros, total_ones = float(zeros.sum()), float(ones.sum())
    if not total_zeros or not total_ones:
        return None
    below = np.cumsum(zeros, dtype=np.float64) - zeros / 2
    return float((ones * below).sum() / (total_zeros * total_ones))


class MulticlassEvaluation(Evaluation):
    """Several classes, of which the one with the largest margin is predicted."""

    def __init__(self, settings: Settings) -> None:
        self._top = settings.accuracy_top_k
        self._beta = settings.f_beta
        self._counts = np.zeros((3, settings.num_classes), dtype=np.int64)
        """By class: rows of it, rows predicted to be of it, and both."""
        self._sums = np.zeros(3)
        """Rows among the top k, discounted gains, and logarithmic losses."""

    def add(self, margins: Any, labels: Any) -> None:
        chunk = max(1, CHUNK // margins.shape[1])
        for start in range(0, labels.size, chunk):
            part = slice(start, start + chunk)
            self._add(margins[part], labels[part].astype(np.int64))

    def _add(self, margins: Any, labels: Any) -> None:
        classes = self._counts.shape[1]
        true = margins[np.arange(labels.size), labels][:, None]
        # Of equal margins the first class counts as the larger one, as in the prediction.
        before = (margins == true) & (np.arange(classes) < labels[:, None])
        ranks = ((margins > true) | before).sum(axis=1)
        predicted = margins.argmax(axis=1)
        self._counts[0] += np.bincount(labels, minlength=classes)
        self._counts[1] += np.bincount(predicted, minlength=classes)
        self._counts[2] += np.bincount(labels[ranks == 0], minlength=classes)
        highest = margins.max(axis=1, keepdims=True)
        logarithms = np.log(np.exp(margins - highest).sum(axis=1, dtype=np.float64))
        self._sums += (
            (ranks < self._top).sum(),
            (1 / np.log2(2 + ranks)).sum(),
            (logarithms - (true - highest)[:, 0]).sum(),
        )

    def metrics(self, cluster: Cluster) -> list[Metric]:
        actual, predicted, both = cluster.sum(self._counts)
        top, gain, loss = cluster.sum(self._sums)
        rows, square = actual.sum(), self._beta**2
        # As in scikit-learn, a class that is neither in the data nor predicted has no part.
        present = (actual + predicted) > 0
        actual, predicted, both = (counts[present] for counts in (actual, predicted, both))
        recall, precision = both / np.maximum(1, actual), both / np.maximum(1, predicted)
        f_scores = (1 + square) * both / np.maximum(1, square * actual + predicted)
        return [
            ("multiclass_accuracy", "score", float(both.sum() / rows)),
            (f"multiclass_top_k_accuracy_{self._top}", "score", float(top / rows)),
            ("dcg", "score", float(gain / rows)),
            ("macro_recall", "score", float(recall.mean())),
            ("macro_precision", "score", float(precision.mean())),
            (f"macro_{f_name(self._beta)}", "score", float(f_scores.mean())),
            ("multiclass_balanced_accuracy", "score", float(recall[actual > 0].mean())),
            ("multiclass_log_loss", "loss", float(loss / rows)),
        ]


class RegressionEvaluation(Evaluation):
    """Numbers."""

    def __init__(self) -> None:
        self._sums = np.zeros(3)

    def add(self, margins: Any, labels: Any) -> None:
        errors = margins[:, 0].astype(np.float64) - labels
        self._sums += (labels.size, (errors**2).sum(), np.abs(errors).sum())

    def metrics(self, cluster: Cluster) -> list[Metric]:
        rows, squares, sizes = cluster.sum(self._sums)
        mean = float(squares / rows)
        return [
            ("mse", "loss", mean),
            ("absolute_loss", "loss", float(sizes / rows)),
            ("rmse", "loss", mean**0.5),
        ]


def evaluation(settings: Settings, cut: float) -> Evaluation:
    """What evaluates a model of these settings."""
    if settings.binary:
        return BinaryEvaluation(cut, settings.f_beta)
    return MulticlassEvaluation(settings) if settings.multiclass else RegressionEvaluation()


def objective(settings: Settings) -> str:
    """How the log calls the loss that is minimised."""
    return OBJECTIVES[settings.loss]


def gather(cluster: Cluster, values: Any) -> Any:
    """The rows of all hosts, one host after the other."""
    if cluster.hosts == 1:
        return values
    counts = np.zeros(cluster.hosts, dtype=np.int64)
    counts[cluster.rank] = values.shape[0]
    counts = cluster.sum(counts)
    whole = np.zeros((int(counts.sum()), *values.shape[1:]), dtype=values.dtype)
    first = int(counts[: cluster.rank].sum())
    whole[first : first + values.shape[0]] = values
    return cluster.sum(whole)
