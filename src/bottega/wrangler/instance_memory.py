"""How much memory an instance type of SageMaker's has."""

from __future__ import annotations

import re

_GIB = 1 << 30
_TYPE = re.compile(r"ml\.(?P<family>[a-z]+)[a-z0-9-]*\.(?P<times>\d*)(?P<size>[a-z]+)")
_GIB_PER_CPU = {"c": 2, "t": 4, "m": 4, "r": 8, "g": 4, "p": 8}
"""By the family's letter; families of other machines have about what ``m`` has."""
_CPUS = {"medium": 1, "large": 2, "xlarge": 4}


def memory_of(instance_type: str) -> int:
    """Bytes, from the pattern of the names: ``ml.m5.4xlarge`` has 16 CPUs of 4 GiB each.

    >>> memory_of("ml.m5.4xlarge") >> 30, memory_of("ml.c5.large") >> 30, memory_of("local") >> 30
    (64, 4, 8)
    """
    match = _TYPE.fullmatch(instance_type)
    if match is None or match["size"] not in _CPUS:
        return 8 * _GIB
    cpus = _CPUS[match["size"]] * int(match["times"] or 1)
    return cpus * _GIB_PER_CPU.get(match["family"][0], 4) * _GIB
