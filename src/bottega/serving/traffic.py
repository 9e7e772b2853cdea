"""What the router saw of every invocation: how many, how they ended and how long they took.

Each variant of each configuration has the second that is going on as counters, and a history of the
seconds before it, each packed into some bytes: 52 for time, counters and sums, and 6 for each
latency that occurred, told apart as finely as :data:`GROWTH`. A variant with one request a second
takes 0.4 MB for its whole hour, one with hundreds a second about 2 MB, and none more than 9 MB.
Seconds without a request take nothing.
"""

from __future__ import annotations

import math
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import NamedTuple

from bottega.clock import Clock, SystemClock

KEPT_SECONDS = 3900
"""An hour, and the longest period in front of it that a report may begin with."""
SHORTEST_SECONDS = 50e-6
GROWTH = 1.05
"""Each bucket of latencies is so much wider than the one before it; the last one holds 100 s."""
BUCKETS = math.ceil(math.log(100.0 / SHORTEST_SECONDS) / math.log(GROWTH)) + 1
_SCALE = 1.0 / math.log(GROWTH)
_HEAD = struct.Struct("<IIIIIdffdff")
_BUCKET = struct.Struct("<HI")
_LEAVING_KEPT = 60
"""Seconds of a forgotten endpoint's variant that wait to be collected."""
_MOST_LEAVING = 10_000


@dataclass(slots=True)
class Times:
    """Durations, summed up. Seconds."""

    count: int = 0
    total: float = 0.0
    shortest: float = math.inf
    longest: float = 0.0

    def add(self, other: Times) -> None:
        """Count what ``other`` counted, too."""
        self.count += other.count
        self.total += other.total
        self.shortest = min(self.shortest, other.shortest)
        self.longest = max(self.longest, other.longest)

    @property
    def average(self) -> float:
        """NaN where there is none."""
        return self.total / self.count if self.count else math.nan


@dataclass
class Tally:
    """What happened in some stretch of time."""

    requests: int = 0
    errors_4xx: int = 0
    errors_5xx: int = 0
    """Answers of 500 and above, answers that mean nothing, and no answer."""
    model_errors: int = 0
    """Requests that were sent to a model server and that it did not answer with success."""
    latencies: dict[int, int] = field(default_factory=dict)
    """Requests by bucket. Those that never reached a model server are in none."""
    model: Times = field(default_factory=Times)
    """What the model servers took of the time."""
    overhead: Times = field(default_factory=Times)
    """What the router took."""

    def add(self, other: Tally) -> None:
        """Count what ``other`` counted, too."""
        self.requests += other.requests
        self.errors_4xx += other.errors_4xx
        self.errors_5xx += other.errors_5xx
        self.model_errors += other.model_errors
        for bucket, count in other.latencies.items():
            self.latencies[bucket] = self.latencies.get(bucket, 0) + count
        self.model.add(other.model)
        self.overhead.add(other.overhead)

    def percentile(self, percent: float) -> float:
        """The latency in seconds that so many percent of the requests do not exceed, within half a
        bucket; NaN where there is none."""
        rank = math.ceil(sum(self.latencies.values()) * percent / 100)
        for bucket in sorted(self.latencies):
            rank -= self.latencies[bucket]
            if rank <= 0:
                return middle_of(bucket)
        return math.nan


class Source(NamedTuple):
    """Whose requests they were."""

    variant: str
    config: str
    """The endpoint configuration of the fleet that served them."""


class Second(NamedTuple):
    """What one variant of one configuration did in one second that is over."""

    endpoint: str
    source: Source
    time: int
    """Seconds since the epoch."""
    tally: Tally


@dataclass(frozen=True)
class Periods:
    """The traffic of an endpoint in periods of the same length."""

    times: Sequence[float]
    """When each begins: whole multiples of the length, in seconds since the epoch."""
    variants: Mapping[str, Sequence[Tally]]
    """One for each time. Variants that are gone are there while they have something to show."""
    sources: Mapping[Source, Sequence[Tally]]
    """The same by variant and configuration, for the time of an update."""


