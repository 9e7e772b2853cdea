"""The metrics of the XGBoost algorithm by name: which way is better, and where they make sense.

Light: the library is not imported. ``metrics`` computes those that the library does not have.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bottega.algorithms.base import MetricDefinition


@dataclass(frozen=True)
class Metric:
    """One metric."""

    name: str
    direction: Literal["Minimize", "Maximize"]
    native: bool = True
    """Whether the library computes it."""
    objectives: tuple[str, ...] = ()
    """Prefixes of the objectives it makes sense with; empty: all, or the library judges."""


_CLASSES = ("binary:", "multi:")


def _metrics() -> tuple[Metric, ...]:
    own_up = "accuracy balanced_accuracy f1 f1_macro precision precision_macro precision_micro "
    own_up += "recall recall_macro recall_micro"
    native_up = ("auc", "aucpr", "map", "ndcg")
    native_down = "aft-nloglik cox-nloglik error gamma-deviance gamma-nloglik logloss mae mape "
    native_down += "interval-regression-accuracy merror mlogloss mphe poisson-nloglik rmse rmsle "
    native_down += "tweedie-nloglik"
    return (
        *(Metric(name, "Maximize", native=False, objectives=_CLASSES) for name in own_up.split()),
        Metric("f1_binary", "Maximize", native=False, objectives=("binary:",)),
        Metric("r2", "Maximize", native=False, objectives=("reg:", "count:")),
        Metric("mse", "Minimize", native=False, objectives=("reg:", "count:")),
        *(Metric(name, "Maximize") for name in native_up),
        *(Metric(name, "Minimize") for name in native_down.split()),
    )


NAMES: dict[str, Metric] = {metric.name: metric for metric in _metrics()}


def parse_metrics(text: str) -> tuple[str, ...]:
    """Read the value of ``eval_metric``.

    Raises:
        ValueError: a name is unknown or has a bad ``@`` part.
    """
    found = tuple(part.strip() for part in text.strip("[]").replace('"', "").split(","))
    for name in found:
        base, at, rest = name.partition("@")
        if base not in NAMES:
            raise ValueError(f"has {name!r}, which is none of {', '.join(sorted(NAMES))}")
        if at and not _good_suffix(base, rest):
            raise ValueError(f"has {name!r}; only error@<number>, ndcg@<n> and map@<n> take a part")
    return found


def _good_suffix(base: str, rest: str) -> bool:
    if base == "error":
        try:
            return 0 <= float(rest) <= 1
        except ValueError:
            return False
    return base in ("ndcg", "map") and rest.rstrip("-").isdigit()


def tuning_metric(text: str) -> str:
    """Read ``validation:<metric>`` as tuning passes it; gives the metric.

    Raises:
        ValueError: it is no metric of this algorithm.
    """
    side, _, name = text.rpartition(":")
    if side not in ("validation", "train", "") or name not in NAMES:
        raise ValueError(f"must be validation:<metric>, one of {', '.join(sorted(NAMES))}")
    return name


def maximize(name: str) -> bool:
    """Whether more is better, for a name with or without its ``@`` part."""
    return NAMES[name.partition("@")[0]].direction == "Maximize"


def definitions() -> tuple[MetricDefinition, ...]:
    """What to look for in the log: each metric on the validation and on the train channel, those of
    the library first."""
    return tuple(
        MetricDefinition(
            name=f"{side}:{metric.name}",
            # SageMaker's own ends with (\S+), which takes in the metrics that follow in the line.
            regex=rf".*\[[0-9]+\].*#011{side}-{metric.name}(?:@[^:]*)?:([^\s#]+)",
            direction=metric.direction,
        )
        for metric in sorted(NAMES.values(), key=lambda metric: not metric.native)
        for side in ("validation", "train")
    )
