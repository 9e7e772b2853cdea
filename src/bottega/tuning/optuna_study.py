"""Optuna's study of one definition's trials, told of them as they come and asked for the next.

Optuna is imported when the first study is made.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bottega.tuning.spaces import (
    CategoricalRange,
    ContinuousRange,
    IntegerRange,
    Range,
    from_unit,
    parsed,
    resolved,
    written,
)

if TYPE_CHECKING:
    from types import ModuleType

    from optuna.distributions import BaseDistribution


def optuna() -> ModuleType:
    """Optuna, which says nothing about studies that are made."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


class OptunaStudy:
    """Trials by their place, in Optuna's memory.

    An unfinished trial counts as pending.
    """

    def __init__(self, ranges: Sequence[Range], *, maximize: bool) -> None:
        library = optuna()
        directions = library.study.StudyDirection
        self._ranges = ranges
        self._space = distributions(ranges)
        self._storage = library.storages.InMemoryStorage()
        self._id = self._storage.create_new_study(
            [directions.MAXIMIZE if maximize else directions.MINIMIZE], "search"
        )
        self._study = library.load_study(study_name="search", storage=self._storage)
        self._ids: list[int] = []

    def add(self, parameters: Mapping[str, str]) -> int:
        """Tell of a trial; returns its place, which is one more than that of the one before."""
        library = optuna()
        trial = library.trial.create_trial(
            state=library.trial.TrialState.RUNNING,
            params=inward(self._ranges, self._space, parameters),
            distributions=self._space,
        )
        self._ids.append(self._storage.create_new_trial(self._id, template_trial=trial))
        return len(self._ids) - 1

    def finish(self, place: int, objective: float, stopped_at: int | None = None) -> None:
        """Tell how a trial ended.

        Args:
            place: what :meth:`add` gave.
            objective: a finite number.
            stopped_at: the step, where it was stopped early.
        """
        states = optuna().trial.TrialState
        if stopped_at is not None:
            self._storage.set_trial_intermediate_value(self._ids[place], stopped_at, objective)
        state = states.COMPLETE if stopped_at is None else states.PRUNED
        self._storage.set_trial_state_values(self._ids[place], state, [objective])

    def propose(self, seed: int) -> dict[str, str]:
        """What a multivariate TPE would try next.

        The answer depends on the trials and the seed alone. Pending trials count as bad ones, so
        that those that run side by side differ.
        """
        library = optuna()
        with warnings.catch_warnings():
            # Multivariate sampling and pending trials (the constant liar) are called experimental.
            warnings.simplefilter("ignore", library.exceptions.ExperimentalWarning)
            sampler = library.samplers.TPESampler(
                multivariate=True,
                constant_liar=True,
                n_startup_trials=0,
                seed=seed,
            )
        # The sampler notes its answer at a trial. That one is over at once: what is started with
        # the answer is told of like any trial.
        note = self._storage.create_new_trial(self._id)
        found = sampler.sample_relative(self._study, self._storage.get_trial(note), self._space)
        self._storage.set_trial_state_values(note, library.trial.TrialState.FAIL)
        return {searched.name: outward(searched, found) for searched in self._ranges}

    def importances(self) -> dict[str, float]:
        """The share of each hyperparameter in the differences between finished trials, by how much
        it splits a random forest that predicts the objective; the largest first.

        Imports scikit-learn. Of Optuna's evaluators, fANOVA says much the same but takes seconds
        with hundreds of trials, and PED-ANOVA looks at the best tenth only, which is next to
        nothing of a few dozen.
        """
        if not self._space:
            return {}
        evaluators = optuna().importance
        found = evaluators.get_param_importances(
            self._study,
            evaluator=evaluators.MeanDecreaseImpurityImportanceEvaluator(seed=0),
            params=list(self._space),
        )
        return {name: float(share) for name, share in found.items()}


def distributions(ranges: Sequence[Range]) -> dict[str, BaseDistribution]:
    """Optuna's distributions of the ranges that leave a choice."""
    return {one.name: _distribution(one) for one in ranges if not is_single(one)}


def is_single(searched: Range) -> bool:
    """Whether a range has one value only."""
    if isinstance(searched, CategoricalRange):
        return len(searched.values) == 1
    return searched.low == searched.high


def _distribution(searched: Range) -> BaseDistribution:
    kinds = optuna().distributions
    if isinstance(searched, CategoricalRange):
        found: BaseDistribution = kinds.CategoricalDistribution(searched.values)
        return found
    scaling = resolved(searched.scaling, searched.low, searched.high)
    if isinstance(searched, IntegerRange):
        found = kinds.IntDistribution(searched.low, searched.high, log=scaling == "Logarithmic")
    elif scaling == "ReverseLogarithmic":
        found = kinds.FloatDistribution(1 - searched.high, 1 - searched.low, log=True)
    else:
        found = kinds.FloatDistribution(searched.low, searched.high, log=scaling == "Logarithmic")
    return found


def inward(
    ranges: Sequence[Range], space: Mapping[str, BaseDistribution], parameters: Mapping[str, str]
) -> dict[str, float | int | str]:
    """A configuration in Optuna's coordinates, of which ReverseLogarithmic ranges have 1 - x."""
    found: dict[str, float | int | str] = {}
    for searched in ranges:
        if searched.name not in space:
            continue
        value = parsed(searched, parameters[searched.name])
        if isinstance(searched, ContinuousRange) and searched.scaling == "ReverseLogarithmic":
            value = min(max(1 - float(value), 1 - searched.high), 1 - searched.low)
        found[searched.name] = value
    return found


def outward(searched: Range, found: Mapping[str, float | int | str]) -> str:
    """The text of a range's value in Optuna's answer."""
    if searched.name not in found:
        return from_unit(searched, 0.0)
    value = found[searched.name]
    if isinstance(searched, ContinuousRange):
        number = float(value)
        if searched.scaling == "ReverseLogarithmic":
            number = 1 - number
        value = min(max(number, searched.low), searched.high)
    return written(searched, value)
