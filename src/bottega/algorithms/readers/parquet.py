"""Parquet: the first column is the label, the others are numbers; null is a missing value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bottega.algorithms.base import CustomerError
from bottega.algorithms.readers.rows import Part


def read_file(path: Path) -> Part:
    """Read one file.

    Raises:
        CustomerError: it is no Parquet, or a column holds no numbers.
    """
    import numpy as np
    import pyarrow as pa
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise CustomerError(f"{path.name} is no Parquet file: {error}") from error
    with file:
        names = file.schema_arrow.names
        if len(names) < 2:
            raise CustomerError(
                f"{path.name} has {len(names)} column(s); it needs a label and a feature."
            )
        for column in file.schema_arrow:
            kind = column.type
            if not _is_number(kind):
                raise CustomerError(
                    f"Column {column.name!r} of {path.name} is {kind}, no number; encode it first."
                )
        table = np.empty((file.metadata.num_rows, len(names)), dtype=np.float32)
        start = 0
        for batch in file.iter_batches():
            end = start + batch.num_rows
            for index in range(len(names)):
                table[start:end, index] = _floats(batch.column(index))
            start = end
    return Part(path=path, features=np.ascontiguousarray(table[:, 1:]), labels=table[:, 0].copy())


def _is_number(kind: Any) -> bool:
    from pyarrow import types

    return bool(
        types.is_integer(kind)
        or types.is_floating(kind)
        or types.is_boolean(kind)
        or types.is_decimal(kind)
    )


def _floats(column: Any) -> Any:
    import pyarrow as pa

    if pa.types.is_boolean(column.type):
        column = column.cast(pa.uint8())
    return column.cast(pa.float64()).to_numpy(zero_copy_only=False)
