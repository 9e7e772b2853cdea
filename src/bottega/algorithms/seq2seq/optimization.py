"""How weights are changed, and how fast."""

from __future__ import annotations

from typing import Any

import torch

from bottega.algorithms.seq2seq.settings import CourseSettings

# Half of it after a half life: 1 + 1 below the line, or the root of 1 + 3.
_INVERSE, _INVERSE_ROOT = 1.0, 3.0


def optimizer(weights: Any, course: CourseSettings) -> Any:
    """The optimizer of ``optimizer_type``; weight decay is part of the gradient."""
    common: dict[str, Any] = {"lr": course.learning_rate, "weight_decay": course.weight_decay}
    if course.optimizer_type == "sgd":
        return torch.optim.SGD(weights, momentum=course.momentum or 0.0, fused=True, **common)
    if course.optimizer_type == "rmsprop":
        return torch.optim.RMSprop(weights, alpha=0.9, **common)
    return torch.optim.Adam(weights, fused=True, **common)


class LearningRate:
    """The learning rate, as ``lr_scheduler_type`` has it."""

    def __init__(self, course: CourseSettings) -> None:
        self.now = course.learning_rate
        self._course = course
        self._batches = 0
        self._waited = 0

    def after_batch(self) -> float:
        """The rate of the next batch."""
        course = self._course
        self._batches += 1
        if course.lr_scheduler_type != "plateau_reduce":
            life = course.fixed_rate_lr_half_life * course.checkpoint_frequency_num_batches
            age = self._batches / life
            if course.lr_scheduler_type == "fixed_rate_inv_t":
                self.now = course.learning_rate / (1 + _INVERSE * age)
            else:
                self.now = course.learning_rate / (1 + _INVERSE_ROOT * age) ** 0.5
        return self.now

    def after_checkpoint(self, *, improved: bool) -> bool:
        """Take notice of a checkpoint; True when the rate was reduced for it."""
        course = self._course
        if course.lr_scheduler_type != "plateau_reduce":
            return False
        self._waited = 0 if improved else self._waited + 1
        if self._waited < course.plateau_reduce_lr_threshold:
            return False
        self._waited = 0
        self.now *= course.plateau_reduce_lr_factor
        return True
