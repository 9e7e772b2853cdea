"""Losses on the training data beside those on other data, one pair for each evaluation.

Where every step has both, as with XGBoost's ``train-rmse`` and ``validation-rmse``, each step is an
evaluation. Where a script trains and evaluates in turns, steps of mode EVAL that follow one another
are an evaluation, and its pair is their mean loss and that of the steps of training before it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from bottega.debugger.rules.metric_names import better_when_large, trained_on, validated_on
from bottega.debugger.rules.reading import Reading


@dataclass(frozen=True)
class LossPair:
    """What one evaluation gave.

    Attributes:
        metric: what was measured, such as ``rmse`` or the name of a loss.
        step: the last global step of the evaluation.
        tensors: names of the tensors behind it.
    """

    metric: str
    step: int
    train: float
    validation: float
    tensors: tuple[str, ...]


@dataclass
class LossPairs:
    """Makes the pairs, step by step.

    Args:
        names: which tensors are losses at a step.
    """

    names: Callable[[Reading], Sequence[str]]
    _training: list[float] = field(default_factory=list)
    _evaluation: list[float] = field(default_factory=list)
    _last: int = -1
    _tensors: set[str] = field(default_factory=set)

    def next(self, at: Reading) -> list[LossPair]:
        """The evaluations that this step completes."""
        names = [name for name in self.names(at) if not better_when_large(name)]
        losses = {name: value for name in names if (value := at.scalar(name)) is not None}
        by_metric = {trained_on(name): name for name in losses if trained_on(name)}
        beside = [
            LossPair(metric, at.step, losses[by_metric[metric]], value, (by_metric[metric], name))
            for name, value in losses.items()
            if (metric := validated_on(name)) in by_metric
        ]
        if beside or not losses:
            return beside
        return self._in_turns(at, losses)

    def rest(self) -> list[LossPair]:
        """The evaluation that no further step has completed, once there are no more steps."""
        if not (self._training and self._evaluation):
            return []
        pair = LossPair(
            "loss",
            self._last,
            fmean(self._training),
            fmean(self._evaluation),
            tuple(sorted(self._tensors)),
        )
        self._training, self._evaluation, self._tensors = [], [], set()
        return [pair]

    def _in_turns(self, at: Reading, losses: dict[str, float]) -> list[LossPair]:
        mean = fmean(losses.values())
        if at.mode == "EVAL":
            self._evaluation.append(mean)
            self._last = at.step
            self._tensors |= losses.keys()
            return []
        if at.mode != "TRAIN":
            return []
        done = self.rest() if self._evaluation else []
        # An evaluation before any training has nothing to be compared with.
        self._evaluation = []
        self._training.append(mean)
        self._tensors |= losses.keys()
        return done
