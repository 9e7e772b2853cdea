"""Edges of histograms: few, nice, and whole where the values are."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bottega.wrangler.columns import ColumnType

BINS = 20
"""At most so many."""
_ALL = "CASE WHEN isfinite(?) THEN 0 END"
_NICE = (1.0, 2.0, 2.5, 4.0, 5.0, 10.0)
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_SECONDS = (
    *(1, 2, 5, 10, 15, 30),
    *(_MINUTE * n for n in (1, 2, 5, 10, 15, 30)),
    *(_HOUR * n for n in (1, 2, 3, 6, 12)),
    *(_DAY * n for n in (1, 2, 7, 14)),
)
_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 2400, 6000, 12000)
_EPOCH = datetime(1970, 1, 1)


@dataclass(frozen=True)
class Binning:
    """How values fall into bins.

    Attributes:
        expression: SQL that gives a value's place on the axis in steps, with ``?`` for the value.
        first: the place of the first bin. What lies outside belongs to the first or the last one.
        edges: the borders as answers have them, one more than there are bins. A bin has its lower
            border; the last one has its upper border, too.
    """

    expression: str
    first: int
    edges: tuple[Any, ...]
    step: float = 0.0
    """Of numbers; 0 where there is a single bin, and for times."""

    @property
    def count(self) -> int:
        """How many bins."""
        return len(self.edges) - 1

    def of(self, value: str) -> str:
        """SQL for the place of an SQL value."""
        return self.expression.replace("?", value)

    def place(self, value: float) -> float:
        """The place of a number, as the SQL has it."""
        if not math.isfinite(value):
            return value
        return math.floor(float(value) / self.step) if self.step else 0.0

    def counts(self, places: Iterable[tuple[float, int]]) -> list[int]:
        """The number of values in each bin, from the numbers at each place; infinite places are
        left out."""
        counts = [0] * self.count
        for place, number in places:
            if math.isfinite(place):
                counts[max(0, min(self.count - 1, int(place) - self.first))] += number
        return counts


def number_binning(low: float, high: float, *, whole: bool) -> Binning:
    """Bins for finite numbers from ``low`` to ``high``.

    Args:
        low: the least value.
        high: the greatest value.
        whole: whether all values are whole numbers; then bins hold equally many of them.
    """
    step = _step(low, high, whole)
    if step is None:
        return Binning(_ALL, 0, (low, high))
    first = math.floor(low / step)
    last = math.floor(high / step)
    if last > first and not whole and high == last * step:
        last -= 1
    places = range(first, last + 2)
    edges: tuple[float, ...]
    edges = tuple((int(step) if whole else step) * place for place in places)
    if not whole:
        # Without the dust of the multiplication: 0.3, not 0.30000000000000004.
        digits = 2 - math.floor(math.log10(step))
        edges = tuple(round(edge, digits) for edge in edges)
    return Binning(f"floor(?::DOUBLE / {step!r})", first, edges, step)


def _step(low: float, high: float, whole: bool) -> float | None:
    raw = high / BINS - low / BINS
    if not math.isfinite(raw) or raw <= 0:
        return 1.0 if whole and low == high and abs(low) < 2**52 else None
    power = 10.0 ** math.floor(math.log10(raw))
    candidates = [nice * power * scale for scale in (1, 10) for nice in _NICE[:-1]]
    if whole:
        candidates = [1.0, *(c for c in candidates if c >= 1 and c == math.floor(c))]
    for step in candidates:
        if not step or not math.isfinite(step) or max(abs(low), abs(high)) / step > 2**50:
            continue
        first, last = math.floor(low / step), math.floor(high / step)
        bins = last - first + (0 if not whole and high == last * step else 1)
        if bins <= BINS:
            return step
    return None


def time_binning(low: str, high: str, kind: ColumnType) -> Binning:
    """Bins for days or moments, given as texts of ISO 8601.

    Years that the calendar of Python's cannot have get one bin.
    """
    try:
        first, last = datetime.fromisoformat(low), datetime.fromisoformat(high)
    except ValueError:
        return Binning(_ALL, 0, (low, high))
    span = (last - first).total_seconds()
    for seconds in _SECONDS:
        if kind is ColumnType.DATE and seconds < _DAY:
            continue
        if span / seconds <= BINS - 1:
            return _even(first, last, seconds, kind)
    months = (last.year * 12 + last.month) - (first.year * 12 + first.month)
    step = next((m for m in _MONTHS if months / m <= BINS - 1), _MONTHS[-1])
    return _monthly(first, last, step, kind)


def _even(first: datetime, last: datetime, seconds: int, kind: ColumnType) -> Binning:
    # Weeks begin on Mondays; 1970 began on a Thursday.
    origin = _EPOCH - timedelta(days=3) if seconds >= 7 * _DAY else _EPOCH
    step = timedelta(seconds=seconds)
    begin, end = (first - origin) // step, (last - origin) // step
    edges = tuple(_text(origin, step, begin + i, kind) for i in range(end - begin + 2))
    micros, shift = seconds * 1_000_000, int((origin - _EPOCH).total_seconds()) * 1_000_000
    return Binning(f"floor((epoch_us(?::TIMESTAMP) - {shift}) / {micros})", begin, edges)


def _text(origin: datetime, step: timedelta, number: int, kind: ColumnType) -> str:
    try:
        return _moment(origin + step * number, kind)
    except OverflowError:
        return _moment(datetime.max, kind)


def _monthly(first: datetime, last: datetime, step: int, kind: ColumnType) -> Binning:
    begin = (first.year * 12 + first.month - 1) // step
    end = (last.year * 12 + last.month - 1) // step
    edges = []
    for number in range(begin, end + 2):
        year, month = divmod(number * step, 12)
        edge = datetime.max if year > 9999 else datetime(max(year, 1), month + 1, 1)
        edges.append(_moment(edge, kind))
    months = "(year(?) * 12 + month(?) - 1)"
    return Binning(f"floor({months} / {step})", begin, tuple(edges))


def _moment(value: datetime, kind: ColumnType) -> str:
    return value.date().isoformat() if kind is ColumnType.DATE else value.isoformat()
