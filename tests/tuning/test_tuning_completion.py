"""When a search is over."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bottega.tuning.completion import Criteria, converged, finished, not_improving

NONE = Criteria(None, None, None, on_convergence=False, maximize=True)


def trials(make: Any, *values: float) -> list[Any]:
    return [make(number, value) for number, value in enumerate(values)]


def test_nothing_asked_for_is_never_over(trial: Any) -> None:
    assert finished(NONE, trials(trial, *([0.5] * 100))) is None


def test_all_that_were_wanted_are_launched(trial: Any) -> None:
    criteria = replace(NONE, most_trials=3)
    assert finished(criteria, trials(trial, 0.1, 0.2)) is None
    launched = [*trials(trial, 0.1, 0.2), trial(2, state="running")]
    assert finished(criteria, launched) == "All 3 training jobs were launched."


@pytest.mark.parametrize(
    ("maximize", "value", "ends"),
    [(True, 0.9, True), (True, 0.95, True), (True, 0.89, False), (False, 0.9, True),
     (False, 0.5, True), (False, 0.91, False)],
)  # fmt: skip
def test_the_target_is_reached(trial: Any, maximize: bool, value: float, ends: bool) -> None:
    criteria = replace(NONE, target=0.9, maximize=maximize, most_trials=1)
    said = finished(criteria, [trial(0, value)])
    assert said is not None
    assert ("the target was 0.9" in said) == ends


def test_a_running_trial_does_not_reach_the_target(trial: Any) -> None:
    criteria = replace(NONE, target=0.9)
    assert finished(criteria, [trial(0, 0.99, state="running")]) is None


@pytest.mark.parametrize(
    ("values", "count"),
    [
        ((), 0),
        ((1.0,), 0),
        ((1.0, 1.005, 1.009), 2),
        ((1.0, 1.02), 0),
        ((1.0, 1.02, 0.5, 1.03), 2),
        ((1.0, 1.006, 1.012), 0),  # small improvements add up
        ((-1.0, -0.98), 0),
        ((-1.0, -0.995), 1),
        ((0.0, 0.001), 0),
    ],
)
def test_trials_since_the_last_improvement_by_more_than_a_hundredth(
    trial: Any, values: tuple[float, ...], count: int
) -> None:
    assert not_improving(NONE, trials(trial, *values)) == count
    lower = replace(NONE, maximize=False)
    assert not_improving(lower, trials(trial, *(-value for value in values))) == count


def test_running_and_failed_trials_do_not_count(trial: Any) -> None:
    found = [trial(0, 1.0), trial(1, 0.9, state="failed"), trial(2, 0.9, state="running")]
    assert not_improving(NONE, found) == 0


def test_it_ends_when_nothing_improves(trial: Any) -> None:
    criteria = replace(NONE, not_improving=3)
    assert finished(criteria, trials(trial, 1.0, 0.9, 0.9)) is None
    said = finished(criteria, trials(trial, 1.0, 0.9, 0.9, 0.9))
    assert said is not None
    assert said.startswith("3 training jobs did not improve")


def test_it_converges_after_eighteen_in_a_row(trial: Any) -> None:
    """1 in 18 + 2 is 5%."""
    criteria = replace(NONE, on_convergence=True)
    before, after = (trials(trial, 1.0, *([0.9] * count)) for count in (17, 18))
    assert (converged(criteria, before), converged(criteria, after)) == (False, True)
    assert finished(criteria, before) is None
    assert "converged" in (finished(criteria, after) or "")
    assert finished(NONE, after) is None
