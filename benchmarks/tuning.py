"""How good what a search finds is: Bayesian beside Random and plain Optuna, Hyperband beside
Bayesian with whole trainings.

    python benchmarks/tuning.py                         every data set
    python benchmarks/tuning.py abalone electricity     these only
    python benchmarks/tuning.py --quick                 one, in seconds, to see that it runs

XGBoost is trained in this process, on small parts of real tables (``tuning_problems``), because the
search is what is compared. The score of a trial is the metric of the rows that were not trained on,
after its last round.
"""

from __future__ import annotations

import multiprocessing
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from measurement import Ratio, Result, Table, finish, options
from tuning_problems import NAMES, SPACE, Problem, problem, train

from bottega.tuning.optuna_study import distributions, optuna
from bottega.tuning.search import Search, SearchPlan, Strategy
from bottega.tuning.stopping import weak
from bottega.tuning.trials import Trial

BAYESIAN, RANDOM, PLAIN, HYPERBAND = "Bayesian", "Random", "Optuna TPE", "Hyperband"


@dataclass(frozen=True)
class Scale:
    """How much is measured."""

    rows: int
    rounds: int
    trials: int
    seeds: int


FULL = Scale(rows=1500, rounds=81, trials=50, seeds=20)
QUICK = Scale(rows=200, rounds=9, trials=12, seeds=1)


@dataclass(frozen=True)
class Course:
    """One search: each trial's score and how many rounds it was trained."""

    scores: Sequence[float]
    rounds: Sequence[int]


def values(parameters: Any) -> dict[str, Any]:
    """A configuration as XGBoost takes it."""
    return {
        searched.name: int(parameters[searched.name])
        if searched.name == "max_depth"
        else float(parameters[searched.name])
        for searched in SPACE
    }


def ours(found: Problem, scale: Scale, seed: int, strategy: Strategy) -> Course:
    """A search of bottega's. Hyperband may train half as many rounds as whole trainings would."""
    halving = strategy == "Hyperband"
    plan = SearchPlan(
        strategy,
        found.maximize,
        SPACE,
        seed,
        most_trials=None if halving else scale.trials,
        max_resource=scale.rounds if halving else None,
    )
    search, trials, rounds = Search(plan), list[Trial](), list[int]()
    budget = scale.trials * scale.rounds // (2 if halving else 1)
    while sum(rounds) < budget:
        parameters = search.ask(trials)
        assert parameters is not None
        course: list[tuple[int, float]] = []

        def judge(
            step: int, value: float, parameters: Any = parameters, course: Any = course
        ) -> bool:
            course.append((step, value))
            running = Trial(len(trials), "", parameters, "running", None, course)
            # At MaxResource the training ends by itself.
            return step == scale.rounds or not weak(plan, running, trials, early_stopping=False)

        train(found, values(parameters), scale.rounds, judge)
        stopped = len(course) < scale.rounds
        score = course[-1][1]
        trials.append(Trial(len(trials), "", parameters, "succeeded", score, course, stopped))
        rounds.append(len(course))
    return Course([trial.objective or 0.0 for trial in trials], rounds)


def plain(found: Problem, scale: Scale, seed: int) -> Course:
    """Optuna with its default sampler, as its own documentation does it."""
    library = optuna()
    study = library.create_study(
        direction="maximize" if found.maximize else "minimize",
        sampler=library.samplers.TPESampler(seed=seed),
    )
    space, scores = distributions(SPACE), []
    for _ in range(scale.trials):
        trial = study.ask(space)
        course = train(found, values(trial.params), scale.rounds, lambda step, value: True)
        study.tell(trial, course[-1])
        scores.append(course[-1])
    return Course(scores, [scale.rounds] * scale.trials)


SEARCHES: dict[str, Callable[[Problem, Scale, int], Course]] = {
    RANDOM: partial(ours, strategy="Random"),
    BAYESIAN: partial(ours, strategy="Bayesian"),
    PLAIN: plain,
    HYPERBAND: partial(ours, strategy="Hyperband"),
}


