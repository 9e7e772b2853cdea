"""Moments written as text, read the same by the engine and by pandas."""

from __future__ import annotations

import re

from bottega.wrangler.columns import Column, ColumnType
from bottega.wrangler.errors import ParameterError
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.sql_text import literal, name

ISO = (
    "([0-9]{3}[1-9]|[0-9]{2}[1-9][0-9]|[0-9][1-9][0-9]{2}|[1-9][0-9]{3})-[0-9]{2}-[0-9]{2}"
    "([ T]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,6})?)?)?"
)
"""Texts that both read as the same moment, if the day exists."""

_CODES = {
    "Y": "([0-9]{3}[1-9]|[0-9]{2}[1-9][0-9]|[0-9][1-9][0-9]{2}|[1-9][0-9]{3})",
    "m": "(0?[1-9]|1[0-2])",
    "d": "(0?[1-9]|[12][0-9]|3[01])",
    "H": "([01]?[0-9]|2[0-3])",
    "I": "(0?[1-9]|1[0-2])",
    "M": "[0-5]?[0-9]",
    "S": "[0-5]?[0-9]",
    "f": "[0-9]{1,6}",
    "p": "(AM|PM|am|pm)",
    "b": "(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)",
    "B": (
        "(January|February|March|April|May|June|July|August|September|October|November|December)"
    ),
    "y": "[0-9]{2}",
    "%": "%",
}
_NEEDED = ("Y", "y")


def check_format(parameter: str, text: str) -> None:
    """Check a format of ``strptime``.

    Raises:
        ParameterError: it has a code that is not read here, or none for the year.
    """
    codes = re.findall("%(.?)", text)
    unknown = next((code for code in codes if code not in _CODES), None)
    if unknown is not None:
        known = ", ".join(f"%{code}" for code in _CODES)
        raise ParameterError(
            parameter, f"The format {text!r} has %{unknown}, which is not read; there are {known}."
        )
    repeated = next((code for code in codes if codes.count(code) > 1 and code != "%"), None)
    if repeated is not None:
        raise ParameterError(parameter, f"The format {text!r} has %{repeated} twice.")
    if not any(code in _NEEDED for code in codes):
        raise ParameterError(
            parameter, f"The format {text!r} has no year; write it as in %Y-%m-%d %H:%M:%S."
        )


def _pattern(text: str) -> str:
    """A regular expression for what a format reads, so that both are equally strict."""
    if not text:
        return ISO
    parts = re.split("(%.)", text)
    return "".join(
        _CODES[part[1]] if part.startswith("%") else _literal_pattern(part) for part in parts
    )


def _literal_pattern(text: str) -> str:
    return "".join(f"[{c}]" if c not in "^\\[]" else f"\\{c}" for c in text)


def moment_sql(column: Column, text_format: str) -> str:
    """An expression for the TIMESTAMP of a column; missing where it cannot be read."""
    source = name(column.name)
    if column.type is not ColumnType.STRING:
        return f"{source}::TIMESTAMP"
    read = f"try_strptime({source}, {literal(text_format)})"
    if not text_format:
        read = f"TRY_CAST({source} AS TIMESTAMP)"
    matches = f"regexp_full_match({source}, {literal(_pattern(text_format))})"
    return f"CASE WHEN {matches} THEN {read} END"


def write_moments(code: PandasCode, column: Column, text_format: str, variable: str) -> str:
    """Write statements that read a column, and return the source of its moments."""
    source = code.column(column.name)
    if column.type is not ColumnType.STRING:
        return source
    pattern = code.constant("moment pattern", _pattern(text_format))
    shown = code.literal(text_format or "ISO8601")
    code.line(f"texts = {source}.where({source}.str.fullmatch({pattern}).eq(True))")
    code.line(f'{variable} = pd.to_datetime(texts, format={shown}, errors="coerce")')
    return variable
