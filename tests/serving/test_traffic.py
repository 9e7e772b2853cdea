"""What is remembered of invocations."""

from __future__ import annotations

import math
import sys
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.clock import ManualClock
from bottega.serving.traffic import (
    BUCKETS,
    KEPT_SECONDS,
    SHORTEST_SECONDS,
    Source,
    Tally,
    Traffic,
)

START = 1_700_000_000.0
"""A multiple of 300, so that periods begin here."""


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START - START % 300)


@pytest.fixture
def traffic(clock: ManualClock) -> Traffic:
    traffic = Traffic(clock)
    traffic.expect("e", [("a", "c"), ("b", "c")])
    return traffic


def record(
    traffic: Traffic, endpoint: str, variant: str, status: int, seconds: float | None
) -> None:
    traffic.record(endpoint, variant, status, seconds, config="c", overhead=0.001)


def test_requests_errors_and_latencies_are_counted_by_variant(traffic: Traffic, clock: ManualClock):
    for status, seconds in ((200, 0.1), (204, 0.1), (404, 0.2), (500, 0.4), (302, 0.1), (0, 60.0)):
        record(traffic, "e", "a", status, seconds)
    record(traffic, "e", "a", 0, None)
    clock.advance(1)
    record(traffic, "e", "b", 200, 0.3)
    found = traffic.last("e", 60)
    a, b = found["a"], found["b"]
    assert (a.requests, a.errors_4xx, a.errors_5xx) == (7, 1, 4)
    assert (b.requests, b.errors_4xx, b.errors_5xx) == (1, 0, 0)
    assert sum(a.latencies.values()) == 6, "what was not sent has no latency"
    assert (a.model_errors, b.model_errors) == (4, 0), "what was not sent is no error of a model"
    assert (a.model.count, a.model.shortest, a.model.longest) == (
        6,
        pytest.approx(0.1),
        pytest.approx(60.0),
    )
    assert a.model.total == pytest.approx(60.9)
    assert (a.overhead.count, a.overhead.average) == (7, pytest.approx(0.001))
    assert b.percentile(50) == pytest.approx(0.3, rel=0.03)


@pytest.mark.parametrize("seconds", [SHORTEST_SECONDS, 0.00031, 0.0042, 0.1, 1.0, 59.9, 99.0])
def test_a_latency_comes_back_within_three_percent(traffic: Traffic, seconds: float):
    record(traffic, "e", "a", 200, seconds)
    assert traffic.last("e", 60)["a"].percentile(99) == pytest.approx(seconds, rel=0.03)


def test_latencies_beyond_both_ends_are_counted_at_the_ends(traffic: Traffic):
    for seconds in (0.0, 1e-9, SHORTEST_SECONDS, 1e9):
        record(traffic, "e", "a", 200, seconds)
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
        record(traffic, "e", "a", 200, 0.1)
        clock.advance(1)
    assert traffic.last("e", 60)["a"].requests == 59
    record(traffic, "e", "a", 200, 0.1)
    assert traffic.last("e", 60)["a"].requests == 60
    clock.advance(60)
    assert traffic.last("e", 60)["a"].requests == 0


def test_periods_are_whole_and_begin_at_multiples_of_their_length(
    traffic: Traffic, clock: ManualClock
):
    begun = clock.now()
    for second in range(13):
        for _ in range(second):
            record(traffic, "e", "a", 200, 0.1)
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
        record(traffic, "e", "a", 200, 0.1)
        clock.advance(1)
    periods = traffic.periods("e", seconds=3600, length=300)
    assert [tally.requests for tally in periods.variants["a"]] == [300] * 12
    assert traffic.last("e", 10**9)["a"].requests == KEPT_SECONDS


def test_the_memory_is_bounded_as_the_module_says(traffic: Traffic, clock: ManualClock):
    def taken(variant: str) -> int:
        history = traffic._endpoints["e"][variant, "c"]._past
        return sys.getsizeof(history) + sum(map(sys.getsizeof, history))

    for _ in range(KEPT_SECONDS):
        record(traffic, "e", "b", 200, 0.1)
        for bucket in range(BUCKETS):
            record(traffic, "e", "a", 200, SHORTEST_SECONDS * 1.05**bucket * 1.001)
        clock.advance(1)
    assert taken("b") < 400_000 + 16 * KEPT_SECONDS
    assert taken("a") < 9_000_000


