"""Reading a parameter's value as a column's type."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from bottega.wrangler.columns import Column, ColumnType
from bottega.wrangler.errors import ParameterError

_TRUE, _FALSE = frozenset({"true", "1", "yes"}), frozenset({"false", "0", "no"})
_LONGEST = 1 << 63


def typed_value(parameter: str, value: Any, column: Column) -> Any:
    """A value that can stand in a column.

    Returns:
        An int, float, bool, str, date or datetime, as the column's type is.

    Raises:
        ParameterError: it cannot be read as that; names column, type and value.
    """
    text = str(value).strip()
    try:
        match column.type:
            case ColumnType.STRING:
                return value if isinstance(value, str) else _text(value)
            case ColumnType.LONG:
                number = int(value) if isinstance(value, int) else int(text)
                if not -_LONGEST <= number < _LONGEST:
                    raise ValueError
                return number
            case ColumnType.FLOAT:
                found = float(text)
                if found != found:
                    raise ValueError
                return found
            case ColumnType.BOOLEAN:
                if text.lower() in _TRUE:
                    return True
                if text.lower() in _FALSE:
                    return False
                raise ValueError
            case ColumnType.DATE:
                return date.fromisoformat(text)
            case ColumnType.DATETIME:
                return datetime.fromisoformat(text).replace(tzinfo=None)
    except (TypeError, ValueError, OverflowError):
        pass
    raise ParameterError(
        parameter, f"{value!r} cannot stand in column {column.name!r}, which is {column.type}."
    )


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
