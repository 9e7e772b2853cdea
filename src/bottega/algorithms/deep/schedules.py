"""When the learning rate changes. Light: a schema can use it without torch."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any


def parse_steps(text: str) -> tuple[int, ...]:
    """The epochs of ``lr_scheduler_step``, such as ``10,20``; empty text is no epoch.

    Raises:
        ValueError: it is no list of rising whole numbers above 0; the message ends a sentence that
            begins with the text.
    """
    if not text.strip():
        return ()
    try:
        steps = tuple(int(part) for part in text.split(","))
    except ValueError:
        raise ValueError('must be epochs separated by commas, such as "10,20"') from None
    if steps[0] < 1 or any(after <= before for before, after in pairwise(steps)):
        raise ValueError(
            'must be epochs from 1 on, each later than the one before, such as "10,20"'
        )
    return steps


class StepSchedule:
    """Multiplies the learning rate by a factor at given epochs, with an optional warm-up.

    The rate follows from the epoch and batch alone, so a resumed job goes on where it was.

    Args:
        optimizer: a torch optimizer; the rates its groups have now are where the schedule starts.
        steps: epochs, counted from 0, at whose beginning the factor applies once more.
        factor: what the rate is multiplied with.
        warmup: how many batches the rate takes to rise from a hundredth to its value; 0 for none.
    """

    def __init__(
        self, optimizer: Any, steps: Sequence[int], factor: float, *, warmup: int = 0
    ) -> None:
        self._optimizer = optimizer
        self._first = [float(group["lr"]) for group in optimizer.param_groups]
        self._steps = tuple(steps)
        self._factor = factor
        self._warmup = warmup

    def set(self, epoch: int, batch: int = 0) -> float:
        """Set the rate of a batch.

        Args:
            epoch: counted from 0.
            batch: how many batches came before it since the training began; only a warm-up asks.

        Returns:
            The rate of the first group.
        """
        scale = self._factor ** sum(epoch >= step for step in self._steps)
        if batch < self._warmup:
            scale *= 0.01 + 0.99 * batch / self._warmup
        # Asked for each time: an optimizer that loads its state makes new groups.
        groups = self._optimizer.param_groups
        for group, first in zip(groups, self._first, strict=True):
            group["lr"] = first * scale
        return float(groups[0]["lr"])
