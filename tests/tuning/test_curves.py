"""What the beginning of a course promises of its end."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.tuning.curves import ENOUGH, learned
from bottega.tuning.search import SearchPlan
from bottega.tuning.stopping import weak

PLAN = SearchPlan("Hyperband", True, (), 0, min_resource=3, max_resource=9)


def line(make: Any, number: int, start: float, slope: float, length: int = 9, **more: Any) -> Any:
    """A course that rises by the same amount at every step."""
    return make(number, *(start + slope * step for step in range(1, length + 1)), **more)


@pytest.fixture
def ended(trial: Any) -> list[Any]:
    """Ten that ended: the lower they start, the steeper they rise, and the higher they end."""
    return [line(trial, number, 0.5 - 0.01 * number, 0.005 * number) for number in range(10)]


def test_hand_worked_weights(trial: Any) -> None:
    """Eight trials at 1 or 3 at the rung, with ends 10 or 20 that follow it alone: standardised the
    rung's value is -1 or 1, the end -5 or 5, and 8 trials against a ridge of 1 give 5 * 8 / 9."""
    trials = [
        replace(trial(number, 0.0), course=((1, value), (9, 5 + 5 * value)))
        for number, value in enumerate([1.0, 3.0] * 4)
    ]
    found = learned(trials, 1, 9)
    assert found is not None
    assert found.weights == pytest.approx((40 / 9, 0.0))
    assert found.promise(trial(9, 2.0)) == pytest.approx(15)
    assert found.promise(trial(9, 4.0)) == pytest.approx(15 + 80 / 9)


def test_who_rises_promises_more_than_who_is_ahead(trial: Any, ended: list[Any]) -> None:
    found = learned(ended, 3, 9)
    assert found is not None
    steep, flat = line(trial, 20, 0.41, 0.045, 3), line(trial, 21, 0.5, 0.0, 3)
    assert steep.at(3) > flat.at(3)
    ahead = trial(22, 0.56, 0.56, 0.56)
    promises = [found.promise(one) for one in (steep, flat, ahead)]
    assert promises[0] == max(promises)  # type: ignore[type-var]
    assert found.promise(line(trial, 23, 0.5, 0.1, 2)) is None


def test_too_few_teach_nothing(trial: Any, ended: list[Any]) -> None:
    assert learned(ended[: ENOUGH - 1], 3, 9) is None
    short = [line(trial, 20 + number, 0.5, 0.01, 8) for number in range(10)]
    assert learned([*ended[: ENOUGH - 1], *short], 3, 9) is None
    assert learned([trial(number, *([0.5] * 9)) for number in range(10)], 3, 9) is None


def test_a_slow_starter_goes_on_where_such_ended_well(trial: Any, ended: list[Any]) -> None:
    slow = line(trial, 20, 0.409, 0.0455, 3, state="running")
    flat = [trial(30 + number, 0.55, 0.55, 0.55) for number in range(12)]
    # By its value alone it would be behind all of those.
    assert all(slow.at(3) < other.at(3) for other in flat)
    without = weak(PLAN, slow, flat, early_stopping=False)
    assert without is not None
    assert "12 were better" in without
    assert weak(PLAN, slow, [*flat, *ended], early_stopping=False) is None


def test_who_promises_little_is_told_so(trial: Any, ended: list[Any]) -> None:
    said = weak(PLAN, line(trial, 20, 0.5, 0.0, 3, state="running"), ended, early_stopping=False)
    assert said is not None
    assert "promise a better end, and the best 3 go on" in said


@given(values=st.lists(st.lists(st.floats(), min_size=9, max_size=9), min_size=ENOUGH, max_size=12))
@settings(max_examples=25, deadline=None)
def test_whatever_the_courses_the_best_goes_on(values: list[list[float]], trial: Any) -> None:
    trials = [trial(number, *course) for number, course in enumerate(values)]
    judged = [
        weak(
            PLAN,
            replace(one, state="running", objective=None, course=one.course[:3]),
            trials,
            early_stopping=False,
        )
        for one in trials
    ]
    came = [one for one in trials if one.at(3) is not None]
    assert not came or None in judged
    found = learned(trials, 3, 9)
    for one in came:
        assert found is None or math.isfinite(found.promise(one) or 0.0)
