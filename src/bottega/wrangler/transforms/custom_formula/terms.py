"""Parts of a formula while it is translated: their type, their SQL and their pandas code."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bottega.nearest import nearest
from bottega.wrangler.columns import ColumnType, Schema
from bottega.wrangler.errors import ParameterError
from bottega.wrangler.pandas_code import PandasCode, python_literal
from bottega.wrangler.sql_text import literal

_LONGEST = 100_000


def refuse(message: str) -> ParameterError:
    """What is wrong with the formula."""
    return ParameterError("formula", f"Formula: {message}")


def meant(word: str, known: Iterable[str]) -> str:
    """The nearest known name, to be put behind a refusal; empty when none is near."""
    found = nearest(word, known)
    return f"; did you mean {found!r}" if found else ""


@dataclass(frozen=True)
class Term:
    """A part of a formula.

    What is missing is NULL in the SQL, never NaN; in pandas code a part that is no constant is a
    series of the dtype that its type has.
    """

    type: ColumnType | None
    """None of the constant ``NULL``, which fits everywhere."""
    sql: str
    python: str
    is_constant: bool = False
    value: Any = None
    """Of a constant."""

    def __post_init__(self) -> None:
        if len(self.sql) > _LONGEST or len(self.python) > _LONGEST:
            raise refuse("it is nested too deeply; make it in several steps.")

    @property
    def kind(self) -> str:
        """For messages."""
        return "null" if self.type is None else str(self.type)


def constant(value: Any, kind: ColumnType | None) -> Term:
    """A constant."""
    if kind is None or value is None:
        return Term(kind, "NULL", "None", True, None)
    sql = literal(value)
    if kind == ColumnType.LONG:
        sql = f"({sql})::BIGINT"
    if hasattr(value, "isoformat"):
        python = f"pd.Timestamp({python_literal(value.isoformat())})"
    elif isinstance(value, float) and math.isinf(value):
        python = f'float("{value}")'
    else:
        python = python_literal(value)
    return Term(kind, sql, python, True, value)


class Context:
    """What a translation needs: the table, and where functions of the program are collected."""

    def __init__(self, schema: Schema, code: PandasCode) -> None:
        self.schema = schema
        self.code = code

    def series(self, term: Term, kind: ColumnType | None = None) -> str:
        """Pandas code of a term as a series, also where it is a constant."""
        if not term.is_constant:
            return term.python
        dtype = (kind or term.type or ColumnType.STRING).pandas
        return f'pd.Series({term.python}, {self.code.table}.index, dtype="{dtype}")'

    def operand(self, term: Term, kind: ColumnType) -> str:
        """Pandas code of a term beside a series: constants as they are, but a series for NULL."""
        return self.series(term, kind) if term.value is None else term.python

    def as_type(self, term: Term, kind: ColumnType) -> Term:
        """A term as a wider type: a whole number as a number, a date as a datetime.

        Raises:
            ParameterError: it is none.
        """
        if term.type == kind:
            return term
        if term.type is None:
            return Term(kind, f"NULL::{kind.duckdb}", "None", True, None)
        if (term.type, kind) == (ColumnType.LONG, ColumnType.FLOAT):
            if term.is_constant:
                return constant(float(term.value), kind)
            return Term(kind, f"({term.sql})::DOUBLE", f'{term.python}.astype("float64")')
        if term.type.is_time and kind.is_time:
            if kind == ColumnType.DATETIME:
                return Term(
                    kind, f"({term.sql})::TIMESTAMP", term.python, term.is_constant, term.value
                )
            python = self.series(term)
            return Term(kind, f"({term.sql})::DATE", f"{python}.dt.normalize()")
        if kind.is_time and term.is_constant and isinstance(term.value, str):
            return self._moment(term.value, kind)
        raise refuse(f"a value is {term.kind} where {kind} is needed; use cast.")

    def same_type(self, terms: Sequence[Term]) -> tuple[ColumnType, list[Term]]:
        """Terms as the one type that all of them can be.

        Raises:
            ParameterError: there is none.
        """
        kinds = {term.type for term in terms if term.type is not None}
        constants = {term.type for term in terms if isinstance(term.value, str)}
        if kinds <= {ColumnType.LONG, ColumnType.FLOAT} and len(kinds) == 2:
            kind = ColumnType.FLOAT
        elif kinds <= {ColumnType.DATE, ColumnType.DATETIME} and len(kinds) == 2:
            kind = ColumnType.DATETIME
        elif len(kinds) == 2 and constants and any(k.is_time for k in kinds - constants):
            # A text beside a time is a time written down.
            (kind,) = kinds - constants
        elif len(kinds) <= 1:
            kind = next(iter(kinds), ColumnType.STRING)
        else:
            listed = " and ".join(sorted(kinds))
            raise refuse(f"{listed} cannot be mixed; use cast to bring them to one type.")
        return kind, [self.as_type(term, kind) for term in terms]

    def number(self, term: Term) -> Term:
        """A term as FLOAT."""
        return self.as_type(term, ColumnType.FLOAT)

    def text(self, term: Term) -> Term:
        """A term that is text."""
        return self.as_type(term, ColumnType.STRING)

    def time(self, term: Term) -> Term:
        """A term that is a date or a datetime."""
        if term.type is not None and term.type.is_time:
            return term
        return self.as_type(term, ColumnType.DATETIME)

    def fixed_text(self, term: Term, what: str) -> str:
        """A constant text.

        Raises:
            ParameterError: it is none.
        """
        if not term.is_constant or not isinstance(term.value, str):
            raise refuse(f"{what} must be a text in quotes.")
        return term.value

    def fixed_whole(self, term: Term, what: str, least: int, most: int) -> int:
        """A constant whole number.

        Raises:
            ParameterError: it is none, or too small or large.
        """
        value = term.value
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise refuse(f"{what} must be a whole number from {least} to {most}.")
        return value

    @staticmethod
    def _moment(text: str, kind: ColumnType) -> Term:
        try:
            moment = datetime.fromisoformat(text.strip()).replace(tzinfo=None)
        except ValueError:
            raise refuse(f"{text!r} is no {kind}; write it as 2024-02-29 13:05:00.") from None
        if kind == ColumnType.DATE:
            return constant(moment.date(), kind)
        return constant(moment, kind)


def missing_if_nan(sql: str) -> str:
    """A DOUBLE whose NaN is missing."""
    return f"nullif({sql}, 'nan'::DOUBLE)"
