"""Numbers over time, of which only so many are kept that a screen cannot tell the difference."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from bottega.thinning import thinned

KEPT = 10_000
"""Points that a course holds at least, once it had so many: the most that one answer has."""


@dataclass(frozen=True)
class Points:
    """Some points of a course, oldest first."""

    steps: Sequence[int]
    times: Sequence[float]
    """Seconds since the epoch."""
    values: Sequence[float]


class Course:
    """The values of one series as they come.

    Memory is bounded: beyond twice ``KEPT`` points the course is thinned, so that its extremes
    stay. Not to be shared between threads.
    """

    def __init__(self) -> None:
        self.count = 0
        """How many points there were."""
        self._steps = array("q")
        self._times = array("d")
        self._values = array("d")

    def append(self, step: int, time: float, value: float) -> None:
        self.count += 1
        self._steps.append(step)
        self._times.append(time)
        self._values.append(value)
        if len(self._values) >= 2 * KEPT:
            few = self.thinned(KEPT)
            self._steps = array("q", few.steps)
            self._times = array("d", few.times)
            self._values = array("d", few.values)

    def thinned(self, limit: int) -> Points:
        """At most ``limit`` points, at least 2; with the first, the last, and the extremes between
        them."""
        chosen = thinned(self._values, limit)
        return Points(
            [self._steps[index] for index in chosen],
            [self._times[index] for index in chosen],
            [self._values[index] for index in chosen],
        )
