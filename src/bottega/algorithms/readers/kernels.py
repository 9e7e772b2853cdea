"""Kernels that read and write rows in RecordIO of protobuf Records.

They know the ordinary Record only: a feature and a label named ``values`` of float32, dense or
sparse, packed or not, with any other fields around them. At anything else they stop and say at
which record; the way in Python then reads it, or says what is wrong with it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bottega.algorithms.kernels import kernel

_MAGIC = 0xCED7230A
_LENGTH_MASK = (1 << 29) - 1
_VALUES_NAME = b"values"
_BYTES = "Array(uint8, 1, 'C', readonly=True)"
_TWO_GIGA, _FOUR_GIGA = 1 << 31, 1 << 32
_FLOAT32_TAG, _FLOAT64_TAG, _INT32_TAG = 0x12, 0x1A, 0x3A


@kernel(f"int64({_BYTES}, int64, int64[::1], int64[::1])")
def scan_frames(data: Any, start: int, offsets: Any, lengths: Any) -> int:
    """Find whole records that follow one another.

    Args:
        data: RecordIO.
        start: where the first record begins.
        offsets: filled with where each payload begins.
        lengths: filled with how long it is.

    Returns:
        How many were found. The scan ends at the end of the arrays, at a record that is not all
        there, and at anything that is not the header of a record in one part.
    """
    count, at, size = 0, start, data.size
    while count < offsets.size and at + 8 <= size:
        if data[at] != 0x0A or data[at + 1] != 0x23 or data[at + 2] != 0xD7 or data[at + 3] != 0xCE:
            break
        length = (
            int(data[at + 4])
            | int(data[at + 5]) << 8
            | int(data[at + 6]) << 16
            | int(data[at + 7]) << 24
        )
        if length > _LENGTH_MASK or at + 8 + ((length + 3) & ~3) > size:
            break
        offsets[count] = at + 8
        lengths[count] = length
        count += 1
        at += 8 + ((length + 3) & ~3)
    return count


@kernel(f"UniTuple(int64, 2)({_BYTES}, int64, int64)")
def _varint(data: Any, at: int, end: int) -> tuple[int, int]:
    """A number and where it ends; the end is -1 when it is none, or has more than 62 bits."""
    number, shift = 0, 0
    while at < end and shift < 62:
        byte = int(data[at])
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
        shift += 7
    return 0, -1


@kernel(f"int64({_BYTES}, int64, int64, int64)")
def _skip(data: Any, at: int, end: int, wire: int) -> int:
    """Where a field that is passed over ends; -1 when it does not end."""
    if wire == 0:
        return _varint(data, at, end)[1]
    if wire == 2:
        length, at = _varint(data, at, end)
        if at < 0:
            return -1
        at += length
    elif wire == 5:
        at += 4
    elif wire == 1:
        at += 8
    else:
        return -1
    return at if at <= end else -1


@kernel(f"UniTuple(int64, 3)({_BYTES}, int64, int64)")
def _tensor(data: Any, at: int, end: int) -> tuple[int, int, int]:
    """From an entry of a map to its tensor: the tag of its kind, where it begins and where it ends;
    the tag is -1 for another name or anything unusual."""
    named, kind, first, last = False, -1, 0, 0
    while at < end:
        tag = data[at]
        if tag != 0x0A and tag != 0x12:
            return -1, 0, 0
        length, at = _varint(data, at + 1, end)
        if at < 0 or at + length > end:
            return -1, 0, 0
        if tag == 0x0A:
            if named or length != 6:
                return -1, 0, 0
            for place in range(6):
                if data[at + place] != _VALUES_NAME[place]:
                    return -1, 0, 0
            named = True
        else:
            if kind >= 0 or length < 2:
                return -1, 0, 0
            inner, first = _varint(data, at + 1, at + length)
            last = at + length
            if first < 0 or first + inner != last:
                return -1, 0, 0
            kind = int(data[at])
        at += length
    return (kind, first, last) if named else (-1, 0, 0)


@kernel(f"float32({_BYTES}, int64, int64, int64, uint32[::1], uint64[::1])")
def _one_number(data: Any, kind: int, at: int, end: int, bits: Any, more_bits: Any) -> Any:
    """The number of a tensor that holds one, packed, and nothing else; infinite otherwise.

    Args:
        kind: the tag of the kind of tensor.
        bits: room for one number of 32 bits.
        more_bits: room for one number of 64 bits.
    """
    if end - at < 3 or data[at] != 0x0A or data[at + 1] != end - at - 2:
        return np.float32(np.inf)
    size = end - at - 2
    at += 2
    if kind == _FLOAT32_TAG and size == 4:
        bits[0] = data[at] | data[at + 1] << 8 | data[at + 2] << 16 | data[at + 3] << 24
        return bits.view(np.float32)[0]
    if kind == _FLOAT64_TAG and size == 8:
        found = np.uint64(0)
        for place in range(8):
            found |= np.uint64(data[at + place]) << np.uint64(8 * place)
        more_bits[0] = found
        return np.float32(more_bits.view(np.float64)[0])
    if kind == _INT32_TAG and size < 5:
        number, at = _varint(data, at, end)
        if at == end:
            return np.float32(number)
    return np.float32(np.inf)


@kernel(f"int64({_BYTES}, int64, int64, uint32[::1], int32[::1], int64, int64[::1])")
def _read_tensor(
    data: Any, at: int, end: int, values: Any, keys: Any, start: int, shape: Any
) -> int:
    """Read a tensor into ``values`` and ``keys`` from ``start`` on.

    Args:
        shape: becomes the shape (0 when there is none) and the number of keys.

    Returns:
        How many values it has; -1 when it is not an ordinary one.
    """
    count, named, extent, axes = 0, 0, 0, 0
    while at < end:
        tag = data[at]
        at += 1
        if tag == 0x0A or tag == 0x0D:
            length = 4
            if tag == 0x0A:
                length, at = _varint(data, at, end)
            if at < 0 or at + length > end or length & 3:
                return -1
            for place in range(start + count, start + count + (length >> 2)):
                values[place] = (
                    data[at] | data[at + 1] << 8 | data[at + 2] << 16 | data[at + 3] << 24
                )
                at += 4
            count += length >> 2
        elif tag == 0x12 or tag == 0x10:
            stop = end
            if tag == 0x12:
                length, at = _varint(data, at, end)
                if at < 0 or at + length > end:
                    return -1
                stop = at + length
            while at < stop:
                key = int(data[at])
                at += 1
                if key >= 0x80:
                    key, at = _varint(data, at - 1, stop)
                    if at < 0 or key >= _TWO_GIGA:
                        return -1
                if start + named >= keys.size:
                    return -1
                keys[start + named] = key
                named += 1
                if tag == 0x10:
                    break
        elif tag == 0x1A or tag == 0x18:
            stop = end
            if tag == 0x1A:
                length, at = _varint(data, at, end)
                if at < 0 or at + length > end:
                    return -1
                stop = at + length
            while at < stop:
                extent, at = _varint(data, at, stop)
                if at < 0 or extent <= 0 or extent >= _TWO_GIGA:
                    return -1
                axes += 1
                if tag == 0x18:
                    break
        else:
            return -1
    if axes > 1 or (named and named != count):
        return -1
    shape[0] = extent
    shape[1] = named
    return count


@kernel(
    f"int64({_BYTES}, int64[::1], int64[::1], boolean, uint32[::1], int32[::1], int64[::1], "
    "int64[::1], float32[::1])"
)
def read_rows(
    data: Any,
    offsets: Any,
    lengths: Any,
    labelled: bool,
    values: Any,
    keys: Any,
    pointers: Any,
    widths: Any,
    labels: Any,
) -> int:
    """Read Records into rows.

    Args:
        data: where the payloads are.
        offsets: where each begins.
        lengths: how long it is.
        labelled: whether each needs a label.
        values: filled with the bits of the values of all rows; a fourth of the payloads' length is
            enough.
        keys: filled with where the values of sparse rows belong; as long.
        pointers: filled with where each row begins in them, and where the last one ends.
        widths: filled with the shape of each sparse row, and with minus the number of values of
            each dense one.
        labels: filled with the labels when they are needed.

    Returns:
        How many Records were read: all, or those before one that is not ordinary.
    """
    shape = np.zeros(2, dtype=np.int64)
    bits, more_bits = np.zeros(1, dtype=np.uint32), np.zeros(1, dtype=np.uint64)
    pointers[0] = 0
    for row in range(offsets.size):
        at, end, start = offsets[row], offsets[row] + lengths[row], pointers[row]
        count, label_found = -1, False
        while at < end:
            tag = data[at]
            if tag != 0x0A and tag != 0x12:
                number, at = _varint(data, at, end)
                if at < 0 or number >> 3 <= 2 or number >= _FOUR_GIGA:
                    return row
                at = _skip(data, at, end, number & 7)
                if at < 0:
                    return row
                continue
            length, at = _varint(data, at + 1, end)
            if at < 0 or at + length > end:
                return row
            if tag == 0x0A:
                kind, first, last = _tensor(data, at, at + length)
                if kind != _FLOAT32_TAG or count >= 0:
                    return row
                count = _read_tensor(data, first, last, values, keys, start, shape)
                if count < 0:
                    return row
                if shape[1] or (count == 0 and shape[0]):
                    widths[row] = shape[0]
                else:
                    widths[row] = -count
            elif labelled:
                kind, first, last = _tensor(data, at, at + length)
                if kind < 0 or label_found:
                    return row
                labels[row] = _one_number(data, kind, first, last, bits, more_bits)
                if not np.isfinite(labels[row]):
                    return row
                label_found = True
            at += length
        if count < 0 or (labelled and not label_found):
            return row
        pointers[row + 1] = start + count
    return int(offsets.size)


_MOST_ROW_BYTES = 96
"""More than what a Record has around its values and keys, with its frame and its label."""


def sparse_record_bytes(values: int, rows: int) -> int:
    """How many bytes the Records of sparse rows have at most."""
    return 9 * values + _MOST_ROW_BYTES * rows


@kernel("int64(int64)")
def _varint_size(number: int) -> int:
    """How many bytes a number takes."""
    size = 1
    while number >= 0x80:
        number >>= 7
        size += 1
    return size


@kernel("int64(uint8[::1], int64, int64)")
def _put_varint(data: Any, at: int, number: int) -> int:
    """Write a number; returns where it ends."""
    while number >= 0x80:
        data[at] = number & 0x7F | 0x80
        number >>= 7
        at += 1
    data[at] = number
    return at + 1


@kernel("int64(uint8[::1], int64, uint32)")
def _put_word(data: Any, at: int, word: Any) -> int:
    """Write 32 bits; returns where they end."""
    data[at] = word & 0xFF
    data[at + 1] = (word >> 8) & 0xFF
    data[at + 2] = (word >> 16) & 0xFF
    data[at + 3] = (word >> 24) & 0xFF
    return at + 4


@kernel("int64(uint8[::1], int64, int64)")
def _put_name(data: Any, at: int, length: int) -> int:
    """Write the name ``values`` and the header of the float32 tensor that follows it.

    Args:
        length: how many bytes the tensor has.
    """
    data[at] = 0x0A
    data[at + 1] = 6
    for place in range(6):
        data[at + 2 + place] = _VALUES_NAME[place]
    data[at + 8] = 0x12
    at = _put_varint(data, at + 9, 1 + _varint_size(length) + length)
    data[at] = _FLOAT32_TAG
    return _put_varint(data, at + 1, length)


@kernel("int64(uint32[::1], int32[::1], int64[::1], int64, uint32[::1], uint8[::1])")
def write_sparse_records(
    values: Any, keys: Any, pointers: Any, width: int, labels: Any, data: Any
) -> int:
    """Write sparse rows as Records in RecordIO.

    Args:
        values: the bits of the values of all rows.
        keys: where they belong.
        pointers: where each row begins in them, and where the last one ends.
        width: the shape of each row.
        labels: the bits of their labels; empty for none.
        data: written to; of ``sparse_record_bytes``.

    Returns:
        How many bytes were written.
    """
    at = 0
    for row in range(pointers.size - 1):
        first, last = pointers[row], pointers[row + 1]
        floats, keys_size = 4 * (last - first), 0
        for place in range(first, last):
            keys_size += _varint_size(keys[place])
        shape_size = _varint_size(width)
        tensor = 2 + _varint_size(shape_size) - 1 + shape_size
        tensor += 1 + _varint_size(floats) + floats + 1 + _varint_size(keys_size) + keys_size
        value = 1 + _varint_size(tensor) + tensor
        entry = 8 + 1 + _varint_size(value) + value
        payload = 1 + _varint_size(entry) + entry + (20 if labels.size else 0)
        at = _put_word(data, at, np.uint32(_MAGIC))
        at = _put_word(data, at, np.uint32(payload))
        data[at] = 0x0A
        at = _put_varint(data, at + 1, entry)
        at = _put_name(data, at, tensor)
        data[at] = 0x0A
        at = _put_varint(data, at + 1, floats)
        for place in range(first, last):
            at = _put_word(data, at, values[place])
        data[at] = 0x12
        at = _put_varint(data, at + 1, keys_size)
        for place in range(first, last):
            at = _put_varint(data, at, keys[place])
        data[at] = 0x1A
        at = _put_varint(data, at + 1, shape_size)
        at = _put_varint(data, at, width)
        if labels.size:
            data[at] = 0x12
            at = _put_name(data, _put_varint(data, at + 1, 18), 6)
            data[at] = 0x0A
            data[at + 1] = 4
            at = _put_word(data, at + 2, labels[row])
        while at & 3:
            data[at] = 0
            at += 1
    return at
