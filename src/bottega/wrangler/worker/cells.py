"""Cells as JSON."""

from __future__ import annotations

import math
from datetime import date, datetime
from typing import Any

_EXACT = 1 << 53


def cell(value: Any) -> Any:
    """A value of the engine as JSON holds it.

    Whole numbers that JavaScript cannot hold, and infinities, are texts; moments are texts of
    ISO 8601; missing is null.
    """
    match value:
        case None | bool() | str():
            return value
        case int():
            return value if -_EXACT <= value <= _EXACT else str(value)
        case float():
            if math.isfinite(value):
                return value
            return None if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
        case datetime():
            return value.isoformat(sep=" ")
        case date():
            return value.isoformat()
        case list() | tuple():
            return [cell(part) for part in value]
    return str(value)
