"""Writing SQL for the engine: names, values."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any


def name(identifier: str) -> str:
    """An identifier, quoted.

    >>> name('say "hi"')
    '"say ""hi""\"'
    """
    return '"' + identifier.replace('"', '""') + '"'


def names(identifiers: Iterable[str]) -> str:
    """Identifiers, quoted, with commas between them."""
    return ", ".join(map(name, identifiers))


def literal(value: Any) -> str:
    """A value as a literal.

    Raises:
        TypeError: there is no literal for it.

    >>> literal("it's"), literal(None), literal(0.5), literal([1.0])
    ("'it''s'", 'NULL', '0.5::DOUBLE', '[1.0::DOUBLE]')
    """
    match value:
        case None:
            return "NULL"
        case bool():
            return "TRUE" if value else "FALSE"
        case int():
            return str(value)
        case float():
            if math.isnan(value):
                return "NULL"
            if math.isinf(value):
                return "'inf'::DOUBLE" if value > 0 else "'-inf'::DOUBLE"
            return f"{value!r}::DOUBLE"
        case str():
            return "'" + value.replace("'", "''") + "'"
        case datetime():
            return f"TIMESTAMP '{value.isoformat(sep=' ')}'"
        case date():
            return f"DATE '{value.isoformat()}'"
        case list() | tuple():
            return "[" + ", ".join(map(literal, value)) + "]"
    raise TypeError(f"no SQL literal for {value!r}")


def escaped(sql: str) -> str:
    """SQL that goes into a query with places such as ``{table}``: its own braces are doubled.

    >>> escaped('"{x}"')
    '"{{x}}"'
    """
    return sql.replace("{", "{{").replace("}", "}}")
