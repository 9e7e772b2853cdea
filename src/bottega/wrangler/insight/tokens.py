"""Texts that stand for a missing value."""

from __future__ import annotations

from bottega.wrangler.sql_text import literal

DISGUISED = (
    *("", "?", "??", "???", "-", "--", "N/A", "NA", "N.A.", "NAN", "NULL", "NONE", "NIL"),
    *("UNKNOWN", "UNK", "MISSING", "TBD", "#N/A", "UNDEFINED"),
)
"""In capitals and without spaces around them."""
_BLANKS = literal(" \t\n\r\xa0")
_LONGEST = 12
"""Bytes; longer ones are not looked at, however many of them are spaces."""


def is_disguised_sql(text: str) -> str:
    """SQL that says whether a text stands for a missing value.

    Args:
        text: SQL of the text.
    """
    listed = ", ".join(map(literal, DISGUISED))
    return f"strlen({text}) <= {_LONGEST} AND upper(trim({text}, {_BLANKS})) IN ({listed})"


def is_disguised(text: str) -> bool:
    """Whether a text stands for a missing value."""
    short = len(text.encode()) <= _LONGEST
    return short and text.strip(" \t\n\r\xa0").upper() in DISGUISED
