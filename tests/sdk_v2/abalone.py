"""Small pieces of the real data sets, in the forms that the SDK's journeys need."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy


def abalone_rows(shared_data: Path, count: int = 600) -> list[list[float]]:
    """Rings first, then the sex as a number and seven measures."""
    with (shared_data / "abalone" / "abalone.csv").open() as source:
        lines = list(csv.reader(source))[:count]
    return [
        [float(line[8]), float("MFI".index(line[0])), *(float(cell) for cell in line[1:8])]
        for line in lines
    ]


def as_csv(rows: list[list[float]]) -> str:
    return "\n".join(",".join(str(cell) for cell in row) for row in rows) + "\n"


def arrays(rows: list[list[float]]) -> tuple[Any, Any]:
    """Features and labels, as the SDK's record sets want them."""
    table = numpy.array(rows, dtype="float32")
    return table[:, 1:], table[:, 0]


def eventually(look: Callable[[], Any], good: Callable[[Any], bool], patience: float = 180) -> Any:
    """What ``look`` gives once it is good; metrics follow a job some moments later."""
    deadline = time.monotonic() + patience
    while not good(found := look()):
        assert time.monotonic() < deadline, found
        time.sleep(0.2)
    return found
