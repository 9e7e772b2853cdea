"""The values of one property over all resources of a kind, in arrays.

A value takes twelve bytes, or eight beside the texts that occur, each once. Resources are known by
a number, their row; one that has several values has several entries.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import compress
from typing import Any

from bottega.features.search.comparing import Condition, as_number
from bottega.features.search.properties import Type

_SPARE_TEXTS = 64
"""So many texts may be there that nobody has any more, and twice as many as there are values."""


class Column(ABC):
    """Entries of (row, value), in order of the rows."""

    def __init__(self) -> None:
        self._rows = array("I")
        self.repeated = False
        """Whether a row has, or had, several values."""
        self.exact = True
        """False where a value was no value of the property's type, or beyond its precision: then
        the documents have to be asked."""

    def __len__(self) -> int:
        return len(self._rows)

    def put(self, row: int, values: Sequence[Any]) -> None:
        """Give a row these values instead of those that it had."""
        rows = self._rows
        if not rows or row > rows[-1]:
            if len(values) == 1:  # nearly always, while everything is read for the first time
                rows.append(row)
                self._append(values[0])
                return
            present = range(len(rows), len(rows))
        else:
            present = self._entries(row)
        if values or present:
            self.repeated = self.repeated or len(values) > 1
            rows[present.start : present.stop] = array("I", [row] * len(values))
            self._replace(present.start, present.stop, values)

    def extend(self, rows: array[int], values: Sequence[Any]) -> None:
        """Give rows that are behind all others one value each."""
        self._rows.extend(rows)
        self._append_all(values)

    def having(self) -> set[int]:
        """The rows that have a value."""
        return set(self._rows)

    @abstractmethod
    def passing(self, condition: Condition) -> set[int]:
        """The rows that have a value which passes the condition's test."""

    @abstractmethod
    def values(self) -> Iterator[tuple[int, Any]]:
        """Every entry."""

    @abstractmethod
    def of(self, row: int) -> Sequence[Any]:
        """The values of one row."""

    @abstractmethod
    def _append(self, value: Any) -> None: ...

    def _append_all(self, values: Sequence[Any]) -> None:
        for value in values:
            self._append(value)

    @abstractmethod
    def _replace(self, start: int, end: int, values: Sequence[Any]) -> None: ...

    def _entries(self, row: int) -> range:
        start = bisect_left(self._rows, row)
        end = start
        while end < len(self._rows) and self._rows[end] == row:
            end += 1
        return range(start, end)


class Numbers(Column):
    """Numbers and times."""

    def __init__(self) -> None:
        super().__init__()
        self._values = array("d")

    def passing(self, condition: Condition) -> set[int]:
        assert condition.test is not None
        return set(compress(self._rows, map(condition.test, self._values)))

    def values(self) -> Iterator[tuple[int, float]]:
        return zip(self._rows, self._values, strict=True)

    def entries(self) -> tuple[array[int], array[float]]:
        """The rows and the values of all entries; not to be changed."""
        return self._rows, self._values

    def of(self, row: int) -> Sequence[float]:
        return [self._values[entry] for entry in self._entries(row)]

    def _append(self, value: Any) -> None:
        if type(value) is float:
            self._values.append(value)
        else:
            self._replace(len(self._values), len(self._values), (value,))

    def _append_all(self, values: Sequence[Any]) -> None:
        if set(map(type, values)) == {float}:
            self._values.extend(array("d", values))
        else:
            super()._append_all(values)

    def _replace(self, start: int, end: int, values: Sequence[Any]) -> None:
        kept = array("d", bytes(8 * len(values)))
        for number, value in enumerate(values):
            try:
                kept[number] = value
            except (TypeError, OverflowError):
                self.exact = False
                kept[number] = 0.0
            else:
                self.exact = self.exact and (kept[number] == value or value != value)
        self._values[start:end] = kept


class Flags(Numbers):
    """Truth values."""

    def passing(self, condition: Condition) -> set[int]:
        assert condition.test is not None
        return set(compress(self._rows, map(condition.test, map(bool, self._values))))

    def _replace(self, start: int, end: int, values: Sequence[Any]) -> None:
        self.exact = self.exact and all(isinstance(value, bool) for value in values)
        super()._replace(start, end, values)


class Texts(Column):
    """Texts; a test is made once for each that occurs."""

    def __init__(self) -> None:
        super().__init__()
        self._codes = array("I")
        self._texts: list[str] = []
        self._numbers = array("d")
        self._code_of: dict[str, int] = {}

    def passing(self, condition: Condition) -> set[int]:
        assert condition.test is not None
        if condition.number_test is not None:
            self._read_numbers()
            passes = list(map(condition.number_test, self._numbers))
        else:
            passes = list(map(condition.test, self._texts))
        return set(compress(self._rows, map(passes.__getitem__, self._codes)))

    def values(self) -> Iterator[tuple[int, str]]:
        return zip(self._rows, map(self._texts.__getitem__, self._codes), strict=True)

    def of(self, row: int) -> Sequence[str]:
        return [self._texts[self._codes[entry]] for entry in self._entries(row)]

    def _append(self, value: Any) -> None:
        self._codes.append(self._code(value))

    def _append_all(self, values: Sequence[Any]) -> None:
        try:
            codes = array("I", map(self._code_of.__getitem__, values))
        except (KeyError, TypeError):  # some are new, or no texts
            codes = array("I", map(self._code, values))
        self._codes.extend(codes)

    def _replace(self, start: int, end: int, values: Sequence[Any]) -> None:
        codes = [self._code(value) for value in values]
        self._codes[start:end] = array("I", codes)
        if len(self._texts) > 2 * len(self._codes) + _SPARE_TEXTS:
            self._forget_unused()

    def _code(self, value: Any) -> int:
        if not isinstance(value, str):
            self.exact, value = False, ""
        code = self._code_of.get(value)
        if code is None:
            code = self._code_of[value] = len(self._texts)
            self._texts.append(value)
        return code

    def _read_numbers(self) -> None:
        """Read the texts that nobody has compared as numbers yet; NaN is none."""
        for text in self._texts[len(self._numbers) :]:
            number = as_number(text)
            self._numbers.append(math.nan if number is None else number)

    def _forget_unused(self) -> None:
        used = sorted(set(self._codes))
        renamed = {code: number for number, code in enumerate(used)}
        self._texts = [self._texts[code] for code in used]
        self._code_of = {text: number for number, text in enumerate(self._texts)}
        self._codes = array("I", map(renamed.__getitem__, self._codes))
        self._numbers = array("d")


class Presence(Column):
    """Structures, of which only is asked whether they are there."""

    def passing(self, condition: Condition) -> set[int]:
        raise TypeError("a structure is not compared")

    def values(self) -> Iterator[tuple[int, Any]]:
        raise TypeError("a structure has no order")

    def of(self, row: int) -> Sequence[Any]:
        raise TypeError("a structure has no order")

    def _append(self, value: Any) -> None:
        pass

    def _replace(self, start: int, end: int, values: Sequence[Any]) -> None:
        pass


def column(kind: Type) -> Column:
    """An empty column for properties of a type."""
    if kind == "compound":
        return Presence()
    if kind == "boolean":
        return Flags()
    return Texts() if kind in ("text", "mixed") else Numbers()
