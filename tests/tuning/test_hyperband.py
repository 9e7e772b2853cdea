"""Hyperband as a whole, with half of the steps of whole trainings."""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import median

from bottega.tuning.best import best
from bottega.tuning.search import Search, SearchPlan
from bottega.tuning.spaces import ContinuousRange
from bottega.tuning.stopping import weak
from bottega.tuning.trials import Trial

STEPS = 27
TRIALS = 60
RANGES = (
    ContinuousRange("rate", 0.01, 1, "Logarithmic"),
    ContinuousRange("size", 0, 1, "Linear"),
    ContinuousRange("decay", 0, 1, "Linear"),
)


def metric(parameters: Mapping[str, str], step: int) -> float:
    """A course that approaches its end, at most 1, as a training does."""
    rate, size = float(parameters["rate"]), float(parameters["size"])
    end = 1 - 0.3 * abs(math.log10(rate) + 1) - 0.5 * (size - 0.3) ** 2
    end -= 0.2 * (float(parameters["decay"]) - 0.7) ** 2
    return end * (1 - math.exp(-(0.2 + 0.2 * size) * step))


def searched(plan: SearchPlan, most_steps: int) -> list[Trial]:
    search, trials, used = Search(plan), list[Trial](), 0
    while used < most_steps:
        parameters = search.ask(trials)
        assert parameters is not None
        course: list[tuple[int, float]] = []
        for step in range(1, STEPS + 1):
            course.append((step, metric(parameters, step)))
            running = Trial(len(trials), "", parameters, "running", None, tuple(course))
            if weak(plan, running, trials, early_stopping=False):
                break
        used += len(course)
        stopped = len(course) < STEPS
        value = course[-1][1]
        trials.append(
            Trial(len(trials), "", parameters, "succeeded", value, tuple(course), stopped)
        )
    return trials


def test_half_of_the_steps_find_what_whole_trainings_do() -> None:
    found: dict[str, list[float]] = {"Bayesian": [], "Hyperband": []}
    for seed in range(3):
        whole = searched(SearchPlan("Bayesian", True, RANGES, seed), TRIALS * STEPS)
        halved = searched(
            SearchPlan("Hyperband", True, RANGES, seed, max_resource=STEPS), TRIALS * STEPS // 2
        )
        assert len(whole) == TRIALS
        assert sum(trial.steps for trial in halved) < TRIALS * STEPS // 2 + STEPS
        assert sum(trial.stopped_early for trial in halved) > len(halved) / 3
        for name, trials in (("Bayesian", whole), ("Hyperband", halved)):
            winner = best(trials, maximize=True)
            assert winner is not None
            assert winner.steps == STEPS
            found[name].append(winner.value or 0.0)
    assert median(found["Hyperband"]) > median(found["Bayesian"]) - 0.005
