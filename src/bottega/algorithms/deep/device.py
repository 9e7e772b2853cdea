"""Where a job computes: the device, its threads, its seed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from bottega.container.environment import TrainingEnvironment


def device(environment: TrainingEnvironment, *, seed: int = 0) -> Any:
    """Get ready to train: the first GPU, or the CPU with the cores that the job has.

    Seeds torch, and asks the GPU's library for algorithms that give the same result each time.

    Returns:
        The ``torch.device``.
    """
    torch.set_num_threads(environment.cpus)
    torch.manual_seed(seed)
    if not torch.cuda.is_available():
        return torch.device("cpu")
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False
    torch.set_float32_matmul_precision("high")
    return torch.device("cuda")


def serving_device(environment: Mapping[str, str]) -> Any:
    """Where a model server computes; ``BOTTEGA_CPUS``, when set, bounds its threads."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if given := environment.get("BOTTEGA_CPUS"):
        torch.set_num_threads(max(1, int(given)))
    return torch.device("cpu")


def describe(place: Any) -> str:
    """The device as the log names it."""
    if place.type == "cuda":
        return f"GPU {torch.cuda.get_device_name(place)}"
    return f"CPU with {torch.get_num_threads()} threads"
