"""Tensors as screens show them: their names, and one number of each at every step."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bottega.debugger.tensors.exceptions import TensorError
from bottega.debugger.tensors.modes import ModeKeys
from bottega.debugger.tensors.tensor import Tensor
from bottega.debugger.tensors.trial import create_trial
from bottega.thinning import thinned

STATISTICS = ("value", "mean", "min", "max", "std", "l2", "abs_mean")
_ALL_STEPS = 4
"""Of a course with more than so many steps for each point that is wanted, not all are read."""


class Refused(ValueError):
    """What is asked has no meaning. The text says why."""


@dataclass
class _Course:
    """The numbers of one tensor in one mode, as far as they were read."""

    values: dict[int, float] = field(default_factory=dict)
    without: set[int] = field(default_factory=set)
    """The steps that have no such number."""


class TensorReader:
    """The tensors in one folder. Reads every step once, however often it is asked."""

    def __init__(self, folder: Path) -> None:
        self._trial = create_trial(folder)
        self._trial.dynamic_refresh = False
        self._courses: dict[tuple[str, ModeKeys, str], _Course] = {}

    def refresh(self) -> None:
        """Look for new steps."""
        if not self._trial.loaded_all_steps:
            self._trial.refresh()

    def summary(self) -> dict[str, Any]:
        """What there is: collections with the number of their tensors, modes, steps."""
        names = self._trial.tensor_names()
        steps = self._trial.steps()
        return {
            "collections": {
                name: sum(map(collection.has, names))
                for name, collection in sorted(self._trial.collections().items())
            },
            "modes": [mode.name for mode in self._modes(steps)],
            "tensors": len(names),
            "steps": len(steps),
            "last_step": steps[-1] if steps else None,
        }

    def names(
        self, collection: str | None, regex: str | None, start: int, limit: int
    ) -> dict[str, Any]:
        """Some tensors, by name.

        Raises:
            Refused: the regular expression is none.
        """
        found = self._names(collection, regex)
        collections = self._trial.collections()
        shown = []
        for name in found[start : start + limit]:
            tensor = self._trial.tensor(name)
            steps = tensor.steps()
            shown.append(
                {
                    "name": name,
                    "collections": [key for key, one in collections.items() if one.has(name)],
                    "modes": [mode.name for mode in self._modes_of(tensor)],
                    "steps": len(steps),
                    "first": steps[0] if steps else None,
                    "last": steps[-1] if steps else None,
                }
            )
        return {"total": len(found), "tensors": shown}

    def courses(
        self,
        names: Sequence[str] | None,
        collection: str | None,
        regex: str | None,
        mode: str | None,
        statistic: str,
        points: int,
        tensors: int,
    ) -> dict[str, Any]:
        """One number of each tensor at every step.

        Args:
            names: the tensors; those of ``collection`` and ``regex`` where it is None.
            collection: see above.
            regex: see above.
            mode: only steps of this mode.
            statistic: one of :data:`STATISTICS`.
            points: of each course at most.
            tensors: how many at most.

        Raises:
            Refused: the regular expression is none.
        """
        if names is not None:
            found = [name for name in names if self._trial.has_tensor(name)]
        else:
            found = self._names(collection, regex)
        courses = []
        for name in found[:tensors]:
            tensor = self._trial.tensor(name)
            for one in [ModeKeys.of(mode)] if mode else self._modes_of(tensor):
                if steps := tensor.steps(one):
                    courses.append(self._course(tensor, one, steps, statistic, points))
        last = self._trial.steps()
        return {
            "courses": courses,
            "tensors": len(found),
            "last_step": last[-1] if last else None,
        }

    def _modes(self, steps: Sequence[int]) -> list[ModeKeys]:
        """The modes that there are; some trainings, as XGBoost's, know no other than GLOBAL."""
        return self._trial.modes() or ([ModeKeys.GLOBAL] if steps else [])

    def _modes_of(self, tensor: Tensor) -> list[ModeKeys]:
        """The modes that a tensor was saved in."""
        found = [mode for mode in self._trial.modes() if tensor.steps(mode)]
        return found or [ModeKeys.GLOBAL]

    def _names(self, collection: str | None, regex: str | None) -> list[str]:
        try:
            pattern = re.compile(regex) if regex else None
        except re.error as error:
            raise Refused(f"Regex {regex!r} is no regular expression: {error}.") from error
        found = self._trial.tensor_names(collection=collection or None)
        return [name for name in found if pattern is None or pattern.search(name)]

    def _course(
        self, tensor: Tensor, mode: ModeKeys, steps: list[int], statistic: str, points: int
    ) -> dict[str, Any]:
        course = self._courses.setdefault((tensor.name, mode, statistic), _Course())
        # A stride that is a power of two asks for steps that were mostly asked for before.
        stride = 1
        while len(steps) > stride * _ALL_STEPS * points:
            stride *= 2
        chosen = steps[::stride]
        if chosen[-1] != steps[-1]:
            chosen.append(steps[-1])
        for step in chosen:
            if step not in course.values and step not in course.without:
                number = _number(tensor, mode, step, statistic)
                if number is None:
                    course.without.add(step)
                else:
                    course.values[step] = number
        there = [step for step in chosen if step in course.values]
        values = [course.values[step] for step in there]
        kept = thinned(values, points)
        return {
            "name": tensor.name,
            "mode": mode.name,
            "steps": [there[place] for place in kept],
            "values": [values[place] for place in kept],
            "count": len(steps),
            "omitted": len(chosen) - len(there),
        }


def _number(tensor: Tensor, mode: ModeKeys, step: int, statistic: str) -> float | None:
    """The mean over the workers that have it; None where none has."""
    found = []
    try:
        for worker in tensor.workers(step, mode):
            found.append(_of_worker(tensor, mode, step, worker, statistic))
    except (TensorError, TypeError):  # reductions alone were saved, or the values are texts
        return None
    return math.fsum(found) / len(found) if found else None


def _of_worker(tensor: Tensor, mode: ModeKeys, step: int, worker: str, statistic: str) -> float:
    if statistic == "value":
        try:
            value = tensor.value(step, mode, worker)
            if value.size == 1:
                return float(value.reshape(())[()])
        except TensorError:
            # Of what was saved, the mean comes nearest to the value.
            return float(tensor.reduction_value(step, "mean", mode, worker))
        statistic = "mean"
    return float(tensor.reduction_value(step, statistic, mode, worker))


def finite(numbers: Mapping[str, Any] | Any) -> Any:
    """The same with texts for what JSON has no numbers for."""
    if isinstance(numbers, float) and not math.isfinite(numbers):
        return str(numbers)
    if isinstance(numbers, Mapping):
        return {key: finite(value) for key, value in numbers.items()}
    if isinstance(numbers, list):
        return [finite(value) for value in numbers]
    return numbers
