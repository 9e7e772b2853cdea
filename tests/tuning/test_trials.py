"""What is read from a trial's course."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from bottega.tuning.trials import settled


def test_the_value_at_a_step_is_the_last_noted_before_it(trial: Any) -> None:
    found = replace(trial(0, 0.0), course=((2, 0.5), (4, 0.7), (8, 0.9)))
    assert found.steps == 8
    assert [found.at(step) for step in (1, 2, 3, 4, 7, 8, 9)] == [
        *(0.5, 0.5, 0.5, 0.7, 0.7, 0.9),
        None,
    ]
    assert trial(0, 0.5, math.nan).at(2) is None
    assert replace(found, course=()).at(1) is None


def test_an_objective_that_is_no_number_is_none(trial: Any) -> None:
    assert trial(0, 0.5).value == 0.5
    assert trial(0, math.inf).value is None
    assert trial(0, 0.5, state="running").value is None
    assert [
        found.number for found in settled([trial(2, 1.0), trial(1, math.nan), trial(0, 2.0)])
    ] == [0, 2]


@pytest.mark.parametrize("state", ["running", "failed"])
def test_only_those_that_succeeded_are_settled(trial: Any, state: str) -> None:
    assert settled([trial(0, 1.0, state=state)]) == []
