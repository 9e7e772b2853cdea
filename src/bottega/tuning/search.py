"""What to try next.

>>> from bottega.tuning.spaces import CategoricalRange
>>> plan = SearchPlan("Grid", True, (CategoricalRange("booster", ("gbtree", "dart")),), seed=1)
>>> Search(plan).ask(())
{'booster': 'gbtree'}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bottega.tuning import draws
from bottega.tuning.model import Model, Told, outcomes, promises
from bottega.tuning.spaces import Range, contains, key, normal, size
from bottega.tuning.trials import PriorTrial, Trial

Strategy = Literal["Bayesian", "Random", "Grid", "Hyperband"]


@dataclass(frozen=True)
class SearchPlan:
    """How one training job definition is searched."""

    strategy: Strategy
    maximize: bool
    ranges: tuple[Range, ...]
    seed: int
    most_trials: int | None = None
    """How many training jobs there will be at most, as far as known: a short search explores
    less."""
    min_resource: int | None = None
    """Hyperband: the steps (epochs) that every trial gets; when None, ``rungs`` chooses."""
    max_resource: int | None = None
    """Hyperband: the steps at which a trial is stopped as complete; when None, the longest course
    so far tells how long a training is."""


class Search:
    """What to try next, for one tuning job and definition.

    It remembers only what it could compute again, so it may be thrown away and made anew from the
    trials at any time.
    """

    def __init__(self, plan: SearchPlan, prior: Sequence[PriorTrial] = ()) -> None:
        """
        Args:
            plan: of the definition; every range is one that ``spaces.problem`` has nothing to say
                of.
            prior: what earlier tuning jobs tried. Configurations outside of the ranges are ignored.
        """
        self._plan = plan
        self._size = size(plan.ranges)
        known = [
            replace(trial, parameters=normal(plan.ranges, trial.parameters))
            for trial in prior
            if contains(plan.ranges, trial.parameters)
        ]
        self._known = {key(plan.ranges, trial.parameters) for trial in known if trial.comparable}
        self._model = (
            Model(
                plan.ranges,
                known,
                maximize=plan.maximize,
                seed=plan.seed,
                most_trials=plan.most_trials,
            )
            if plan.strategy in ("Bayesian", "Hyperband")
            else None
        )

    def ask(self, trials: Sequence[Trial]) -> Mapping[str, str] | None:
        """The next configuration to train with, or None when all have been tried.

        Args:
            trials: all of this definition so far, in order of creation. Running ones count as
                pending, so that no second one is started beside them; failed ones as bad.

        The same plan, prior and trials give the same answer, in any process.
        """
        ranges = self._plan.ranges
        used = {key(ranges, trial.parameters) for trial in trials}
        if self._plan.strategy == "Grid":
            return draws.next_of_grid(ranges, used)
        if self._size is not None and not draws.is_left(ranges, self._size, used | self._known):
            return None
        used |= self._known
        if self._model is not None:
            return self._model.ask(self._told(self._model, trials), used)
        return draws.draw(ranges, self._plan.seed, len(trials), used)

    def _told(self, model: Model, trials: Sequence[Trial]) -> list[Told]:
        ordered = sorted(trials, key=lambda trial: trial.number)
        if self._plan.strategy == "Bayesian":
            return outcomes(ordered)
        return promises(ordered, self._plan.min_resource, self._plan.max_resource, model.first)
