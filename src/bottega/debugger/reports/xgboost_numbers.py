"""What the report on an XGBoost training tells, as numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bottega.debugger.rules.class_labels import classes, whole
from bottega.debugger.rules.reading import Reading
from bottega.debugger.rules.trees import importances
from bottega.debugger.tensors.trial import Trial

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

MOST_CLASSES = 30
"""Labels with more different whole numbers are taken for numbers, unless the objective says
otherwise."""
MOST_STEPS = 200
"""Of the course of a class's accuracy."""
MOST_POINTS = 400
"""Of a ROC curve."""
BINS = 20


@dataclass(frozen=True)
class XgboostNumbers:
    """The numbers of one training, by part of the report; a part that cannot be told is empty.

    Labels and predictions are those of the last step that saved both: of the validation data where
    there is some.

    Attributes:
        kind: ``classification`` or ``regression``; empty where there are no labels.
        objective: XGBoost's, as far as the hyperparameters were saved.
        step: the step that labels and predictions are of.
        parts: by the name of its JSON file.
    """

    kind: str
    objective: str
    step: int | None
    parts: dict[str, dict[str, Any]]


def numbers_of(trial: Trial) -> XgboostNumbers:
    """All that the tensors of a training can tell."""
    trial.refresh()
    with trial.frozen():
        objective = _objective(trial)
        parts = {"Metrics": _metrics(trial), "FeatureImportance": _importance(trial)}
        step = _last_with(trial, "labels", "predictions")
        kind = ""
        if step is not None:
            at = Reading(trial, step)
            labels, predictions = at.value("labels"), at.value("predictions")
            if labels is not None and predictions is not None:
                kind = _kind(labels, objective)
                tell = _classification if kind == "classification" else _regression
                parts |= tell(trial, labels, predictions)
    return XgboostNumbers(kind, objective, step, {name: one for name, one in parts.items() if one})


def _objective(trial: Trial) -> str:
    for name in trial.tensor_names(regex=r"^hyperparameters/objective$"):
        steps = trial.tensor(name).steps()
        if steps:
            value = Reading(trial, steps[0]).any_value(name)
            return "" if value is None else str(value.reshape(-1)[0]).strip('"')
    return ""


def _kind(labels: Array, objective: str) -> str:
    import numpy as np

    if objective:
        found = objective.startswith(("binary:", "multi:"))
    else:
        found = whole(labels) and len(np.unique(labels)) <= MOST_CLASSES
    return "classification" if found else "regression"


def _last_with(trial: Trial, *names: str) -> int | None:
    if not all(trial.has_tensor(name) for name in names):
        return None
    steps = set.intersection(*(set(trial.tensor(name).steps()) for name in names))
    return max(steps, default=None)


def _metrics(trial: Trial) -> dict[str, Any]:
    """The course of each metric: steps and values."""
    found = {}
    for name in trial.tensor_names(collection="metrics"):
        steps = trial.tensor(name).steps()
        values = [Reading(trial, step).scalar(name) for step in steps]
        there = [place for place, value in enumerate(values) if value is not None]
        if there:
            found[name] = {
                "steps": [steps[place] for place in there],
                "values": [values[place] for place in there],
            }
    return found


def _importance(trial: Trial) -> dict[str, Any]:
    """For each kind of importance the features at the last step, the largest first."""
    names = trial.tensor_names(collection="feature_importance")
    last = max((max(trial.tensor(name).steps(), default=-1) for name in names), default=-1)
    if last < 0:
        return {}
    at = Reading(trial, last)
    found = importances(at, at.of_collection("feature_importance"))
    return {
        kind.removeprefix("feature_importance/"): dict(
            sorted(features.items(), key=lambda one: -one[1])
        )
        for kind, features in sorted(found.items())
    }


