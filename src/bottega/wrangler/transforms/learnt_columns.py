"""Columns that are known only after code has run: learnt, and brought to their types."""

from __future__ import annotations

from collections.abc import Sequence

from bottega.wrangler.columns import ROW, Column, ColumnType, Schema
from bottega.wrangler.errors import DataError
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.transform import State


def learnt(columns: Sequence[Column]) -> State:
    """Columns as a state."""
    return {"columns": [[column.name, column.type.value] for column in columns]}


def learnt_schema(state: State) -> Schema:
    """The columns of a state."""
    return Schema(Column(column, ColumnType(kind)) for column, kind in state["columns"])


def refuse_names(columns: Sequence[Column]) -> None:
    """Check that the names of a result can stand in a table.

    Raises:
        DataError: one cannot; says which.
    """
    for column in columns:
        if column.name in ("", ROW):
            raise DataError(
                f"The result has a column {column.name!r}, which cannot be a name. Rename it in "
                "the code."
            )


def write_types(code: PandasCode, schema: Schema) -> None:
    """Write the cast of the whole table to its types."""
    kinds = {c.name: c.type.pandas for c in schema if c.type.pandas != "object"}
    if kinds:
        code.line(f"{code.table} = {code.table}.astype({code.literal(kinds)})")
