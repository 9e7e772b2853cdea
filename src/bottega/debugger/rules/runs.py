"""A rule that compares a training with others, and one that waits for its next step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bottega.debugger.findings import Finding, number
from bottega.debugger.rules.parameters import parameter
from bottega.debugger.rules.reading import Reading
from bottega.debugger.rules.rule import EVERY, Rule
from bottega.debugger.rules.tensors import OfTensors


@dataclass
class SimilarAcrossRuns(OfTensors):
    """A tensor differs from the one of another training at the same step."""

    looks_for: ClassVar[str] = "Tensors that differ from those of another training at a step."
    advice: ClassVar[str] = (
        "If both trainings should be alike, compare their seeds, data, library versions and "
        "hyperparameters."
    )
    frameworks: ClassVar[tuple[str, ...]] = EVERY
    tensors_wanted: ClassVar[str] = "tensors that both trainings saved at the same step"

    def look(self, at: Reading) -> Finding | None:
        for other in self.other_trials:
            if at.step not in other.steps():
                continue
            with other.frozen():
                finding = self._compared(at, Reading(other, at.step))
            if finding is not None:
                return finding
        return None

    def _compared(self, at: Reading, there: Reading) -> Finding | None:
        import numpy as np

        names = set(there.selected(self.collection_names, self.tensor_regex))
        for name in at.selected(self.collection_names, self.tensor_regex):
            here = at.value(name) if name in names else None
            beyond = there.value(name) if here is not None else None
            if here is None or beyond is None:
                continue
            self.looked_at += 1
            if here.shape != beyond.shape:
                return self.found(
                    at,
                    f"{name} has the shape {here.shape} here and {beyond.shape} there.",
                    [name],
                )
            if not np.allclose(here, beyond, equal_nan=True):
                far = float(np.abs(np.subtract(here, beyond, dtype=np.float64)).max())
                return self.found(
                    at,
                    f"{name} differs from the other training's by up to {far:.4g}.",
                    [name],
                    largest_difference=number(far),
                )
        return None

    def remark(self) -> str:
        if not self.other_trials:
            return (
                "No other training was given to compare with. Name one in other_trial, or in "
                "other_trials_s3_input_paths."
            )
        return super().remark()


@dataclass
class StalledTrainingRule(Rule):
    """Nothing was saved for too long."""

    looks_for: ClassVar[str] = "A training that has saved no tensor for a long time."
    advice: ClassVar[str] = (
        "See the log's last lines: a deadlock, a data loader that waits, or a save_interval that "
        "is longer than the threshold."
    )
    frameworks: ClassVar[tuple[str, ...]] = EVERY

    threshold: int = parameter(
        1800, at_least=1, doc="Seconds without a new step at which it fires."
    )
    stop_training_on_fire: bool = parameter(
        False, doc="Stop the training when it fires, as the action StopTraining does."
    )
    training_job_name_prefix: str | None = parameter(
        None, kind=str, doc="What the name of the job to stop begins with."
    )

    _last: int | None = None

    def look(self, at: Reading) -> Finding | None:
        self.looked_at += 1
        self._last = at.step
        return None

    def invoke_while_waiting(self, waited: float) -> Finding | None:
        if waited < self.threshold:
            return None
        since = "the training began" if self._last is None else f"step {self._last}"
        return self.found(
            self._last,
            f"No tensor has been saved for {waited:.0f} seconds, since {since}; up to "
            f"{self.threshold} seconds is sound.",
            waited_seconds=round(waited),
            threshold=self.threshold,
        )