def _classification(trial: Trial, labels: Array, predictions: Array) -> dict[str, dict[str, Any]]:
    import numpy as np
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    true, guessed = classes(labels, predictions)
    if not true.size:
        return {}
    names = np.union1d(true, guessed)
    if len(names) > 1000:
        return {}
    matrix = confusion_matrix(true, guessed, labels=names)
    precision, recall, f1, support = precision_recall_fscore_support(
        true, guessed, labels=names, zero_division=0.0
    )
    average = precision_recall_fscore_support(true, guessed, average="macro", zero_division=0.0)
    report = {
        str(name): {
            "precision": float(precision[place]),
            "recall": float(recall[place]),
            "f1-score": float(f1[place]),
            "support": int(support[place]),
        }
        for place, name in enumerate(names)
    }
    counted = np.unique(true, return_counts=True)
    return {
        "LabelDistribution": {str(name): int(count) for name, count in zip(*counted, strict=True)},
        "ConfusionMatrix": {"labels": [str(name) for name in names], "matrix": matrix.tolist()},
        "ClassificationReport": {
            "classes": report,
            "accuracy": float(np.mean(true == guessed)),
            "macro avg": dict(
                zip(("precision", "recall", "f1-score"), map(float, average[:3]), strict=True)
            ),
        },
        "IterativeAccuracy": _accuracy_by_step(trial),
        "ROC": _roc(true, predictions),
    }


def _accuracy_by_step(trial: Trial) -> dict[str, Any]:
    """For each class, which part of its samples was predicted rightly at each step."""
    import numpy as np

    steps = sorted(set(trial.tensor("labels").steps()) & set(trial.tensor("predictions").steps()))
    if len(steps) > MOST_STEPS:
        steps = [steps[place] for place in np.linspace(0, len(steps) - 1, MOST_STEPS).astype(int)]
    found: dict[str, dict[str, list[float]]] = {}
    for step in steps:
        at = Reading(trial, step)
        labels, predictions = at.value("labels"), at.value("predictions")
        if labels is None or predictions is None:
            continue
        true, guessed = classes(labels, predictions)
        for name in np.unique(true):
            course = found.setdefault(str(name), {"steps": [], "values": []})
            course["steps"].append(step)
            course["values"].append(float(np.mean(guessed[true == name] == name)))
    return found


def _roc(true: Array, predictions: Array) -> dict[str, Any]:
    """False and true positive rates where there are scores of two classes, and the area."""
    import numpy as np
    from sklearn.metrics import roc_auc_score, roc_curve

    scores = predictions[:, 1] if predictions.ndim > 1 and predictions.shape[1] == 2 else None
    if scores is None:
        scores = predictions.reshape(-1) if predictions.size == true.size else None
    if scores is None or whole(scores) or set(np.unique(true)) != {0, 1}:
        return {}
    if not np.isfinite(scores).all():
        return {}
    false_rate, true_rate, _ = roc_curve(true, scores)
    places = np.unique(np.linspace(0, len(false_rate) - 1, MOST_POINTS).astype(int))
    return {
        "fpr": false_rate[places].tolist(),
        "tpr": true_rate[places].tolist(),
        "auc": float(roc_auc_score(true, scores)),
    }


def _regression(trial: Trial, labels: Array, predictions: Array) -> dict[str, dict[str, Any]]:
    import numpy as np

    true, guessed = labels.reshape(-1), predictions.reshape(-1)
    if true.shape != guessed.shape:
        return {"LabelDistribution": _histogram(true)} if true.size else {}
    true, guessed = true.astype(np.float64), guessed.astype(np.float64)
    residuals = guessed - true
    spread = float(np.sum((true - true.mean()) ** 2))
    squares = float(np.sum(residuals**2))
    return {
        "LabelDistribution": _histogram(true),
        "Residuals": {
            **_histogram(residuals),
            "mean": float(residuals.mean()),
            "rmse": float(np.sqrt(squares / len(true))),
            "mae": float(np.abs(residuals).mean()),
            "r2": 1 - squares / spread if spread else float("nan"),
        },
        "ErrorPerLabelBin": _error_by_bin(true, np.abs(residuals)),
    }


def _histogram(values: Array) -> dict[str, Any]:
    import numpy as np

    finite = values[np.isfinite(values)]
    if not finite.size:
        return {}
    counts, edges = np.histogram(finite, bins=BINS)
    return {"edges": edges.tolist(), "counts": counts.tolist()}


def _error_by_bin(true: Array, errors: Array) -> dict[str, Any]:
    """Mean absolute error of the samples whose label is in each of ten bins of one width."""
    import numpy as np

    edges = np.linspace(true.min(), true.max(), 11)
    bins = np.clip(np.digitize(true, edges[1:-1]), 0, 9)
    inside = [errors[bins == place] for place in range(10)]
    return {
        "edges": edges.tolist(),
        "mean_absolute_error": [float(one.mean()) if one.size else None for one in inside],
        "samples": [int(one.size) for one in inside],
    }
