"""Courses of numbers and how they are thinned."""

from __future__ import annotations

import doctest
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bottega.features.training import courses
from bottega.features.training.courses import KEPT, Course, thinned


def test_the_examples_hold():
    assert doctest.testmod(courses).failed == 0


@given(
    st.lists(st.floats(allow_nan=False), max_size=200),
    st.integers(2, 100),
)
def test_thinning_keeps_ends_and_extremes_in_order(values: list[float], limit: int):
    chosen = list(thinned(values, limit))
    assert len(chosen) <= max(limit, 0)
    assert chosen == sorted(set(chosen))
    if len(values) <= limit:
        assert chosen == list(range(len(values)))
        return
    assert (chosen[0], chosen[-1]) == (0, len(values) - 1)
    if limit >= 4:
        kept = [values[index] for index in chosen]
        assert (min(kept), max(kept)) == (min(values), max(values))


def test_what_is_no_number_hides_no_extreme():
    values = [0.0, *[math.nan] * 50, 7.0, *[math.nan] * 50, 0.0]
    assert 51 in thinned(values, 4)
    assert len(thinned([math.nan] * 50, 10)) <= 10


def test_a_course_gives_back_what_came():
    course = Course()
    for step in range(5):
        course.append(step, 1000.0 + step, step / 2)
    points = course.thinned(10)
    assert list(points.steps) == [0, 1, 2, 3, 4]
    assert list(points.times) == [1000.0, 1001.0, 1002.0, 1003.0, 1004.0]
    assert list(points.values) == [0.0, 0.5, 1.0, 1.5, 2.0]


def test_a_long_course_takes_no_more_room_and_keeps_its_extremes():
    course = Course()
    peaks = {12_345: 99.0, 70_001: -99.0}
    for step in range(100_000):
        course.append(step, float(step), peaks.get(step, math.sin(step / 500)))
    assert course.count == 100_000
    assert len(course._values) < 2 * KEPT
    for limit in (4, 100, KEPT):
        points = course.thinned(limit)
        assert len(points.steps) <= limit
        assert {12_345, 70_001, 0, 99_999} <= set(points.steps)
        assert list(points.steps) == sorted(points.steps)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_short_course_is_whole(count: int):
    course = Course()
    for step in range(count):
        course.append(step, 1.0, 2.0)
    assert list(course.thinned(2).steps) == list(range(count))
