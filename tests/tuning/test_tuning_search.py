"""Asking for the next configuration: in bounds, never twice, the same after every kill."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.tuning.search import Search, SearchPlan, Strategy
from bottega.tuning.spaces import (
    CategoricalRange,
    ContinuousRange,
    IntegerRange,
    contains,
    key,
    size,
)
from bottega.tuning.trials import PriorTrial, Trial

STRATEGIES = get_args(Strategy)
MODELS = ("Bayesian", "Hyperband")

SPACE = (
    ContinuousRange("eta", 1e-4, 1, "Auto"),
    ContinuousRange("momentum", 0.5, 0.999, "ReverseLogarithmic"),
    IntegerRange("depth", 1, 12, "Auto"),
    CategoricalRange("booster", ("gbtree", "dart")),
    IntegerRange("fixed", 7, 7, "Linear"),
)


def loss(parameters: Mapping[str, str]) -> float:
    """Least, 0, at eta 0.01, momentum 0.99, depth 6 and gbtree."""
    return (
        (math.log10(float(parameters["eta"])) + 2) ** 2
        + (math.log10(1 - float(parameters["momentum"])) + 2) ** 2
        + (int(parameters["depth"]) - 6) ** 2 / 9
        + (parameters["booster"] == "dart")
    )


@given(data=st.data(), strategy=st.sampled_from(STRATEGIES), seed=st.integers(0, 2**31))
@settings(max_examples=25, deadline=None)
def test_a_search_made_anew_at_any_point_goes_on_the_same(
    data: st.DataObject, strategy: Any, seed: int, spaces: Any, small_spaces: Any
) -> None:
    ranges = data.draw(small_spaces if strategy == "Grid" else spaces)
    plan = SearchPlan(strategy, data.draw(st.booleans()), ranges, seed, most_trials=12)
    lasting = Search(plan)
    trials: list[Trial] = []
    for number in range(12):
        found = lasting.ask(trials)
        assert found == Search(plan).ask(trials)
        if found is None:
            assert len(trials) == size(ranges)
            break
        assert list(found) == [searched.name for searched in ranges]
        assert contains(ranges, found)
        trials.append(Trial(number, "", found, "running", None, ()))
        # Some end now, some later, some not at all.
        for place, trial in enumerate(trials):
            if trial.state == "running" and data.draw(st.booleans()):
                trials[place] = _ended(trial, data)
    keys = [key(ranges, trial.parameters) for trial in trials]
    if size(ranges) is not None:
        assert len(set(keys)) == len(keys)


def _ended(trial: Trial, data: st.DataObject) -> Trial:
    state = data.draw(st.sampled_from(["succeeded", "succeeded", "failed"]))
    if state == "failed":
        return replace(trial, state=state)
    value = data.draw(st.floats(-1e3, 1e3) | st.just(math.nan))
    return replace(
        trial,
        state=state,
        objective=value,
        course=((1, 0.5), (2, value)),
        stopped_early=data.draw(st.booleans()),
    )


@given(data=st.data(), strategy=st.sampled_from(STRATEGIES))
@settings(max_examples=12, deadline=None)
def test_a_small_space_is_searched_completely_and_then_ends(
    data: st.DataObject, strategy: Any, small_spaces: Any, searched: Any
) -> None:
    ranges = data.draw(small_spaces)
    count = size(ranges)
    assert count is not None
    trials = searched(SearchPlan(strategy, True, ranges, 3), count + 5, lambda found: len(found))
    assert len({key(ranges, trial.parameters) for trial in trials}) == len(trials) == count


@pytest.mark.parametrize("strategy", ["Bayesian", "Random"])
def test_another_process_gives_the_same_answer(strategy: Strategy, searched: Any) -> None:
    trials = searched(SearchPlan(strategy, False, SPACE, 5), 13, loss)
    script = (
        "import json, math, sys\n"
        "from bottega.tuning.search import Search, SearchPlan\n"
        "from bottega.tuning.spaces import *\n"
        "from bottega.tuning.trials import Trial\n"
        f"plan = SearchPlan({strategy!r}, False, {SPACE!r}, 5)\n"
        f"print(json.dumps(Search(plan).ask({trials[:-1]!r})))\n"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout) == trials[-1].parameters
    assert run.stderr == ""


@pytest.mark.parametrize("strategy", ["Bayesian", "Random", "Hyperband"])
def test_seeds_differ(strategy: Strategy) -> None:
    asked = [Search(SearchPlan(strategy, True, SPACE, seed)).ask(()) for seed in (1, 2)]
    assert asked[0] != asked[1]


@pytest.mark.parametrize("strategy", MODELS)
@pytest.mark.parametrize("maximize", [True, False])
def test_a_model_closes_in_on_the_optimum(
    strategy: Strategy, maximize: bool, searched: Any
) -> None:
    def objective(parameters: Mapping[str, str]) -> float:
        return -loss(parameters) if maximize else loss(parameters)

    trials = searched(SearchPlan(strategy, maximize, SPACE, 1), 60, objective)
    losses = [abs(trial.objective) for trial in trials]
    assert min(losses) < 0.5
    # What the model proposes is better on the whole than what was spread over the space.
    assert sum(losses[30:]) / 30 < 0.5 * sum(losses[:10]) / 10


@pytest.mark.parametrize("strategy", MODELS)
def test_trials_side_by_side_differ(strategy: Strategy, searched: Any) -> None:
    plan = SearchPlan(strategy, False, SPACE, 1)
    trials = searched(plan, 30, loss)
    for number in range(30, 40):
        trials.append(Trial(number, "", Search(plan).ask(trials) or {}, "running", None, ()))
    pending = {tuple(trial.parameters.values()) for trial in trials[30:]}
    assert len(pending) == 10


def test_the_first_configurations_are_spread_over_the_space() -> None:
    ranges = (ContinuousRange("x", 0, 1, "Linear"), CategoricalRange("c", ("a", "b")))
    search, trials = Search(SearchPlan("Bayesian", True, ranges, 4)), list[Trial]()
    for number in range(10):
        trials.append(Trial(number, "", search.ask(trials) or {}, "running", None, ()))
    tenths = sorted(int(float(trial.parameters["x"]) * 10) for trial in trials)
    assert tenths == list(range(10))
    assert [trial.parameters["c"] for trial in trials].count("a") == 5


def test_failed_trials_are_avoided(searched: Any) -> None:
    """Whatever has a large x fails; the model leaves that half."""
    ranges = (ContinuousRange("x", 0, 1, "Linear"),)
    plan = SearchPlan("Bayesian", True, ranges, 2)
    search, trials = Search(plan), list[Trial]()
    for number in range(40):
        asked = search.ask(trials) or {}
        value = float(asked["x"])
        failed = value > 0.5
        state: Any = "failed" if failed else "succeeded"
        trials.append(Trial(number, "", asked, state, None if failed else value, ()))
    assert sum(trial.state == "failed" for trial in trials[20:]) < 10


def test_a_retried_trial_is_told_anew(searched: Any) -> None:
    """A trial that had ended and is now told otherwise does not confuse a lasting search."""
    plan = SearchPlan("Bayesian", False, SPACE, 1)
    trials = searched(plan, 20, loss)
    lasting = Search(plan)
    lasting.ask(trials)
    changed = [replace(trials[0], state="running", objective=None), *trials[1:]]
    assert lasting.ask(changed) == Search(plan).ask(changed)
    assert lasting.ask(trials[:15]) == Search(plan).ask(trials[:15])


def test_a_grid_is_of_finite_ranges() -> None:
    ranges = (ContinuousRange("x", 0, 1, "Linear"),)
    with pytest.raises(ValueError, match="finite"):
        Search(SearchPlan("Grid", True, ranges, 0)).ask(())


class TestPriorTrials:
    RANGES = (ContinuousRange("x", 0, 1, "Linear"), ContinuousRange("y", 0, 1, "Linear"))

    def prior(self, comparable: bool, objective: Callable[[float], float]) -> list[PriorTrial]:
        places = [place / 40 for place in range(40)]
        return [
            PriorTrial({"x": repr(x), "y": repr(1 - x), "static": "1"}, objective(x), comparable)
            for x in sorted(places, key=objective, reverse=True)
        ]

    def test_identical_data_teach_the_model_at_once(self) -> None:
        prior = self.prior(True, lambda x: -((x - 0.3) ** 2))
        plan = SearchPlan("Bayesian", True, self.RANGES, 1)
        search, trials = Search(plan, prior), list[Trial]()
        for number in range(10):
            found = search.ask(trials) or {}
            value = -((float(found["x"]) - 0.3) ** 2)
            trials.append(Trial(number, "", found, "succeeded", value, ()))
        away = [abs(float(trial.parameters["x"]) - 0.3) for trial in trials]
        assert sum(away) / len(away) < 0.2  # by chance it would be 0.29

    def test_of_other_data_the_best_are_tried_first(self) -> None:
        prior = self.prior(False, lambda x: -((x - 0.3) ** 2))
        search, trials = Search(SearchPlan("Bayesian", True, self.RANGES, 1), prior), list[Trial]()
        for number in range(5):
            trials.append(Trial(number, "", search.ask(trials) or {}, "running", None, ()))
        assert [trial.parameters["x"] for trial in trials] == [
            prior[place].parameters["x"] for place in range(5)
        ]

    def test_what_is_outside_of_the_ranges_is_ignored(self) -> None:
        wrong = [PriorTrial({"x": "7", "y": "0.5"}, 1.0), PriorTrial({"x": "0.5"}, 1.0)]
        plan = SearchPlan("Bayesian", True, self.RANGES, 1)
        assert Search(plan, wrong).ask(()) == Search(plan).ask(())

    @pytest.mark.parametrize("strategy", ["Bayesian", "Random"])
    def test_what_is_known_is_not_tried_again(self, strategy: Strategy) -> None:
        ranges = (CategoricalRange("c", ("a", "b", "d")),)
        prior = [PriorTrial({"c": "a"}, 1.0), PriorTrial({"c": "d"}, 0.5)]
        search = Search(SearchPlan(strategy, True, ranges, 1), prior)
        assert search.ask(()) == {"c": "b"}
        assert search.ask([Trial(0, "", {"c": "b"}, "running", None, ())]) is None
