"""When an alarm is in alarm: M out of N datapoints, and what missing ones mean.

As CloudWatch documents it: more periods are looked at than are evaluated, so that a datapoint that
is late or missing has a substitute; only where there are still too few does ``TreatMissingData``
speak.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

State = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
Missing = Literal["breaching", "notBreaching", "ignore", "missing"]

SPARE = 2
"""So many more periods are looked at than ``EvaluationPeriods`` says."""

COMPARISONS: Mapping[str, tuple[Callable[[float, float], bool], str]] = MappingProxyType(
    {
        "GreaterThanThreshold": (operator.gt, "greater than"),
        "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
        "LessThanThreshold": (operator.lt, "less than"),
        "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
    }
)
"""By ComparisonOperator: whether a value breaches a threshold, and how that is said."""


@dataclass(frozen=True)
class Rule:
    """When an alarm changes its state."""

    comparison: str
    """A key of :data:`COMPARISONS`."""
    threshold: float
    periods: int
    """EvaluationPeriods: N."""
    datapoints: int
    """DatapointsToAlarm: M, from 1 to N."""
    missing: Missing = "missing"

    @property
    def looked_at(self) -> int:
        """How many periods :meth:`evaluate` wants."""
        return self.periods + SPARE

    def breaches(self, value: float) -> bool:
        """Whether a value is on the wrong side of the threshold."""
        return COMPARISONS[self.comparison][0](value, self.threshold)

    def evaluate(self, values: Sequence[float | None]) -> State | None:
        """The state that the latest periods call for; None for the one that it is in.

        Args:
            values: of the last periods, the oldest first; None where a period has none. Of more
                than ``looked_at`` only the last count.
        """
        values = values[-self.looked_at :]
        # The age of a datapoint is 1 in the last period that is over.
        there = [(len(values) - at, value) for at, value in enumerate(values) if value is not None]
        there = there[-self.periods :]
        breaching = [age for age, value in there if self.breaches(value)]
        if len(breaching) >= self.datapoints:
            return "ALARM"
        filled = self.periods - len(there)
        if self.missing == "breaching" and len(breaching) + filled >= self.datapoints:
            return "ALARM"
        if filled == 0 or self.missing in ("breaching", "notBreaching"):
            return "OK"
        if len(there) > len(breaching):
            return "OK"
        if not there:
            return "INSUFFICIENT_DATA" if self.missing == "missing" else None
        # Only breaching ones, and fewer than it takes: those to come might be well. Once they would
        # have had to be there, what is missing speaks for an alarm.
        late = self.missing == "missing" and max(breaching) >= self.datapoints
        return "ALARM" if late else None
