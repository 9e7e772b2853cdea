"""Sets of values and the numbers that CloudWatch makes of them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.metrics.statistics import GROWTH, Statistics, StatisticUnknown, statistic, unpack

_values = st.lists(
    st.floats(min_value=-1e12, max_value=1e12, allow_nan=False), min_size=1, max_size=50
)


def close(found: float, expected: float) -> bool:
    return abs(found - expected) <= abs(expected) * (GROWTH - 1) + 1e-12


@settings(max_examples=60, deadline=None)
@given(values=_values, percent=st.floats(0, 100))
def test_a_percentile_is_near_the_value_of_its_rank(values: list[float], percent: float) -> None:
    found = Statistics.of(values).percentile(percent)
    rank = max(1, math.ceil(len(values) * percent / 100 - 1e-9))
    assert close(found, sorted(values)[rank - 1])


@settings(max_examples=60, deadline=None)
@given(first=_values, second=_values)
def test_sets_add_up_to_the_set_of_all_values(first: list[float], second: list[float]) -> None:
    both, added = Statistics.of(first + second), Statistics.of(first) + Statistics.of(second)
    assert (added.count, added.minimum, added.maximum) == (both.count, both.minimum, both.maximum)
    assert math.isclose(added.sum, both.sum, rel_tol=1e-9, abs_tol=1e-3)
    assert added.histogram == both.histogram
    assert unpack(added.pack()) == added.histogram


@settings(max_examples=40, deadline=None)
@given(values=_values)
def test_a_part_is_no_larger_than_the_whole(values: list[float]) -> None:
    found = Statistics.of(values)
    assert math.isclose(statistic(found, "TC(0%:100%)"), found.count)
    rounding = max(abs(found.minimum), abs(found.maximum)) * 1e-9
    trimmed = statistic(found, "tm90")
    assert found.minimum - rounding <= trimmed <= found.maximum + rounding
    assert math.isclose(statistic(found, "PR(:10000000000000)"), 100)


def test_the_simple_ones_are_exact() -> None:
    found = Statistics.of([1, 2, 4], [1, 2, 0.5])
    names = ("SampleCount", "Sum", "Average", "Minimum", "Maximum")
    assert [statistic(found, name) for name in names] == [3.5, 7, 2, 1, 4]


def test_the_extended_ones_are_as_cloudwatch_defines_them() -> None:
    found = Statistics.of(range(1, 101))
    for name, expected in {
        "p50": 50,
        "p99.9": 100,
        "tm90": sum(range(1, 91)) / 90,
        "TM(10%:90%)": sum(range(11, 91)) / 80,
        "TM(10%:)": sum(range(11, 101)) / 90,
        "IQM": sum(range(26, 76)) / 50,
        "tc90": 90,
        "ts90": sum(range(1, 91)),
        "wm98": (sum(range(1, 99)) + 98 * 2) / 100,
    }.items():
        assert close(statistic(found, name), expected), name
    ranks = Statistics.of([10.0, 20.0, 30.0, 400.0])
    assert statistic(ranks, "PR(:300)") == 75
    assert statistic(ranks, "TC(15:)") == 3


def test_a_statistic_set_has_no_percentiles() -> None:
    known = Statistics.of_set(3, 6, 2, 2)
    assert statistic(known, "p50") == 2
    unknown = Statistics.of_set(3, 6, 1, 3)
    assert math.isnan(statistic(unknown, "p50"))
    assert math.isnan(statistic(unknown + Statistics.of([1]), "tm90"))
    assert statistic(unknown + Statistics.of([1]), "Sum") == 7


def test_nothing_is_in_an_empty_set() -> None:
    assert Statistics.of([]) == Statistics.of([1], [0]) or math.isnan(Statistics.of([]).minimum)
    assert statistic(Statistics(), "Sum") == 0
    for name in ("Average", "Minimum", "p50", "tm90"):
        assert math.isnan(statistic(Statistics(), name))


@pytest.mark.parametrize(
    "name", ["", "Median", "p101", "p-1", "PR(10%:90%)", "TM(:)", "TM(90%:10%)", "TM(10%:90)"]
)
def test_an_unknown_statistic_is_refused(name: str) -> None:
    with pytest.raises(StatisticUnknown, match="There is no statistic"):
        statistic(Statistics.of([1]), name)
