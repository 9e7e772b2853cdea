from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.wrangler.columns import ColumnType
from bottega.wrangler.insight.bins import BINS, number_binning, time_binning


def test_edges_of_numbers_are_nice():
    assert number_binning(0.02, 0.98, whole=False).edges[:3] == (0.0, 0.05, 0.1)
    assert (
        number_binning(18.25, 118.75, whole=False).edges
        == tuple(15.0 + 5 * i for i in range(22))[:22]
        or len(number_binning(18.25, 118.75, whole=False).edges) <= BINS + 1
    )


def test_whole_numbers_get_bins_of_equally_many():
    assert number_binning(0, 4, whole=True).edges == (0, 1, 2, 3, 4, 5)
    assert number_binning(0, 72, whole=True).edges == tuple(range(0, 80, 4))
    assert number_binning(7, 7, whole=True).edges == (7, 8)


def test_the_greatest_number_closes_the_last_bin():
    binning = number_binning(0.0, 100.0, whole=False)
    assert binning.edges[-1] == 100.0
    assert binning.counts([(0.0, 2), (20.0, 3), (math.inf, 5)]) == [2, *[0] * 18, 3]


@settings(max_examples=300)
@given(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(allow_nan=False, allow_infinity=False),
)
def test_any_range_is_covered_by_few_bins(one: float, other: float):
    low, high = min(one, other), max(one, other)
    binning = number_binning(low, high, whole=False)
    assert 1 <= binning.count <= BINS
    assert list(binning.edges) == sorted(binning.edges)
    step = binning.edges[1] - binning.edges[0]
    assert binning.edges[0] <= low + 1e-9 * abs(step)
    assert high <= binning.edges[-1] + 1e-9 * abs(step)


@settings(max_examples=300)
@given(st.integers(-(2**63), 2**63 - 1), st.integers(0, 2**40))
def test_any_range_of_whole_numbers_is_covered(low: int, span: int):
    high = min(low + span, 2**63 - 1)
    binning = number_binning(low, high, whole=True)
    assert 1 <= binning.count <= BINS
    assert binning.edges[0] <= low
    assert high <= binning.edges[-1]
    if binning.count > 1:
        assert all(isinstance(edge, int) for edge in binning.edges)
        assert len({b - a for a, b in zip(binning.edges, binning.edges[1:], strict=False)}) == 1


@pytest.mark.parametrize(
    ("low", "high", "first", "second"),
    [
        (
            "2024-01-01T00:00:05",
            "2024-01-01T00:00:12",
            "2024-01-01T00:00:05",
            "2024-01-01T00:00:06",
        ),
        (
            "2024-01-01T03:10:00",
            "2024-01-01T20:00:00",
            "2024-01-01T03:00:00",
            "2024-01-01T04:00:00",
        ),
        (
            "2024-01-17T00:00:00",
            "2024-05-01T00:00:00",
            "2024-01-15T00:00:00",
            "2024-01-22T00:00:00",
        ),
        (
            "2015-03-01T00:00:00",
            "2024-12-28T00:00:00",
            "2015-01-01T00:00:00",
            "2016-01-01T00:00:00",
        ),
        (
            "0001-01-01T00:00:00",
            "9999-12-31T00:00:00",
            "0001-01-01T00:00:00",
            "1000-01-01T00:00:00",
        ),
    ],
)
def test_moments_get_units_of_the_calendar(low: str, high: str, first: str, second: str):
    binning = time_binning(low, high, ColumnType.DATETIME)
    assert binning.count <= BINS + 1
    assert binning.edges[:2] == (first, second)
    assert binning.edges[-1] >= high[:10]


def test_days_are_not_cut():
    edges = time_binning("2024-01-01", "2024-01-05", ColumnType.DATE).edges
    assert edges == tuple(f"2024-01-0{day}" for day in range(1, 7))


def test_years_beyond_the_calendar_get_one_bin():
    assert time_binning("12024-01-01", "22024-01-01", ColumnType.DATE).count == 1
