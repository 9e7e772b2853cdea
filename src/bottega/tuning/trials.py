"""What the search knows of a training job."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal


@dataclass(frozen=True)
class Trial:
    """One training job of a tuning job."""

    number: int
    """From 0, in order of creation over the whole tuning job, all definitions together."""
    definition: str
    """The name of its definition; empty where there is a single one."""
    parameters: Mapping[str, str]
    """The tuned hyperparameters only."""
    state: Literal["running", "succeeded", "failed"]
    """Succeeded means that there is an objective, which a stopped job may have, too."""
    objective: float | None
    """The final value; None while it runs and when it failed."""
    course: Sequence[tuple[int, float]]
    """The objective metric over the training: (step or epoch from 1, value), in order, as far as
    known; also while it runs."""
    stopped_early: bool = False
    """Whether it was stopped because it was weak, or had used its share of a search."""

    @property
    def value(self) -> float | None:
        """The final objective of a trial that succeeded with a number; None otherwise."""
        if self.state != "succeeded" or self.objective is None:
            return None
        return self.objective if math.isfinite(self.objective) else None

    @property
    def steps(self) -> int:
        """How far it is known to have come; 0 when nothing is known."""
        return self.course[-1][0] if self.course else 0

    @cached_property
    def averages(self) -> Sequence[float]:
        """For each point of the course, the mean of the values up to it that are numbers; NaN
        before the first."""
        found, total, count = [], 0.0, 0
        for _, value in self.course:
            if math.isfinite(value):
                total, count = total + value, count + 1
            found.append(total / count if count else math.nan)
        return found

    def at(self, step: int) -> float | None:
        """The objective metric when it had trained this far.

        The last value up to the step, or the first after it where none was noted before; None when
        it is not known to have come so far, or when the value is no number.
        """
        if not self.course or self.steps < step:
            return None
        place = bisect_right(self.course, step, key=lambda point: point[0])
        found = self.course[max(place - 1, 0)][1]
        return found if math.isfinite(found) else None


@dataclass(frozen=True)
class PriorTrial:
    """A training job of an earlier tuning job that a search begins with."""

    parameters: Mapping[str, str]
    """Every hyperparameter of its job; those that are not searched now are ignored."""
    objective: float
    comparable: bool = True
    """Whether the objective means the same now (identical data and algorithm). Where it does not
    (transfer learning), such trials come best first, and only their order is used."""


def settled(trials: Iterable[Trial]) -> list[Trial]:
    """Those with a usable objective, in order of creation."""
    found = [trial for trial in trials if trial.value is not None]
    return sorted(found, key=lambda trial: trial.number)


def better(value: float, than: float, *, maximize: bool) -> bool:
    """Whether one objective is strictly better than another."""
    return value > than if maximize else value < than
