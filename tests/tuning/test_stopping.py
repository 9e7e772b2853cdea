"""Stopping weak trials, against cases worked out by hand."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.tuning.rungs import bracket, rungs
from bottega.tuning.search import SearchPlan
from bottega.tuning.stopping import max_resource, running_average, weak


def plan(strategy: Any = "Bayesian", maximize: bool = True, **more: Any) -> SearchPlan:
    return SearchPlan(strategy, maximize, (), 0, **more)


class TestMedianRule:
    """Running averages of the three earlier ones: 0.5, 0.6, 0.7 after one step; 0.55, 0.6, 0.8
    after two."""

    @pytest.fixture
    def earlier(self, trial: Any) -> list[Any]:
        return [trial(0, 0.5, 0.6, 0.9), trial(1, 0.6, 0.6, 0.6), trial(2, 0.7, 0.9, 0.9)]

    @pytest.mark.parametrize(
        ("course", "stops"),
        [
            ((0.61,), False),
            ((0.6,), False),  # as good as the median is not worse
            ((0.59,), True),
            ((0.1, 0.61), False),  # the value now counts, not what it was
            ((0.9, 0.59), True),
            ((math.nan,), True),
        ],
    )
    def test_worse_than_the_median_of_running_averages(
        self, trial: Any, earlier: list[Any], course: tuple[float, ...], stops: bool
    ) -> None:
        running = trial(3, *course, state="running")
        said = weak(plan(), running, [*earlier, running], early_stopping=True)
        assert (said is not None) == stops
        if said:
            assert "worse than 0.6, the median" in said

    def test_the_lower_the_better(self, trial: Any, earlier: list[Any]) -> None:
        lower = plan(maximize=False)
        assert weak(lower, trial(3, 0.61, state="running"), earlier, early_stopping=True)
        assert not weak(lower, trial(3, 0.59, state="running"), earlier, early_stopping=True)

    def test_nothing_is_stopped_when_it_is_off(self, trial: Any, earlier: list[Any]) -> None:
        assert weak(plan(), trial(3, 0.0, state="running"), earlier, early_stopping=False) is None

    def test_later_and_shorter_trials_do_not_count(self, trial: Any, earlier: list[Any]) -> None:
        running = trial(2, 0.1, 0.1, 0.1, state="running")
        others = [*earlier[:2], trial(3, 0.9, 0.9, 0.9), trial(4, 0.9, 0.9, 0.9)]
        assert weak(plan(), running, others, early_stopping=True) is None
        ahead = trial(3, 0.1, 0.1, 0.1, 0.1, state="running")
        assert weak(plan(), ahead, earlier, early_stopping=True) is None

    def test_one_that_ended_or_said_nothing_is_left_alone(
        self, trial: Any, earlier: list[Any]
    ) -> None:
        assert weak(plan(), trial(3, 0.0), earlier, early_stopping=True) is None
        silent = trial(3, state="running")
        assert weak(plan(), silent, earlier, early_stopping=True) is None

    def test_the_average_runs_up_to_the_step(self, trial: Any) -> None:
        found = trial(0, 1.0, 2.0, 6.0)
        assert [running_average(found, step) for step in (1, 2, 3, 4)] == [1.0, 1.5, 3.0, None]
        assert running_average(trial(0, math.nan, 2.0, 4.0), 3) == 3.0
        assert running_average(trial(0, 2.0, math.nan), 2) is None


class TestRungs:
    HYPERBAND = plan("Hyperband", min_resource=2, max_resource=54)

    def test_they_lie_at_powers_of_three(self) -> None:
        assert rungs(2, 54, 0) == [2, 6, 18]
        assert rungs(None, None, 10) == [3, 9]
        assert rungs(5, 5, 5) == []

    def test_without_min_resource_the_first_steps_of_a_long_training_do_not_count(self) -> None:
        assert rungs(None, 3, 0) == [1]
        assert rungs(None, 9, 0) == [3]
        assert rungs(None, 27, 0) == [3, 9]
        assert rungs(None, 81, 0) == [3, 9, 27]
        assert rungs(None, 270, 0) == [10, 30, 90]

    @pytest.mark.parametrize(
        ("own", "stops"),
        [(0.95, False), (0.75, False), (0.65, True), (0.1, True), (math.nan, True)],
    )
    def test_the_best_third_goes_on(self, trial: Any, own: float, stops: bool) -> None:
        """With the five others six came to step 2, so that two go on."""
        others = [trial(number, 0.0, value) for number, value in enumerate((0.9, 0.7, 0.5, 0.3))]
        others.append(trial(9, 0.0, 0.2, state="running"))
        running = trial(4, 0.0, own, state="running")
        said = weak(self.HYPERBAND, running, [*others, running], early_stopping=False)
        assert (said is not None) == stops

    def test_the_reason_is_told(self, trial: Any) -> None:
        others = [trial(number, 0.0, 0.9) for number in range(3)]
        running = trial(4, 0.0, 0.25, state="running")
        said = weak(self.HYPERBAND, running, others, early_stopping=False)
        assert said == (
            "Its objective metric at step 2 was 0.25; of 4 trials that came so far 3 were better, "
            "and the best 1 go on."
        )

    def test_between_rungs_the_last_one_counts(self, trial: Any) -> None:
        others = [trial(number, *([0.5] * 10)) for number in range(3)]
        # At step 2 it was better; that it is worse now is seen at step 6.
        for length, stops in ((3, False), (5, False), (6, True), (7, True)):
            running = trial(4, 0.9, 0.9, *([0.1] * (length - 2)), state="running")
            said = weak(self.HYPERBAND, running, others, early_stopping=False)
            assert (said is not None) == stops

    def test_before_the_first_rung_nobody_is_stopped(self, trial: Any) -> None:
        others = [trial(number, 0.9, 0.9) for number in range(9)]
        running = trial(4, 0.0, state="running")
        assert weak(self.HYPERBAND, running, others, early_stopping=False) is None

    def test_the_first_of_all_goes_on(self, trial: Any) -> None:
        running = trial(0, 0.1, 0.1, state="running")
        assert weak(self.HYPERBAND, running, [running], early_stopping=False) is None

    def test_at_max_resource_it_is_stopped_however_good(self, trial: Any) -> None:
        running = trial(0, *([0.9] * 54), state="running")
        said = weak(self.HYPERBAND, running, [running], early_stopping=False)
        assert said == "It reached MaxResource (54)."

    def test_without_max_resource_the_longest_course_tells(self, trial: Any) -> None:
        open_end = plan("Hyperband")
        others = [trial(number, *([0.9] * 9)) for number in range(3)]
        weak_one = trial(4, *([0.1] * 3), state="running")
        assert weak(open_end, weak_one, others, early_stopping=False)
        assert (
            weak(open_end, trial(4, *([0.95] * 3), state="running"), others, early_stopping=False)
            is None
        )
        # At its end there is nothing to save any more.
        assert (
            weak(open_end, trial(4, *([0.95] * 9), state="running"), others, early_stopping=False)
            is None
        )

    def test_a_higher_bracket_is_judged_later(self, trial: Any) -> None:
        late = next(number for number in range(100) if bracket(number, 3) == 2)
        others = [trial(200 + number, *([0.9] * 54)) for number in range(5)]
        for length, stops in ((2, False), (6, False), (17, False), (18, True)):
            running = trial(late, *([0.1] * length), state="running")
            said = weak(self.HYPERBAND, running, others, early_stopping=False)
            assert (said is not None) == stops

    def test_brackets_are_dealt_in_hyperbands_proportion(self) -> None:
        """For 81 steps Hyperband has 81, 34, 15, 8 and 5 configurations a round."""
        dealt = Counter(bracket(number, 4) for number in range(1024))
        shares = {1: 81, 2: 34, 3: 15, 4: 8, 5: 5}
        for found, share in zip(range(5), shares.values(), strict=True):
            assert dealt[found] / 1024 == pytest.approx(share / sum(shares.values()), abs=0.01)
        # Any few in a row have some of both kinds.
        assert {bracket(number, 4) > 0 for number in range(4)} == {True, False}

    @given(
        values=st.lists(st.floats(-1, 1), min_size=2, max_size=12, unique=True),
        maximize=st.booleans(),
    )
    @settings(max_examples=30, deadline=None)
    def test_the_best_of_all_is_never_stopped(
        self, values: list[float], maximize: bool, trial: Any
    ) -> None:
        found = plan("Hyperband", maximize, min_resource=1, max_resource=9)
        trials = [
            trial(number, value, value, value, state="running")
            for number, value in enumerate(values)
        ]
        best = (max if maximize else min)(trials, key=lambda one: one.course[-1][1])
        assert weak(found, best, trials, early_stopping=False) is None


def test_max_resource_is_read_from_static_hyperparameters() -> None:
    assert max_resource({"epochs": "30", "eta": "0.1"}) == 30
    assert max_resource({"num_round": '"100"'}) == 100
    assert max_resource({"num_round": "100", "n_epochs": "7"}) == 7
    for wrong in ({}, {"epochs": "many"}, {"epochs": "0"}, {"epochs": "20001"}, {"epochs": "-3"}):
        assert max_resource(wrong) is None
