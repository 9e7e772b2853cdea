"""Seeing inside a training: its tensors, rules over them, its profile, and reports.

>>> trial = create_trial("/opt/ml/output/tensors")  # doctest: +SKIP
>>> trial.tensor("train-rmse").values()  # doctest: +SKIP
"""

from __future__ import annotations

from bottega.debugger.tensors.modes import ModeKeys
from bottega.debugger.tensors.tensor import Tensor
from bottega.debugger.tensors.trial import Trial, create_trial

__all__ = ["ModeKeys", "Tensor", "Trial", "create_trial"]
