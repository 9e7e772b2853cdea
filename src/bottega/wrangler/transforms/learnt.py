"""Numbers that steps learn from finite values, and keep as JSON."""

from __future__ import annotations

import math
from typing import Any

from bottega.wrangler.errors import DataError
from bottega.wrangler.sql_text import name


def finite(column: str) -> str:
    """A column's numbers as SQL, infinite ones left out."""
    number = f"{name(column)}::DOUBLE"
    return f"CASE WHEN isfinite({number}) THEN {number} END"


def learnt(column: str, value: Any) -> float:
    """A number that was learnt from a column.

    Raises:
        DataError: there was nothing to learn from, or the numbers are too large to calculate with.
    """
    if value is None:
        raise DataError(
            f"Column {column!r} has no finite value to learn from; drop it, or fill it with a "
            "value of your own."
        )
    if not math.isfinite(value):
        raise DataError(
            f"The numbers of column {column!r} are too large to calculate with; scale them down "
            "with a custom formula first."
        )
    return float(value)


def deviation(sql: str) -> str:
    """The standard deviation of a sample as SQL: 0 of one value, missing of none."""
    return f"CASE WHEN count({sql}) > 0 THEN coalesce(stddev_samp({sql}), 0) END"


def as_json(value: float) -> float | str:
    """A number as a state keeps it; ``float`` reads both."""
    return value if math.isfinite(value) else str(value)
