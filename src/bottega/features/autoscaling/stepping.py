"""Step scaling: which adjustment a breach calls for, and what capacity it comes to."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from bottega.errors import ValidationException

_WHERE = "StepScalingPolicyConfiguration"
MOST_STEPS = 20


def check(configuration: Mapping[str, Any]) -> None:
    """
    Raises:
        ValidationException: the steps overlap, leave a gap or miss what they need.
    """
    kind = configuration.get("AdjustmentType")
    if kind is None:
        raise ValidationException(
            f"{_WHERE}.AdjustmentType is missing: give ChangeInCapacity, PercentChangeInCapacity "
            "or ExactCapacity."
        )
    steps: Sequence[Mapping[str, Any]] = configuration.get("StepAdjustments") or ()
    if not 1 <= len(steps) <= MOST_STEPS:
        raise ValidationException(
            f"{_WHERE}.StepAdjustments has {len(steps)} steps; give 1 to {MOST_STEPS}."
        )
    if "MinAdjustmentMagnitude" in configuration:
        if kind != "PercentChangeInCapacity":
            raise ValidationException(
                f"{_WHERE}.MinAdjustmentMagnitude goes with PercentChangeInCapacity alone; leave "
                "it out."
            )
        if configuration["MinAdjustmentMagnitude"] < 1:
            raise ValidationException(f"{_WHERE}.MinAdjustmentMagnitude must be at least 1.")
    if configuration.get("Cooldown", 0) < 0:
        raise ValidationException(f"{_WHERE}.Cooldown must not be negative.")
    intervals = sorted(_interval(step) for step in steps)
    for low, high in intervals:
        if low >= high:
            raise ValidationException(
                f"{_WHERE}.StepAdjustments has a step from {low} to {high}: its lower bound must "
                "be less than its upper bound."
            )
    for (_, high), (low, _) in pairwise(intervals):
        if high != low:
            what = "overlap" if low < high else "leave a gap"
            raise ValidationException(
                f"{_WHERE}.StepAdjustments {what} between {min(low, high)} and {max(low, high)}; "
                "each step must begin where the one before it ends."
            )
    for at, step in enumerate(steps):
        if kind == "ExactCapacity" and step["ScalingAdjustment"] < 0:
            raise ValidationException(
                f"{_WHERE}.StepAdjustments[{at}].ScalingAdjustment is negative, which no exact "
                "capacity is."
            )


def adjustment(configuration: Mapping[str, Any], breach: float) -> int | None:
    """The ScalingAdjustment of the step that a breach is in; None where it is in none.

    Args:
        breach: the metric minus the alarm's threshold. Above it a step has its lower bound and not
            its upper one; below it the other way round.
    """
    for step in configuration["StepAdjustments"]:
        low, high = _interval(step)
        if low <= breach < high if breach >= 0 else low < breach <= high:
            return int(step["ScalingAdjustment"])
    return None


def adjusted(configuration: Mapping[str, Any], capacity: int, change: int) -> int:
    """The capacity that an adjustment comes to, never below 0.

    A percentage is rounded as AWS does it: above 1 down and below -1 up, so towards no change;
    what is between 0 and 1 counts as 1.
    """
    kind = configuration["AdjustmentType"]
    if kind == "ExactCapacity":
        return change
    if kind == "ChangeInCapacity":
        return max(0, capacity + change)
    exact = capacity * change / 100
    units = math.trunc(exact) or (0 if exact == 0 else int(math.copysign(1, exact)))
    least = int(configuration.get("MinAdjustmentMagnitude", 0))
    if change and abs(units) < least:
        units = int(math.copysign(least, change))
    return max(0, capacity + units)


def aggregated(configuration: Mapping[str, Any], values: Sequence[float]) -> float:
    """One value of those that the alarm looked at, by MetricAggregationType."""
    kind = configuration.get("MetricAggregationType", "Average")
    if kind == "Minimum":
        return min(values)
    if kind == "Maximum":
        return max(values)
    return math.fsum(values) / len(values)


def _interval(step: Mapping[str, Any]) -> tuple[float, float]:
    return (
        float(step.get("MetricIntervalLowerBound", -math.inf)),
        float(step.get("MetricIntervalUpperBound", math.inf)),
    )
