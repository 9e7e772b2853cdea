"""The Record of the documentation as Google's own protobuf library has it, to judge ours by."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_FIELD = descriptor_pb2.FieldDescriptorProto
_TENSORS = (
    ("Float32Tensor", _FIELD.TYPE_FLOAT),
    ("Float64Tensor", _FIELD.TYPE_DOUBLE),
    ("Int32Tensor", _FIELD.TYPE_INT32),
)
_OF_VALUE = (
    ("float32_tensor", 2, "Float32Tensor"),
    ("float64_tensor", 3, "Float64Tensor"),
    ("int32_tensor", 7, "Int32Tensor"),
    ("bytes", 9, "Bytes"),
)


def _add(message: Any, name: str, number: int, kind: int, **more: Any) -> Any:
    field = message.field.add(name=name, number=number, type=kind, **more)
    if field.label == 0:
        field.label = _FIELD.LABEL_OPTIONAL
    return field


def _record_class(package: str, *, packed: bool) -> Any:
    file = descriptor_pb2.FileDescriptorProto(
        name=f"{package}.proto", package=package, syntax="proto2"
    )
    repeated = {"label": _FIELD.LABEL_REPEATED}
    for name, kind in _TENSORS:
        tensor = file.message_type.add(name=name)
        for number, (field, what) in enumerate(
            (("values", kind), ("keys", _FIELD.TYPE_UINT64), ("shape", _FIELD.TYPE_UINT64)), 1
        ):
            _add(tensor, field, number, what, **repeated).options.packed = packed
    content = file.message_type.add(name="Bytes")
    _add(content, "value", 1, _FIELD.TYPE_BYTES, **repeated)
    _add(content, "content_type", 2, _FIELD.TYPE_STRING)
    value = file.message_type.add(name="Value")
    value.oneof_decl.add(name="value")
    for name, number, kind in _OF_VALUE:
        of = {"type_name": f".{package}.{kind}", "oneof_index": 0}
        _add(value, name, number, _FIELD.TYPE_MESSAGE, **of)
    record = file.message_type.add(name="Record")
    for name, number, entry in (("features", 1, "FeaturesEntry"), ("label", 2, "LabelEntry")):
        nested = record.nested_type.add(name=entry)
        nested.options.map_entry = True
        _add(nested, "key", 1, _FIELD.TYPE_STRING)
        _add(nested, "value", 2, _FIELD.TYPE_MESSAGE, type_name=f".{package}.Value")
        _add(
            record,
            name,
            number,
            _FIELD.TYPE_MESSAGE,
            type_name=f".{package}.Record.{entry}",
            **repeated,
        )
    for name, number in (("uid", 3), ("metadata", 4), ("configuration", 5)):
        _add(record, name, number, _FIELD.TYPE_STRING)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.Record"))


@pytest.fixture(scope="session")
def record_class() -> Any:
    """The message ``Record``; repeated numbers are packed, as SageMaker's SDK writes them."""
    return _record_class("oracle.packed", packed=True)


@pytest.fixture(scope="session")
def unpacked_record_class() -> Any:
    """The same, in which every number has a tag of its own."""
    return _record_class("oracle.unpacked", packed=False)
