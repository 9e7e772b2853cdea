"""Texts of a file as typed values: which type all texts of a column have, and reading them so.

Texts are read as the type's own and no other spelling: ``1.5`` is no whole number, ``1`` is not
true. In columns that are not text, ``MISSING`` lists what stands for nothing; in columns of text,
only the empty field does, because *NA* may be Namibia and *None* a name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bottega.wrangler.columns import NUMBERS, ColumnType
from bottega.wrangler.engine.relation import Relation
from bottega.wrangler.sql_text import escaped, literal, name, names

MISSING = (
    "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>",
    "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
)  # fmt: skip
"""What pandas takes for missing, too, besides the empty field."""
MISFIT = "no value of the column's type"
"""Begins the engine's error where a text is not of its column's type."""
WIDER: Mapping[ColumnType, tuple[ColumnType, ...]] = {
    ColumnType.LONG: (ColumnType.FLOAT, ColumnType.STRING),
    ColumnType.DATE: (ColumnType.DATETIME, ColumnType.STRING),
}
"""What a column becomes, in this order, when a text does not fit; text where nothing is said."""
_TOKENS = f"({', '.join(map(literal, MISSING))})"
_LONG = r"\s*[+-]?\d{1,19}\s*"
_ZEROS = r"\s*[+-]?0\d.*"
_DATE = r"\d{4}-\d{2}-\d{2}"
_CLOCK = r"\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?"
_DATETIME = rf"{_DATE}([ T]{_CLOCK})?"
_ZONED = rf"{_DATE}[ T]{_CLOCK}(Z|[+-]\d{{2}}:?\d{{2}})"
_GUESSES = (
    (ColumnType.BOOLEAN, re.compile("true|false", re.IGNORECASE)),
    (ColumnType.LONG, re.compile(r"\s*[+-]?(0|[1-9]\d{0,18})\s*")),
    (ColumnType.FLOAT, re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")),
    (ColumnType.DATE, re.compile(_DATE)),
    (ColumnType.DATETIME, re.compile(_DATETIME)),
    (ColumnType.STRING, re.compile(".*[A-Za-z]{2}.*", re.DOTALL)),
)
_PER_QUERY = 50
_FIRST = 100
_COUNTS = 9


def typed(column: str, kind: ColumnType, *, comma: bool = False) -> str:
    """A checked cast: SQL that gives the value of a column of texts, or fails with ``MISFIT``.

    Args:
        column: its name.
        kind: the type that it shall have.
        comma: whether decimals have a comma.
    """
    if kind is ColumnType.STRING:
        return name(column)
    cases = _cases(column, kind, comma)
    text = f"{MISFIT} {column}".replace("'", "''")
    return (
        f"CASE {cases} WHEN {name(column)} IS NULL OR {name(column)} IN {_TOKENS} THEN NULL "
        f"ELSE error('{text}') END"
    )


def misfits(column: str, kind: ColumnType, *, comma: bool = False) -> str:
    """SQL that counts the texts of a column that are not of a type."""
    if kind is ColumnType.STRING:
        return "0"
    return (
        f"count_if({name(column)} IS NOT NULL AND {name(column)} NOT IN {_TOKENS} AND "
        f"(CASE {_cases(column, kind, comma)} END) IS NULL)"
    )


def _cases(column: str, kind: ColumnType, comma: bool) -> str:
    text = name(column)
    value = f"try_cast({text} AS {kind.duckdb})"
    match kind:
        case ColumnType.LONG:
            # Comparing is cheaper than matching, and nearly every number is spelt in one way.
            return (
                f"WHEN {value}::VARCHAR = {text} THEN {value} "
                f"WHEN regexp_full_match({text}, '{_LONG}') THEN {value}"
            )
        case ColumnType.FLOAT:
            if comma:
                text = f"replace({text}, ',', '.')"
                value = f"try_cast({text} AS DOUBLE)"
            # The engine reads 1_000 and nan, too.
            return (
                f"WHEN {value} IS NOT NULL AND NOT isnan({value}) AND NOT contains({text}, '_') "
                f"THEN {value}"
            )
        case ColumnType.BOOLEAN:
            return f"WHEN lower({text}) = 'true' THEN TRUE WHEN lower({text}) = 'false' THEN FALSE"
        case ColumnType.DATE:
            return f"WHEN {value}::VARCHAR = {text} THEN {value}"
        case ColumnType.DATETIME:
            zoned = f"timezone('UTC', try_cast({text} AS TIMESTAMPTZ))"
            return (
                f"WHEN {value}::VARCHAR = {text} THEN {value} "
                f"WHEN regexp_full_match({text}, '{_DATETIME}') THEN {value} "
                f"WHEN regexp_full_match({text}, '{_ZONED}') THEN {zoned}"
            )
    raise ValueError(f"texts cannot be read as {kind}")


@dataclass(frozen=True)
class Found:
    """What texts of a column are."""

    type: ColumnType
    zeros: bool = False
    """Whether it would be numbers if it had no leading zeros."""
    zoned: bool = False
    """Whether it has moments with a time zone."""


def types_of(texts: Relation, columns: Sequence[str], *, comma: bool = False) -> dict[str, Found]:
    """The narrowest type for each column of texts.

    Args:
        texts: a table of texts; NULL where nothing is.
        columns: which columns.
        comma: whether decimals have a comma.
    """
    # What the first rows are is nearly always what all are, and checking one type is far cheaper
    # than trying every one.
    guessed = _guessed(texts, columns, comma)
    unsure = {c: kind for c, kind in guessed.items() if kind is not ColumnType.STRING}
    counts = _row(texts, [_against(c, kind, comma) for c, kind in unsure.items()])
    wrong = {column for column, odd in zip(unsure, counts, strict=True) if odd}
    found = {column: Found(kind) for column, kind in guessed.items() if column not in wrong}
    return found | _tried(texts, [c for c in columns if c not in found], comma)


def _guessed(texts: Relation, columns: Sequence[str], comma: bool) -> dict[str, ColumnType]:
    """What columns are by their first texts, where those are all of one type."""
    shown = escaped(names(columns))
    rows = texts.rows(f"SELECT {shown} FROM {{table}} LIMIT {_FIRST}") if columns else []
    guessed: dict[str, ColumnType] = {}
    for number, column in enumerate(columns):
        some = [row[number] for row in rows]
        some = [text for text in some if text is not None and text not in MISSING]
        if comma:
            some = [text.replace(",", ".") for text in some]
        for kind, pattern in _GUESSES:
            if some and all(map(pattern.fullmatch, some)):
                guessed[column] = kind
                break
    return guessed


def _against(column: str, kind: ColumnType, comma: bool) -> str:
    """SQL that counts what speaks against a guess."""
    odd = misfits(column, kind, comma=comma)
    if kind is ColumnType.DATETIME:
        return f"{odd} + count_if(regexp_full_match({name(column)}, '{_ZONED}'))"
    return f"{odd} + {_zeros(column)}" if kind in NUMBERS else odd


def _tried(texts: Relation, columns: Sequence[str], comma: bool) -> dict[str, Found]:
    """The narrowest types, by trying every one."""
    counts = _row(texts, [part for column in columns for part in _counts(column, comma)])
    return {
        column: _chosen(*counts[number * _COUNTS : (number + 1) * _COUNTS])
        for number, column in enumerate(columns)
    }


def _row(texts: Relation, wanted: Sequence[str]) -> list[Any]:
    found: list[Any] = []
    for start in range(0, len(wanted), _PER_QUERY):
        shown = escaped(", ".join(wanted[start : start + _PER_QUERY]))
        found += texts.row(f"SELECT {shown} FROM {{table}}")
    return found


def _counts(column: str, comma: bool) -> Iterable[str]:
    text = name(column)
    yield f"count_if({text} IS NOT NULL AND {text} NOT IN {_TOKENS})"
    for kind in (ColumnType.BOOLEAN, ColumnType.LONG, ColumnType.FLOAT, ColumnType.DATE,
                 ColumnType.DATETIME):  # fmt: skip
        yield misfits(column, kind, comma=comma)
    yield _zeros(column)
    yield f"count_if(regexp_full_match({text}, '{_ZONED}'))"
    yield f"count_if(regexp_matches({text}, '[0-9]') AND {text} NOT IN {_TOKENS})"


def _zeros(column: str) -> str:
    text = name(column)
    # Most texts do not begin with a zero, and are not matched.
    return (
        f"count_if(ltrim({text}, ' +-') ^@ '0' AND regexp_full_match({text}, '{_ZEROS}') "
        f"AND try_cast({text} AS DOUBLE) >= 1)"
    )


def _chosen(
    present: int, boolean: int, long: int, float_: int, date: int, datetime: int, zeros: int,
    zoned: int, digits: int,
) -> Found:  # fmt: skip
    if not present:
        return Found(ColumnType.STRING)
    if not boolean:
        return Found(ColumnType.BOOLEAN)
    if not float_ and digits:
        if zeros:
            return Found(ColumnType.STRING, zeros=True)
        return Found(ColumnType.FLOAT if long else ColumnType.LONG)
    if not date:
        return Found(ColumnType.DATE)
    if not datetime:
        return Found(ColumnType.DATETIME, zoned=bool(zoned))
    return Found(ColumnType.STRING)
