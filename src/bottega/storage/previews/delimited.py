"""Tables of text: which mark stands between cells, and whether the first line names the columns.

The standard library's sniffer looks at characters; this looks at what comes out when the text is
read in each of the usual ways, and at whether the first line is like those below it.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bottega.storage.previews.columns import MISSING, is_number, type_of

COMMA, TAB, SPACE = ",", "\t", " "
MARKS = (COMMA, TAB, ";", "|")
_JUDGED = 200
"""Rows that are looked at to tell the form of a table."""
_AGREEING = 0.9
"""The share of rows that must have the same number of cells before a text is taken for a table."""
_NAME = re.compile(r"[^\W\d][\w .:/%#()\[\]-]{0,62}")


@dataclass(frozen=True)
class Table:
    """Rows of cells, of which the first may name the columns."""

    header: tuple[str, ...] | None
    rows: list[list[str]]
    delimiter: str

    @property
    def width(self) -> int:
        """Cells of the longest row."""
        return max(map(len, [self.header or (), *self.rows]), default=0)

    @property
    def names(self) -> tuple[str, ...]:
        """A name for each column, made up where the table has none."""
        known = self.header or ()
        numbered = [f"Column {number}" for number in range(1, self.width + 1)]
        return tuple(known[i] if i < len(known) else numbered[i] for i in range(self.width))


def read_table(text: str, *, whole: bool, delimiter: str = "") -> Table:
    """Read the beginning of a table.

    Args:
        whole: the text ends where the table ends; otherwise its last row may be cut off.
        delimiter: what stands between cells, where that is known.
    """
    mark = delimiter or find_delimiter(text, whole=whole) or COMMA
    rows = _rows(text, mark, whole=whole)
    if has_header(rows):
        return Table(tuple(rows[0]), rows[1:], mark)
    return Table(None, rows, mark)


def find_delimiter(text: str, *, whole: bool) -> str:
    """What stands between the cells of a text; empty where it is no table.

    One number a line is a table of one column, whose delimiter could be any.
    """
    best, best_worth = "", (0.0, 0)
    for mark in MARKS:
        widths = Counter(len(row) for row in _rows(text, mark, whole=whole)[:_JUDGED])
        if not widths:
            continue
        width, count = widths.most_common(1)[0]
        worth = (count / widths.total(), width)
        if width > 1 and worth[0] >= _AGREEING and worth > best_worth:
            best, best_worth = mark, worth
    if best:
        return best
    numbers = _rows(text, SPACE, whole=whole)[:_JUDGED]
    if numbers and all(is_number(cell) for row in numbers for cell in row):
        widths = Counter(map(len, numbers))
        if len(widths) == 1:
            return COMMA if widths[1] else SPACE
    return ""


def _rows(text: str, mark: str, *, whole: bool) -> list[list[str]]:
    """The rows that are whole, without empty ones."""
    if mark == SPACE:
        rows = [line.split() for line in text.splitlines()]
    else:
        try:
            rows = _parsed(text, mark)
        except csv.Error:  # a lone quotation mark made one cell of all that follows
            rows = [[cell.strip() for cell in line.split(mark)] for line in text.splitlines()]
    if not whole and len(rows) > 1:
        rows.pop()
    return [row for row in rows if any(row)]


def _parsed(text: str, mark: str) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, skipinitialspace=True)
    return [[cell.strip() for cell in row] for row in reader]


def has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names the columns.

    It does where a column of numbers, times or truths begins with something else, and mostly such
    columns do. Where all is text, it does when it looks like names: short, different from each
    other, and not found again below.
    """
    if not rows or not rows[0]:
        return False
    first, body = rows[0], rows[1 : _JUDGED + 1]
    unlike = like = 0
    for index, name in enumerate(first):
        below = [row[index] for row in body if index < len(row) and row[index] not in MISSING]
        kind = type_of(below)
        if name in MISSING or not below or kind == "text":
            continue
        if type_of([name]) == kind or (is_number(name) and is_number(below[0])):
            like += 1
        else:
            unlike += 1
    if unlike:
        return unlike * 3 >= like
    return not like and _look_like_names(first, body)


def _look_like_names(first: Sequence[str], body: Sequence[Sequence[str]]) -> bool:
    # Tables written with their index have no name for the first column.
    names = first[1:] if len(first) > 1 and not first[0] else first
    if len(set(names)) != len(names) or not all(_NAME.fullmatch(name) for name in names):
        return False
    return not any(
        name and index < len(row) and row[index] == name
        for index, name in enumerate(first)
        for row in body
    )
