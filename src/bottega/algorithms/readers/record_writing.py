"""Writing rows of numbers as RecordIO of protobuf Records, by the block.

>>> import io, numpy
>>> file = io.BytesIO()
>>> write_rows(file, numpy.ones((2, 3)), numpy.array([0, 1]))
2
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

import numpy as np

from bottega.algorithms.readers.record_protobuf import (
    FEATURES,
    FLOAT32,
    LABEL,
    encode_tensor,
    entry,
)
from bottega.algorithms.readers.recordio import LARGEST, frame

_BLOCK_BYTES = 1 << 22
_FEW_ROWS = 256
_NAME = "values"


def write_rows(stream: IO[bytes], features: Any, labels: Any = None) -> int:
    """Write rows as float32, as the SageMaker SDK does; returns how many.

    Args:
        stream: where to.
        features: rows x columns: an array, or a scipy sparse matrix.
        labels: one for each row, or none.

    Raises:
        ValueError: the shapes do not fit, or a row is larger than a record can be.
    """
    if labels is not None:
        labels = np.asarray(labels, dtype=np.float32).reshape(-1)
        if labels.size != features.shape[0]:
            raise ValueError(f"There are {labels.size} labels for {features.shape[0]} rows.")
    if hasattr(features, "tocsr"):
        return _write_sparse(stream, features.tocsr(), labels)
    table = np.asarray(features)
    if table.ndim != 2 or not table.shape[1]:
        raise ValueError(f"Features must be rows x columns, not of the shape {table.shape}.")
    step = max(1, _BLOCK_BYTES // (4 * table.shape[1]))
    for start in range(0, table.shape[0], step):
        block = table[start : start + step]
        parts = [(FEATURES, _NAME, block)]
        if labels is not None:
            parts.append((LABEL, _NAME, labels[start : start + step, None]))
        stream.write(_alike(parts))
    return int(table.shape[0])


def label_records(columns: Mapping[str, Any]) -> bytes:
    """A Record for each row, with a float32 tensor of each column in its ``label``.

    Args:
        columns: names to one number for each row, or to rows x several.
    """
    parts = []
    for name, column in columns.items():
        array = np.asarray(column, dtype=np.float32)
        parts.append((LABEL, name, array if array.ndim > 1 else array[:, None]))
    return _alike(parts)


def _alike(parts: list[tuple[int, str, Any]]) -> bytes:
    """Records that differ in numbers only: for each map and name a column of rows x values."""
    rows = parts[0][2].shape[0] if parts else 0
    if not rows:
        return b""
    payload, spans = b"", []
    for field, name, table in parts:
        payload += entry(field, name, encode_tensor(FLOAT32, np.zeros(table.shape[1])))
        # The values are the last thing in their entry.
        spans.append((len(payload) - 4 * table.shape[1], len(payload)))
    if len(payload) > LARGEST:
        raise ValueError(f"A record holds at most {LARGEST} bytes, not {len(payload)}.")
    # The zeros hold no magic number, which would have the template cut; in numbers it is no matter,
    # for readers go by the length.
    template = np.frombuffer(frame(payload), dtype=np.uint8)
    found = np.empty((rows, template.size), dtype=np.uint8)
    found[:] = template
    for (start, end), (_, _, table) in zip(spans, parts, strict=True):
        values = np.ascontiguousarray(table, dtype="<f4").view(np.uint8).reshape(rows, -1)
        found[:, 8 + start : 8 + end] = values
    return found.tobytes()


def _write_sparse(stream: IO[bytes], matrix: Any, labels: Any) -> int:
    rows, width = matrix.shape
    if not width:
        raise ValueError("Features must have at least one column.")
    values = np.ascontiguousarray(matrix.data, dtype=np.float32)
    indices, pointers = matrix.indices, matrix.indptr.astype(np.int64)
    if rows <= _FEW_ROWS:
        for row in range(rows):
            inside = slice(pointers[row], pointers[row + 1])
            value = encode_tensor(FLOAT32, values[inside], indices[inside], width)
            payload = entry(FEATURES, _NAME, value)
            if labels is not None:
                payload += entry(LABEL, _NAME, encode_tensor(FLOAT32, labels[row : row + 1]))
            stream.write(frame(payload))
        return int(rows)
    from bottega.algorithms.readers.kernels import sparse_record_bytes, write_sparse_records

    given = np.empty(0, dtype=np.float32) if labels is None else labels
    bits, indices = values.view(np.uint32), indices.astype(np.int32, copy=False)
    start = 0
    while start < rows:
        stop = int(np.searchsorted(pointers, pointers[start] + _BLOCK_BYTES // 8))
        stop = min(rows, max(start + 1, stop))
        most = sparse_record_bytes(int(pointers[stop] - pointers[start]), stop - start)
        found = np.empty(most, dtype=np.uint8)
        size = write_sparse_records(
            bits,
            indices,
            pointers[start : stop + 1],
            width,
            given[start:stop].view(np.uint32),
            found,
        )
        stream.write(found[:size].tobytes())
        start = stop
    return int(rows)