def measure(data: Path, scale: Scale, task: tuple[str, str, int]) -> Course:
    """One search on one data set with one seed."""
    name, search, seed = task
    return SEARCHES[search](problem(name, data, scale.rows), scale, seed)


def best_after(course: Course, trials: int, *, maximize: bool) -> float:
    return (max if maximize else min)(course.scores[:trials])


class Outcome:
    """What the searches of one data set found, over all seeds."""

    def __init__(self, courses: dict[str, list[Course]], *, maximize: bool) -> None:
        self._courses, self._maximize = courses, maximize

    def median(self, search: str, trials: int) -> float:
        """The median over the seeds of the best score after so many trials."""
        best = partial(best_after, trials=trials, maximize=self._maximize)
        return statistics.median(best(course) for course in self._courses[search])

    def trials(self, search: str) -> float:
        return statistics.median(len(course.scores) for course in self._courses[search])

    def rounds(self, search: str) -> float:
        return statistics.median(sum(course.rounds) for course in self._courses[search])

    def share(self, search: str, target: float) -> float | None:
        """The share of the rounds of whole trainings after which half of the seeds had reached a
        score; None when fewer did."""
        whole = self.rounds(BAYESIAN)
        needed = []
        for course in self._courses[search]:
            used = 0
            for score, rounds in zip(course.scores, course.rounds, strict=True):
                used += rounds
                if score == target or (score > target) == self._maximize:
                    needed.append(used / whole)
                    break
            else:
                needed.append(float("inf"))
        found = statistics.median_high(needed)
        return None if found == float("inf") else found

    def chance(self, search: str, over: str) -> tuple[float, float]:
        """The chance that one search of the one finds better than one of the other (ties count
        half), and the p-value of the Mann-Whitney test that it is 0.5."""
        from scipy.stats import mannwhitneyu

        sign = 1 if self._maximize else -1
        first, second = (
            [sign * best_after(course, sys.maxsize, maximize=self._maximize) for course in courses]
            for courses in (self._courses[search], self._courses[over])
        )
        found = mannwhitneyu(first, second)
        return float(found.statistic) / (len(first) * len(second)), float(found.pvalue)

    def wins(self, search: str, over: str, trials: int) -> bool:
        """Whether the median is at least as good."""
        first, second = self.median(search, trials), self.median(over, trials)
        return first == second or (first > second) == self._maximize


