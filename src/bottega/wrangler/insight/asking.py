"""Asking a table inside the engine, and choosing the same rows of it every time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from bottega.wrangler.columns import ROW
from bottega.wrangler.sql_text import escaped, names
from bottega.wrangler.transform import Query

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pandas as pd

    from bottega.wrangler.engine.relation import Relation

T = TypeVar("T")
_EXACT = 1 << 53


def pieces(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items, so many at a time."""
    rest = iter(items)
    while piece := list(islice(rest, size)):
        yield piece


@dataclass(frozen=True)
class Share:
    """A part of a table that is the same for the same table: rows by a hash of their number.

    Attributes:
        rows: how many rows the table has.
        every: about one row of so many is in the part; all when 1.
    """

    rows: int
    every: int

    @classmethod
    def of(cls, rows: int, limit: int) -> Share:
        """A part of about ``limit`` rows, or the whole table when it has no more."""
        return cls(rows, max(1, math.ceil(rows / max(limit, 1))))

    @property
    def is_whole(self) -> bool:
        """Whether it is all rows."""
        return self.every == 1

    @property
    def where(self) -> str:
        """The condition, as a WHERE clause that may be empty."""
        return "" if self.is_whole else f" WHERE hash({ROW}, 97) % {self.every} = 0"


def sample_frame(
    relation: Relation, columns: Sequence[str], limit: int
) -> tuple[pd.DataFrame, int]:
    """About ``limit`` rows in memory, the same ones every time; all when there are no more.

    Returns:
        The frame, and the number of rows of the whole table.
    """
    share = Share.of(relation.count(), limit)
    import pandas as pd

    if not columns:
        return pd.DataFrame(), share.rows
    schema = relation.schema.select(columns)
    query = f"SELECT {escaped(names([ROW, *columns]))} FROM {{input}}{share.where}"
    return relation.then(Query(query, ordered=relation.ordered), schema).frame(), share.rows


def cell(value: Any) -> Any:
    """A value as answers have it: moments are texts, and so is what JSON cannot carry exactly."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if -_EXACT <= value <= _EXACT else str(value)
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return value if math.isfinite(value) else ("inf" if value > 0 else "-inf")
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [cell(part) for part in value]
    if value is None or isinstance(value, str):
        return value
    if hasattr(value, "item"):  # a scalar of numpy's
        return cell(value.item())
    return str(value)
