"""Beginning a search with what earlier tuning jobs found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Literal

from bottega.tuning.spaces import CategoricalRange, ContinuousRange, IntegerRange, Range
from bottega.tuning.trials import PriorTrial, Trial, settled

WarmStartType = Literal["IdenticalDataAndAlgorithm", "TransferLearning"]

MOST_PARENTS = 5
MOST_CHANGES = 10
MOST_TRIALS = 500
ENDED = ("Completed", "Stopped", "Failed")

_OWN = "_tuning_objective_metric"


@dataclass(frozen=True)
class TuningJob:
    """What warm start looks at of one training job definition of a tuning job, parent or child."""

    name: str
    """The tuning job's."""
    status: str
    metric: str
    maximize: bool
    static: Mapping[str, str]
    ranges: tuple[Range, ...]
    image: str
    """TrainingImage or AlgorithmName."""
    data: Any
    """InputDataConfig, or whatever is equal when the data are the same."""


def refusal(child: TuningJob, parents: Sequence[TuningJob], kind: WarmStartType) -> str | None:
    """Why the child cannot begin with these parents, as a sentence; None when it can."""
    if not 1 <= len(parents) <= MOST_PARENTS:
        return (
            f"A warm start takes 1 to {MOST_PARENTS} parent tuning jobs; {len(parents)} were given."
        )
    names = [parent.name for parent in parents]
    if len(set(names)) < len(names):
        return "A parent tuning job is given twice; give each once."
    for parent in parents:
        if found := _refusal(child, parent, kind):
            return found
    return None


def too_many(parents_trials: int, own: int) -> str | None:
    """Why so many training jobs are too many for a warm start; None when they are not."""
    if parents_trials + own <= MOST_TRIALS:
        return None
    return (
        f"The parent tuning jobs launched {parents_trials} training jobs; with {own} of its own "
        f"this one would have more than {MOST_TRIALS}. Lower MaxNumberOfTrainingJobs or give fewer "
        "parents."
    )


def _refusal(child: TuningJob, parent: TuningJob, kind: WarmStartType) -> str | None:
    where = f"parent tuning job {parent.name}"
    if parent.status not in ENDED:
        return (
            f"The {where} is {parent.status}; a parent has to be Completed, Stopped or Failed. "
            "Wait for it, or stop it."
        )
    if (parent.metric, parent.maximize) != (child.metric, child.maximize):
        return (
            f"The objective of the {where} is {_objective(parent)}, not {_objective(child)}; it "
            "has to be the same."
        )
    own, theirs = _types(child), _types(parent)
    if own.keys() != theirs.keys():
        different = ", ".join(sorted(own.keys() ^ theirs.keys()))
        return (
            f"Static and tunable hyperparameters together have to be those of the {where}; these "
            f"are in one of the two only: {different}."
        )
    for name in sorted(own):
        if own[name] and theirs[name] and own[name] != theirs[name]:
            return (
                f"Hyperparameter {name} is {own[name]} here and {theirs[name]} in the {where}; "
                "the type has to be the same."
            )
    count = len(changes(child, parent))
    if count > MOST_CHANGES:
        return (
            f"{count} hyperparameters differ from the {where} in their value, or in being static "
            f"or tunable; at most {MOST_CHANGES} may."
        )
    if kind == "IdenticalDataAndAlgorithm":
        for what, same in (
            ("training image", child.image == parent.image),
            ("input data", child.data == parent.data),
        ):
            if not same:
                return (
                    f"The {what} differs from that of the {where}, which "
                    "IdenticalDataAndAlgorithm does not allow; use TransferLearning."
                )
    return None


def changes(child: TuningJob, parent: TuningJob) -> tuple[str, ...]:
    """The hyperparameters that were static and are tunable, or the other way round, or are static
    with another value; in alphabetical order."""
    own, theirs = _values(child), _values(parent)
    return tuple(
        name
        for name in sorted(own.keys() | theirs.keys())
        if name not in own or name not in theirs or own[name] != theirs[name]
    )


def prior_trials(
    child: TuningJob, parents: Sequence[tuple[TuningJob, Sequence[Trial]]], kind: WarmStartType
) -> list[PriorTrial]:
    """What the parents' training jobs teach the child's search.

    With TransferLearning the parents' best are taken in turn, because objectives of different data
    say nothing of one another.

    Args:
        child: the definition that is searched.
        parents: each with the trials of the definition that matches the child's.
    """
    lists = []
    for parent, trials in parents:
        found = [
            PriorTrial(
                parameters={**_values_given(parent), **trial.parameters},
                objective=trial.value,
                comparable=kind == "IdenticalDataAndAlgorithm",
            )
            for trial in settled(trials)
            if trial.value is not None
        ]
        if kind == "TransferLearning":
            found.sort(key=lambda trial: trial.objective, reverse=child.maximize)
        lists.append(found)
    if kind == "IdenticalDataAndAlgorithm":
        return [trial for found in lists for trial in found]
    turns = zip_longest(*lists)
    return [trial for turn in turns for trial in turn if trial is not None]


def _objective(job: TuningJob) -> str:
    return f"{'Maximize' if job.maximize else 'Minimize'} {job.metric}"


def _values_given(job: TuningJob) -> dict[str, str]:
    return {name: value for name, value in job.static.items() if name != _OWN}


def _values(job: TuningJob) -> dict[str, str | None]:
    """Every hyperparameter with its static value, or None where it is tunable."""
    values: dict[str, str | None] = dict(_values_given(job))
    return values | dict.fromkeys(searched.name for searched in job.ranges)


def _types(job: TuningJob) -> dict[str, str]:
    """Every hyperparameter with its type; empty where it is static, which has none."""
    names = {
        ContinuousRange: "continuous",
        IntegerRange: "integer",
        CategoricalRange: "categorical",
    }
    return {
        **dict.fromkeys(_values_given(job), ""),
        **{searched.name: names[type(searched)] for searched in job.ranges},
    }
