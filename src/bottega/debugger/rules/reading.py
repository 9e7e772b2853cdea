"""What a rule reads at one step: names of tensors, and their numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bottega.debugger.tensors.exceptions import TensorUnavailableForStep
from bottega.debugger.tensors.trial import Trial

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

SHOWN = 10
"""How many tensors a finding names at most."""


@dataclass(frozen=True)
class Reading:
    """One step of a trial."""

    trial: Trial
    step: int

    @property
    def mode(self) -> str:
        """TRAIN, EVAL, PREDICT or GLOBAL."""
        mode = self.trial.mode(self.step)
        return "GLOBAL" if mode is None else mode.name

    @property
    def trains(self) -> bool:
        """Whether this is a step of training: of mode TRAIN, or of a script that has no modes."""
        return self.mode in ("TRAIN", "GLOBAL")

    def of_collection(self, name: str) -> list[str]:
        """Tensors of a collection that were saved at this step, in order of their names."""
        return self.trial.tensor_names(step=self.step, collection=name)

    def matching(self, patterns: Sequence[str]) -> list[str]:
        """Tensors that were saved at this step in whose names one of the expressions is found."""
        return self.trial.tensor_names(step=self.step, regex=patterns)

    def selected(self, collections: Sequence[str], patterns: Sequence[str]) -> list[str]:
        """The union of both; all tensors of this step where neither is given."""
        if not collections and not patterns:
            return self.trial.tensor_names(step=self.step)
        names = set(self.matching(patterns)) if patterns else set()
        return sorted(names.union(*map(self.of_collection, collections)))

    def value(self, name: str) -> Array | None:
        """A tensor's numbers; None for texts, and where only reductions were saved."""
        import numpy as np

        found = self.any_value(name)
        if found is None or found.dtype.kind not in "biuf":
            return None
        # Half precision would overflow in sums.
        return found.astype(np.float32) if found.dtype.kind == "f" and found.itemsize < 4 else found

    def any_value(self, name: str) -> Array | None:
        """A tensor's content, numbers or texts; None where only reductions were saved."""
        import numpy as np

        try:
            return np.asarray(self.trial.tensor(name).value(self.step))
        except TensorUnavailableForStep:
            return None

    def scalar(self, name: str) -> float | None:
        """A tensor of one number; None for others."""
        value = self.value(name)
        return float(value.reshape(-1)[0]) if value is not None and value.size == 1 else None

    def reduction(self, name: str, reduction: str, *, absolute: bool = False) -> float | None:
        """One number of a tensor, such as ``mean``, of its numbers or as it was saved; None where
        neither can be had."""
        try:
            value = self.trial.tensor(name).reduction_value(self.step, reduction, abs=absolute)
        except (TensorUnavailableForStep, TypeError):  # not saved, or a text
            return None
        return float(value)


def listed(names: Iterable[str]) -> str:
    """Names for a sentence: the first few, and how many more there are.

    >>> listed(["conv1", "conv2"])
    'conv1, conv2'
    """
    every = list(names)
    more = f" and {len(every) - 3} more" if len(every) > 3 else ""
    return ", ".join(every[:3]) + more
