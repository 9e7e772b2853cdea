"""Tensors as records of a tfevents file.

A record is ``<length, 8 bytes><masked CRC-32C of it, 4><Event><check, 4>``. smdebug's files have
the checksum of a constant where TensorBoard's have that of the Event, so only the eight bytes of
a length are ever summed: a table of 256 numbers does that, and no library for CRC-32C is needed.

The messages are protobuf's, of smdebug's fields: TensorBoard's own messages have one
``plugin_data`` where these have two, the mode of a step and its number in that mode. They are read
with protobuf; they are written without it, for a training waits meanwhile: a message is the bytes
of its fields one behind the other, and most of them are the same for all tensors of a step.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from bottega.debugger.tensors.exceptions import BrokenTensorFile
from bottega.debugger.tensors.modes import ModeKeys

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

_CASTAGNOLI = 0x82F63B78
_MASK = 0xA282EAD8
_PACKAGE = "bottega.debugger"
_CHECKED = b"0x12345678"
_HEAD = struct.Struct("<QI")
_FOOT = struct.Struct("<I")
_STRING = 7
_WALL_TIME, _STEP, _SUMMARY = 0x09, 0x10, 0x2A
_VALUE, _TAG, _TENSOR, _METADATA = 0x0A, 0x0A, 0x42, 0x4A
_PLUGIN, _PLUGIN_NAME, _PLUGIN_CONTENT = 0x0A, 0x0A, 0x12
_DTYPE, _SHAPE, _CONTENT, _TEXT = 0x08, 0x12, 0x22, 0x42
_DIMENSION, _SIZE = 0x12, 0x08
"""Tags of the fields of Event, Summary and Value, SummaryMetadata, TensorProto and its shape."""
_FLOAT = bytes((_DTYPE, 2, _CONTENT, 8))
_DOUBLE = struct.Struct("<d")
_TYPES = {
    1: "float32",
    2: "float64",
    3: "int32",
    4: "uint8",
    5: "int16",
    6: "int8",
    8: "complex64",
    9: "int64",
    10: "bool",
    17: "uint16",
    18: "complex128",
    19: "float16",
    22: "uint32",
    23: "uint64",
}
"""Of TensorFlow's DataType: those that numpy has."""
_WIDENED = {
    "int8": "int32",
    "int16": "int32",
    "uint16": "int32",
    "uint32": "int64",
    "uint64": "int64",
    "complex64": "complex128",
    "float128": "float64",
    "longdouble": "float64",
}
"""Types that smdebug writes and cannot read, and the type they are written in instead."""


class Record(NamedTuple):
    """A tensor of one step, as it is in a file."""

    name: str
    value: Array
    mode: ModeKeys
    mode_step: int


@lru_cache(maxsize=1)
def _table() -> tuple[int, ...]:
    entries = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (_CASTAGNOLI if byte & 1 else 0)
        entries.append(byte)
    return tuple(entries)


def masked_crc32c(data: bytes) -> int:
    """The checksum of a few bytes, rotated and shifted as TensorFlow has it."""
    table, crc = _table(), 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 0xFF]
    crc ^= 0xFFFFFFFF
    return (((crc >> 15) | (crc << 17)) + _MASK) & 0xFFFFFFFF


@lru_cache(maxsize=1)
def _footer() -> bytes:
    return _FOOT.pack(masked_crc32c(_CHECKED))


@lru_cache(maxsize=8)
def _message(wanted: str) -> Any:
    """The class of a message: Event, or what is in it, with the fields that a tensor needs."""
    from google.protobuf import message_factory

    found = _pool().FindMessageTypeByName(f"{_PACKAGE}.{wanted}")
    return message_factory.GetMessageClass(found)


@lru_cache(maxsize=1)
def _pool() -> Any:
    from google.protobuf import descriptor_pb2, descriptor_pool

    field = descriptor_pb2.FieldDescriptorProto
    kinds = {
        "double": field.TYPE_DOUBLE,
        "int64": field.TYPE_INT64,
        "int32": field.TYPE_INT32,
        "string": field.TYPE_STRING,
        "bytes": field.TYPE_BYTES,
    }
    messages = {
        "Event": (("wall_time", 1, "double"), ("step", 2, "int64"), ("summary", 5, "Summary")),
        "Summary": (("value", 1, "*Value"),),
        "Value": (("tag", 1, "string"), ("tensor", 8, "Tensor"), ("metadata", 9, "Metadata")),
        "Metadata": (("plugin_data", 1, "*PluginData"),),
        "PluginData": (("plugin_name", 1, "string"), ("content", 2, "string")),
        "Tensor": (
            ("dtype", 1, "int32"),
            ("tensor_shape", 2, "Shape"),
            ("tensor_content", 4, "bytes"),
            ("string_val", 8, "*bytes"),
        ),
        "Shape": (("dim", 2, "*Dim"),),
        "Dim": (("size", 1, "int64"), ("name", 2, "string")),
    }
    file = descriptor_pb2.FileDescriptorProto(
        name="bottega/debugger/event.proto", package=_PACKAGE, syntax="proto3"
    )
    for name, fields in messages.items():
        message = file.message_type.add(name=name)
        for member, number, kind in fields:
            one = message.field.add(name=member, number=number)
            one.label = field.LABEL_REPEATED if kind.startswith("*") else field.LABEL_OPTIONAL
            kind = kind.removeprefix("*")
            if kind in kinds:
                one.type = kinds[kind]
            else:
                one.type, one.type_name = field.TYPE_MESSAGE, f".{_PACKAGE}.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool


