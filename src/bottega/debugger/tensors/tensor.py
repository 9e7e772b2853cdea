"""One tensor of a trial: its values over the steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from bottega.debugger.tensors.exceptions import (
    InvalidWorker,
    ShapeUnavailableForStep,
    TensorUnavailableForStep,
)
from bottega.debugger.tensors.modes import ModeKeys
from bottega.debugger.tensors.reductions import Reduction

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]


class Location(NamedTuple):
    """Where one record is: a file of the trial, and the record's bytes in it."""

    file: str
    start: int
    length: int


@dataclass(slots=True)
class Written:
    """What one worker has written of a tensor in one step."""

    location: Location | None = None
    """Where its value is; None where only reductions or its shape were saved."""
    shape: tuple[int, ...] | None = None
    reductions: dict[Reduction, Location] = field(default_factory=dict)


class Steps(Protocol):
    """What a tensor needs to know of its trial."""

    def maybe_refresh(self) -> None: ...
    def is_complete(self, step: int) -> bool: ...
    def require_step(self, step: int, mode: ModeKeys) -> tuple[ModeKeys, int]: ...
    def global_step(self, mode: ModeKeys | str, mode_step: int) -> int | None: ...


class Tensor:
    """A tensor of a trial. Got from :meth:`Trial.tensor`.

    A mode is a :class:`ModeKeys` or its name. Steps of mode GLOBAL are the trial's, those of
    another mode are counted in that mode. A worker is named ``worker_0`` and so on; without one,
    the first that has written the step is meant.
    """

    def __init__(self, name: str, trial: Steps, fetch: Callable[[Location], Array]) -> None:
        self.name = name
        self._trial = trial
        self._fetch = fetch
        self._modes: dict[ModeKeys, dict[int, dict[str, Written]]] = {}

    def __repr__(self) -> str:
        return f"<Tensor {self.name}>"

    def written(self, mode: ModeKeys, mode_step: int, worker: str) -> Written:
        """The entry of a worker for a step, made where it is missing; for the trial's reader."""
        workers = self._modes.setdefault(mode, {}).setdefault(mode_step, {})
        return workers.setdefault(worker, Written())

    def steps(
        self, mode: ModeKeys | str = ModeKeys.GLOBAL, show_incomplete_steps: bool = False
    ) -> list[int]:
        """The steps that have it, in order; those which every worker has written, unless asked."""
        self._trial.maybe_refresh()
        mode = ModeKeys.of(mode)
        modes = self._modes if mode is ModeKeys.GLOBAL else [mode]
        found: list[int] = []
        for one in modes:
            for mode_step in self._modes.get(one, ()):
                step = self._trial.global_step(one, mode_step)
                if step is not None and (show_incomplete_steps or self._trial.is_complete(step)):
                    found.append(step if mode is ModeKeys.GLOBAL else mode_step)
        return sorted(found)

    def prev_steps(
        self, step: int, n: int | None = None, mode: ModeKeys | str = ModeKeys.GLOBAL
    ) -> list[int]:
        """The last ``n`` steps (all without ``n``) that have it, up to and with ``step``."""
        found = [one for one in self.steps(mode) if one <= step]
        return found if n is None else found[len(found) - min(n, len(found)) :]

    def workers(self, step_num: int, mode: ModeKeys | str = ModeKeys.GLOBAL) -> list[str]:
        """The workers that have written it in a step, in order.

        Raises:
            TensorUnavailableForStep, StepUnavailable, StepNotYetAvailable, NoMoreData
        """
        return sorted(self._of_step(step_num, ModeKeys.of(mode)))

    def value(
        self, step_num: int, mode: ModeKeys | str = ModeKeys.GLOBAL, worker: str | None = None
    ) -> Array:
        """Its value in a step: an array of the shape and the type it had, or of texts.

        Raises:
            TensorUnavailableForStep: the step does not have it, or only reductions of it.
            StepUnavailable: nothing was written in the step, and it has gone by.
            StepNotYetAvailable: the training has not come to it.
            NoMoreData: the training ended before it.
            InvalidWorker: this worker has not written it.
        """
        mode = ModeKeys.of(mode)
        found = self._of_worker(step_num, mode, worker)
        if found.location is None:
            raise TensorUnavailableForStep(self.name, step_num, mode, bool(found.reductions))
        return self._fetch(found.location)

    def values(
        self, mode: ModeKeys | str = ModeKeys.GLOBAL, worker: str | None = None
    ) -> dict[int, Array]:
        """Its value in each of its complete steps, by step, in order."""
        return {step: self.value(step, mode, worker) for step in self.steps(mode)}

    def shape(
        self, step_num: int, mode: ModeKeys | str = ModeKeys.GLOBAL, worker: str | None = None
    ) -> tuple[int, ...]:
        """Its shape in a step, without reading its value where the shape was saved.

        Raises:
            ShapeUnavailableForStep: neither was saved. Otherwise as :meth:`value`.
        """
        mode = ModeKeys.of(mode)
        found = self._of_worker(step_num, mode, worker)
        if found.shape is not None:
            return found.shape
        if found.location is None:
            raise ShapeUnavailableForStep(self.name, step_num, mode, bool(found.reductions))
        shape: tuple[int, ...] = self._fetch(found.location).shape
        return shape

    def reduction_value(
        self,
        step_num: int,
        reduction_name: str,
        mode: ModeKeys | str = ModeKeys.GLOBAL,
        worker: str | None = None,
        abs: bool = False,
    ) -> Array:
        """A reduction of it in a step, as saved, or computed from its value where that was saved.

        Args:
            step_num: the step, counted in ``mode``.
            reduction_name: ``min``, ``max``, ``median``, ``mean``, ``std``, ``variance``, ``sum``,
                ``prod``, ``l1`` or ``l2``; ``abs_mean`` and ``l2_norm`` are understood, too.
            mode: what ``step_num`` counts.
            worker: whose.
            abs: whether of its absolute values.

        Returns:
            An array without dimensions: a number.

        Raises:
            ValueError: there is no such reduction.
            TypeError: its values are texts.
            TensorUnavailableForStep: neither is there. Otherwise as :meth:`value`.
        """
        mode, reduction = ModeKeys.of(mode), Reduction.parse(reduction_name)
        reduction = Reduction(reduction.name, reduction.abs or abs)
        found = self._of_worker(step_num, mode, worker)
        if reduction in found.reductions:
            return self._fetch(found.reductions[reduction]).reshape(())
        if found.location is None:
            raise TensorUnavailableForStep(self.name, step_num, mode, bool(found.reductions))
        return reduction.of(self._fetch(found.location))

    def reduction_values(
        self, step_num: int, mode: ModeKeys | str = ModeKeys.GLOBAL, worker: str | None = None
    ) -> dict[tuple[str, bool], Array]:
        """The reductions that were saved in a step, by name and whether of absolute values."""
        found = self._of_worker(step_num, ModeKeys.of(mode), worker)
        return {
            (one.name, one.abs): self._fetch(at).reshape(()) for one, at in found.reductions.items()
        }

    def _of_step(self, step: int, mode: ModeKeys) -> dict[str, Written]:
        own_mode, own_step = self._trial.require_step(step, mode)
        found = self._modes.get(own_mode, {}).get(own_step)
        if not found:
            raise TensorUnavailableForStep(self.name, step, mode)
        return found

    def _of_worker(self, step: int, mode: ModeKeys, worker: str | None) -> Written:
        workers = self._of_step(step, mode)
        if worker is None:
            return workers[min(workers)]
        if worker not in workers:
            raise InvalidWorker(worker)
        return workers[worker]
