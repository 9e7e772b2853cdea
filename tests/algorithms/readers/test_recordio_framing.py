"""RecordIO framing: what was written, what is damaged, and where."""

from __future__ import annotations

import io
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bottega.algorithms.readers import record_frames
from bottega.algorithms.readers.record_frames import frames
from bottega.algorithms.readers.recordio import (
    MAGIC_BYTES,
    MalformedRecordIO,
    TruncatedRecordIO,
    frame,
    read_records,
    write_records,
)

PAYLOADS = st.lists(
    st.lists(st.one_of(st.binary(max_size=9), st.just(MAGIC_BYTES)), max_size=6).map(b"".join),
    max_size=12,
)


def payloads_by_the_block(data: bytes) -> list[bytes]:
    return [found.payload(i) for found in frames(io.BytesIO(data)) for i in range(found.count)]


@given(PAYLOADS)
def test_what_was_written_is_read(payloads: list[bytes]) -> None:
    file = io.BytesIO()
    assert write_records(file, payloads) == len(payloads)
    data = file.getvalue()
    assert list(read_records(io.BytesIO(data))) == payloads
    assert payloads_by_the_block(data) == payloads


@pytest.mark.parametrize("chunk", [8, 13, 64, 1000])
def test_records_may_lie_across_the_blocks_of_a_stream(
    monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    random = np.random.default_rng(chunk)
    payloads = [random.bytes(int(size)) for size in random.integers(0, 90, size=60)]
    payloads[7] = payloads[30] = b"abcd" + MAGIC_BYTES + b"efgh"
    monkeypatch.setattr(record_frames, "_CHUNK", chunk)
    assert payloads_by_the_block(b"".join(map(frame, payloads))) == payloads


@pytest.mark.parametrize("same", [True, False], ids=["of one length", "of any length"])
def test_many_records_are_found_at_once(same: bool) -> None:
    random = np.random.default_rng(0)
    sizes = [40] * 5000 if same else random.integers(0, 60, size=5000).tolist()
    payloads = [random.bytes(size) for size in sizes]
    data = b"".join(frame(payload) for payload in payloads)
    found = list(frames(io.BytesIO(data)))
    assert bool(found[0].stride) == same
    assert payloads_by_the_block(data) == payloads


def test_the_form_is_that_of_mxnet() -> None:
    assert frame(b"abcde") == struct.pack("<II", 0xCED7230A, 5) + b"abcde\0\0\0"
    # A magic number at a multiple of four is left out, and the record cut there.
    first, last = (struct.pack("<II", 0xCED7230A, (kind << 29) | 4) for kind in (1, 3))
    assert frame(b"abcd" + MAGIC_BYTES + b"efgh") == first + b"abcd" + last + b"efgh"
    middle = struct.pack("<II", 0xCED7230A, 2 << 29)
    assert frame(MAGIC_BYTES * 2)[8:16] == middle
    assert frame(b"a" + MAGIC_BYTES)[:8] == struct.pack("<II", 0xCED7230A, 5)


GOOD = frame(b"abcdefgh") + frame(b"ijkl")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"1,2,3\n4,5,6\n", ("byte 0", "record 1", "no RecordIO")),
        (GOOD + b"12345678", ("byte 28", "record 3", "0x34333231")),
        (GOOD[:-1], ("byte 27", "record 2", "4 bytes should follow byte 24, and 3 do")),
        (GOOD[:20], ("byte 20", "record 2", "8 bytes should follow byte 16, and 4 do")),
        (GOOD + struct.pack("<II", 0xCED7230A, 3 << 29), ("byte 28", "record 3", "kind 3")),
        (GOOD + struct.pack("<II", 0xCED7230A, 7 << 29), ("byte 28", "kind 7")),
        (GOOD + struct.pack("<II", 0xCED7230A, 1 << 29), ("byte 36", "between parts", "record 3")),
        (struct.pack("<III", 0xCED7230A, (1 << 29) | 4, 1) + frame(b"x"), ("byte 12", "kind 0")),
        (GOOD + struct.pack("<II", 0xCED7230A, (1 << 29) - 1), ("byte 36", "record 3")),
    ],
)
def test_damage_is_told_by_byte_and_record(data: bytes, words: tuple[str, ...]) -> None:
    for read in (lambda: list(read_records(io.BytesIO(data))), lambda: payloads_by_the_block(data)):
        with pytest.raises(MalformedRecordIO) as error:
            read()
        for word in words:
            assert word in str(error.value)


@given(st.binary(max_size=80), st.integers(0, 60))
def test_anything_is_judged_alike_by_both_ways(noise: bytes, cut: int) -> None:
    data = GOOD[:cut] + noise
    found: list[object] = []
    for read in (lambda: list(read_records(io.BytesIO(data))), lambda: payloads_by_the_block(data)):
        try:
            found.append(read())
        except MalformedRecordIO as error:
            found.append((type(error), str(error)))
    assert found[0] == found[1]


def test_a_length_that_lies_takes_no_memory() -> None:
    data = struct.pack("<II", 0xCED7230A, (1 << 29) - 4) + bytes(1000)
    for read in (read_records, frames):
        tracemalloc.start()
        with pytest.raises(TruncatedRecordIO, match=r"record 1.*and 1000 do"):
            list(read(io.BytesIO(data)))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 16 << 20


def test_a_record_can_be_larger_than_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record_frames, "_CHUNK", 1 << 10)
    payloads = [b"x" * 100, b"y" * 70_000, b"z"]
    assert payloads_by_the_block(b"".join(map(frame, payloads))) == payloads


def test_a_payload_can_be_too_large() -> None:
    class Huge(bytes):
        def __len__(self) -> int:
            return 1 << 29

    with pytest.raises(ValueError, match="at most 536870911 bytes"):
        frame(Huge())
