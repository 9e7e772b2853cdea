"""The metrics of Linear Learner: as the log writes them, and as the API names them. Light."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from bottega.algorithms.base import MetricDefinition
from bottega.algorithms.reports import Goal, quality_regex

OBJECTIVES = {
    "logistic": "binary_classification_cross_entropy_objective",
    "hinge_loss": "hinge_loss_objective",
    "softmax_loss": "multiclass_cross_entropy_objective",
    "squared_loss": "mse_objective",
    "absolute_loss": "absolute_loss_objective",
    "eps_insensitive_squared_loss": "eps_insensitive_squared_loss_objective",
    "eps_insensitive_absolute_loss": "eps_insensitive_absolute_loss_objective",
    "quantile_loss": "quantile_loss_objective",
    "huber_loss": "huber_loss_objective",
}
"""How the log calls the loss that is minimised."""

# The API's name -> the log's, as a regular expression, and the word that goes with it there.
_BINARY: dict[str, tuple[str, Goal]] = {
    "binary_classification_accuracy": ("binary_classification_accuracy", "score"),
    "binary_f_beta": (r"binary_f_\d+\.\d+", "score"),
    "precision": ("precision", "score"),
    "recall": ("recall", "score"),
    "roc_auc_score": ("roc_auc_score", "score"),
}
_MULTICLASS: dict[str, tuple[str, Goal]] = {
    "multiclass_accuracy": ("multiclass_accuracy", "score"),
    "multiclass_top_k_accuracy": (r"multiclass_top_k_accuracy_\d+", "score"),
    "macro_f_beta": (r"macro_f_\d+\.\d+", "score"),
    "macro_precision": ("macro_precision", "score"),
    "macro_recall": ("macro_recall", "score"),
    "dcg": ("dcg", "score"),
}
_REGRESSION: dict[str, tuple[str, Goal]] = {
    "absolute_loss": ("absolute_loss", "loss"),
    "mse": ("mse", "loss"),
    "rmse": ("rmse", "loss"),
}
_OBJECTIVE: dict[str, tuple[str, Goal]] = {"objective_loss": (r"\S+_objective", "loss")}

CRITERIA = {
    "accuracy": "binary_classification_accuracy",
    "f1": "binary_f_beta",
    "f_beta": "binary_f_beta",
    "precision_at_target_recall": "precision",
    "recall_at_target_precision": "recall",
    "cross_entropy_loss": "objective_loss",
    "loss_function": "objective_loss",
}
"""Each ``binary_classifier_model_selection_criteria``, and the metric that shows it."""


def f_name(beta: float) -> str:
    """How the log writes F-beta, such as ``f_1.000``."""
    return f"f_{beta:.3f}"


def judged_by(predictor_type: str, criteria: str) -> Sequence[str]:
    """The metrics that tell how good a model is, best first."""
    first = CRITERIA.get(criteria, "") if predictor_type == "binary_classifier" else ""
    wanted = [f"validation:{name}" for name in (first, "objective_loss") if name]
    return [*wanted, "train:objective_loss"]


def definitions() -> tuple[MetricDefinition, ...]:
    """What to look for in the log."""
    everything = {**_OBJECTIVE, **_BINARY, **_MULTICLASS, **_REGRESSION}
    found = [
        MetricDefinition(f"{side}:{name}", quality_regex(f"{side} {what}", goal), _better(goal))
        for side in ("validation", "test")
        for name, (what, goal) in everything.items()
    ]
    what, goal = _OBJECTIVE["objective_loss"]
    found += [
        MetricDefinition("train:objective_loss", quality_regex(f"train {what}", goal), "Minimize"),
        MetricDefinition(
            "train:progress",
            r"#progress_metric: host=\S+, completed (\S+) %",
            "Maximize",
        ),
        MetricDefinition(
            "train:throughput",
            r"#throughput_metric: host=\S+, train throughput=(\S+) records/second",
            "Maximize",
        ),
    ]
    return tuple(found)


def _better(goal: Goal) -> Literal["Minimize", "Maximize"]:
    return "Minimize" if goal == "loss" else "Maximize"
