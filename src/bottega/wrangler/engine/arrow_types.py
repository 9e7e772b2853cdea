"""The engine's types in Arrow; without pandas, which takes a while to import."""

from __future__ import annotations

import pyarrow as pa

from bottega.wrangler.columns import ColumnType

ARROW: dict[ColumnType, pa.DataType] = {
    ColumnType.LONG: pa.int64(),
    ColumnType.FLOAT: pa.float64(),
    ColumnType.BOOLEAN: pa.bool_(),
    ColumnType.STRING: pa.string(),
    ColumnType.DATE: pa.date32(),
    ColumnType.DATETIME: pa.timestamp("us"),
    ColumnType.VECTOR: pa.list_(pa.float64()),
    ColumnType.ARRAY: pa.list_(pa.string()),
}