def test_what_nobody_was_told_of_is_not_counted(traffic: Traffic):
    record(traffic, "other", "a", 200, 0.1)
    record(traffic, "e", "other", 200, 0.1)
    assert traffic.last("other", 60) == {}
    assert traffic.last("e", 60).keys() == {"a", "b"}
    assert traffic.periods("other", seconds=60, length=60).variants == {}


def test_a_forgotten_endpoint_is_empty_when_it_comes_back(traffic: Traffic):
    record(traffic, "e", "a", 200, 0.1)
    traffic.forget("e")
    record(traffic, "e", "a", 200, 0.1)
    assert traffic.last("e", 60) == {}
    traffic.expect("e", [("a", "c")])
    assert traffic.last("e", 60)["a"].requests == 0


def test_a_variant_that_is_gone_is_kept_for_as_long_as_it_has_something(
    traffic: Traffic, clock: ManualClock
):
    record(traffic, "e", "a", 200, 0.1)
    clock.advance(10)
    traffic.expect("e", [("c", "c")])
    assert traffic.last("e", 60).keys() == {"a", "b", "c"}
    assert traffic.last("e", 60)["a"].requests == 1
    clock.advance(KEPT_SECONDS)
    traffic.expect("e", [("c", "c")])
    assert traffic.last("e", 60).keys() == {"c"}


def test_no_invocation_of_several_threads_is_lost(traffic: Traffic):
    def work() -> None:
        for _ in range(2000):
            record(traffic, "e", "a", 200, 0.1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert traffic.last("e", 60)["a"].requests == 8000


def test_an_update_is_told_by_configuration(traffic: Traffic, clock: ManualClock):
    traffic.expect("e", [("a", "c"), ("a", "new")])
    for config, count in (("c", 3), ("new", 2)):
        for _ in range(count):
            traffic.record("e", "a", 200, 0.1, config=config, overhead=0.0)
    clock.advance(5)
    periods = traffic.periods("e", seconds=5, length=5)
    counts = {source: tallies[0].requests for source, tallies in periods.sources.items()}
    assert counts[Source("a", "c")] == 3
    assert counts[Source("a", "new")] == 2
    assert periods.variants["a"][0].requests == traffic.last("e", 60)["a"].requests == 5


def test_every_second_that_is_over_is_collected_once(traffic: Traffic, clock: ManualClock):
    begun = int(clock.now())
    record(traffic, "e", "a", 200, 0.1)
    assert traffic.collect() == []
    clock.advance(1)
    record(traffic, "e", "a", 200, 0.1)
    record(traffic, "e", "b", 404, None)
    (first,) = traffic.collect()
    assert (first.endpoint, first.source, first.time) == ("e", Source("a", "c"), begun)
    assert first.tally.requests == 1
    clock.advance(1)
    assert sorted((second.source.variant, second.time) for second in traffic.collect()) == [
        ("a", begun + 1),
        ("b", begun + 1),
    ]
    assert traffic.collect() == []


def test_what_a_forgotten_endpoint_had_is_collected(traffic: Traffic, clock: ManualClock):
    record(traffic, "e", "a", 200, 0.1)
    clock.advance(1)
    record(traffic, "e", "a", 200, 0.1)
    traffic.forget("e")
    assert [second.tally.requests for second in traffic.collect()] == [1, 1]
    assert traffic.collect() == []


@settings(max_examples=30, deadline=None)
@given(steps=st.lists(st.sampled_from(["record", "advance", "collect"]), max_size=60))
def test_nothing_is_collected_twice_or_never(steps: list[str]):
    clock = ManualClock(START)
    traffic = Traffic(clock)
    traffic.expect("e", [("a", "c")])
    recorded = collected = 0
    for step in [*steps, "advance", "collect"]:
        if step == "record":
            record(traffic, "e", "a", 200, 0.1)
            recorded += 1
        elif step == "advance":
            clock.advance(1)
        else:
            collected += sum(second.tally.requests for second in traffic.collect())
    assert collected == recorded
