"""The best trial, and what mattered."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from bottega.tuning.best import FEWEST, best, importance
from bottega.tuning.spaces import (
    CategoricalRange,
    ContinuousRange,
    IntegerRange,
    from_unit,
)

RANGES = (
    ContinuousRange("much", 1e-4, 1, "Logarithmic"),
    ContinuousRange("nothing", 0, 0.99, "ReverseLogarithmic"),
    CategoricalRange("some", ("a", "b")),
    IntegerRange("one", 5, 5, "Linear"),
)


@pytest.mark.parametrize(("maximize", "number"), [(True, 1), (False, 0)])
def test_the_earliest_of_the_best(trial: Any, maximize: bool, number: int) -> None:
    trials = [trial(0, 0.1), trial(1, 0.9), trial(2, 0.9), trial(3, 0.1)]
    found = best(trials[::-1], maximize=maximize)
    assert found is not None
    assert found.number == number


def test_one_that_was_stopped_may_be_the_best_and_one_without_objective_not(trial: Any) -> None:
    trials = [trial(0, 0.5), trial(1, 0.7, stopped_early=True), trial(2, 0.9, state="running")]
    assert best(trials, maximize=True) == trials[1]
    assert best(trials[2:], maximize=True) is None


def made(trial: Any, count: int) -> list[Any]:
    found = []
    for number in range(count):
        units = Random(number)
        places = {searched.name: units.random() for searched in RANGES}
        value = 3 * places["much"] + (places["some"] < 0.5)
        parameters = {
            searched.name: from_unit(searched, places[searched.name]) for searched in RANGES
        }
        found.append(trial(number, value, **parameters))
    return found


def test_shares_add_up_and_the_largest_comes_first(trial: Any) -> None:
    found = importance(RANGES, made(trial, 40), maximize=True)
    assert list(found) == ["much", "some", "nothing"]
    assert sum(found.values()) == pytest.approx(1)
    assert found["much"] > 0.5
    assert found["nothing"] < 0.1
    assert found == importance(RANGES, made(trial, 40), maximize=True)


def test_too_few_or_equal_trials_say_nothing(trial: Any) -> None:
    assert importance(RANGES, made(trial, FEWEST - 1), maximize=True) == {}
    same = [trial(number, 1.0, **one.parameters) for number, one in enumerate(made(trial, 20))]
    assert importance(RANGES, same, maximize=True) == {}
    fixed = (IntegerRange("one", 5, 5, "Linear"),)
    assert importance(fixed, made(trial, 20), maximize=True) == {}
