"""What the router saw of every invocation: how many, how they ended and how long they took.

Each variant has the second that is going on as counters, and a history of the seconds before it,
each packed into some bytes: 16 for time and counters, and 6 for each latency that occurred, told
apart as finely as :data:`GROWTH`. A variant with one request a second takes 0.25 MB for its whole
hour, one with hundreds a second about 2 MB, and none more than 8 MB. Seconds without a request take
nothing.
"""

from __future__ import annotations

import math
import struct
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from bottega.clock import Clock, SystemClock

KEPT_SECONDS = 3900
"""An hour, and the longest period in front of it that a report may begin with."""
SHORTEST_SECONDS = 50e-6
GROWTH = 1.05
"""Each bucket of latencies is so much wider than the one before it; the last one holds 100 s."""
BUCKETS = math.ceil(math.log(100.0 / SHORTEST_SECONDS) / math.log(GROWTH)) + 1
_SCALE = 1.0 / math.log(GROWTH)
_HEAD = struct.Struct("<IIII")
_BUCKET = struct.Struct("<HI")


@dataclass
class Tally:
    """What happened in some stretch of time."""

    requests: int = 0
    errors_4xx: int = 0
    errors_5xx: int = 0
    """Answers of 500 and above, answers that mean nothing, and no answer."""
    latencies: dict[int, int] = field(default_factory=dict)
    """Requests by bucket. Those that never reached a model server are in none."""

    def add(self, other: Tally) -> None:
        """Count what ``other`` counted, too."""
        self.requests += other.requests
        self.errors_4xx += other.errors_4xx
        self.errors_5xx += other.errors_5xx
        for bucket, count in other.latencies.items():
            self.latencies[bucket] = self.latencies.get(bucket, 0) + count

    def percentile(self, percent: float) -> float:
        """The latency in seconds that so many percent of the requests do not exceed, within half a
        bucket; NaN where there is none."""
        rank = math.ceil(sum(self.latencies.values()) * percent / 100)
        for bucket in sorted(self.latencies):
            rank -= self.latencies[bucket]
            if rank <= 0:
                return SHORTEST_SECONDS * math.exp((bucket + 0.5) / _SCALE)
        return math.nan


@dataclass(frozen=True)
class Periods:
    """The traffic of an endpoint in periods of the same length, by variant."""

    times: Sequence[float]
    """When each begins: whole multiples of the length, in seconds since the epoch."""
    variants: Mapping[str, Sequence[Tally]]
    """One for each time. Variants that are gone are there while they have something to show."""


