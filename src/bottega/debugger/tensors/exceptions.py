"""Why a tensor, or one of its values, cannot be had. The names are those of smdebug."""

from __future__ import annotations

from bottega.debugger.tensors.modes import ModeKeys


class TensorError(Exception):
    """Something that was asked of a trial is not there."""


class TensorUnavailable(TensorError):
    """No step has written a tensor of that name, so far."""

    def __init__(self, name: str, nearest: str = "") -> None:
        hint = f" Did you mean {nearest!r}?" if nearest else ""
        super().__init__(f"No step has written a tensor {name!r}.{hint}")
        self.name = name


class StepUnavailable(TensorError):
    """The training has gone past the step and has written nothing in it."""

    def __init__(self, step: int, mode: ModeKeys) -> None:
        super().__init__(f"Nothing was written in step {step} of mode {mode.name}.")
        self.step, self.mode = step, mode


class StepNotYetAvailable(TensorError):
    """The training has not come to the step."""

    def __init__(self, step: int, mode: ModeKeys) -> None:
        super().__init__(f"The training has not come to step {step} of mode {mode.name}.")
        self.step, self.mode = step, mode


class NoMoreData(TensorError):
    """The training has ended before the step."""

    def __init__(self, step: int, mode: ModeKeys, last: int) -> None:
        super().__init__(
            f"The training has ended before step {step} of mode {mode.name}; its last step is "
            f"{last}."
        )
        self.step, self.mode, self.last = step, mode, last


class TensorUnavailableForStep(TensorError):
    """The step has not written this tensor, or only reductions of it."""

    def __init__(self, name: str, step: int, mode: ModeKeys, reductions: bool = False) -> None:
        has = "; it has reductions of it only" if reductions else ""
        super().__init__(f"Step {step} of mode {mode.name} has no tensor {name!r}{has}.")
        self.name, self.step, self.mode, self.has_reductions = name, step, mode, reductions


class ShapeUnavailableForStep(TensorUnavailableForStep):
    """Neither the tensor nor its shape was written in the step."""


class InvalidWorker(TensorError):
    """No worker of that name has written the step."""

    def __init__(self, worker: str) -> None:
        super().__init__(f"The worker {worker!r} has not written this step.")
        self.worker = worker


class BrokenTensorFile(TensorError):
    """A file is not what the layout says it is."""
