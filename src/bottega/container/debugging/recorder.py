"""Which tensors a framework's hook saves, when and in which form."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from bottega.container.debugging.output import Output, Place
from bottega.debugger.tensors.collection import Collection
from bottega.debugger.tensors.configuration import Framework, HookConfiguration
from bottega.debugger.tensors.modes import ModeKeys
from bottega.debugger.tensors.reductions import Reduction
from bottega.debugger.tensors.saving import ReductionConfig, SaveConfig
from bottega.debugger.tensors.writer import StepWriter

_ONLY_PLAIN = [ReductionConfig()]
"""The tensor itself, and nothing else."""
_NOT_IN_EVALUATION = frozenset({"gradients", "optimizer_variables"})


class Recorder:
    """Saves what a hook offers, as far as the configuration asks for it.

    A hook begins a step, offers tensors with :meth:`save`, and begins the next one, which closes
    the step and shows it to readers.

    Args:
        configuration: what is asked for.
        framework: what the hook knows.
        output: where to.
        place: this process among the workers.
    """

    def __init__(
        self,
        configuration: HookConfiguration,
        framework: Framework,
        output: Output,
        place: Place = lambda: (0, 1),
    ) -> None:
        self._configuration = configuration
        self._interval = framework.interval
        self._output = output
        self._place = place
        self.collections = {one.name: one for one in configuration.resolved(framework)}
        self.saving: list[Collection] = []
        """The collections that are saved in this step."""
        self._plans: dict[tuple[str, ...], dict[str, list[ReductionConfig]]] = {}
        self._plan: dict[str, list[ReductionConfig]] = {}
        self._open = False
        self._mode, self._number = ModeKeys.GLOBAL, -1
        self._step: StepWriter | None = None  # made with the first tensor of a step
        self._later: list[tuple[str, Any, float]] = []
        output.show(self.collections)

    @property
    def next_step(self) -> int:
        """The number of the global step that comes."""
        return self._output.step + 1

    def begin(self, mode: ModeKeys = ModeKeys.GLOBAL, step: int | None = None) -> bool:
        """Close the step before and begin one; returns whether anything is saved in it.

        Args:
            mode: what it is a step of.
            step: its global number; the next one without it.
        """
        if self._open:
            self.close_step()
        number = self._output.begin(mode, step)
        self._open, self._mode, self._number = True, mode, number
        if self._output.stopped:
            self.saving = []
            return False
        evaluating = mode is ModeKeys.EVAL or mode is ModeKeys.PREDICT
        self.saving = [
            one
            for one in self.collections.values()
            if one.save_config is not None
            and one.save_config.should_save_step(mode, number)
            and not (evaluating and one.name in _NOT_IN_EVALUATION)
        ]
        if not self.saving:
            return False
        self._plan = self._plans.setdefault(tuple(one.name for one in self.saving), {})
        return True

    def is_saving(self, collection: str) -> bool:
        """Whether a collection is saved in this step."""
        return any(one.name == collection for one in self.saving)

    def knows(self, name: str) -> bool:
        """Whether a tensor of that name is in a collection, and saved in some step or other."""
        return any(one.has(name) for one in self.collections.values())

    def wants(self, name: str) -> bool:
        """Whether a tensor of that name is saved in this step."""
        return bool(self.saving) and bool(self._forms(name))

    def save(self, name: str, value: Any) -> None:
        """Save a tensor, where this step wants it, itself or its reductions.

        Args:
            name: its name.
            value: an array or what numpy makes one of.
        """
        if not self.saving:
            return
        forms = self._forms(name)
        if not forms:
            return
        try:
            if forms == _ONLY_PLAIN:
                self._writer().add(name, value)
            else:
                _add(self._writer(), name, value, forms)
        except Exception as error:
            self.fail(error)

    def save_later(self, name: str, value: Any, when: float | None = None) -> None:
        """Save a value with the step that is closed next, whatever the configuration asks for."""
        self._later.append((name, value, time.time() if when is None else when))

    def collection(self, name: str) -> Collection:
        """A collection; made where there is none, to be saved as the hook's parameters say."""
        self._plans.clear()  # whoever asks may add patterns
        self._plan = {}
        if name not in self.collections:
            parameters = self._configuration.parameters
            self.collections[name] = Collection(
                name,
                save_config=SaveConfig.every(self._interval).with_parameters(parameters),
                reduction_config=ReductionConfig.from_parameters(parameters) or ReductionConfig(),
            )
        return self.collections[name]

    def add_to(self, collection: str, name: str) -> None:
        """Make a tensor a member of a collection, which is made where there is none."""
        self.collection(collection).tensor_names.add(name)

    def close_step(self) -> None:
        """Write what was saved in this step, whole."""
        begun, self._open, self.saving = self._open, False, []
        if self._step is None and not self._later:
            return
        try:
            if not begun:
                self._mode, self._number = ModeKeys.GLOBAL, self._output.begin(ModeKeys.GLOBAL)
            step = self._writer()
            for name, value, when in self._later:
                step.add(name, value, when)
            self._step, self._later = None, []
            self._output.write(step, self._place)
        except Exception as error:
            self.fail(error)

    def flush(self) -> None:
        """Wait until the steps that are closed can be read."""
        self._output.settle()

    def fail(self, error: Exception) -> None:
        """Say what went wrong, and save nothing more."""
        self._forget()
        self._output.fail(error)

    def stop(self) -> None:
        """Save nothing more."""
        self._forget()
        self._output.stop()

    def _forget(self) -> None:
        self.saving, self._step, self._later = [], None, []

    def _writer(self) -> StepWriter:
        if self._step is None:
            self._step = StepWriter(self._output.step, self._mode, self._number)
        return self._step

    def _forms(self, name: str) -> list[ReductionConfig]:
        """In which forms this step saves a tensor; kept, as steps that save the same are many."""
        found = self._plan.get(name)
        if found is None:
            found = []
            for one in self.saving:
                if one.has(name):
                    one.tensor_names.add(name)
                    if one.reduction_config is not None and one.reduction_config not in found:
                        found.append(one.reduction_config)
            self._plan[name] = found
        return found


def _add(writer: StepWriter, name: str, value: Any, forms: Iterable[ReductionConfig]) -> None:
    import numpy as np

    array = np.asarray(value)
    reductions: dict[Reduction, None] = {}
    raw = shape = False
    for form in forms:
        reductions |= dict.fromkeys(form.reductions)
        raw |= form.save_raw_tensor
        shape |= form.save_shape
    if array.dtype.kind in "biufc" and array.size:
        for reduction in reductions:
            writer.add(reduction.tensor_name(name), reduction.of(array))
    elif reductions:
        raw = True  # texts have no reductions
    if raw:
        writer.add(name, array)
    if shape:
        writer.add_shape(name, array.shape)
