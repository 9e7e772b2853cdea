"""Protobuf Records of SageMaker (``aialgs.data.Record``), one at a time.

A Record has two maps from names to tensors, ``features`` and ``label``; a tensor has values and,
where it is sparse, keys and a shape. Both encodings of repeated numbers are read, fields that are
not known are passed over, and of what may be there once the last counts, as protobuf has it.

This is the way for small data and for anything but rows of numbers; ``record_blocks`` reads and
``record_writing`` writes rows by the block.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

FLOAT32, FLOAT64, INT32, BYTES = 2, 3, 7, 9
"""The field of each kind of value."""
FEATURES, LABEL = 1, 2
"""The field of each map of a Record."""

_NAME, _VALUE = 1, 2
_VALUES, _KEYS, _SHAPE = 1, 2, 3
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_DTYPES: Mapping[int, str] = {FLOAT32: "<f4", FLOAT64: "<f8", INT32: "<i4"}
_64_BITS = (1 << 64) - 1
_FEW = 64


class MalformedRecord(ValueError):
    """The bytes are no Record; the message is the rest of a sentence about it."""


@dataclass(frozen=True)
class Tensor:
    """A named tensor of a Record."""

    values: Any
    """One axis; float32, float64 or int32, or uint8 for bytes."""
    keys: Any = None
    """Where each value belongs, for a sparse one: uint64. None for a dense one."""
    shape: tuple[int, ...] = ()
    """As the Record gives it; may be absent from a dense one."""

    @property
    def sparse(self) -> bool:
        """Whether it has keys, or is of a shape and without a value, as a row of zeros is."""
        return self.keys is not None or (not self.values.size and self.shape not in ((), (0,)))


@dataclass(frozen=True)
class Record:
    """The values of a Record whose tensors are dense, by name."""

    features: dict[str, Any]
    labels: dict[str, Any]


@dataclass(frozen=True)
class Span:
    """Where the packed values of a dense tensor lie in a Record."""

    start: int
    """In bytes."""
    count: int
    """How many values."""
    dtype: str

    @property
    def end(self) -> int:
        return self.start + self.count * np.dtype(self.dtype).itemsize


def decode_record(payload: bytes) -> Record:
    """Decode a Record of dense tensors.

    Raises:
        MalformedRecord: it is none, or one of its tensors is sparse.
    """
    features, labels = (
        {name: _dense(name, tensor) for name, tensor in tensors.items()}
        for tensors in parse_record(payload)
    )
    return Record(features=features, labels=labels)


def encode_record(features: Mapping[str, Any], labels: Mapping[str, Any] | None = None) -> bytes:
    """Encode a Record of dense tensors: int32 and float64 arrays as such, anything else as float32.

    They get no shape, as the SageMaker SDK writes them.
    """
    return b"".join(
        entry(field, name, encode_tensor(_kind(values), values))
        for field, tensors in ((FEATURES, features), (LABEL, labels or {}))
        for name, values in tensors.items()
    )


def parse_record(payload: bytes) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Read the ``features`` and the ``label`` of a Record.

    Raises:
        MalformedRecord: it is none.
    """
    found: dict[int, dict[str, Tensor]] = {FEATURES: {}, LABEL: {}}
    for field, wire, start, end in _fields(payload, 0, len(payload)):
        if field in found and wire == _LENGTH:
            name, value = _parse_entry(payload, start, end)
            found[field][name] = _parse_value(payload, *value)
    return found[FEATURES], found[LABEL]


def dense_spans(payload: bytes) -> dict[int, Span] | None:
    """Where the values lie in a Record of one dense feature and at most one label.

    Returns:
        By ``FEATURES`` and ``LABEL``, the spans of those named ``values``; None when the Record is
        another one.

    Raises:
        MalformedRecord: it is none.
    """
    found: dict[int, Span] = {}
    for field, wire, start, end in _fields(payload, 0, len(payload)):
        if field not in (FEATURES, LABEL):
            continue
        if wire != _LENGTH or field in found:
            return None
        name, (start, end) = _parse_entry(payload, start, end)
        span = _dense_span(payload, start, end)
        if name != "values" or span is None:
            return None
        found[field] = span
    return found if FEATURES in found else None


