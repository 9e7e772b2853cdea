"""Tensors as records: what is written is what is read, and damage is told."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from bottega.debugger.tensors import records
from bottega.debugger.tensors.exceptions import BrokenTensorFile
from bottega.debugger.tensors.modes import ModeKeys

NUMBERS = st.one_of(
    arrays.floating_dtypes(sizes=(16, 32, 64)),
    arrays.integer_dtypes(),
    arrays.unsigned_integer_dtypes(),
    arrays.boolean_dtypes(),
    arrays.complex_number_dtypes(sizes=(64, 128)),
)


@settings(max_examples=60)
@given(
    arrays.arrays(NUMBERS, arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)),
    st.text(min_size=1, max_size=20),
    st.sampled_from(ModeKeys),
    st.integers(0, 10**9),
)
def test_numbers_come_back(array: Any, name: str, mode: ModeKeys, step: int) -> None:
    found = records.decoded(records.encoded(name, array, mode, step, 1.5))
    assert (found.name, found.mode, found.mode_step) == (name, mode, step)
    assert found.value.shape == array.shape
    if array.dtype.kind == "u" and array.dtype.itemsize == 8:
        array = array.astype(np.int64)  # what smdebug reads is as wide and has a sign
    np.testing.assert_array_equal(found.value, array.astype(found.value.dtype))
    assert np.can_cast(array.dtype, found.value.dtype, "safe")


@settings(max_examples=30)
@given(st.lists(st.text(max_size=10), min_size=1, max_size=5))
def test_texts_come_back(texts: list[str]) -> None:
    record = records.encoded("t", texts, ModeKeys.TRAIN, 0, 0.0)
    assert records.decoded(record).value.tolist() == np.array(texts).tolist()


def test_one_text_is_a_list_of_one() -> None:
    record = records.encoded("t", "squared", ModeKeys.TRAIN, 0, 0.0)
    assert records.decoded(record).value.tolist() == ["squared"]


def test_a_record_is_as_smdebug_and_tensorflow_frame_it() -> None:
    record = records.encoded("loss", np.float32(0.5), ModeKeys.EVAL, 7, 2.0)
    (length,) = struct.unpack_from("<Q", record)
    assert len(record) == length + 16
    # The checksums of CRC-32C's published example, and of smdebug's constant.
    assert records.masked_crc32c(b"123456789") == (
        ((0xE3069283 >> 15 | 0xE3069283 << 17) + 0xA282EAD8) & 0xFFFFFFFF
    )
    (footer,) = struct.unpack_from("<I", record, len(record) - 4)
    assert footer == records.masked_crc32c(b"0x12345678")


def test_several_records_are_read_in_order() -> None:
    data = b"".join(
        records.encoded(f"t{number}", number, ModeKeys.TRAIN, 3, 0.0) for number in range(3)
    )
    assert [one.name for one in records.records(data)] == ["t0", "t1", "t2"]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda data: data[:5], "ends after 5 bytes"),
        (lambda data: data[:-6], "cut off"),
        (lambda data: b"\x01" + data[1:], "damaged"),
        (lambda data: data[:12] + b"\xff" * (len(data) - 16) + data[-4:], "damaged"),
    ],
)
def test_damage_is_told(damage: Any, said: str) -> None:
    record = records.encoded("t", [1.0, 2.0], ModeKeys.TRAIN, 0, 0.0)
    with pytest.raises(BrokenTensorFile, match=said):
        records.decoded(damage(record))


def test_nothing_is_no_record() -> None:
    with pytest.raises(BrokenTensorFile, match="empty"):
        records.decoded(b"")


def test_a_date_cannot_be_saved() -> None:
    with pytest.raises(TypeError, match="datetime64"):
        records.encoded("when", np.array(["2026-01-01"], "M8[D]"), ModeKeys.TRAIN, 0, 0.0)
