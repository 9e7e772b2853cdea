"""The metrics of Factorization Machines: how they are named and found in the log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bottega.algorithms.base import MetricDefinition
from bottega.algorithms.factorization_machines.schema import BINARY, REGRESSOR
from bottega.algorithms.reports import Goal, quality_regex


@dataclass(frozen=True)
class Metric:
    """One number that says how well a model does."""

    name: str
    """In the log lines."""
    goal: Goal
    definition: str
    """In metric definitions, after the name of the channel; empty when there is none."""


METRICS = {
    REGRESSOR: (
        Metric("rmse", "loss", "rmse"),
        Metric("mse", "loss", ""),
        Metric("absolute_loss", "loss", ""),
    ),
    BINARY: (
        Metric("binary_classification_accuracy", "score", "binary_classification_accuracy"),
        Metric(
            "binary_classification_cross_entropy", "loss", "binary_classification_cross_entropy"
        ),
        Metric("binary_f_1.000", "score", "binary_f_beta"),
    ),
}
"""Of each type of predictor, the best to judge it by first."""
CHANNELS = ("test", "train")


def definitions() -> tuple[MetricDefinition, ...]:
    """How the metrics are found."""
    return tuple(
        MetricDefinition(
            f"{channel}:{metric.definition}",
            quality_regex(rf"{channel} {_pattern(metric.name)}", metric.goal),
            "Minimize" if metric.goal == "loss" else "Maximize",
        )
        for metrics in METRICS.values()
        for metric in metrics
        if metric.definition
        for channel in CHANNELS
    )


def judged_by(predictor_type: str) -> Sequence[str]:
    """The metrics that a model is judged by, best first; none where the type is unknown."""
    return [
        f"{channel}:{metric.definition}"
        for channel in CHANNELS
        for metric in METRICS.get(predictor_type, ())
        if metric.definition
    ]


def _pattern(name: str) -> str:
    return r"binary_f_\S+" if name.startswith("binary_f_") else name
