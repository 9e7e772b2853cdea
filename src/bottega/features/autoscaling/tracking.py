"""Target tracking: what the points of a metric ask for. Pure arithmetic.

A metric is measured for one unit of capacity, such as the requests a minute of one instance, so
the whole load is the metric times the capacity, and ``ceil(load / target)`` units carry it.

Scale out after three points in a row above the target; scale in after fifteen points below 0.9 of
it. Where a point counts single requests, chance moves it: of ``n`` requests by about ``sqrt(n)``.
What is less than five times that is no reason to change anything, so a steady load changes
nothing however small it is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

OUT_POINTS = 3
IN_POINTS = 15
LOOKED_AT = 60
"""So many points are asked for: over more of them a small excess shows, too."""
IN_SHARE = 0.9
_DEVIATIONS = 5.0
_ROUNDING = 1e-9

Direction = Literal["out", "in", "hold", "unknown"]
"""``unknown``: too few points, which also keeps other policies from scaling in."""


@dataclass(frozen=True)
class Point:
    """What was measured in one period."""

    value: float
    """For one unit of capacity."""
    counted: float | None = None
    """How many single requests are behind it; None for a metric that counts none."""


@dataclass(frozen=True)
class Asked:
    """What one policy asks for."""

    direction: Direction
    capacity: int
    """Before minimum and maximum; the present one where it asks for no change."""
    arithmetic: str
    """How it came about, in words and numbers."""
    details: tuple[tuple[str, Any], ...] = ()
    """The same for programs."""


def track(points: Sequence[Point], target: float, capacity: int) -> Asked:
    """What target tracking asks for.

    Args:
        points: the oldest first, all of them measured with this capacity.
        target: for one unit of capacity; above 0.
        capacity: units now. With none, the metric is taken for the whole load.
    """
    units = max(1, capacity)
    if len(points) < OUT_POINTS:
        text = f"{len(points)} of {OUT_POINTS} points are there since the capacity last changed"
        return Asked("unknown", capacity, text)
    last = points[-OUT_POINTS:]
    now = _mean(last)
    if all(point.value > target for point in last):
        for length in range(OUT_POINTS, len(points) + 1):
            window = points[-length:]
            mean = _mean(window)
            if mean > target and mean > target * (1 + _chance(window)):
                return _asked("out", now, target, units, capacity, "", max(now, mean))
    if len(points) >= IN_POINTS and capacity > 0:
        window = points[-IN_POINTS:]
        if all(point.value < IN_SHARE * target for point in window):
            highest = max(_mean(window[at : at + OUT_POINTS]) for at in range(0, IN_POINTS, 3))
            mean = _mean(window)
            careful = max(highest, mean * (1 + _chance(window)) if mean else 0.0)
            note = f", highest of the last {IN_POINTS} points with its chance {careful:.6g}"
            asked = _asked("in", now, target, units, capacity, note, careful)
            if asked.capacity < capacity:
                return asked
    return _asked("hold", now, target, units, capacity, "", now)


def _asked(
    direction: Direction,
    now: float,
    target: float,
    units: int,
    capacity: int,
    note: str,
    used: float,
) -> Asked:
    wanted = math.ceil(used * units / target - _ROUNDING)
    if direction == "out":
        wanted = max(wanted, capacity + 1)
    text = f"ceil({units} x {used:.6g} / {target:.6g}) = {wanted}{note}"
    details = (("metricValue", now), ("targetValue", target), ("capacity", capacity))
    return Asked(
        direction,
        capacity if direction == "hold" else wanted,
        text,
        (*details, ("desired", wanted)),
    )


def _mean(points: Sequence[Point]) -> float:
    return math.fsum(point.value for point in points) / len(points)


def _chance(points: Sequence[Point]) -> float:
    """By which share chance alone may move the mean of these points."""
    counts = [point.counted for point in points]
    if any(count is None for count in counts):
        return 0.0
    total = math.fsum(count for count in counts if count is not None)
    return _DEVIATIONS / math.sqrt(total) if total else 0.0
