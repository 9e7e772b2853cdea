"""Objects are cut into requests without losing, doubling or reordering anything."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.features.transform.splitting import Batch, Splitter, Unsplittable

LINES = st.lists(
    st.binary(max_size=12).map(lambda line: line.replace(b"\n", b"").replace(b"\r", b"")),
    max_size=40,
)


def cut(data: bytes, split: str, *, single: bool = False, limit: int = 0) -> list[Batch]:
    return list(Splitter(split, single, limit).batches(io.BytesIO(data)))


def records_of(batches: list[Batch]) -> list[bytes]:
    return [line for batch in batches for line in batch.body.split(b"\n") if line]


@settings(max_examples=150, deadline=None)
@given(LINES, st.sampled_from([b"\n", b"\r\n"]), st.booleans(), st.booleans(), st.integers(13, 60))
def test_lines_come_out_whole_once_and_in_order(
    lines: list[bytes], ending: bytes, ended: bool, single: bool, limit: int
) -> None:
    data = ending.join(lines) + (ending if ended and lines else b"")
    batches = cut(data, "Line", single=single, limit=limit)
    kept = [line for line in lines if line]
    assert [line.rstrip(b"\r") for line in records_of(batches)] == kept
    assert sum(batch.records for batch in batches) == len(kept)
    assert all(len(batch.body) <= limit for batch in batches)
    ends = [batch.end for batch in batches]
    assert ends == sorted(ends)
    assert (ends[-1] if ends else 0) == len(data)
    numbers = [n for batch in batches for n in (batch.first, batch.last)]
    assert numbers == sorted(numbers)
    if single:
        assert all(batch.records <= 1 for batch in batches)


@settings(max_examples=100, deadline=None)
@given(LINES, st.booleans(), st.integers(13, 60), st.data())
def test_it_goes_on_from_any_batch_as_if_it_had_never_stopped(
    lines: list[bytes], single: bool, limit: int, data: st.DataObject
) -> None:
    text = b"\n".join(lines)
    splitter = Splitter("Line", single, limit)
    whole = list(splitter.batches(io.BytesIO(text)))
    if not whole:
        return
    at = data.draw(st.integers(0, len(whole) - 1))
    stream = io.BytesIO(text)
    stream.seek(whole[at].end)
    assert list(splitter.batches(stream, whole[at].end, whole[at].last + 1)) == whole[at + 1 :]


def test_many_records_fill_a_request() -> None:
    batches = cut(b"aaa\nbbb\nccc\nddd\n", "Line", limit=9)
    assert [batch.body for batch in batches] == [b"aaa\nbbb\n", b"ccc\nddd\n"]
    assert [(batch.first, batch.last) for batch in batches] == [(1, 2), (3, 4)]


def test_a_line_break_in_quotes_ends_a_line() -> None:
    batches = cut(b'1,"a\nb"\n', "Line", single=True)
    assert [batch.body for batch in batches] == [b'1,"a\n', b'b"\n']


@pytest.mark.parametrize("single", [False, True])
def test_a_line_that_is_too_long_is_named(single: bool) -> None:
    with pytest.raises(Unsplittable, match=r"line 2 has more than 4 bytes.*MaxPayloadInMB"):
        cut(b"a\nbbbbbb\nc\n", "Line", single=single, limit=4)


def test_a_line_of_just_the_limit_fits() -> None:
    assert [b.body for b in cut(b"aaaa\nbb\n", "Line", limit=4)] == [b"aaaa", b"bb\n"]
    assert [b.body for b in cut(b"aaaa", "Line", limit=4)] == [b"aaaa"]


def test_without_a_split_the_object_is_the_request() -> None:
    assert [batch.body for batch in cut(b"a\nb", "None", limit=3)] == [b"a\nb"]
    assert cut(b"", "None") == []
    with pytest.raises(Unsplittable, match="more than 2 bytes"):
        cut(b"a\nb", "None", limit=2)


def tf_record(data: bytes) -> bytes:
    return struct.pack("<QI", len(data), 7) + data + struct.pack("<I", 9)


def recordio(data: bytes, kind: int = 0) -> bytes:
    padding = b"\0" * (-len(data) % 4)
    return struct.pack("<II", 0xCED7230A, kind << 29 | len(data)) + data + padding


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.binary(max_size=20), max_size=20),
    st.sampled_from(["TFRecord", "RecordIO"]),
    st.booleans(),
    st.integers(40, 120),
)
def test_binary_records_stay_whole(
    records: list[bytes], split: str, single: bool, limit: int
) -> None:
    framed = [(tf_record if split == "TFRecord" else recordio)(record) for record in records]
    data = b"".join(framed)
    batches = cut(data, split, single=single, limit=limit)
    assert b"".join(batch.body for batch in batches) == data
    assert sum(batch.records for batch in batches) == len(records)
    assert all(len(batch.body) <= limit for batch in batches)
    if single:
        assert [batch.body for batch in batches] == framed


def test_a_record_in_several_parts_stays_together() -> None:
    parts = recordio(b"ab", 1) + recordio(b"cd", 2) + recordio(b"ef", 3)
    batches = cut(parts + recordio(b"x"), "RecordIO", single=True)
    assert [batch.body for batch in batches] == [parts, recordio(b"x")]


@pytest.mark.parametrize(
    ("split", "data", "words"),
    [
        ("TFRecord", tf_record(b"abc")[:-1], "record 1 is cut off"),
        ("TFRecord", tf_record(b"abc") + b"12", "record 2 is cut off"),
        ("RecordIO", recordio(b"abc")[:-1], "record 1 is cut off"),
        ("RecordIO", b"12345678", "does not begin"),
        ("RecordIO", recordio(b"a", 2), "wrong order"),
        ("RecordIO", recordio(b"a", 1), "record 1 is cut off"),
        ("RecordIO", recordio(b"a", 1) + recordio(b"b"), "wrong order"),
        ("TFRecord", struct.pack("<QI", 1 << 60, 0), "record 1 has more than"),
    ],
)
def test_damaged_files_are_refused(split: str, data: bytes, words: str) -> None:
    with pytest.raises(Unsplittable, match=words):
        cut(data, split, limit=100)