def varint(value: int) -> bytes:
    """A number as protobuf writes it; a negative one as its 64-bit complement."""
    value &= _64_BITS
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def delimited(field: int, content: bytes) -> bytes:
    """A field of bytes, text, a message or packed numbers."""
    return b"".join((varint(field << 3 | _LENGTH), varint(len(content)), content))


def entry(field: int, name: str, value: bytes) -> bytes:
    """An entry of ``features`` or ``label``."""
    return delimited(field, delimited(_NAME, name.encode()) + delimited(_VALUE, value))


def encode_tensor(kind: int, values: Any, keys: Any = None, width: int = 0) -> bytes:
    """A ``Value`` with a tensor of some kind (``FLOAT32`` ...), as the SageMaker SDK writes it.

    Args:
        kind: which kind.
        values: the numbers.
        keys: where they belong, when it is sparse.
        width: the shape of a sparse one; 0 for none.
    """
    array = np.asarray(values).reshape(-1)
    if kind == INT32:
        content = b"".join(map(varint, array.astype(np.int32, casting="same_kind").tolist()))
    else:
        content = array.astype(_DTYPES[kind], copy=False).tobytes()
    tensor = delimited(_VALUES, content)
    if keys is not None:
        tensor += delimited(_KEYS, b"".join(map(varint, np.asarray(keys).tolist())))
    if width:
        tensor += delimited(_SHAPE, varint(width))
    return delimited(kind, tensor)


def _kind(values: Any) -> int:
    dtype = np.asarray(values).dtype
    return next((kind for kind, code in _DTYPES.items() if dtype == np.dtype(code)), FLOAT32)


def _dense(name: str, tensor: Tensor) -> Any:
    if tensor.sparse:
        raise MalformedRecord(f"has a sparse tensor {name!r} where a dense one is needed")
    return tensor.values


