"""Between the engine and pandas, with the types that ``columns`` promises."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from bottega.wrangler.columns import ROW, Column, ColumnType, Schema
from bottega.wrangler.engine.arrow_types import ARROW
from bottega.wrangler.errors import DataError


def frame_of(table: pa.Table, schema: Schema) -> pd.DataFrame:
    """A frame with the dtypes of ``columns``; the hidden column is left out.

    Args:
        table: with the schema's columns.
        schema: which columns, and their types.
    """
    series = {
        column.name: _series(table.column(column.name).combine_chunks(), column.type)
        for column in schema
    }
    return pd.DataFrame(series, index=pd.RangeIndex(table.num_rows), columns=schema.names)


def _series(values: Any, kind: ColumnType) -> pd.Series:
    if kind in (ColumnType.VECTOR, ColumnType.ARRAY):
        return pd.Series(values.to_pylist(), dtype=object)
    if kind is ColumnType.LONG:
        missing = np.asarray(values.is_null())
        data = np.asarray(values.fill_null(0)).astype("int64")
        return pd.Series(pd.arrays.IntegerArray(data, missing))
    if kind is ColumnType.BOOLEAN:
        missing = np.asarray(values.is_null())
        data = np.asarray(values.fill_null(False)).astype(bool)
        return pd.Series(pd.arrays.BooleanArray(data, missing))
    if kind is ColumnType.FLOAT:
        return pd.Series(np.asarray(values.fill_null(np.nan), dtype="float64"))
    if kind.is_time:
        return values.cast(pa.timestamp("us")).to_pandas()
    return pd.Series(values.to_pandas(), dtype="str")


def table_of(frame: pd.DataFrame, schema: Schema) -> pa.Table:
    """The engine's table of a frame that ought to have a schema.

    Raises:
        DataError: a column is not there, or cannot be brought to its type; says which.
    """
    arrays = []
    for column in schema:
        if column.name not in frame.columns:
            raise DataError(f"The result has no column {column.name!r}.")
        arrays.append(_array(frame[column.name], column))
    return pa.table(arrays, names=schema.names)


def _array(series: pd.Series, column: Column) -> pa.Array:
    try:
        if column.type is ColumnType.VECTOR:
            return pa.array(
                [None if _is_missing(v) else [float(x) for x in v] for v in series],
                ARROW[column.type],
            )
        if column.type is ColumnType.ARRAY:
            return pa.array(
                [
                    None if _is_missing(v) else [None if _is_missing(x) else str(x) for x in v]
                    for v in series
                ],
                ARROW[column.type],
            )
        if column.type.is_time:
            times = pd.to_datetime(series).astype("datetime64[us]")
            return pa.array(times, pa.timestamp("us")).cast(ARROW[column.type])
        return pa.Array.from_pandas(series.astype(column.type.pandas), type=ARROW[column.type])
    except (TypeError, ValueError, pa.ArrowException) as error:
        raise DataError(f"Column {column.name!r} cannot be made {column.type}: {error}.") from error


def _is_missing(value: Any) -> bool:
    if value is None or value is pd.NA:
        return True
    return isinstance(value, float) and value != value


def schema_of(frame: pd.DataFrame) -> Schema:
    """The schema that a frame of a user's has.

    Raises:
        DataError: a column's name is no text, is used twice, or its type is not known here.
    """
    names = list(frame.columns)
    for name in names:
        if not isinstance(name, str) or name == ROW:
            raise DataError(f"A column is called {name!r}; names are texts, and not {ROW!r}.")
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise DataError(f"Two columns are called {repeated!r}; rename one.")
    return Schema(Column(name, _type_of(frame[name])) for name in names)


def _type_of(series: pd.Series) -> ColumnType:
    types = pd.api.types
    if types.is_bool_dtype(series.dtype):
        return ColumnType.BOOLEAN
    if types.is_integer_dtype(series.dtype):
        return ColumnType.LONG
    if types.is_float_dtype(series.dtype):
        return ColumnType.FLOAT
    if types.is_datetime64_any_dtype(series.dtype):
        return ColumnType.DATETIME
    if isinstance(series.dtype, pd.CategoricalDtype):
        return _type_of(series.astype(series.cat.categories.dtype))
    if types.is_object_dtype(series.dtype):
        return _type_of_objects(series)
    return ColumnType.STRING


def _type_of_objects(series: pd.Series) -> ColumnType:
    present = series.dropna()
    kind = types_infer(present)
    known = {
        "boolean": ColumnType.BOOLEAN,
        "integer": ColumnType.LONG,
        "floating": ColumnType.FLOAT,
        "mixed-integer-float": ColumnType.FLOAT,
        "decimal": ColumnType.FLOAT,
        "date": ColumnType.DATE,
        "datetime": ColumnType.DATETIME,
        "datetime64": ColumnType.DATETIME,
    }
    if kind in known:
        return known[kind]
    if len(present) and all(isinstance(v, list | tuple | np.ndarray) for v in present):
        numbers = all(isinstance(x, int | float | np.number) for v in present for x in v)
        return ColumnType.VECTOR if numbers else ColumnType.ARRAY
    return ColumnType.STRING


def types_infer(series: pd.Series) -> str:
    """What pandas takes a column of objects for."""
    return str(pd.api.types.infer_dtype(series, skipna=True))
