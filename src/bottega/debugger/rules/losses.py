"""A rule over the course of the loss."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar

from bottega.debugger.findings import Finding, number
from bottega.debugger.rules.metric_names import better_when_large
from bottega.debugger.rules.parameters import parameter
from bottega.debugger.rules.reading import Reading
from bottega.debugger.rules.rule import EVERY, Collections, Rule


@dataclass
class _Course:
    """The losses of one tensor in one mode."""

    points: list[tuple[int, float]] = field(default_factory=list)
    """Step and loss, of as far back as will be compared with."""
    checked: int | None = None
    lowest: float = math.inf
    """Of the losses that were compared."""


@dataclass
class LossNotDecreasing(Rule):
    """The loss has not come down enough over a number of steps."""

    looks_for: ClassVar[str] = "A loss that does not come down over a number of steps."
    advice: ClassVar[str] = (
        "Try another learning rate (lower where the loss jumps, higher where it rests), see that "
        "labels and inputs belong together, and that gradients reach the weights. If the model is "
        "as good as it should be, stop here."
    )
    frameworks: ClassVar[tuple[str, ...]] = EVERY
    collections: ClassVar[Collections] = {"losses": {"save_interval": "500"}}
    tensors_wanted: ClassVar[str] = "losses (of one number)"

    collection_names: tuple[str, ...] = parameter((), doc="Collections to look at.")
    tensor_regex: tuple[str, ...] = parameter(
        (), pattern=True, doc="Expressions for names of tensors to look at."
    )
    use_losses_collection: bool = parameter(
        True, doc="Whether to look at the collection losses besides."
    )
    num_steps: int = parameter(
        10, at_least=1, doc="A loss is compared with the one at least so many steps before."
    )
    diff_percent: float = parameter(
        0.1, at_least=0, at_most=100, doc="By how many percent it has to have come down."
    )
    increase_threshold_percent: float = parameter(
        5.0,
        at_least=0,
        doc="A loss that has gone up by no more percent, also over the lowest one that was "
        "compared, is taken for noise.",
    )
    mode: str | None = parameter(
        "GLOBAL",
        choices=("TRAIN", "EVAL", "PREDICT", "GLOBAL"),
        doc="The mode whose steps are looked at; GLOBAL for all, each mode by itself.",
    )

    _courses: dict[tuple[str, str], _Course] = field(default_factory=dict, init=False)

    def look(self, at: Reading) -> Finding | None:
        if self.mode not in (None, "GLOBAL", at.mode):
            return None
        findings = [self._check(at, name) for name in self._names(at)]
        return next((finding for finding in findings if finding is not None), None)

    def _names(self, at: Reading) -> list[str]:
        names: set[str] = set()
        if self.use_losses_collection:
            # XGBoost has its losses among its metrics.
            names |= set(at.of_collection("losses") or at.of_collection("metrics"))
        if self.collection_names or self.tensor_regex:
            names |= set(at.selected(self.collection_names, self.tensor_regex))
        # A collection of metrics has some that should go up.
        return sorted(name for name in names if not better_when_large(name))

    def _check(self, at: Reading, name: str) -> Finding | None:
        loss = at.scalar(name)
        if loss is None:
            return None
        self.looked_at += 1
        course = self._courses.setdefault((at.mode, name), _Course())
        course.points.append((at.step, loss))
        if course.checked is not None and at.step < course.checked + self.num_steps:
            return None
        far_enough = [step <= at.step - self.num_steps for step, _ in course.points]
        if not any(far_enough):
            return None
        del course.points[: sum(far_enough) - 1]
        course.checked = at.step
        (earlier, before), *_ = course.points
        lowest = min(course.lowest, before)
        course.lowest = min(lowest, loss)
        if self._sound(before, loss, lowest):
            return None
        fall = _percent(before, loss)
        how = "went up by" if fall < 0 else "came down by only"
        return self.found(
            at,
            f"{name} {how} {abs(fall):.3g} %, from {before:.6g} at step {earlier} to {loss:.6g}; "
            f"it should have come down by {self.diff_percent:g} %.",
            [name],
            loss=number(loss),
            earlier_loss=number(before),
            earlier_step=earlier,
            fall_percent=number(fall),
            diff_percent=self.diff_percent,
        )

    def _sound(self, before: float, loss: float, lowest: float) -> bool:
        fall = _percent(before, loss)
        if fall >= 0:
            return fall >= self.diff_percent
        limit = -self.increase_threshold_percent
        return fall >= limit and _percent(lowest, loss) >= limit


def _percent(before: float, after: float) -> float:
    """By how many percent a loss has come down; NaN where one of them is no number."""
    if before == after:
        return 0.0
    return 100 * (before - after) / abs(before) if before else math.copysign(math.inf, -after)
