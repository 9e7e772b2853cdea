"""Configurations that a model of the trials so far holds promising.

The model is Optuna's multivariate TPE. A Gaussian process would need PyTorch in Optuna, and its
cost grows with the cube of the trials; ``benchmarks/tuning.py`` measures what TPE finds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bottega.tuning import draws
from bottega.tuning.curves import Curves, learned
from bottega.tuning.optuna_study import OptunaStudy, is_single
from bottega.tuning.rungs import rungs
from bottega.tuning.spaces import Range, key
from bottega.tuning.trials import PriorTrial, Trial

FIRST = 10
"""How many configurations are spread over the space before the model is asked; fewer in a search
of fewer than four times as many trials."""
FEWEST_FIRST = 4

ELSEWHERE = 5
"""How many of the best configurations of other data are tried first."""

RETRIES = 5
"""How often the model is asked again when it proposes what has been tried."""


@dataclass(frozen=True)
class Told:
    """What the model is told of a trial."""

    parameters: Mapping[str, str]
    objective: float | None
    """None while it is pending: it runs, or failed, or did not come far enough."""
    stopped_at: int | None = None
    """The step, where it was stopped early."""


def outcomes(trials: Sequence[Trial]) -> list[Told]:
    """Of trials that are judged by their end.

    One that failed stays pending, which counts as bad; one that was stopped early counts as worse
    than all that were not, and by how far it came.
    """
    return [
        Told(
            trial.parameters,
            trial.value,
            trial.steps if trial.stopped_early and trial.value is not None else None,
        )
        for trial in trials
    ]


def promises(
    trials: Sequence[Trial], min_resource: int | None, max_resource: int | None, enough: int
) -> list[Told]:
    """Of trials that were stopped at rungs: their end, or the end that their courses promise.

    Until enough trials came to the end to tell what a course promises, all are compared at the same
    step, as in BOHB: the last that enough of them came to. Who did not come so far stays pending,
    which counts as bad.

    Args:
        enough: of trials at the step.
    """
    longest = max((trial.steps for trial in trials), default=0)
    end = max_resource or longest
    judged = rungs(min_resource, max_resource, longest)
    curves = [found for rung in judged if (found := learned(trials, rung, end)) is not None]
    if curves:
        return [Told(trial.parameters, _promised(trial, curves, end)) for trial in trials]
    for step in (end, *reversed(judged)):
        values = [_at(trial, step) for trial in trials]
        if sum(value is not None for value in values) >= enough:
            break
    else:
        values = [None] * len(trials)
    return [Told(trial.parameters, value) for trial, value in zip(trials, values, strict=True)]


def _promised(trial: Trial, curves: Sequence[Curves], end: int) -> float | None:
    """The end of a trial, or what it promised at the last rung that it came to; None while it
    runs."""
    value = _at(trial, end)
    if value is not None or not trial.stopped_early:
        return value
    found = (promise for at in reversed(curves) if (promise := at.promise(trial)) is not None)
    return next(found, None)


def _at(trial: Trial, step: int) -> float | None:
    """The objective at a step; that at the end, where a training ended by itself before."""
    value = trial.at(step)
    ended = trial.steps <= step and not trial.stopped_early
    return trial.value if value is None and ended else value


class Model:
    """The model of one definition's trials.

    It keeps Optuna's study and tells it only what is new. Promises change with every trial that
    comes to its end, and then the study is made anew.
    """

    def __init__(
        self,
        ranges: Sequence[Range],
        prior: Sequence[PriorTrial],
        *,
        maximize: bool,
        seed: int,
        most_trials: int | None,
    ) -> None:
        self._ranges = ranges
        self._maximize = maximize
        self._seed = seed
        self._prior = [trial for trial in prior if trial.comparable]
        self._elsewhere = self._own([trial for trial in prior if not trial.comparable])
        self.first = FIRST
        if most_trials is not None:
            self.first = min(FIRST, max(FEWEST_FIRST, most_trials // 4))
        self._leaves_a_choice = not all(map(is_single, ranges))
        self._study: OptunaStudy | None = None
        self._told: list[Told] = []

    def ask(self, told: Sequence[Told], used: draws.Used) -> dict[str, str]:
        """The next configuration, which is not a used one as long as there are others.

        Args:
            told: of all trials, in order of creation.
            used: keys of configurations.
        """
        for configuration in self._elsewhere:
            if key(self._ranges, configuration) not in used:
                return configuration
        for found in self._proposals(told):
            if key(self._ranges, found) not in used:
                return found
        return draws.draw(self._ranges, self._seed, len(told), used)

    def _proposals(self, told: Sequence[Told]) -> Iterator[dict[str, str]]:
        known = len(self._prior) + sum(trial.objective is not None for trial in told)
        if known < self.first or not self._leaves_a_choice:
            yield draws.spread(self._ranges, self._seed, len(told), self.first)
            return
        study = self._tell(told)
        for attempt in range(RETRIES):
            random = draws.generator(self._seed, "model", len(told), attempt)
            yield study.propose(random.getrandbits(32))

    def _own(self, prior: Sequence[PriorTrial]) -> list[dict[str, str]]:
        """The first few different configurations, with what is searched now."""
        found: dict[tuple[str, ...], dict[str, str]] = {}
        for trial in prior:
            own = {searched.name: trial.parameters[searched.name] for searched in self._ranges}
            found.setdefault(key(self._ranges, own), own)
        return list(found.values())[:ELSEWHERE]

    def _tell(self, told: Sequence[Told]) -> OptunaStudy:
        """The study with these trials in it, in this order, whatever it was told before."""
        follows = len(self._told) <= len(told) and all(map(_follows, self._told, told))
        if self._study is None or not follows:
            self._told = []
            self._study = OptunaStudy(self._ranges, maximize=self._maximize)
            for prior in self._prior:
                self._study.finish(self._study.add(prior.parameters), prior.objective)
        for place, trial in enumerate(told):
            is_new = place >= len(self._told)
            if is_new:
                self._study.add(trial.parameters)
            if trial.objective is not None and (is_new or self._told[place].objective is None):
                self._study.finish(len(self._prior) + place, trial.objective, trial.stopped_at)
        self._told = list(told)
        return self._study


def _follows(before: Told, after: Told) -> bool:
    """Whether a study that was told of a trial can be told what it is now."""
    pending = before.objective is None and before.parameters == after.parameters
    return pending or before == after
