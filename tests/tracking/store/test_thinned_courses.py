"""A course is thinned without losing what one looks at it for."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bottega.tracking.store.courses import Point, thinned

VALUES = st.lists(st.floats(-1e9, 1e9) | st.just(math.nan), min_size=1, max_size=200)


def course(values: list[float]) -> list[Point]:
    return [Point(step, step * 10, value) for step, value in enumerate(values)]


@given(values=VALUES, most=st.integers(2, 40))
def test_extremes_and_order_stay(values: list[float], most: int) -> None:
    points = course(values)
    kept = thinned(points, len(points), most)
    assert len(kept) <= most
    assert [point.step for point in kept] == sorted({point.step for point in kept})
    assert all(point is points[point.step] for point in kept)
    solid = [value for value in values if not math.isnan(value)]
    if solid:
        shown = [point.value for point in kept if not math.isnan(point.value)]
        assert (min(shown), max(shown)) == (min(solid), max(solid))
    if most > 3:
        assert (kept[0], kept[-1]) == (points[0], points[-1])


@pytest.mark.parametrize("most", [5, 500])
def test_a_short_course_is_whole(most: int) -> None:
    points = course([1.0, math.nan, 3.0, 2.0, 5.0])
    assert thinned(points, 5, most) == points
