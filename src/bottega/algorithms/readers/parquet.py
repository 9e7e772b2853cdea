"""Parquet: the first column is the label, the others are numbers; null is a missing value."""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Iterator
from typing import Any

from bottega.algorithms.base import CustomerError
from bottega.algorithms.readers.blocks import Block, Layout, rows_of
from bottega.algorithms.readers.sources import Stream, numbered

_BLOCK_CELLS = 1 << 21
_CHUNK = 1 << 20
_MAGIC = b"PAR1"


def blocks(stream: Stream, layout: Layout) -> Iterator[Block]:
    """The rows of a stream by the block; null is NaN.

    Raises:
        CustomerError: it is no Parquet, or a column holds no numbers.
    """
    import numpy as np

    first = 0
    for file in _files(stream):
        with file:
            names = _columns(file, stream.name)
            for batch in file.iter_batches(batch_size=max(1, _BLOCK_CELLS // len(names))):
                table = np.empty((batch.num_rows, len(names)), dtype=np.float32)
                with np.errstate(over="ignore"):
                    for index in range(len(names)):
                        table[:, index] = _floats(batch.column(index))
                if batch.num_rows:
                    yield rows_of(table, layout, numbered("row", first, stream.name), stream.name)
                first += batch.num_rows


def _files(stream: Stream) -> Iterator[Any]:
    """The Parquet files of a stream: one, or in a FIFO as many as follow one another."""
    import pyarrow as pa
    from pyarrow import parquet

    if not stream.source.piped:
        try:
            yield parquet.ParquetFile(stream.source.path)
        except (pa.ArrowInvalid, OSError) as error:
            raise CustomerError(f"{stream.name} is no Parquet file: {error}") from error
        return
    # A Parquet file is read from its end, which a FIFO does not show before all of it was read.
    with tempfile.TemporaryFile(prefix="bottega-parquet-") as spool:
        while chunk := stream.read(_CHUNK):
            spool.write(chunk)
        spool.flush()
        if spool.tell():
            # It ends with the last column that looks into it, and cannot be closed before.
            data = mmap.mmap(spool.fileno(), 0, access=mmap.ACCESS_READ)
            yield from _split(data, stream.name)


def _split(data: mmap.mmap, name: str) -> Iterator[Any]:
    """Each of the Parquet files in some data."""
    import pyarrow as pa
    from pyarrow import parquet

    everything = pa.py_buffer(data)
    start = 0
    while start < len(data):
        at, found = start, None
        while found is None:
            # Where one file ends, the next begins; the same bytes may be within a file, too.
            at = data.find(_MAGIC + _MAGIC, at + 1)
            end = at + len(_MAGIC) if at >= 0 else len(data)
            try:
                found = parquet.ParquetFile(pa.BufferReader(everything.slice(start, end - start)))
            except (pa.ArrowInvalid, OSError) as error:
                if at < 0:
                    raise CustomerError(f"{name} is no Parquet file: {error}") from error
        yield found
        start = end


def _columns(file: Any, name: str) -> list[str]:
    names: list[str] = file.schema_arrow.names
    for column in file.schema_arrow:
        if not _is_number(column.type):
            raise CustomerError(
                f"Column {column.name!r} of {name} is {column.type}, no number; encode it first."
            )
    return names


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
