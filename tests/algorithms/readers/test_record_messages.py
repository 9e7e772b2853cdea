"""Protobuf Records one by one, against Google's own library."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from google.protobuf.message import DecodeError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from bottega.algorithms.readers.record_protobuf import (
    FLOAT32,
    MalformedRecord,
    decode_record,
    delimited,
    encode_record,
    encode_tensor,
    entry,
    parse_record,
    varint,
)

FIXTURES = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
ARRAYS = st.one_of(
    [
        arrays.arrays(dtype, st.integers(0, 90), elements={"allow_nan": False})
        if dtype != np.int32
        else arrays.arrays(dtype, st.integers(0, 90))
        for dtype in (np.float32, np.float64, np.int32)
    ]
)
TENSORS = st.dictionaries(NAMES, ARRAYS, max_size=3)
FIELDS = {np.float32: "float32_tensor", np.float64: "float64_tensor", np.int32: "int32_tensor"}


def fill(message: Any, tensors: dict[str, np.ndarray]) -> None:
    for name, array in tensors.items():
        tensor = getattr(message[name], FIELDS[array.dtype.type])
        tensor.values.extend(array.tolist())
        # An empty tensor is there, too.
        tensor.SetInParent()


def same(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> bool:
    return found.keys() == expected.keys() and all(
        found[name].dtype == array.dtype and np.array_equal(found[name], array)
        for name, array in expected.items()
    )


@FIXTURES
@given(features=TENSORS, labels=TENSORS)
def test_we_read_what_google_writes(
    record_class: Any,
    unpacked_record_class: Any,
    features: dict[str, np.ndarray],
    labels: dict[str, np.ndarray],
) -> None:
    for kind in (record_class, unpacked_record_class):
        message = kind(uid="row 7", metadata='{"a": 1}')
        fill(message.features, features)
        fill(message.label, labels)
        found = decode_record(message.SerializeToString())
        assert same(found.features, features)
        assert same(found.labels, labels)


@FIXTURES
@given(features=TENSORS, labels=TENSORS)
def test_google_reads_what_we_write(
    record_class: Any, features: dict[str, np.ndarray], labels: dict[str, np.ndarray]
) -> None:
    message = record_class()
    message.ParseFromString(encode_record(features, labels))
    for values, given_ in ((message.features, features), (message.label, labels)):
        assert set(values) == set(given_)
        for name, array in given_.items():
            kind = values[name].WhichOneof("value")
            assert kind == FIELDS[array.dtype.type]
            assert list(getattr(values[name], kind).values) == array.tolist()


@FIXTURES
@given(st.lists(st.integers(0, 2**64 - 1), max_size=200), st.lists(st.integers(0, 2**40)))
def test_keys_and_shapes(
    record_class: Any, unpacked_record_class: Any, keys: list[int], shape: list[int]
) -> None:
    for kind in (record_class, unpacked_record_class):
        message = kind()
        tensor = message.features["values"].float32_tensor
        tensor.values.extend(range(len(keys)))
        tensor.keys.extend(keys)
        tensor.shape.extend(shape)
        found = parse_record(message.SerializeToString())[0]["values"]
        assert found.shape == tuple(shape)
        if keys:
            assert found.keys.tolist() == keys
            assert found.sparse
        else:
            assert found.keys is None
            assert found.sparse == (shape not in ([], [0]))


def test_bytes_and_values_of_nothing(record_class: Any) -> None:
    message = record_class()
    message.features["image"].bytes.value.extend([b"abc", b"de"])
    message.features["image"].bytes.content_type = "image/png"
    message.features["nothing"].SetInParent()
    features, _ = parse_record(message.SerializeToString())
    assert features["image"].values.tobytes() == b"abcde"
    assert features["nothing"].values.size == 0


def test_of_what_may_be_there_once_the_last_counts(record_class: Any) -> None:
    value = encode_tensor(FLOAT32, [1, 2])
    twice = value + encode_tensor(FLOAT32, [3])
    other = encode_tensor(7, np.array([9], dtype=np.int32)) + value
    payload = entry(1, "values", twice) + entry(2, "y", value) + entry(2, "y", other)
    message = record_class()
    message.ParseFromString(payload)
    # Two messages in one place are one with the fields of both.
    assert list(message.features["values"].float32_tensor.values) == [1, 2, 3]
    found = decode_record(payload)
    assert found.features["values"].tolist() == [1, 2, 3]
    assert found.labels["y"].tolist() == list(message.label["y"].float32_tensor.values) == [1, 2]


def test_unknown_fields_are_passed_over() -> None:
    more = b"".join(
        (
            delimited(99, b"new"),
            varint(98 << 3) + varint(2**63),
            varint(97 << 3 | 5) + b"1234",
            varint(96 << 3 | 1) + b"12345678",
        )
    )
    value = encode_tensor(FLOAT32, [1, 2]) + more
    payload = more + delimited(1, delimited(1, b"values") + more + delimited(2, value)) + more
    assert decode_record(payload).features["values"].tolist() == [1, 2]


def test_a_sparse_tensor_is_no_dense_one() -> None:
    payload = entry(1, "values", encode_tensor(FLOAT32, [1], [3], 9))
    with pytest.raises(MalformedRecord, match="sparse tensor 'values'"):
        decode_record(payload)


@FIXTURES
@given(st.binary(max_size=40), st.data())
def test_what_google_refuses_we_refuse(
    record_class: Any, noise: bytes, data: st.DataObject
) -> None:
    good = encode_record({"values": np.ones(4)}, {"values": np.ones(1)})
    cut = data.draw(st.integers(0, len(good)))
    for payload in (noise, good[:cut] + noise, good[:cut] + noise + good[cut:]):
        try:
            record_class().ParseFromString(payload)
            accepted = True
        except DecodeError:
            accepted = False
        try:
            parse_record(payload)
        except MalformedRecord:
            # We refuse more: groups, which no Record has, and keys without values.
            continue
        assert accepted


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (b"\x0a\x05", "cut off"),
        (b"\x0a", "does not end"),
        (b"\xff" * 11, "does not end"),
        (b"\x00\x00", "field 0"),
        (b"\x0b", "wire type 3"),
        (entry(1, "values", delimited(2, delimited(1, b"12345"))), "another type"),
        (delimited(1, delimited(1, b"\xff") + delimited(2, b"")), "no text"),
        (entry(1, "values", encode_tensor(FLOAT32, [1, 2], [3])), "1 keys for 2 values"),
    ],
)
def test_what_is_wrong_with_a_record(payload: bytes, words: str) -> None:
    with pytest.raises(MalformedRecord, match=words):
        parse_record(payload)
