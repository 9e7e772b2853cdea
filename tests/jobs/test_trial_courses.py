"""The course of an objective, as it is kept and as it is told while a job runs."""

from __future__ import annotations

import json
import math

from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.jobs.trial_courses import NO_COURSE, LiveCourses, ObjectiveCourse, live_courses
from bottega.memory import Memory


@given(st.lists(st.floats(), max_size=20))
@settings(max_examples=50, deadline=None)
def test_a_course_comes_back(values: list[float]) -> None:
    course = ObjectiveCourse(len(values), list(range(1, len(values) + 1)), values)
    found = ObjectiveCourse.from_json(json.loads(json.dumps(course.as_json(), allow_nan=False)))
    assert (found.count, list(found.steps)) == (course.count, list(course.steps))
    for known, given_value in zip(found.values, values, strict=True):
        assert known == given_value or (math.isnan(known) and not math.isfinite(given_value))
    last = values[-1] if values and math.isfinite(values[-1]) else None
    assert found.final == course.final == last


def test_listeners_hear_of_new_values_alone() -> None:
    courses = LiveCourses()
    heard: list[str] = []
    courses.listen(heard.append)
    one = ObjectiveCourse(1, [1], [0.5])
    courses.note("job", 1.0, one)
    courses.note("job", 1.0, one)
    assert heard == ["job"]
    assert courses.get("job", 1.0) == one
    assert courses.get("job", 2.0) == NO_COURSE  # another job of the same name
    courses.forget("job")
    assert courses.get("job", 1.0) == NO_COURSE


def test_a_studio_has_one() -> None:
    memory = Memory()
    assert live_courses(memory) is live_courses(memory)
