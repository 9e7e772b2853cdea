"""What is remembered of invocations."""

from __future__ import annotations

import math
import sys
import threading

import pytest

from bottega.clock import ManualClock
from bottega.serving.traffic import BUCKETS, KEPT_SECONDS, SHORTEST_SECONDS, Tally, Traffic

START = 1_700_000_000.0
"""A multiple of 300, so that periods begin here."""


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START - START % 300)


@pytest.fixture
def traffic(clock: ManualClock) -> Traffic:
    traffic = Traffic(clock)
    traffic.expect("e", ["a", "b"])
    return traffic


def test_requests_errors_and_latencies_are_counted_by_variant(traffic: Traffic, clock: ManualClock):
    for status, seconds in ((200, 0.1), (204, 0.1), (404, 0.2), (500, 0.4), (302, 0.1), (0, 60.0)):
        traffic.record("e", "a", status, seconds)
    traffic.record("e", "a", 0, None)
    clock.advance(1)
    traffic.record("e", "b", 200, 0.3)
    found = traffic.last("e", 60)
    a, b = found["a"], found["b"]
    assert (a.requests, a.errors_4xx, a.errors_5xx) == (7, 1, 4)
    assert (b.requests, b.errors_4xx, b.errors_5xx) == (1, 0, 0)
    assert sum(a.latencies.values()) == 6, "what was not sent has no latency"
    assert b.percentile(50) == pytest.approx(0.3, rel=0.03)


@pytest.mark.parametrize("seconds", [SHORTEST_SECONDS, 0.00031, 0.0042, 0.1, 1.0, 59.9, 99.0])
def test_a_latency_comes_back_within_three_percent(traffic: Traffic, seconds: float):
    traffic.record("e", "a", 200, seconds)
    assert traffic.last("e", 60)["a"].percentile(99) == pytest.approx(seconds, rel=0.03)


def test_latencies_beyond_both_ends_are_counted_at_the_ends(traffic: Traffic):
    for seconds in (0.0, 1e-9, SHORTEST_SECONDS, 1e9):
        traffic.record("e", "a", 200, seconds)
    assert traffic.last("e", 60)["a"].latencies == {0: 3, BUCKETS - 1: 1}


def test_percentiles_are_those_of_the_sorted_latencies():
    tally = Tally(latencies={10: 98, 20: 1, 30: 1})
    assert tally.percentile(50) == tally.percentile(98)
    assert tally.percentile(98) < tally.percentile(99) < tally.percentile(100)
    assert math.isnan(Tally().percentile(50))


def test_the_last_seconds_are_the_present_one_and_those_before(
    traffic: Traffic, clock: ManualClock
):
    for _ in range(100):
        traffic.record("e", "a", 200, 0.1)
        clock.advance(1)
    assert traffic.last("e", 60)["a"].requests == 59
    traffic.record("e", "a", 200, 0.1)
    assert traffic.last("e", 60)["a"].requests == 60
    clock.advance(60)
    assert traffic.last("e", 60)["a"].requests == 0


def test_periods_are_whole_and_begin_at_multiples_of_their_length(
    traffic: Traffic, clock: ManualClock
):
    begun = clock.now()
    for second in range(13):
        for _ in range(second):
            traffic.record("e", "a", 200, 0.1)
        clock.advance(1)
    periods = traffic.periods("e", seconds=20, length=5)
    assert periods.times == [begun - 10, begun - 5, begun, begun + 5]
    assert [tally.requests for tally in periods.variants["a"]] == [0, 0, 10, 35]
    assert [tally.requests for tally in periods.variants["b"]] == [0, 0, 0, 0]
    clock.advance(2)
    periods = traffic.periods("e", seconds=12, length=5)
    assert periods.times == [begun, begun + 5, begun + 10]
    assert [tally.requests for tally in periods.variants["a"]] == [10, 35, 33]


def test_an_hour_is_kept_in_the_longest_periods_and_no_more(traffic: Traffic, clock: ManualClock):
    for _ in range(2 * KEPT_SECONDS):
        traffic.record("e", "a", 200, 0.1)
        clock.advance(1)
    periods = traffic.periods("e", seconds=3600, length=300)
    assert [tally.requests for tally in periods.variants["a"]] == [300] * 12
    assert traffic.last("e", 10**9)["a"].requests == KEPT_SECONDS


def test_the_memory_is_bounded_as_the_module_says(traffic: Traffic, clock: ManualClock):
    def taken(variant: str) -> int:
        history = traffic._endpoints["e"][variant]._history
        return sys.getsizeof(history) + sum(map(sys.getsizeof, history))

    for _ in range(KEPT_SECONDS):
        traffic.record("e", "b", 200, 0.1)
        for bucket in range(BUCKETS):
            traffic.record("e", "a", 200, SHORTEST_SECONDS * 1.05**bucket * 1.001)
        clock.advance(1)
    assert taken("b") < 250_000 + 16 * KEPT_SECONDS
    assert taken("a") < 8_000_000


def test_what_nobody_was_told_of_is_not_counted(traffic: Traffic):
    traffic.record("other", "a", 200, 0.1)
    traffic.record("e", "other", 200, 0.1)
    assert traffic.last("other", 60) == {}
    assert traffic.last("e", 60).keys() == {"a", "b"}
    assert traffic.periods("other", seconds=60, length=60).variants == {}


def test_a_forgotten_endpoint_is_empty_when_it_comes_back(traffic: Traffic):
    traffic.record("e", "a", 200, 0.1)
    traffic.forget("e")
    traffic.record("e", "a", 200, 0.1)
    assert traffic.last("e", 60) == {}
    traffic.expect("e", ["a"])
    assert traffic.last("e", 60)["a"].requests == 0


def test_a_variant_that_is_gone_is_kept_for_as_long_as_it_has_something(
    traffic: Traffic, clock: ManualClock
):
    traffic.record("e", "a", 200, 0.1)
    clock.advance(10)
    traffic.expect("e", ["c"])
    assert traffic.last("e", 60).keys() == {"a", "b", "c"}
    assert traffic.last("e", 60)["a"].requests == 1
    clock.advance(KEPT_SECONDS)
    traffic.expect("e", ["c"])
    assert traffic.last("e", 60).keys() == {"c"}


def test_no_invocation_of_several_threads_is_lost(traffic: Traffic):
    def work() -> None:
        for _ in range(2000):
            traffic.record("e", "a", 200, 0.1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert traffic.last("e", 60)["a"].requests == 8000
