"""What every store of metrics must pass.

A subclass gives the fixtures ``store``, opened with the fixture ``clock`` of this class, and
``reopen``, which makes a store over the same data as a process does that starts after a kill.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bottega.clock import ManualClock
from bottega.metrics.statistics import Statistics
from bottega.metrics.store import (
    MINUTES_KEPT,
    SECONDS_KEPT,
    MetricName,
    MetricQuery,
    MetricStore,
    Observation,
    dimensions,
)

_NOW = 1_700_000_040.0
"""A whole minute."""
_REQUESTS = MetricName("N", "Requests", dimensions(EndpointName="e", VariantName="v"))

_observations = st.lists(
    st.tuples(
        st.integers(-200, 200),
        st.lists(st.integers(-1000, 1000), min_size=1, max_size=4),
        st.sampled_from((1, 60)),
    ),
    max_size=30,
)


class MetricStoreCase:
    """The contract of :class:`~bottega.metrics.store.MetricStore`."""

    @pytest.fixture
    def clock(self) -> ManualClock:
        return ManualClock(_NOW)

    def test_values_of_a_minute_add_up(self, store: MetricStore) -> None:
        store.record([_seen(_REQUESTS, _NOW, 1, 5), _seen(_REQUESTS, _NOW + 59, 3)])
        store.record([_seen(_REQUESTS, _NOW + 60, 7), _seen(_REQUESTS, _NOW + 30, 11)])
        first, second = store.read(_query(_REQUESTS, _NOW, _NOW + 120, 60))
        assert (first.time, second.time) == (_NOW, _NOW + 60)
        found = first.statistics
        assert (found.count, found.sum, found.minimum, found.maximum) == (4, 20, 1, 11)
        assert second.statistics.sum == 7

    def test_periods_without_values_are_left_out(self, store: MetricStore) -> None:
        store.record([_seen(_REQUESTS, _NOW, 1), _seen(_REQUESTS, _NOW + 600, 1)])
        found = store.read(_query(_REQUESTS, _NOW - 600, _NOW + 1200, 60))
        assert [period.time for period in found] == [_NOW, _NOW + 600]
        assert not store.read(_query(_REQUESTS._replace(name="Other"), _NOW, _NOW + 60, 60))

    def test_another_order_of_dimensions_or_another_unit_is_told_apart(
        self, store: MetricStore
    ) -> None:
        shorter = _REQUESTS._replace(dimensions=dimensions(EndpointName="e"))
        store.record([_seen(_REQUESTS, _NOW, 1), _seen(shorter, _NOW, 2)])
        store.record([_seen(_REQUESTS, _NOW, 4, unit="Count")])
        found = store.read(_query(_REQUESTS, _NOW, _NOW + 60, 60))
        assert [(period.unit, period.statistics.sum) for period in found] == [
            ("Count", 4),
            ("None", 1),
        ]
        (counted,) = store.read(_query(_REQUESTS, _NOW, _NOW + 60, 60, unit="Count"))
        assert counted.statistics.sum == 4

    def test_only_high_resolution_is_found_by_the_second(self, store: MetricStore) -> None:
        store.record([_seen(_REQUESTS, _NOW + 3, 1, resolution=1), _seen(_REQUESTS, _NOW + 4, 10)])
        (second,) = store.read(_query(_REQUESTS, _NOW, _NOW + 60, 1))
        assert (second.time, second.statistics.sum) == (_NOW + 3, 1)
        (five,) = store.read(_query(_REQUESTS, _NOW, _NOW + 60, 5))
        assert (five.time, five.statistics.sum) == (_NOW, 1)
        (minute,) = store.read(_query(_REQUESTS, _NOW, _NOW + 60, 60))
        assert minute.statistics.sum == 11

    def test_what_is_too_old_is_forgotten(self, store: MetricStore, clock: ManualClock) -> None:
        store.record([_seen(_REQUESTS, _NOW, 1, resolution=1)])
        clock.advance(SECONDS_KEPT)
        assert not store.read(_query(_REQUESTS, _NOW, _NOW + 60, 1))
        assert store.read(_query(_REQUESTS, _NOW, _NOW + 60, 60))
        clock.advance(MINUTES_KEPT)
        assert not store.read(_query(_REQUESTS, _NOW, _NOW + 60, 60))
        store.record([_seen(_REQUESTS, _NOW, 1), _seen(_REQUESTS, clock.now(), 2)])
        assert not store.read(_query(_REQUESTS, _NOW, _NOW + 60, 60))
        clock.advance(MINUTES_KEPT + 120)
        assert not store.metrics()
        store.record([_seen(_REQUESTS, clock.now(), 3)])
        assert len(store.metrics()) == 1

    def test_metrics_are_listed(self, store: MetricStore, clock: ManualClock) -> None:
        other = MetricName("M", "Latency", dimensions(EndpointName="é, 'x'"))
        store.record([_seen(_REQUESTS, _NOW, 1), _seen(other, _NOW, 1, unit="Seconds")])
        assert [known.metric for known in store.metrics()] == [other, _REQUESTS]
        assert [known.metric for known in store.metrics(namespace="N")] == [_REQUESTS]
        assert [known.metric for known in store.metrics(name="Latency")] == [other]
        clock.advance(3600)
        store.record([_seen(other, clock.now(), 1)])
        (recent,) = store.metrics(since=clock.now() - 600)
        assert recent == (other, clock.now())

    def test_a_batch_that_fails_leaves_nothing(self, store: MetricStore) -> None:
        wrong = _seen(_REQUESTS, _NOW, 1, unit={})
        with pytest.raises(Exception, match=r"dict|type"):
            store.record([_seen(_REQUESTS, _NOW, 1), wrong])
        assert not store.read(_query(_REQUESTS, _NOW, _NOW + 60, 60))
        store.record([_seen(_REQUESTS, _NOW, 2)])
        (period,) = store.read(_query(_REQUESTS, _NOW, _NOW + 60, 60))
        assert period.statistics.sum == 2

    def test_a_restart_loses_nothing(
        self, store: MetricStore, reopen: Callable[[], MetricStore]
    ) -> None:
        store.record([_seen(_REQUESTS, _NOW + 1, 1, 2, resolution=1)])
        again = reopen()  # the first one is not closed
        again.record([_seen(_REQUESTS, _NOW + 1, 4, resolution=1)])
        for period in (1, 60):
            (found,) = again.read(_query(_REQUESTS, _NOW, _NOW + 60, period))
            assert found.statistics.sum == 7
            assert found.statistics.spread_known
        again.close()

    def test_threads_lose_nothing(self, store: MetricStore) -> None:
        def write() -> None:
            for second in range(20):
                store.record([_seen(_REQUESTS, _NOW + second, 1, resolution=1)])
                store.read(_query(_REQUESTS, _NOW, _NOW + 60, 1))

        threads = [threading.Thread(target=write) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        (found,) = store.read(_query(_REQUESTS, _NOW, _NOW + 60, 60))
        assert found.statistics.count == 80

    def test_it_is_like_adding_up_a_list(self, store: MetricStore) -> None:
        numbers = iter(range(10_000))

        @settings(
            deadline=None,
            max_examples=30,
            suppress_health_check=[HealthCheck.function_scoped_fixture],
        )
        @given(
            observations=_observations,
            period=st.sampled_from((1, 5, 30, 60, 120)),
            start=st.integers(-200, 200),
            length=st.integers(0, 400),
        )
        def check(
            observations: list[tuple[int, list[int], int]], period: int, start: int, length: int
        ) -> None:
            metric = MetricName("Model", f"m{next(numbers)}")
            for offset, values, resolution in observations:
                store.record([_seen(metric, _NOW + offset, *values, resolution=resolution)])
            begin, end = _NOW + start, _NOW + start + length
            expected: dict[float, list[int]] = {}
            for offset, values, resolution in observations:
                tier = 60 if period >= 60 else 1
                time = (_NOW + offset) // tier * tier
                if resolution <= tier and begin // period * period <= time < end:
                    expected.setdefault(time // period * period, []).extend(values)
            found = {p.time: p.statistics for p in store.read(_query(metric, begin, end, period))}
            assert found.keys() == expected.keys()
            for time, values in expected.items():
                got = found[time]
                assert (got.count, got.sum) == (len(values), sum(values))
                assert (got.minimum, got.maximum) == (min(values), max(values))
                assert got.histogram == Statistics.of(values).histogram

        check()


def _seen(
    metric: MetricName, time: float, *values: float, unit: object = "None", resolution: int = 60
) -> Observation:
    return Observation(metric, time, Statistics.of(values), unit, resolution)  # type: ignore[arg-type]


def _query(
    metric: MetricName, start: float, end: float, period: int, unit: str | None = None
) -> MetricQuery:
    return MetricQuery(metric, start, end, period, unit)
