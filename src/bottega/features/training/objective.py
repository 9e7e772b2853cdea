"""Which of a job's metrics says how good its model is."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

TREND = 32
"""The most values of a trend."""

_VALIDATION = re.compile(
    r"(?:^|[^a-z])(?:validation|valid|val|eval|dev)(?:[^a-z]|$)", re.IGNORECASE
)


@dataclass(frozen=True)
class Objective:
    """How good a model is, and how it came to be."""

    metric: str
    value: float
    """The latest."""
    trend: Sequence[float]
    """The course in at most ``TREND`` values, oldest first; empty where it is not known."""

    def as_json(self) -> dict[str, Any]:
        """As it is kept with an ended job."""
        return {"metric": self.metric, "value": self.value, "trend": list(self.trend)}

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Objective:
        return cls(fields["metric"], fields["value"], tuple(fields["trend"]))

    @property
    def known(self) -> bool:
        """Whether the value is a number that can be compared."""
        return math.isfinite(self.value)


def objective_metric(
    present: Collection[str], defined: Sequence[str], preferred: Sequence[str] = ()
) -> str | None:
    """The metric to judge a model by; None where there is none yet.

    Args:
        present: the metrics that have a value.
        defined: all metrics in the order in which they were defined.
        preferred: what the algorithm itself goes by, best first.

    >>> objective_metric({"train:auc", "validation:auc"}, ["validation:auc", "train:auc"])
    'validation:auc'
    >>> objective_metric({"loss", "accuracy"}, ["loss", "accuracy"])
    'accuracy'
    """
    for name in preferred:
        if name in present:
            return name
    known = [name for name in defined if name in present]
    judged = [name for name in known if _VALIDATION.search(name)]
    return next(reversed(judged or known), None)