def _fields(data: bytes, position: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Each field of a message: its number, its wire type, and where its content begins and ends;
    of a varint the number itself and 0."""
    while position < end:
        tag, position = _varint(data, position, end)
        field, wire = tag >> 3, tag & 7
        if field == 0 or tag >= 1 << 32:
            raise MalformedRecord(f"is no protobuf message (field {field})")
        if wire == _VARINT:
            number, position = _varint(data, position, end)
            yield field, wire, number, 0
            continue
        if wire == _LENGTH:
            size, position = _varint(data, position, end)
        elif wire in (_FIXED32, _FIXED64):
            size = 4 if wire == _FIXED32 else 8
        else:
            raise MalformedRecord(f"is no protobuf message (wire type {wire})")
        if size > end - position:
            raise MalformedRecord("is no protobuf message (a field is cut off)")
        yield field, wire, position, position + size
        position += size


def _varint(data: bytes, position: int, end: int) -> tuple[int, int]:
    number = shift = 0
    while position < end and shift < 64:
        byte = data[position]
        position += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number & _64_BITS, position
        shift += 7
    raise MalformedRecord("is no protobuf message (a number does not end)")


def _parse_entry(data: bytes, start: int, end: int) -> tuple[str, tuple[int, int]]:
    """The name of an entry of a map, and where its value is."""
    name, value = (0, 0), (0, 0)
    for field, wire, begin, stop in _fields(data, start, end):
        if wire == _LENGTH and field == _NAME:
            name = (begin, stop)
        elif wire == _LENGTH and field == _VALUE:
            value = (begin, stop)
    try:
        return data[slice(*name)].decode(), value
    except UnicodeDecodeError as error:
        raise MalformedRecord("has a name that is no text") from error


def _parse_value(data: bytes, start: int, end: int) -> Tensor:
    chosen = 0
    spans: list[tuple[int, int]] = []
    for field, wire, begin, stop in _fields(data, start, end):
        if wire == _LENGTH and field in (FLOAT32, FLOAT64, INT32, BYTES):
            if field != chosen:
                chosen, spans = field, []
            # The same message twice is one message with the fields of both.
            spans.append((begin, stop))
    if not chosen:
        return Tensor(np.empty(0, dtype=np.float32))
    if chosen == BYTES:
        pieces = [
            data[begin:stop]
            for span in spans
            for field, wire, begin, stop in _fields(data, *span)
            if (field, wire) == (_VALUES, _LENGTH)
        ]
        return Tensor(np.frombuffer(b"".join(pieces), dtype=np.uint8))
    return _parse_tensor(data, spans, chosen)


def _parse_tensor(data: bytes, spans: list[tuple[int, int]], kind: int) -> Tensor:
    parts: dict[int, list[Any]] = {_VALUES: [], _KEYS: [], _SHAPE: []}
    for span in spans:
        for field, wire, start, end in _fields(data, *span):
            if field == _VALUES and kind != INT32:
                parts[field].append(_floats(data, wire, start, end, kind))
            elif field in parts:
                parts[field].append(_numbers(data, wire, start, end))
    values, keys, shape = (_joined(parts[field]) for field in (_VALUES, _KEYS, _SHAPE))
    if values is None:
        values = np.empty(0, dtype=_DTYPES[kind])
    elif kind == INT32:
        values = values.astype(np.uint32).view(np.int32)
    if keys is not None and not keys.size:
        keys = None
    if keys is not None and keys.size != values.size:
        raise MalformedRecord(f"has {keys.size} keys for {values.size} values")
    return Tensor(values, keys, tuple(shape.tolist()) if shape is not None else ())


def _joined(parts: list[Any]) -> Any:
    if len(parts) > 1:
        return np.concatenate(parts)
    return parts[0] if parts else None


def _floats(data: bytes, wire: int, start: int, end: int, kind: int) -> Any:
    dtype = np.dtype(_DTYPES[kind])
    single = _FIXED32 if kind == FLOAT32 else _FIXED64
    count, rest = divmod(end - start, dtype.itemsize)
    if wire not in (_LENGTH, single) or rest:
        raise MalformedRecord("has values of another type than it says")
    return np.frombuffer(data, dtype=dtype, count=count, offset=start).copy()


def _numbers(data: bytes, wire: int, start: int, end: int) -> Any:
    """Varints, packed or a single one, as uint64."""
    if wire == _VARINT:
        return np.array([start], dtype=np.uint64)
    if wire != _LENGTH:
        raise MalformedRecord("has values of another type than it says")
    if end - start > _FEW:
        return _many_varints(np.frombuffer(data, dtype=np.uint8, count=end - start, offset=start))
    found = []
    while start < end:
        number, start = _varint(data, start, end)
        found.append(number)
    return np.array(found, dtype=np.uint64)


def _many_varints(data: Any) -> Any:
    ends = np.flatnonzero(data < 0x80)
    if not ends.size or ends[-1] != data.size - 1:
        raise MalformedRecord("is no protobuf message (a number does not end)")
    if ends.size == data.size:
        return data.astype(np.uint64)
    starts = np.zeros_like(ends)
    starts[1:] = ends[:-1] + 1
    lengths = ends - starts + 1
    longest = int(lengths.max())
    if longest > 10:
        raise MalformedRecord("is no protobuf message (a number does not end)")
    found = np.zeros(ends.size, dtype=np.uint64)
    for place in range(longest):
        there = lengths > place
        part = (data[starts[there] + place] & np.uint8(0x7F)).astype(np.uint64)
        found[there] |= part << np.uint64(7 * place)
    return found


def _dense_span(data: bytes, start: int, end: int) -> Span | None:
    """The values of a ``Value`` that holds them packed and has no keys."""
    content = list(_fields(data, start, end))
    if len(content) != 1 or content[0][0] not in (FLOAT32, FLOAT64):
        return None
    kind, wire, start, end = content[0]
    fields = list(_fields(data, start, end)) if wire == _LENGTH else []
    packed = [field for field in fields if field[:2] == (_VALUES, _LENGTH)]
    others = [field for field in fields if field[0] != _SHAPE and field not in packed]
    if len(packed) != 1 or others:
        return None
    _, _, start, end = packed[0]
    dtype = _DTYPES[kind]
    count, rest = divmod(end - start, np.dtype(dtype).itemsize)
    return None if rest or not count else Span(start, count, dtype)
