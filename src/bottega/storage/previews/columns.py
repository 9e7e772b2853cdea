"""What the texts of a column are."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

ColumnType = Literal["integer", "number", "boolean", "time", "text"]

MISSING = frozenset({"", "NA", "N/A", "NaN", "nan", "null", "NULL", "None"})
"""How files write that there is no value."""

_INTEGER = re.compile(r"[+-]?(?:0|[1-9][0-9]*)")
_TRUTH = frozenset({"true", "false", "yes", "no"})
_DATE = re.compile(r"\d{1,2}([/.-])(?:\d{1,2}|[A-Za-z]{3})\1\d{2,4}(?: \d{1,2}:\d{2}(?::\d{2})?)?")


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    name: str
    type: ColumnType
    missing: int
    """How many of the shown cells have no value."""


def describe(name: str, cells: Sequence[str]) -> Column:
    """A column by what its cells hold."""
    present = [cell for cell in cells if cell not in MISSING]
    return Column(name, type_of(present), len(cells) - len(present))


def type_of(present: Sequence[str]) -> ColumnType:
    """The narrowest type that all of these texts have; text where there are none."""
    if present:
        for name, fits in _TESTS:
            if all(map(fits, present)):
                return name
    return "text"


def is_number(cell: str) -> bool:
    """Whether a text is a number, of whatever kind.

    >>> [is_number(text) for text in ("1", "-.5e3", "007", "1_000", "nan", "12 oz")]
    [True, True, True, False, False, False]
    """
    try:
        return math.isfinite(float(cell)) and "_" not in cell
    except ValueError:
        return False


def _is_time(cell: str) -> bool:
    if _DATE.fullmatch(cell):
        return True
    if len(cell) < 8 or "-" not in cell:  # eight digits are rather a number
        return False
    try:
        datetime.fromisoformat(cell)
    except ValueError:
        return False
    return True


def _is_plain_number(cell: str) -> bool:
    # What begins with zeros is a code, of a place or an article say, and would not survive.
    return is_number(cell) and not re.match(r"[+-]?0[0-9]", cell)


_TESTS: tuple[tuple[ColumnType, Callable[[str], object]], ...] = (
    ("integer", _INTEGER.fullmatch),
    ("number", _is_plain_number),
    ("boolean", lambda cell: cell.lower() in _TRUTH),
    ("time", _is_time),
)