class Traffic:
    """The last hour of every endpoint that is told of. Safe to use from any thread."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        # Seconds since the epoch that never go back, whatever is done to the wall clock.
        self._epoch = self._clock.now() - self._clock.monotonic()
        self._monotonic: Callable[[], float] = self._clock.monotonic
        self._lock = threading.Lock()
        self._endpoints: dict[str, dict[tuple[str, str], _History]] = {}
        self._leaving: deque[tuple[str, Source, bytes]] = deque(maxlen=_MOST_LEAVING)

    def expect(self, endpoint: str, sources: Iterable[tuple[str, str]]) -> None:
        """Count the invocations of an endpoint from now on, or go on after it has other variants.

        Args:
            sources: names of variants, each with the configuration of its fleet.
        """
        second = self._second()
        wanted = set(sources)
        with self._lock:
            known = self._endpoints.get(endpoint, {})
            kept = {
                source: history
                for source, history in known.items()
                if source in wanted or history.second > second - KEPT_SECONDS
            }
            fresh = {source: _History(second) for source in wanted if source not in kept}
            self._endpoints[endpoint] = kept | fresh

    def forget(self, endpoint: str) -> None:
        """Drop what is known of an endpoint; what is recorded for it later is dropped, too."""
        with self._lock:
            for source, history in self._endpoints.pop(endpoint, {}).items():
                for data in reversed(history.collect(history.second + 1)[:_LEAVING_KEPT]):
                    self._leaving.append((endpoint, Source(*source), data))

    def record(
        self,
        endpoint: str,
        variant: str,
        status: int,
        seconds: float | None,
        *,
        config: str,
        overhead: float,
    ) -> None:
        """Count one invocation.

        Args:
            status: the model server's, or the refusal's; 0 where there is none.
            seconds: from sending the request until it was answered or given up; None where it was
                never sent.
            config: the endpoint configuration of the fleet that the variant is in.
            overhead: seconds that the router took for it beside those.
        """
        second = int(self._epoch + self._monotonic())
        with self._lock:
            histories = self._endpoints.get(endpoint)
            if histories is not None:
                history = histories.get((variant, config))
                if history is not None:
                    history.record(second, status, seconds, overhead)

    def last(self, endpoint: str, seconds: int) -> Mapping[str, Tally]:
        """What happened in the last seconds, the present one included, by variant."""
        since = self._second() - seconds
        found: dict[str, Tally] = {}
        for source, history in self._histories(endpoint, since).items():
            tally = found.setdefault(source.variant, Tally())
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
        sources: dict[Source, list[Tally]] = {}
        for source, history in self._histories(endpoint, start - 1).items():
            sources[source] = tallies = [Tally() for _ in range(count)]
            for data in history:
                if (second := _time(data)) < end:
                    _unpack_into(tallies[(second - start) // length], data)
        variants: dict[str, list[Tally]] = {}
        for source, tallies in sources.items():
            sums = variants.setdefault(source.variant, [Tally() for _ in range(count)])
            for into, tally in zip(sums, tallies, strict=True):
                into.add(tally)
        return Periods([float(start + i * length) for i in range(count)], variants, sources)

    def collect(self) -> Sequence[Second]:
        """Every second with requests that is over, once: what was not collected before.

        For one collector alone. Nothing waits for it longer than an hour.
        """
        now = self._second()
        with self._lock:
            found = [(endpoint, source, data) for endpoint, source, data in self._leaving]
            self._leaving.clear()
            for endpoint, histories in self._endpoints.items():
                for pair, history in histories.items():
                    source = Source(*pair)
                    found.extend((endpoint, source, data) for data in history.collect(now))
        seconds = []
        for endpoint, source, data in found:
            tally = Tally()
            _unpack_into(tally, data)
            seconds.append(Second(endpoint, source, _time(data), tally))
        return seconds

    def _second(self) -> int:
        return int(self._epoch + self._clock.monotonic())

    def _histories(self, endpoint: str, after: int) -> Mapping[Source, Sequence[bytes]]:
        """The seconds after the given one that have something, packed."""
        with self._lock:
            known = self._endpoints.get(endpoint, {})
            return {Source(*source): history.since(after) for source, history in known.items()}


class _History:
    """The present second of one variant of one configuration, and those before it."""

    def __init__(self, second: int) -> None:
        self.second = second
        """The one that is counted now."""
        self._collected = 0
        """Up to which second the collector has it."""
        self._past: deque[bytes] = deque()
        self._begin()

    def _begin(self) -> None:
        self._requests = self._errors_4xx = self._errors_5xx = self._model_errors = 0
        self._buckets = [0] * BUCKETS
        self._model = self._overhead = 0.0
        self._model_shortest = self._overhead_shortest = math.inf
        self._model_longest = self._overhead_longest = 0.0

    def record(self, second: int, status: int, seconds: float | None, overhead: float) -> None:
        if second > self.second:
            self._turn_to(second)
        self._requests += 1
        if not 200 <= status < 300:
            if 400 <= status < 500:
                self._errors_4xx += 1
            else:
                self._errors_5xx += 1
            if seconds is not None:
                self._model_errors += 1
        if seconds is not None:
            self._model += seconds
            if seconds < self._model_shortest:
                self._model_shortest = seconds
            if seconds > self._model_longest:
                self._model_longest = seconds
            self._buckets[_bucket_of(seconds)] += 1
        self._overhead += overhead
        if overhead < self._overhead_shortest:
            self._overhead_shortest = overhead
        if overhead > self._overhead_longest:
            self._overhead_longest = overhead

    def since(self, after: int) -> list[bytes]:
        """The packed seconds after the given one, newest first."""
        present = [self._pack()] if self._requests and self.second > after else []
        return [*present, *takewhile(lambda data: _time(data) > after, reversed(self._past))]

    def collect(self, before: int) -> list[bytes]:
        """The packed seconds before the given one that were not collected yet, newest first."""
        found = [data for data in self.since(self._collected) if _time(data) < before]
        if found:
            self._collected = _time(found[0])
        return found

    def _turn_to(self, second: int) -> None:
        if self._requests:
            self._past.append(self._pack())
            self._begin()
        self.second = second
        while self._past and _time(self._past[0]) <= second - KEPT_SECONDS:
            self._past.popleft()

    def _pack(self) -> bytes:
        head = _HEAD.pack(
            self.second,
            self._requests,
            self._errors_4xx,
            self._errors_5xx,
            self._model_errors,
            self._model,
            self._model_shortest,
            self._model_longest,
            self._overhead,
            self._overhead_shortest,
            self._overhead_longest,
        )
        used = (_BUCKET.pack(i, count) for i, count in enumerate(self._buckets) if count)
        return head + b"".join(used)


def middle_of(bucket: int) -> float:
    """The latency in the middle of a bucket, in seconds."""
    return SHORTEST_SECONDS * math.exp((bucket + 0.5) / _SCALE)


def _time(data: bytes) -> int:
    return int.from_bytes(data[:4], "little")


def _unpack_into(tally: Tally, data: bytes) -> None:
    """Count what a packed second has, too."""
    _, requests, errors_4xx, errors_5xx, model_errors, *times = _HEAD.unpack_from(data)
    tally.requests += requests
    tally.errors_4xx += errors_4xx
    tally.errors_5xx += errors_5xx
    tally.model_errors += model_errors
    latencies = tally.latencies
    sent = 0
    for bucket, count in _BUCKET.iter_unpack(data[_HEAD.size :]):
        latencies[bucket] = latencies.get(bucket, 0) + count
        sent += count
    tally.model.add(Times(sent, *times[:3]))
    tally.overhead.add(Times(requests, *times[3:]))


def _bucket_of(seconds: float) -> int:
    if seconds <= SHORTEST_SECONDS:
        return 0
    return min(int(math.log(seconds / SHORTEST_SECONDS) * _SCALE), BUCKETS - 1)
