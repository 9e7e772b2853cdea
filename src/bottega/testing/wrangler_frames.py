"""Random tables for property tests of transforms, and the examples that every transform meets.

>>> from hypothesis import given
>>> types = {"age": ColumnType.LONG, "name": ColumnType.STRING}
>>> @given(frames(types))
... def test_something(frame):
...     bench.check(transform, {"input_column": ["age"]}, frame, types=types)

Missing values, empty text, infinities and text of every script are among the values; tables without
rows and columns without values among the tables. A date is a ``datetime64`` in pandas, and an empty
column of vectors could be anything: hand the types to the check, as above.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

import pandas as pd
from hypothesis import strategies as st

from bottega.wrangler.columns import ColumnType

ODD_NAMES = (
    "plain",
    "with space",
    'say "hi"',
    "it's",
    "{x}",
    "{{table}}",
    "back\\slash",
    "new\nline",
    "percent %s",
    "a.b",
    "1st",
    "select",
    "Größe",
    "名前",
    "emoji 🐈",
    " ",
    "df",
    "__t1",
)
"""Names of columns that a careless rendering breaks on."""

ODD_TEXTS = (
    "",
    " ",
    "  padded  ",
    "a",
    "A",
    "abc abc",
    "it's",
    'say "hi"',
    "{x}",
    "100%",
    "_",
    "back\\slash",
    "two\nlines",
    "tab\there",
    "NaN",
    "null",
    "None",
    "0",
    "007",
    "-1.5",
    "1e3",
    "true",
    "inf",
    "1,234.5",
    "2024-02-29",
    "straße",
    "ÅNGSTRÖM",
    "ﬁne",
    "名前",
    "🐈 cat",
    "e\u0301",
    "\u00a0",
)
"""Texts that transforms of text have been known to get wrong."""

_WIDEST = 1 << 63
_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)


def values(kind: ColumnType, *, largest: float | None = None) -> st.SearchStrategy[Any]:
    """Values of a type, none of them missing.

    Args:
        kind: the type.
        largest: bound of the absolute value of numbers, which are then finite; without it whole
            numbers have all 64 bits, and others any magnitude, infinite ones included.
    """
    match kind:
        case ColumnType.LONG:
            bound = _WIDEST - 1 if largest is None else int(largest)
            return st.one_of(st.integers(-9, 9), st.integers(-bound, bound))
        case ColumnType.FLOAT:
            if largest is None:
                wide = st.floats(allow_nan=False, allow_infinity=True)
            else:
                wide = st.floats(-largest, largest, allow_nan=False, allow_subnormal=False)
            small = st.integers(-20, 20)
            return st.one_of(small.map(float), small.map(_quarter), wide)
        case ColumnType.BOOLEAN:
            return st.booleans()
        case ColumnType.STRING:
            return st.one_of(st.sampled_from("abcAB"), st.sampled_from(ODD_TEXTS), _TEXT)
        case ColumnType.DATE:
            return st.dates(date(1583, 1, 1), date(2999, 12, 31))
        case ColumnType.DATETIME:
            return st.datetimes(datetime(1583, 1, 1), datetime(2999, 12, 31))
        case ColumnType.VECTOR:
            return st.lists(values(ColumnType.FLOAT, largest=largest or 1e6), max_size=3)
        case ColumnType.ARRAY:
            return st.lists(st.one_of(st.none(), values(ColumnType.STRING)), max_size=3)


def _quarter(number: int) -> float:
    return number / 4


def series(kind: ColumnType, cells: Iterable[Any]) -> pd.Series:
    """Cells, None where missing, as a column of the dtype that ``columns`` promises."""
    listed = list(cells)
    if kind is ColumnType.FLOAT:
        listed = [float("nan") if cell is None else cell for cell in listed]
    if kind.is_time:
        return pd.Series(pd.to_datetime(pd.Series(listed, dtype=object))).astype(kind.pandas)
    return pd.Series(listed, dtype=kind.pandas)


def frame_of_cells(
    types: Mapping[str, ColumnType], rows: Iterable[Mapping[str, Any]]
) -> pd.DataFrame:
    """A table from its rows."""
    listed = list(rows)
    return pd.DataFrame(
        {name: series(kind, [row[name] for row in listed]) for name, kind in types.items()},
        index=pd.RangeIndex(len(listed)),
        columns=list(types),
    )


def frames(
    types: Mapping[str, ColumnType],
    *,
    min_rows: int = 0,
    max_rows: int = 12,
    largest: float | None = None,
    missing: bool = True,
    cells: Mapping[str, st.SearchStrategy[Any]] | None = None,
) -> st.SearchStrategy[pd.DataFrame]:
    """Tables with exactly these columns.

    Args:
        types: names and types, in order.
        min_rows: the fewest rows.
        max_rows: the most rows.
        largest: see :func:`values`.
        missing: whether values may be missing.
        cells: values of a column of its own, instead of any of its type.
    """

    def cell(name: str, kind: ColumnType) -> st.SearchStrategy[Any]:
        found = (cells or {}).get(name)
        if found is None:
            found = values(kind, largest=largest)
        return st.one_of(found, st.none()) if missing else found

    row = st.fixed_dictionaries({name: cell(name, kind) for name, kind in types.items()})
    rows = st.lists(row, min_size=min_rows, max_size=max_rows)
    return rows.map(lambda found: frame_of_cells(types, found))


def names() -> st.SearchStrategy[str]:
    """Names that a column can have."""
    free = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=6)
    usable = free.filter(lambda name: not name.startswith("__"))
    return st.one_of(st.sampled_from("abc"), st.sampled_from(ODD_NAMES), usable)


def typings(
    kinds: Iterable[ColumnType] = tuple(ColumnType), *, min_columns: int = 1, max_columns: int = 4
) -> st.SearchStrategy[dict[str, ColumnType]]:
    """Names and types of a table's columns. No two names differ only in case: the engine takes
    those for one.
    """
    pairs = st.lists(
        st.tuples(names(), st.sampled_from(sorted(kinds))),
        min_size=min_columns,
        max_size=max_columns,
        unique_by=lambda pair: pair[0].lower(),
    )
    return pairs.map(dict)


@st.composite
def typed_frames(
    draw: st.DrawFn,
    kinds: Iterable[ColumnType] = tuple(ColumnType),
    *,
    min_columns: int = 1,
    max_columns: int = 4,
    min_rows: int = 0,
    max_rows: int = 12,
    largest: float | None = None,
) -> tuple[pd.DataFrame, dict[str, ColumnType]]:
    """Any table, and the types of its columns."""
    types = draw(typings(kinds, min_columns=min_columns, max_columns=max_columns))
    return draw(frames(types, min_rows=min_rows, max_rows=max_rows, largest=largest)), types


def one_of_each() -> tuple[pd.DataFrame, dict[str, ColumnType]]:
    """A table with an odd name and odd values for each type, and the types."""
    columns: dict[str, tuple[ColumnType, list[Any]]] = {
        "{long}": (ColumnType.LONG, [3, None, -1, 3, _WIDEST - 1]),
        'the "float"': (ColumnType.FLOAT, [1.5, float("inf"), None, 0.0, float("-inf")]),
        "it's boolean": (ColumnType.BOOLEAN, [True, None, False, True, None]),
        "string 🐈": (ColumnType.STRING, ["", None, "it's {x}", "b", "straße 🐈"]),
        "date": (ColumnType.DATE, [date(2024, 2, 29), None, date(1970, 1, 1), None, None]),
        "date time": (ColumnType.DATETIME, [datetime(2024, 2, 29, 1, 2, 3, 4), *[None] * 4]),
        "vector": (ColumnType.VECTOR, [[1.0, 2.0], None, [], [0.5, 0.5], [1.0, 2.0]]),
        "array": (ColumnType.ARRAY, [["a", None], [], None, ["b"], ["a", None]]),
    }
    frame = pd.DataFrame({name: series(kind, cells) for name, (kind, cells) in columns.items()})
    return frame, {name: kind for name, (kind, _) in columns.items()}
