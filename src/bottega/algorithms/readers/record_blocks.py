"""Rows of numbers in RecordIO of protobuf Records, by the block.

Records that are all laid out alike, as those of dense rows are, are taken apart by numpy at once;
others by compiled code; and what that does not know, or small data, one by one in Python.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy import sparse

from bottega.algorithms.base import CustomerError
from bottega.algorithms.readers.blocks import Block, Layout
from bottega.algorithms.readers.record_frames import SMALL, Frames, frames
from bottega.algorithms.readers.record_protobuf import (
    FEATURES,
    LABEL,
    MalformedRecord,
    Span,
    Tensor,
    dense_spans,
    parse_record,
)
from bottega.algorithms.readers.recordio import HEADER_BYTES, MalformedRecordIO
from bottega.algorithms.readers.sources import Stream, numbered

_LARGEST_WIDTH = 2**31 - 1


class MalformedRecords(ValueError):
    """The bytes are no rows of numbers; the message names the record."""


def blocks(stream: Stream, layout: Layout) -> Iterator[Block]:
    """The rows of a stream by the block.

    Raises:
        CustomerError: a record is damaged, or holds no row.
    """
    first = 0
    try:
        for records in frames(stream):
            features, labels = _decoded(records, first, layout)
            yield Block(features, labels, numbered("record", first, stream.name))
            first += records.count
    except (MalformedRecords, MalformedRecordIO) as error:
        raise CustomerError(f"{stream.name}: {error}") from error


def rows_of_records(body: bytes, *, width: int = 0, single: bool = True) -> Any:
    """The features of all records: a float32 array, or a CSR matrix when one of them is sparse.

    Args:
        body: RecordIO.
        width: how many features a sparse row has that gives no shape; 0 when that is not known.
        single: whether features must be float32.

    Raises:
        MalformedRecords: a record is damaged, or holds no row.
    """
    layout = Layout(needs_label=False, width=width, single=single)
    found: list[Any] = []
    first = 0
    try:
        for records in frames(io.BytesIO(body)):
            found.append(_decoded(records, first, layout)[0])
            first += records.count
    except MalformedRecordIO as error:
        raise MalformedRecords(str(error)) from error
    if len(found) == 1:
        return found[0]
    if len({part.shape[1] for part in found}) > 1:
        raise MalformedRecords("the records have different numbers of features.")
    if any(sparse.issparse(part) for part in found):
        return sparse.vstack(found, format="csr")
    return np.concatenate(found) if found else np.empty((0, width), dtype=np.float32)


def _decoded(records: Frames, first: int, layout: Layout) -> tuple[Any, Any]:
    """Features and labels of some records, where ``first`` went before."""
    # A number that is too large for float32 becomes infinite; who minds that looks for it.
    with np.errstate(over="ignore"):
        found = _alike(records, first, layout) if records.stride else None
        if found is None and len(records.data) >= SMALL:
            found = _compiled(records, first, layout)
        return _one_by_one(records, first, layout) if found is None else found


def _alike(records: Frames, first: int, layout: Layout) -> tuple[Any, Any] | None:
    """Dense rows whose Records differ in nothing but their numbers; None when they do."""
    payload = records.payload(0)
    try:
        spans = dense_spans(payload)
    except MalformedRecord as error:
        raise MalformedRecords(f"record {first + 1} {error}.") from error
    if spans is None or (layout.needs_label and spans.get(LABEL, _NONE).count != 1):
        return None
    if layout.single and spans[FEATURES].dtype != "<f4":
        return None
    start = int(records.offsets[0]) - HEADER_BYTES
    table = records.array[start : start + records.count * records.stride]
    table = table.reshape(records.count, records.stride)[:, HEADER_BYTES:]
    at = 0
    for span in sorted(spans.values(), key=lambda span: span.start):
        if not (table[:, at : span.start] == table[0, at : span.start]).all():
            return None
        at = span.end
    if not (table[:, at : len(payload)] == table[0, at : len(payload)]).all():
        return None
    labels = _column(table, spans[LABEL]).reshape(-1) if layout.needs_label else None
    return _column(table, spans[FEATURES]), labels


_NONE = Span(0, 0, "<f4")


def _column(table: Any, span: Span) -> Any:
    return table[:, span.start : span.end].copy().view(span.dtype).astype(np.float32, copy=False)


def _compiled(records: Frames, first: int, layout: Layout) -> tuple[Any, Any] | None:
    """Rows that compiled code knows; None when there is one that it does not."""
    from bottega.algorithms.readers.kernels import read_rows

    count = records.count
    most = int(records.lengths.sum()) // 4 + 1
    values, keys = np.empty(most, dtype=np.uint32), np.empty(most, dtype=np.int32)
    pointers = np.empty(count + 1, dtype=np.int64)
    widths = np.empty(count, dtype=np.int64)
    labels = np.empty(count, dtype=np.float32)
    read = read_rows(
        records.array,
        records.offsets,
        records.lengths,
        layout.needs_label,
        values,
        keys,
        pointers,
        widths,
        labels,
    )
    width = int(widths[0]) or layout.width
    if read < count or not width or not (widths == widths[0]).all():
        return None
    found = values[: pointers[-1]].view(np.float32)
    given = labels if layout.needs_label else None
    if width < 0:
        return found.reshape(count, -width), given
    return _csr(found, keys[: pointers[-1]], pointers, width, first), given


def _one_by_one(records: Frames, first: int, layout: Layout) -> tuple[Any, Any]:
    tensors: list[Tensor] = []
    labels = np.empty(records.count, dtype=np.float32)
    for index in range(records.count):
        number = first + index + 1
        try:
            features, label = parse_record(records.payload(index))
        except MalformedRecord as error:
            raise MalformedRecords(f"record {number} {error}.") from error
        tensors.append(_feature(features.get("values"), number, layout))
        if layout.needs_label:
            labels[index] = _label(label.get("values"), number)
    return _rows(tensors, first, layout), labels if layout.needs_label else None


def _feature(tensor: Tensor | None, number: int, layout: Layout) -> Tensor:
    if tensor is None:
        raise MalformedRecords(f"record {number} has no feature named 'values'.")
    kind = tensor.values.dtype
    if kind == np.uint8 or (layout.single and kind != np.float32):
        wanted = "float32" if layout.single else "numbers"
        raise MalformedRecords(
            f"record {number} has features of {'bytes' if kind == np.uint8 else kind}, and this "
            f"algorithm takes {wanted}; write them as a {wanted} tensor."
        )
    return tensor


def _label(tensor: Tensor | None, number: int) -> Any:
    if tensor is None or tensor.values.size != 1 or tensor.values.dtype == np.uint8:
        raise MalformedRecords(f"record {number} has no label 'values' of one number.")
    return tensor.values[0]


def _rows(tensors: list[Tensor], first: int, layout: Layout) -> Any:
    widths = [
        _width(tensor, number, layout.width) for number, tensor in enumerate(tensors, first + 1)
    ]
    for number, width in enumerate(widths, first + 1):
        if width != widths[0]:
            raise MalformedRecords(
                f"record {number} has {width} features and record {first + 1} has {widths[0]}; "
                "every record needs the same."
            )
    values = [tensor.values.astype(np.float32, copy=False) for tensor in tensors]
    if not any(tensor.sparse for tensor in tensors):
        return np.stack(values)
    keys = [_keys(tensor, widths[0]) for tensor in tensors]
    pointers = np.zeros(len(tensors) + 1, dtype=np.int64)
    np.cumsum([len(found) for found in keys], out=pointers[1:])
    return _csr(np.concatenate(values), np.concatenate(keys), pointers, widths[0], first)


def _width(tensor: Tensor, number: int, given: int) -> int:
    if not tensor.sparse:
        if not tensor.values.size:
            raise MalformedRecords(f"record {number} has no values.")
        return int(tensor.values.size)
    if len(tensor.shape) > 1:
        raise MalformedRecords(f"record {number} has a shape of several axes; it must be a row.")
    width = tensor.shape[0] if tensor.shape else given
    if not 0 < width <= _LARGEST_WIDTH:
        raise MalformedRecords(
            f"record {number} is sparse and has "
            f"{f'a shape of {width}, which is too large' if width else 'no shape'}."
        )
    return int(width)


def _keys(tensor: Tensor, width: int) -> Any:
    if not tensor.sparse:
        return np.arange(width, dtype=np.uint64)
    return np.empty(0, dtype=np.uint64) if tensor.keys is None else tensor.keys


def _csr(values: Any, keys: Any, pointers: Any, width: int, first: int) -> Any:
    """A CSR matrix with sorted indices; of a key that is there twice, the values are added up."""
    if keys.size and int(keys.max()) >= width:
        place = int(np.flatnonzero(keys >= width)[0])
        row = int(np.searchsorted(pointers, place, side="right"))
        raise MalformedRecords(
            f"record {first + row} has the key {keys[place]}, which is not below its shape, "
            f"{width}."
        )
    found = sparse.csr_matrix(
        (values, keys.astype(np.int32, copy=False), pointers.astype(np.int32)),
        shape=(pointers.size - 1, width),
    )
    rising = keys[1:] > keys[:-1]
    ends = pointers[1:-1]
    rising[ends[(ends > 0) & (ends < keys.size)] - 1] = True
    if rising.all():
        found.has_sorted_indices = True
    else:
        found.sum_duplicates()
    return found