def report(outcomes: dict[str, Outcome], scale: Scale) -> Result:
    places = sorted({scale.trials // 5, scale.trials * 2 // 5, scale.trials * 3 // 5, scale.trials})
    course_rows = {
        f"{name}, {search}": [outcome.median(search, place) for place in places]
        for name, outcome in outcomes.items()
        for search in (RANDOM, BAYESIAN, PLAIN)
    }
    everything = sys.maxsize
    pairs = ((BAYESIAN, RANDOM), (BAYESIAN, PLAIN), (HYPERBAND, BAYESIAN), (HYPERBAND, RANDOM))
    chance_rows = {
        name: [part for pair in pairs for part in outcome.chance(*pair)]
        for name, outcome in outcomes.items()
    }
    halving_rows = {
        name: [
            outcome.median(RANDOM, everything),
            outcome.median(BAYESIAN, everything),
            outcome.median(HYPERBAND, everything),
            outcome.trials(HYPERBAND),
            100 * outcome.rounds(HYPERBAND) / outcome.rounds(BAYESIAN),
            _percent(outcome.share(HYPERBAND, outcome.median(BAYESIAN, everything))),
            _percent(outcome.share(HYPERBAND, outcome.median(RANDOM, everything))),
        ]
        for name, outcome in outcomes.items()
    }

    def share(search: str, over: str) -> float:
        won = [outcome.wins(search, over, everything) for outcome in outcomes.values()]
        return sum(won) / len(won)

    def holds(search: str, over: str) -> float:
        chances = [outcome.chance(search, over) for outcome in outcomes.values()]
        return sum(chance >= 0.5 or p >= 0.05 for chance, p in chances) / len(chances)

    return Result(
        name="tuning",
        title="Tuning: what the searches find",
        method=(
            f"XGBoost with {len(SPACE)} hyperparameters on parts of real tables: {scale.rows:,} "
            f"rows to train on and as many to judge by, {scale.rounds} rounds, {scale.seeds} "
            "seeds. The score is the metric of the rows to judge by after the last round: AUC "
            "(more is better), of abalone RMSE and of electricity log loss (less is better). "
            f"Random, Bayesian and Optuna's TPESampler as it comes train {scale.trials} times, one "
            "after the other; Hyperband trains until it has used half as many rounds as they. "
            "Numbers are medians over the seeds."
        ),
        tables=[
            Table("Best score so far", [f"after {place} trials" for place in places], course_rows),
            Table(
                "Hyperband with half of the rounds",
                (
                    *("Random, all rounds", "Bayesian, all rounds", "Hyperband"),
                    *("its trials", "its rounds %"),
                    *("rounds % to Bayesian's score", "rounds % to Random's score"),
                ),
                halving_rows,
            ),
            Table(
                "Chance that a search finds better, and p of its being 0.5",
                [
                    column
                    for first, second in pairs
                    for column in (f"{first} over {second}", "p")
                ],
                chance_rows,
            ),
        ],
        ratios=[
            Ratio("data sets where Bayesian is at least as good as Random / all",
                  share(BAYESIAN, RANDOM)),
            Ratio("data sets where Bayesian is at least as good as Optuna TPE / all",
                  share(BAYESIAN, PLAIN)),
            Ratio("data sets where Bayesian is not told to be worse than Optuna TPE / all",
                  holds(BAYESIAN, PLAIN)),
            Ratio("data sets where Hyperband is not told to be worse than Bayesian / all",
                  holds(HYPERBAND, BAYESIAN)),
            Ratio("data sets where Hyperband is at least as good as Bayesian / all",
                  share(HYPERBAND, BAYESIAN)),
            Ratio("data sets where Hyperband is at least as good as Random / all",
                  share(HYPERBAND, RANDOM)),
        ],
        packages=("optuna", "xgboost", "numpy", "pandas"),
        notes=[
            "A cell is empty where fewer than half of the seeds got there. Hyperband has half of "
            "the rounds everywhere. One search is told to be worse than another where p is below "
            "0.05 (Mann-Whitney, two-sided, over the seeds)."
        ],
    )  # fmt: skip


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("names", nargs="*", metavar="DATA SET", help=", ".join(NAMES))
    parser.add_argument("--quick", action="store_true", help="one data set, in seconds")
    parser.add_argument("--seeds", type=int, help="how often each search is run")
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(__file__).resolve().parents[2] / "shared" / "data",
        metavar="FOLDER",
        help="holds the data sets (default: ../shared/data beside the clone)",
    )
    chosen = parser.parse_args()
    if wrong := set(chosen.names) - set(NAMES):
        sys.exit(f"There is no data set {', '.join(sorted(wrong))}; there are {', '.join(NAMES)}.")
    if not (chosen.data / "abalone").is_dir():
        sys.exit(f"There are no data sets in {chosen.data}; give their folder with --data.")
    scale = QUICK if chosen.quick else FULL
    if chosen.seeds:
        scale = Scale(scale.rows, scale.rounds, scale.trials, chosen.seeds)
    names = chosen.names or (["abalone"] if chosen.quick else list(NAMES))
    tasks = [(n, search, seed) for n in names for search in SEARCHES for seed in range(scale.seeds)]
    # Fresh processes: XGBoost's threads do not survive a fork.
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        courses = pool.map(partial(measure, chosen.data, scale), tasks, chunksize=1)
    found: dict[str, dict[str, list[Course]]] = {name: {} for name in names}
    for (name, search, _), course in zip(tasks, courses, strict=True):
        found[name].setdefault(search, []).append(course)
    outcomes = {
        name: Outcome(found[name], maximize=problem(name, chosen.data, scale.rows).maximize)
        for name in names
    }
    finish(report(outcomes, scale), chosen.results)


if __name__ == "__main__":
    main()
