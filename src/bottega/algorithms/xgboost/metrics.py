"""The metrics that the library does not compute: from counts and sums, so that they add up over
hosts.

Each metric is a function of sufficient statistics (a confusion matrix, or sums of labels and
errors). Hosts that train together add their statistics first, which gives exactly the metric of all
rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Doubles = NDArray[np.float64]

Combine = Callable[["Doubles"], "Doubles"]
"""Adds an array up over all hosts."""


def custom_metric(
    names: Sequence[str], objective: str, classes: int, combine: Combine
) -> Callable[[Any, Any], list[tuple[str, float]]]:
    """Make the function that ``xgboost.train`` calls for each round and data set.

    Args:
        names: metrics of ``CLASSIFICATION`` or ``REGRESSION``, in the order they are printed in.
        objective: what is trained; it says how a prediction becomes a class.
        classes: how many classes there are; 2 for binary objectives, 0 for regression.
        combine: adds statistics over the hosts; the identity where there is one.
    """

    def evaluate(predictions: Any, data: Any) -> list[tuple[str, float]]:
        labels = np.asarray(data.get_label(), dtype=np.float64)
        values = np.asarray(predictions, dtype=np.float64)
        if classes:
            predicted = predicted_class(values, objective)
            matrix = combine(confusion(labels, predicted, classes))
            return [(name, CLASSIFICATION[name](matrix)) for name in names]
        sums = combine(moments(labels, values.reshape(labels.shape)))
        return [(name, REGRESSION[name](sums)) for name in names]

    return evaluate


def predicted_class(values: Doubles, objective: str) -> NDArray[np.int64]:
    """The class of each prediction, as the objective gives predictions."""
    if values.ndim == 2:
        return np.asarray(values.argmax(axis=1), dtype=np.int64)
    if objective in ("multi:softmax", "binary:hinge"):
        return values.astype(np.int64)
    threshold = 0.0 if objective == "binary:logitraw" else 0.5
    return (values > threshold).astype(np.int64)


def confusion(labels: Doubles, predicted: NDArray[np.int64], classes: int) -> Doubles:
    """Counts of rows by class (first axis) and predicted class (second axis)."""
    cells = labels.astype(np.int64) * classes + predicted
    counts = np.bincount(cells, minlength=classes * classes)
    return counts.astype(np.float64).reshape(classes, classes)


def moments(labels: Doubles, values: Doubles) -> Doubles:
    """Number of rows, sum of labels, sum of their squares, sum of squared errors."""
    errors = values - labels
    return np.array([labels.size, labels.sum(), labels @ labels, errors @ errors])


def _ratio(top: Any, bottom: Any) -> Any:
    """Division where nothing out of nothing is 0, as for a class that is never predicted."""
    bottom = np.asarray(bottom, dtype=np.float64)
    return np.divide(top, bottom, out=np.zeros_like(bottom), where=bottom > 0)


def _present(matrix: Doubles) -> NDArray[np.bool_]:
    """The classes that occur as a label or a prediction: averages are over these."""
    present: NDArray[np.bool_] = (matrix.sum(axis=0) + matrix.sum(axis=1)) > 0
    return present


def _accuracy(matrix: Doubles) -> float:
    return float(_ratio(np.trace(matrix), matrix.sum()))


def _recalls(matrix: Doubles) -> Any:
    return _ratio(matrix.diagonal(), matrix.sum(axis=1))


def _precisions(matrix: Doubles) -> Any:
    return _ratio(matrix.diagonal(), matrix.sum(axis=0))


def _f1s(matrix: Doubles) -> Any:
    return _ratio(2 * matrix.diagonal(), matrix.sum(axis=0) + matrix.sum(axis=1))


def _mean(values: Any, chosen: Any) -> float:
    return float(values[chosen].mean()) if chosen.any() else 0.0


def _balanced_accuracy(matrix: Doubles) -> float:
    return _mean(_recalls(matrix), matrix.sum(axis=1) > 0)


def _macro(each: Callable[[Doubles], Any]) -> Callable[[Doubles], float]:
    return lambda matrix: _mean(each(matrix), _present(matrix))


def _positive_or_macro(each: Callable[[Doubles], Any]) -> Callable[[Doubles], float]:
    """Of the positive class where there are two classes, else the average over classes."""

    def metric(matrix: Doubles) -> float:
        values = each(matrix)
        return float(values[1]) if len(values) == 2 else _mean(values, _present(matrix))

    return metric


def _r2(sums: Doubles) -> float:
    count, total, squares, errors = sums
    spread = squares - total * total / count if count else 0.0
    if spread <= 0:
        return 1.0 if errors == 0 else 0.0
    return float(1 - errors / spread)


CLASSIFICATION: dict[str, Callable[[Doubles], float]] = {
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    # Averaged over the classes also where there are two, as SageMaker's image does.
    "f1": _macro(_f1s),
    "f1_macro": _macro(_f1s),
    "f1_binary": lambda matrix: float(_f1s(matrix)[1]),
    "precision": _positive_or_macro(_precisions),
    "precision_macro": _macro(_precisions),
    # With one class for each row, micro averages are all the accuracy.
    "precision_micro": _accuracy,
    "recall": _positive_or_macro(_recalls),
    "recall_macro": _macro(_recalls),
    "recall_micro": _accuracy,
}
REGRESSION: dict[str, Callable[[Doubles], float]] = {
    "mse": lambda sums: float(_ratio(sums[3], sums[0])),
    "r2": _r2,
}
