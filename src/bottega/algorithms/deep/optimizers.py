"""The optimizers of the image algorithms, from SageMaker's hyperparameters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True)
class OptimizerSettings:
    """What an optimizer is made with.

    Every optimizer takes weight_decay; ``sgd``, ``nag`` and ``rmsprop`` take momentum, ``adam`` the
    betas and eps, ``rmsprop`` gamma and eps. ``adadelta`` finds its own step, so it starts from the
    rate 1 and only the schedule changes that. Algorithms differ in which of a user's values an
    optimizer heeds: give 0 for what shall not be used.
    """

    name: str
    """``sgd``, ``nag``, ``adam``, ``rmsprop`` or ``adadelta``."""
    learning_rate: float
    momentum: float = 0.0
    weight_decay: float = 0.0
    beta_1: float = 0.9
    beta_2: float = 0.999
    eps: float = 1e-8
    gamma: float = 0.9


def optimizer(parameters: Iterable[Any], settings: OptimizerSettings) -> Any:
    """The torch optimizer of these settings.

    Weights decay; biases and the scales of normalisation, which have one dimension, do not.

    Args:
        parameters: those to train, such as ``model.parameters()``; frozen ones are left out.
        settings: see there.

    Raises:
        ValueError: no such optimizer.
    """
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    groups = [
        {
            "params": [parameter for parameter in trained if parameter.ndim > 1],
            "weight_decay": settings.weight_decay,
        },
        {
            "params": [parameter for parameter in trained if parameter.ndim <= 1],
            "weight_decay": 0.0,
        },
    ]
    groups = [group for group in groups if group["params"]]
    rate = settings.learning_rate
    match settings.name:
        case "sgd" | "nag":
            # Without momentum there is nothing for Nesterov's to look ahead with.
            ahead = settings.name == "nag" and settings.momentum > 0
            return torch.optim.SGD(groups, lr=rate, momentum=settings.momentum, nesterov=ahead)
        case "adam":
            betas = (settings.beta_1, settings.beta_2)
            return torch.optim.Adam(groups, lr=rate, betas=betas, eps=settings.eps)
        case "rmsprop":
            return torch.optim.RMSprop(
                groups, lr=rate, alpha=settings.gamma, eps=settings.eps, momentum=settings.momentum
            )
        case "adadelta":
            return torch.optim.Adadelta(groups, lr=1.0, rho=0.9, eps=1e-5)
    raise ValueError(f"There is no optimizer {settings.name!r}.")
