"""The port of metrics: who measures records statistics, who asks reads them by periods."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bottega.metrics.statistics import Statistics

SECONDS_KEPT = 3 * 3600
"""For how long values of high resolution are kept by the second."""
MINUTES_KEPT = 15 * 86400
"""For how long all values are kept by the minute."""

Dimensions = tuple[tuple[str, str], ...]
"""Names and values, sorted by name."""


def dimensions(**values: str) -> Dimensions:
    """Dimensions from keyword arguments.

    >>> dimensions(VariantName="v", EndpointName="e")
    (('EndpointName', 'e'), ('VariantName', 'v'))
    """
    return tuple(sorted(values.items()))


class MetricName(NamedTuple):
    """What is measured."""

    namespace: str
    """``AWS/SageMaker`` and the like."""
    name: str
    dimensions: Dimensions = ()
    """Sorted by name; a metric with other dimensions is another metric."""


@dataclass(frozen=True)
class Observation:
    """Values of one metric that were measured in one second or minute."""

    metric: MetricName
    time: float
    """Seconds since the epoch."""
    statistics: Statistics
    unit: str = "None"
    """One of CloudWatch's units."""
    resolution: int = 60
    """Seconds: 1 keeps it by the second as well as by the minute."""


@dataclass(frozen=True)
class MetricQuery:
    """What to read."""

    metric: MetricName
    start: float
    """Seconds since the epoch; rounded down to a whole period."""
    end: float
    """Values from here on are left out."""
    period: int
    """Seconds: 1, 5, 10, 20, 30, or whole minutes. Below a minute only what was recorded in high
    resolution in the last three hours is found."""
    unit: str | None = None
    """Only values of this unit; None for each unit by itself."""


class Period(NamedTuple):
    """What was measured in one period."""

    time: float
    """When it begins: a whole multiple of its length, in seconds since the epoch."""
    unit: str
    statistics: Statistics


class KnownMetric(NamedTuple):
    """A metric that has values."""

    metric: MetricName
    latest: float
    """About when its latest value was measured."""


class MetricStore(ABC):
    """Keeps statistics of metrics by second and by minute.

    Contract, checked for every implementation by ``bottega.testing.metric_store_case``:

    * What :meth:`record` was given is found by every later :meth:`read`, and after a kill of the
      process, too.
    * Values of the same metric, unit and second or minute add up, in whatever order they come.
    * Values of high resolution are kept by the second for ``SECONDS_KEPT`` and by the minute for
      ``MINUTES_KEPT``; others by the minute alone. What is older is forgotten, also when it is
      recorded.
    * Every method may be called from any thread.
    """

    @abstractmethod
    def record(self, observations: Iterable[Observation]) -> None:
        """Add values; all of them or, where it raises, none."""

    @abstractmethod
    def read(self, query: MetricQuery) -> Sequence[Period]:
        """The periods that have values, by time and then by unit."""

    @abstractmethod
    def metrics(
        self,
        *,
        namespace: str | None = None,
        name: str | None = None,
        since: float = 0.0,
    ) -> Sequence[KnownMetric]:
        """The metrics that have values, ordered by namespace, name and dimensions.

        Args:
            since: only those that have one from then on, give or take a minute.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of files; the store cannot be used after."""