def encoded(name: str, value: Any, mode: ModeKeys, mode_step: int, when: float) -> bytes:
    """The record of a tensor.

    Args:
        name: the tensor's name.
        value: an array, or what numpy makes one of. Texts are kept as a list without dimensions.
        mode: the mode of the step.
        mode_step: the step as this mode counts it.
        when: seconds since 1970.

    Raises:
        TypeError: the values are neither numbers nor texts.
    """
    # Most of a hook's tensors are numbers.
    tensor = _FLOAT + _DOUBLE.pack(value) if type(value) is float else _tensor(value, name)
    entry = _tag(name) + _part(_TENSOR, tensor) + _metadata(mode, mode_step)
    return framed(_moment(when, mode_step) + _part(_SUMMARY, _part(_VALUE, entry)))


def _tensor(value: Any, name: str) -> bytes:
    import numpy as np

    array = np.asarray(value)
    if array.dtype.kind in "OSU":
        array = array.reshape(-1)
        content = b"".join(_part(_TEXT, _text(one).encode()) for one in array.tolist())
    else:
        number, kind = _kind(array.dtype)
        if kind is None:
            raise TypeError(f"A tensor of type {array.dtype} cannot be saved: {name}.")
        values = array.astype(kind, order="C", copy=False).tobytes()
        content = bytes((_DTYPE, number)) + _part(_CONTENT, values)
    sizes = (_part(_DIMENSION, bytes((_SIZE,)) + _varint(size)) for size in array.shape)
    return content + (_part(_SHAPE, b"".join(sizes)) if array.ndim else b"")


def _varint(number: int) -> bytes:
    """A number as protobuf has it: seven bits a byte, the lowest first."""
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)


def _part(tag: int, content: bytes) -> bytes:
    """A field that has a length: a message, a text, bytes."""
    length = len(content)
    return (bytes((tag, length)) if length < 0x80 else bytes((tag,)) + _varint(length)) + content


@lru_cache(maxsize=4096)
def _tag(name: str) -> bytes:
    return _part(_TAG, name.encode())


@lru_cache(maxsize=16)
def _moment(when: float, step: int) -> bytes:
    return bytes((_WALL_TIME,)) + _DOUBLE.pack(when) + bytes((_STEP,)) + _varint(step)


@lru_cache(maxsize=16)
def _metadata(mode: ModeKeys, mode_step: int) -> bytes:
    plugins = (("mode_step", mode_step), ("mode", mode.value))
    entries = (
        _part(_PLUGIN, _part(_PLUGIN_NAME, name.encode()) + _part(_PLUGIN_CONTENT, b"%d" % value))
        for name, value in plugins
    )
    return _part(_METADATA, b"".join(entries))


@lru_cache(maxsize=64)
def _kind(dtype: np.dtype[Any]) -> tuple[int, np.dtype[Any] | None]:
    """How values of a type are written: the number of the DataType, and the type; or None."""
    import numpy as np

    target = _WIDENED.get(dtype.name, dtype.name)
    for number, name in _TYPES.items():
        if name == target:
            return number, np.dtype(target).newbyteorder("<")
    return 0, None


def _text(one: object) -> str:
    return one.decode(errors="replace") if isinstance(one, bytes) else str(one)


def framed(event: bytes) -> bytes:
    """A record around the bytes of an Event."""
    return b"".join((_head(len(event)), event, _footer()))


@lru_cache(maxsize=4096)
def _head(length: int) -> bytes:
    packed = struct.pack("<Q", length)
    return packed + _FOOT.pack(masked_crc32c(packed))


def decoded(record: bytes) -> Record:
    """The tensor of a record.

    Raises:
        BrokenTensorFile: this is no record of a tensor.
    """
    found = next(records(record), None)
    if found is None:
        raise BrokenTensorFile("A record of an events file is empty.")
    return found


def records(data: bytes) -> Iterator[Record]:
    """The tensors of an events file, one by one.

    Raises:
        BrokenTensorFile: the bytes are not whole records of tensors.
    """
    from google.protobuf.message import DecodeError

    at = 0
    while at < len(data):
        if len(data) - at < _HEAD.size:
            raise BrokenTensorFile(f"A record of an events file ends after {len(data) - at} bytes.")
        length, check = _HEAD.unpack_from(data, at)
        if masked_crc32c(data[at : at + 8]) != check:
            raise BrokenTensorFile(f"A record of an events file at byte {at} is damaged.")
        end = at + _HEAD.size + length
        if end + _FOOT.size > len(data):
            raise BrokenTensorFile(f"A record of an events file at byte {at} is cut off.")
        event = _message("Event")()
        try:
            event.ParseFromString(data[at + _HEAD.size : end])
        except DecodeError as error:
            raise BrokenTensorFile(
                f"A record of an events file at byte {at} is damaged: {error}"
            ) from error
        for entry in event.summary.value:
            yield _record(entry, event.step)
        at = end + _FOOT.size


def _record(entry: Any, step: int) -> Record:
    import numpy as np

    plugins = {one.plugin_name: one.content for one in entry.metadata.plugin_data}
    shape = [one.size for one in entry.tensor.tensor_shape.dim]
    try:
        if entry.tensor.string_val or entry.tensor.dtype in (0, _STRING):
            value = np.array([one.decode() for one in entry.tensor.string_val])
        else:
            # A copy, so that it can be written to and does not hold on to the record.
            kind = np.dtype(_TYPES[entry.tensor.dtype]).newbyteorder("<")
            value = np.frombuffer(entry.tensor.tensor_content, kind).reshape(shape).copy()
        mode = ModeKeys(int(plugins.get("mode", ModeKeys.GLOBAL.value)))
        return Record(entry.tag, value, mode, int(plugins.get("mode_step", step)))
    except (KeyError, ValueError) as error:
        raise BrokenTensorFile(f"The tensor {entry.tag} cannot be read: {error}") from error
