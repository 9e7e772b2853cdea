"""The order of search results, and going on behind one of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bottega.errors import ValidationException
from bottega.features.search.comparing import as_number
from bottega.features.search.kinds import Candidate
from bottega.features.search.properties import Property

Rank = tuple[int, float, str]
"""Numbers before texts; what sorts as a number has no text, and the other way round."""

_LOWEST: Rank = (0, 0.0, "")
_COMPARED_CHARACTERS = 256
"""Of a text, so that a page token can hold it; the name decides between texts that begin alike."""


@dataclass(frozen=True)
class Ranked:
    """A result with what it is ordered by."""

    rank: Rank | None
    """None where the result does not have the property: such results come last in either order."""
    name: str
    candidate: Candidate

    def position(self) -> dict[str, Any]:
        """What a page token says of the last result before the page."""
        if self.rank is None:
            return {"name": self.name}
        group, number, text = self.rank
        return {"rank": [group, number.hex(), text], "name": self.name}


def ranked(candidates: Iterable[Candidate], by: Property, *, descending: bool) -> list[Ranked]:
    """The candidates in order; the name breaks ties.

    Raises:
        ValidationException: the property has no order.
    """
    if by.type == "compound":
        raise ValidationException(f"SortBy {by.name} is a structure, which has no order.")
    every = [Ranked(_rank(by, item), item.resource.name, item) for item in candidates]
    every.sort(key=lambda item: (item.rank or _LOWEST, item.name), reverse=descending)
    every.sort(key=lambda item: item.rank is None)  # stable, so each part keeps its order
    return every


def behind(results: list[Ranked], position: Mapping[str, Any], *, descending: bool) -> list[Ranked]:
    """The results after the one that a position stands for, whether or not it is still there."""
    lacking = "rank" not in position
    mark = (_LOWEST, position["name"])
    if not lacking:
        group, number, text = position["rank"]
        mark = ((group, float.fromhex(number), text), position["name"])
    for index, item in enumerate(results):
        here = (item.rank or _LOWEST, item.name)
        if (item.rank is None) != lacking:
            passed = item.rank is None
        else:
            passed = here < mark if descending else here > mark
        if passed:
            return results[index:]
    return []


def _rank(by: Property, candidate: Candidate) -> Rank | None:
    ranks = [rank for value in by.values(candidate) if (rank := _of(by, value)) is not None]
    return min(ranks, default=None)


def _of(by: Property, value: Any) -> Rank | None:
    if by.type in ("number", "time", "boolean"):
        return (0, float(value), "") if value == value else None  # not a number has no place
    number = as_number(value) if by.type == "mixed" else None
    return (0, number, "") if number is not None else (1, 0.0, value[:_COMPARED_CHARACTERS])
