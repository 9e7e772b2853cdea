"""Sets of values, as CloudWatch keeps them: count, sum, extremes, and how the values spread."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

GROWTH = 1.02
"""Each bucket of values is so much wider than the one before it, so that a percentile is right
within one percent."""
_LOG_GROWTH = math.log(GROWTH)
_CENTRE = 20_000
"""The bucket of values near 1; buckets of negative values are those of positive ones, mirrored."""
_REACH = 12_700
"""Values beyond ``GROWTH ** _REACH``, about 1e109, share a bucket."""
_BUCKET = struct.Struct("<hd")


@dataclass(frozen=True)
class Statistics:
    """Some values, summed up. An empty set has count 0 and NaN as its extremes."""

    count: float = 0.0
    """How many values; a value may count by a fraction."""
    sum: float = 0.0
    minimum: float = math.nan
    maximum: float = math.nan
    histogram: Mapping[int, float] = field(default_factory=dict)
    """How many values are in each bucket. Where less are than ``count`` says, only a statistic set
    was told of some, and there are no percentiles."""

    @classmethod
    def of(cls, values: Iterable[float], counts: Iterable[float] | None = None) -> Statistics:
        """Sum up values.

        Args:
            counts: how often each of them occurred; None for once each.
        """
        total = added = 0.0
        low, high = math.inf, -math.inf
        histogram: dict[int, float] = {}
        pairs = ((v, 1.0) for v in values) if counts is None else zip(values, counts, strict=True)
        for value, count in pairs:
            if count <= 0:
                continue
            total += count
            added += value * count
            low, high = min(low, value), max(high, value)
            bucket = _bucket_of(value)
            histogram[bucket] = histogram.get(bucket, 0.0) + count
        return cls(total, added, low, high, histogram) if total else cls()

    @classmethod
    def of_set(cls, count: float, total: float, minimum: float, maximum: float) -> Statistics:
        """A statistic set whose values are not known one by one."""
        if count <= 0:
            return cls()
        known = {_bucket_of(minimum): count} if minimum == maximum else {}
        return cls(count, total, minimum, maximum, known)

    @classmethod
    def of_known(
        cls, total: float, minimum: float, maximum: float, counts: Mapping[float, float]
    ) -> Statistics:
        """Values whose sum and extremes are known exactly, and the rest about.

        Args:
            counts: how often each value occurred, about.
        """
        about = cls.of(counts.keys(), counts.values())
        return cls(about.count, total, minimum, maximum, about.histogram) if about.count else about

    def __add__(self, other: Statistics) -> Statistics:
        if not other.count:
            return self
        if not self.count:
            return other
        histogram = dict(self.histogram)
        for bucket, count in other.histogram.items():
            histogram[bucket] = histogram.get(bucket, 0.0) + count
        return Statistics(
            self.count + other.count,
            self.sum + other.sum,
            min(self.minimum, other.minimum),
            max(self.maximum, other.maximum),
            histogram,
        )

    @property
    def average(self) -> float:
        return self.sum / self.count if self.count else math.nan

    @property
    def spread_known(self) -> bool:
        """Whether there are percentiles."""
        known = sum(self.histogram.values())
        return self.count > 0 and math.isclose(known, self.count, rel_tol=1e-9)

    def percentile(self, percent: float) -> float:
        """The value that so many percent of the values do not exceed, within one percent of it;
        NaN where the values are not known one by one."""
        if not self.spread_known:
            return math.nan
        rank = self.count * percent / 100
        for value, count in self._spread():
            rank -= count
            if rank <= 1e-9:
                return value
        return self.maximum

    def between(self, low: float, high: float) -> Statistics:
        """The values from one percentile to another, as far as they can be told apart.

        Args:
            low, high: in percent.
        """
        skip, take = self.count * low / 100, self.count * (high - low) / 100
        values: list[float] = []
        counts: list[float] = []
        for value, count in self._spread():
            skipped = min(skip, count)
            skip -= skipped
            taken = min(take, count - skipped)
            take -= taken
            values.append(value)
            counts.append(taken)
        return Statistics.of(values, counts)

    def within(self, low: float, high: float) -> Statistics:
        """The values above ``low`` and up to ``high``, as far as they can be told apart."""
        spread = [(value, count) for value, count in self._spread() if low < value <= high]
        return Statistics.of([value for value, _ in spread], [count for _, count in spread])

    def winsorized(self, low: float, high: float) -> float:
        """The average with the values outside two percentiles replaced by those."""
        bottom, top = self.percentile(low), self.percentile(high)
        spread = self._spread()
        return sum(min(max(v, bottom), top) * count for v, count in spread) / self.count

    def pack(self) -> bytes:
        """The histogram as bytes."""
        return b"".join(_BUCKET.pack(*item) for item in sorted(self.histogram.items()))

    def _spread(self) -> Sequence[tuple[float, float]]:
        """The values in order, each with how often it occurred."""
        return [
            (min(max(_value_of(bucket), self.minimum), self.maximum), self.histogram[bucket])
            for bucket in sorted(self.histogram)
        ]


def unpack(data: bytes) -> dict[int, float]:
    """The histogram that :meth:`Statistics.pack` packed."""
    return dict(_BUCKET.iter_unpack(data))


def _bucket_of(value: float) -> int:
    if value == 0:
        return 0
    exponent = math.floor(math.log(abs(value)) / _LOG_GROWTH)
    bucket = _CENTRE + max(-_REACH, min(_REACH, exponent))
    return bucket if value > 0 else -bucket


def _value_of(bucket: int) -> float:
    """The middle of a bucket."""
    if bucket == 0:
        return 0.0
    size = math.exp((abs(bucket) - _CENTRE + 0.5) * _LOG_GROWTH)
    return size if bucket > 0 else -size


class StatisticUnknown(ValueError):
    """There is no statistic of that name; the message says which there are."""


_SIMPLE: Mapping[str, Callable[[Statistics], float]] = {
    "SampleCount": lambda found: found.count,
    "Sum": lambda found: found.sum,
    "Average": lambda found: found.average,
    "Minimum": lambda found: found.minimum,
    "Maximum": lambda found: found.maximum,
}
_SHORT = re.compile(r"(p|tm|wm|tc|ts)(\d{1,3}(?:\.\d{1,10})?)", re.IGNORECASE)
_RANGE = re.compile(
    r"(TM|WM|TC|TS|PR)\((-?\d+(?:\.\d+)?)?(%?):(-?\d+(?:\.\d+)?)?(%?)\)", re.IGNORECASE
)


def needs_spread(name: str) -> bool:
    """Whether a statistic is about percentiles; the name must be known.

    Raises:
        StatisticUnknown: it is not.
    """
    _parse(name)
    return name not in _SIMPLE


def statistic(found: Statistics, name: str) -> float:
    """One number of a set of values; NaN where it cannot be told.

    Args:
        name: ``SampleCount``, ``Sum``, ``Average``, ``Minimum``, ``Maximum``, or an extended one:
            ``p99.9``, ``IQM``, ``tm90``, ``wm90``, ``tc90``, ``ts90``, ``TM(10%:90%)``,
            ``TM(150:1000)``, ``PR(:300)`` and so on, as CloudWatch defines them.

    Raises:
        StatisticUnknown: there is no such statistic.
    """
    if simple := _SIMPLE.get(name):
        return simple(found)
    kind, low, high, percent = _parse(name)
    if not found.spread_known:
        return math.nan
    if kind == "p":
        return found.percentile(high)
    if kind == "wm":
        return found.winsorized(low, high)
    part = found.between(low, high) if percent else found.within(low, high)
    if kind == "tm":
        return part.average
    if kind == "pr":
        return 100 * part.count / found.count
    return part.count if kind == "tc" else part.sum


def _parse(name: str) -> tuple[str, float, float, bool]:
    """Kind, lower and upper end, and whether these are percentiles."""
    if name in _SIMPLE:
        return name, 0, 100, True
    if name.upper() == "IQM":
        return "tm", 25, 75, True
    if (short := _SHORT.fullmatch(name)) and 0 <= float(short[2]) <= 100:
        return short[1].lower(), 0, float(short[2]), True
    if (given := _RANGE.fullmatch(name)) and (given[2] or given[4]):
        kind, percent = given[1].lower(), "%" in (given[3], given[5])
        low = float(given[2]) if given[2] else (0.0 if percent else -math.inf)
        high = float(given[4]) if given[4] else (100.0 if percent else math.inf)
        sides = {given[3] if given[2] else "", given[5] if given[4] else ""}
        mixed = bool(given[2] and given[4]) and len(sides) > 1
        sound = low < high and (not percent or (low >= 0 and high <= 100)) and not mixed
        if sound and (kind != "pr" or not percent) and (kind != "wm" or percent):
            return kind, low, high, percent
    raise StatisticUnknown(
        f"There is no statistic {name!r}. Use SampleCount, Sum, Average, Minimum, Maximum, a "
        "percentile such as p99 or p99.9, IQM, or TM, WM, TC, TS or PR with its range, such as "
        "tm90, TM(10%:90%) or PR(:300)."
    )
