"""What search results are ordered by."""

from __future__ import annotations

from typing import Any

from bottega.features.search.comparing import as_number
from bottega.features.search.properties import Property

Rank = tuple[int, float, str]
"""Numbers before texts; what sorts as a number has no text, and the other way round."""

LOWEST: Rank = (0, 0.0, "")
_COMPARED_CHARACTERS = 256
"""Of a text, so that a page token can hold it; the name decides between texts that begin alike."""


def rank(by: Property, value: Any) -> Rank | None:
    """Where a value of a property stands; None for what has no place."""
    if by.type in ("number", "time", "boolean"):
        return (0, float(value), "") if value == value else None  # not a number has no place
    number = as_number(value) if by.type == "mixed" else None
    return (0, number, "") if number is not None else (1, 0.0, value[:_COMPARED_CHARACTERS])


def position_of(found: Rank | None, name: str) -> dict[str, Any]:
    """What a page token says of the last result before the page, by its rank and name."""
    if found is None:
        return {"name": name}
    group, number, text = found
    return {"rank": [group, number.hex(), text], "name": name}
