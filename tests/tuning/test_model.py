"""What the model is told of trials."""

from __future__ import annotations

import math
from typing import Any

import pytest

from bottega.tuning.model import Told, outcomes, promises


def test_at_the_end_by_the_objective(trial: Any) -> None:
    trials = [
        trial(0, 0.1, 0.2),
        trial(1, 0.1, 0.3, stopped_early=True),
        trial(2, 0.9, state="failed"),
        trial(3, 0.9, state="running"),
        trial(4, math.nan, stopped_early=True),
    ]
    assert outcomes(trials) == [
        Told({}, 0.2),
        Told({}, 0.3, stopped_at=2),
        Told({}, None),
        Told({}, None),
        Told({}, None),
    ]


def test_at_the_last_rung_that_enough_came_to(trial: Any) -> None:
    trials = [
        trial(0, *(0.1 * step for step in range(1, 10))),
        trial(1, 0.5, 0.6, 0.7, stopped_early=True),
        trial(2, 0.8, 0.9, 0.95, state="running"),
        trial(3, 0.2, stopped_early=True),
        trial(4, state="running"),
    ]

    def told(enough: int) -> list[float | None]:
        found = promises(trials, 1, 9, enough)
        assert not any(one.stopped_at for one in found)
        return [None if one.objective is None else round(one.objective, 6) for one in found]

    assert told(1) == [0.9, None, None, None, None]
    assert told(2) == told(3) == [0.3, 0.7, 0.95, None, None]
    assert told(4) == [0.1, 0.5, 0.8, 0.2, None]
    assert told(5) == [None] * 5


def test_a_training_that_ends_by_itself_has_come_to_the_end(trial: Any) -> None:
    trials = [trial(0, 0.1, 0.2, 0.3, 0.4), trial(1, 0.5, stopped_early=True)]
    assert [one.objective for one in promises(trials, 1, 9, 1)] == [0.4, None]
    silent = [trial(0, 0.5).__class__(0, "", {}, "succeeded", 0.5, ())]
    assert [one.objective for one in promises(silent, None, None, 1)] == [0.5]


def test_who_was_stopped_is_told_by_what_it_promised(trial: Any) -> None:
    """Ten ended at ten times what they had at step 3, which is 0 to 0.9."""
    ended = [trial(number, *([0.1 * number] * 8), float(number)) for number in range(10)]
    stopped = trial(10, *([0.8] * 3), stopped_early=True)
    running = trial(11, *([0.8] * 3), state="running")
    told = promises([*ended, stopped, running], 3, 9, 10)
    assert [one.objective for one in told[:10]] == [float(number) for number in range(10)]
    # The ridge takes 1 of 11 parts of the way from the mean end, 4.5.
    assert told[10].objective == pytest.approx(4.5 + 3.5 * 10 / 11)
    assert told[11].objective is None
