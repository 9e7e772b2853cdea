"""All resources in the order of one property, kept while they change."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from bottega.features.search.columns import Column
from bottega.features.search.ordering import LOWEST, Rank, position_of, rank
from bottega.features.search.properties import Property

Entry = tuple[Rank, str, int]
"""Rank, name and row. The rank of what does not have the property is the lowest one."""


class Order:
    """The rows by rank, the name between equals; then those without the property, by name.

    Args:
        by: the property.
    """

    def __init__(self, by: Property) -> None:
        self._by = by
        self._ranked: list[Entry] = []
        self._lacking: list[Entry] = []
        self._entries: dict[int, tuple[Entry, bool]] = {}

    def fill(self, names: Sequence[str], rows: Iterable[int], values: Column) -> None:
        """Begin with these rows."""
        ranks: dict[int, Rank] = {}
        for row, value in values.values():
            found = rank(self._by, value)
            if found is not None and (row not in ranks or found < ranks[row]):
                ranks[row] = found
        for row in rows:
            known = row in ranks
            entry = (ranks.get(row, LOWEST), names[row], row)
            self._entries[row] = entry, known
            (self._ranked if known else self._lacking).append(entry)
        self._ranked.sort()
        self._lacking.sort()

    def put(self, row: int, name: str, values: Sequence[Any]) -> None:
        """Give a row its place."""
        self.remove(row)
        ranks = [found for value in values if (found := rank(self._by, value)) is not None]
        entry = (min(ranks, default=LOWEST), name, row)
        self._entries[row] = entry, bool(ranks)
        insort(self._ranked if ranks else self._lacking, entry)

    def remove(self, row: int) -> None:
        """Take a row away, if it is there."""
        held = self._entries.pop(row, None)
        if held is not None:
            entry, known = held
            entries = self._ranked if known else self._lacking
            del entries[bisect_left(entries, entry)]

    def position(self, row: int) -> dict[str, Any]:
        """What a page token says of the last result before the page."""
        (found, name, _), known = self._entries[row]
        return position_of(found if known else None, name)

    def behind(self, position: Mapping[str, Any] | None, *, descending: bool) -> Iterator[int]:
        """The rows after the one that a position stands for, whether or not it is still there."""
        mark: tuple[Any, ...] | None = None
        lacking = False
        if position is not None:
            lacking = "rank" not in position
            mark = (LOWEST, position["name"])
            if not lacking:
                group, number, text = position["rank"]
                mark = ((group, float.fromhex(number), text), position["name"])
        if not lacking:
            yield from _rows(self._ranked, mark, descending=descending)
            mark = None
        yield from _rows(self._lacking, mark, descending=descending)


def _rows(entries: list[Entry], mark: tuple[Any, ...] | None, *, descending: bool) -> Iterator[int]:
    if descending:
        end = len(entries) if mark is None else bisect_left(entries, mark, key=_place)
        for number in range(end - 1, -1, -1):
            yield entries[number][2]
    else:
        start = 0 if mark is None else bisect_right(entries, mark, key=_place)
        for number in range(start, len(entries)):
            yield entries[number][2]


def _place(entry: Entry) -> tuple[Rank, str]:
    return entry[:2]
