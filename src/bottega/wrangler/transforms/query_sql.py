"""Names and conditions inside the text of a :class:`~bottega.wrangler.transform.Query`.

There braces mark places, so those of a column's name are doubled.
"""

from __future__ import annotations

from collections.abc import Iterable

from bottega.wrangler.columns import Schema
from bottega.wrangler.sql_text import escaped, literal, name


def quoted(column: str) -> str:
    """A column's name, quoted."""
    return escaped(name(column))


def quoted_names(columns: Iterable[str], table: str = "") -> str:
    """Names, quoted, each of a table where one is given."""
    return ", ".join(f"{table}.{quoted(c)}" if table else quoted(c) for c in columns)


def text(value: object) -> str:
    """A value as a literal."""
    return escaped(literal(value))


def no_nan(expression: str) -> str:
    """A DOUBLE whose NaN is missing, as everywhere in a table."""
    return f"nullif({expression}, 'nan'::DOUBLE)"


def free_names(wanted: Iterable[str], taken: Iterable[str] = ()) -> list[str]:
    """The wanted names, those with a number behind them that are taken or wanted before.

    The engine does not tell ``a`` from ``A``, so neither do we when we invent a name.
    """
    used = {known.lower() for known in taken}
    found = []
    for base in wanted:
        name_, number = base, 1
        while name_.lower() in used:
            number += 1
            name_ = f"{base}_{number}"
        used.add(name_.lower())
        found.append(name_)
    return found


def clash(schema: Schema, column: str) -> str | None:
    """The column of a table that the engine would take for this one."""
    return next((known for known in schema.names if known.lower() == column.lower()), None)