class Traffic:
    """The last hour of every endpoint that is told of. Safe to use from any thread."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        # Seconds since the epoch that never go back, whatever is done to the wall clock.
        self._epoch = self._clock.now() - self._clock.monotonic()
        self._lock = threading.Lock()
        self._endpoints: dict[str, dict[str, _Variant]] = {}

    def expect(self, endpoint: str, variants: Sequence[str]) -> None:
        """Count the invocations of an endpoint from now on, or go on after it has other
        variants."""
        second = self._second()
        with self._lock:
            known = self._endpoints.get(endpoint, {})
            kept = {
                name: variant
                for name, variant in known.items()
                if name in variants or variant.second > second - KEPT_SECONDS
            }
            fresh = {name: _Variant(second) for name in variants if name not in kept}
            self._endpoints[endpoint] = kept | fresh

    def forget(self, endpoint: str) -> None:
        """Drop what is known of an endpoint; what is recorded for it later is dropped, too."""
        with self._lock:
            self._endpoints.pop(endpoint, None)

    def record(self, endpoint: str, variant: str, status: int, seconds: float | None) -> None:
        """Count one invocation.

        Args:
            status: the model server's; 0 where it gave none.
            seconds: from sending the request until it was answered or given up; None where it was
                never sent.
        """
        second = int(self._epoch + self._clock.monotonic())
        with self._lock:
            variants = self._endpoints.get(endpoint)
            if variants is not None and (found := variants.get(variant)) is not None:
                found.record(second, status, seconds)

    def last(self, endpoint: str, seconds: int) -> Mapping[str, Tally]:
        """What happened in the last seconds, the present one included, by variant."""
        since = self._second() - seconds
        found: dict[str, Tally] = {}
        for name, history in self._histories(endpoint, since).items():
            found[name] = tally = Tally()
            for data in history:
                _unpack_into(tally, data)
        return found

    def periods(self, endpoint: str, *, seconds: int, length: int) -> Periods:
        """What happened in the last seconds, in periods of ``length`` seconds.

        They are whole: the one that is going on would look like a fall and is left out.
        """
        end = self._second() // length * length
        count = math.ceil(seconds / length)
        start = end - count * length
        variants: dict[str, list[Tally]] = {}
        for name, history in self._histories(endpoint, start - 1).items():
            variants[name] = tallies = [Tally() for _ in range(count)]
            for data in history:
                if (second := _time(data)) < end:
                    _unpack_into(tallies[(second - start) // length], data)
        return Periods([float(start + i * length) for i in range(count)], variants)

    def _second(self) -> int:
        return int(self._epoch + self._clock.monotonic())

    def _histories(self, endpoint: str, after: int) -> Mapping[str, Sequence[bytes]]:
        """The seconds after the given one that have something, packed, by variant."""
        with self._lock:
            variants = self._endpoints.get(endpoint, {})
            return {name: variant.since(after) for name, variant in variants.items()}


class _Variant:
    """One variant's present second, and those before it."""

    def __init__(self, second: int) -> None:
        self.second = second
        """The one that is counted now."""
        self._requests = self._errors_4xx = self._errors_5xx = 0
        self._buckets = [0] * BUCKETS
        self._history: deque[bytes] = deque()

    def record(self, second: int, status: int, seconds: float | None) -> None:
        if second > self.second:
            self._turn_to(second)
        self._requests += 1
        if not 200 <= status < 300:
            if 400 <= status < 500:
                self._errors_4xx += 1
            else:
                self._errors_5xx += 1
        if seconds is not None:
            self._buckets[_bucket_of(seconds)] += 1

    def since(self, after: int) -> list[bytes]:
        """The packed seconds after the given one, newest first."""
        present = [self._pack()] if self._requests and self.second > after else []
        return [*present, *takewhile(lambda data: _time(data) > after, reversed(self._history))]

    def _turn_to(self, second: int) -> None:
        if self._requests:
            self._history.append(self._pack())
            self._requests = self._errors_4xx = self._errors_5xx = 0
            self._buckets = [0] * BUCKETS
        self.second = second
        while self._history and _time(self._history[0]) <= second - KEPT_SECONDS:
            self._history.popleft()

    def _pack(self) -> bytes:
        head = _HEAD.pack(self.second, self._requests, self._errors_4xx, self._errors_5xx)
        used = (_BUCKET.pack(i, count) for i, count in enumerate(self._buckets) if count)
        return head + b"".join(used)


def _time(data: bytes) -> int:
    return int.from_bytes(data[:4], "little")


def _unpack_into(tally: Tally, data: bytes) -> None:
    """Count what a packed second has, too."""
    _, requests, errors_4xx, errors_5xx = _HEAD.unpack_from(data)
    tally.requests += requests
    tally.errors_4xx += errors_4xx
    tally.errors_5xx += errors_5xx
    latencies = tally.latencies
    for bucket, count in _BUCKET.iter_unpack(data[_HEAD.size :]):
        latencies[bucket] = latencies.get(bucket, 0) + count


def _bucket_of(seconds: float) -> int:
    if seconds <= SHORTEST_SECONDS:
        return 0
    return min(int(math.log(seconds / SHORTEST_SECONDS) * _SCALE), BUCKETS - 1)
