"""The body of a ``%%tune`` cell: a line for each hyperparameter, with its value or its range.

>>> meaning("2..8"), meaning("0.01..0.5 log"), meaning("gbtree | dart"), meaning("reg:squarederror")
((2, 8), (0.01, 0.5, 'log'), ['gbtree', 'dart'], 'reg:squarederror')
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bottega.magics import hyperparameter_cell
from bottega.magics.hyperparameter_cell import CellError, Evaluate
from bottega.sdk.ranges import SCALINGS

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_RANGE = re.compile(rf"({_NUMBER})\s*\.\.\s*({_NUMBER})(?:\s+(\S+))?")


def parse(text: str, evaluate: Evaluate) -> tuple[dict[str, Any], dict[str, Any]]:
    """The ranges and the fixed hyperparameters of a cell.

    A line is as in a ``%%train`` cell. ``2..8`` and ``0.01..0.5 log`` are ranges of numbers, the
    latter with its scaling, and ``gbtree | dart`` is a choice; so are the tuples and lists of the
    notebook that stand alone as ``$name``. All else is a value.

    Raises:
        CellError: a line is none of that.
    """
    found = hyperparameter_cell.parse(text, evaluate, meaning, "%%tune")
    return split(found)


def split(values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Ranges, which are tuples and lists, and all else."""
    ranges = {name: value for name, value in values.items() if isinstance(value, (tuple, list))}
    return ranges, {name: value for name, value in values.items() if name not in ranges}


def meaning(text: str) -> Any:
    """The range that a text is; the text itself where it is none.

    Raises:
        CellError: it begins as a range and goes on as none.
    """
    if found := _RANGE.fullmatch(text):
        low, high, scaling = found.groups()
        if scaling is None:
            return _number(low), _number(high)
        if scaling.lower() not in SCALINGS:
            raise CellError(
                f"a range is scaled as linear, log, reverse-log or auto, not as {scaling!r}"
            )
        return _number(low), _number(high), scaling
    if "|" in text:
        choices = [choice.strip() for choice in text.split("|")]
        if not all(choices):
            raise CellError(
                "a choice between `|` and `|` is empty; what is meant to the letter "
                "stands in quotes"
            )
        return choices
    return text


def _number(text: str) -> int | float:
    return int(text) if re.fullmatch(r"[-+]?\d+", text) else float(text)
