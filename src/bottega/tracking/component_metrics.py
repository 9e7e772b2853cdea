"""The port to the metrics of trial components: points go in, statistics come out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Statistic = Literal["Min", "Max", "Avg", "Count", "StdDev", "Last"]
Period = Literal["OneMinute", "FiveMinute", "OneHour", "IterationNumber"]
Axis = Literal["IterationNumber", "Timestamp"]


@dataclass(frozen=True)
class ComponentPoint:
    """One value of a metric."""

    name: str
    value: float
    """NaN and infinity are values, too."""
    time: int
    """Milliseconds since the epoch."""
    step: int


@dataclass(frozen=True)
class SeriesQuery:
    """One metric of one component: a statistic for each group of its points."""

    component: str
    metric: str
    statistic: Statistic
    """A value that is not a number counts, and may be the last one; it has no size. StdDev is that
    of the whole population."""
    period: Period
    """Which points make a group: those of one minute, or of one step."""
    axis: Axis
    """What a group is shown at: its last step; or its time, in seconds: when its period began, or
    the newest one of its step."""
    start: int | None = None
    """In the units of the axis, as ``end``; both belong to the range."""
    end: int | None = None


@dataclass(frozen=True)
class Series:
    x: Sequence[int]
    """Upwards."""
    values: Sequence[float]
    """One for each ``x``."""
    truncated: bool = False
    """Whether there is more, which another query has to ask for."""


class ComponentMetrics(ABC):
    """Metrics by the names of trial components, which are runs of the tracker.

    Every method raises :class:`~bottega.tracking.port.TrackingMissing` where there is no such
    component, :class:`~bottega.tracking.port.TrackingUnavailable` when the tracker does not answer
    now, and :class:`~bottega.tracking.port.TrackingRefused` when it never will.
    """

    @abstractmethod
    def put(self, component: str, points: Sequence[ComponentPoint]) -> Sequence[int]:
        """Add points; once this has returned they are on the disk. The same again change nothing.

        Returns:
            The indexes of points that were left out, because the component has as many metrics as
            it may have, and they are of further ones.
        """

    @abstractmethod
    def series(self, query: SeriesQuery) -> Series:
        """One series; empty where the component has no such metric."""
