"""Half the bits where the hardware is made for them.

Convolutions compute in bfloat16 on a GPU, and on a CPU with AMX, where that is several times
faster; weights, losses and boxes stay float32.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import cache
from pathlib import Path
from typing import Any

import torch


@cache
def _cpu_is_made_for_it() -> bool:
    """Whether the CPU multiplies tiles of bfloat16; others only emulate it, slowly."""
    facts = Path("/proc/cpuinfo")
    try:
        return "amx_bf16" in facts.read_text()
    except OSError:
        return False


def reduced(place: Any) -> bool:
    """Whether :func:`precision` reduces anything on a device."""
    if place.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return place.type == "cpu" and _cpu_is_made_for_it()


def precision(place: Any) -> AbstractContextManager[Any]:
    """A context in which a network computes as it is fastest on a device."""
    if reduced(place):
        context: AbstractContextManager[Any] = torch.autocast(place.type, dtype=torch.bfloat16)
        return context
    return nullcontext()
