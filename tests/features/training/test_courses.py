"""Courses of numbers as they come."""

from __future__ import annotations

import math

import pytest

from bottega.features.training.courses import KEPT, Course


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
