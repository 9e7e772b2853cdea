"""Log streams on files."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bottega.compute.file_logs import FileLogStore
from bottega.compute.log_file import LogFile
from bottega.compute.logs import LogEvent, StreamMissing

GROUP = "/aws/sagemaker/TrainingJobs"
STREAM = "job/algo-1-1700000000"


@pytest.fixture
def logs(tmp_path: Path) -> FileLogStore:
    return FileLogStore(tmp_path / "logs")


def write(logs: FileLogStore, data: bytes, *, stream: str = STREAM, group: str = GROUP) -> Path:
    file = logs.path(group, stream)
    with file.open("ab") as opened:
        opened.write(data)
    return file


@contextmanager
def opened(file: Path) -> Iterator[LogFile]:
    log = LogFile(file)
    yield log
    log.close()


def test_records_are_read_with_their_times_and_places(logs: FileLogStore) -> None:
    write(logs, b"1000 first\n1000 \n1002 with  spaces and 3 words\n")
    chunk = logs.read(GROUP, STREAM)
    assert chunk.events == (
        LogEvent(1000, "first", 0),
        LogEvent(1000, "", 11),
        LogEvent(1002, "with  spaces and 3 words", 17),
    )
    assert chunk.next_position == 47
    assert logs.read(GROUP, STREAM, position=47).events == ()
    assert logs.read(GROUP, STREAM, position=47).next_position == 47
    assert logs.read(GROUP, STREAM, position=11, limit=1).events == chunk.events[1:2]
    assert logs.read(GROUP, STREAM, position=11, limit=1).next_position == 17


def test_a_record_is_seen_whole_or_not_at_all(logs: FileLogStore) -> None:
    write(logs, b"1000 whole\n1001 half a re")
    first = logs.read(GROUP, STREAM)
    assert [event.message for event in first.events] == ["whole"]
    assert logs.read_backward(GROUP, STREAM).events == first.events
    assert logs.seek(GROUP, STREAM, 1001) == first.next_position
    write(logs, b"cord\n1002 next\n")
    rest = logs.read(GROUP, STREAM, position=first.next_position)
    assert [event.message for event in rest.events] == ["half a record", "next"]


def test_what_is_not_utf8_is_replaced(logs: FileLogStore) -> None:
    write(logs, b"1000 caf\xe9 \xff\n")
    assert logs.read(GROUP, STREAM).events[0].message == "caf� �"


def test_a_record_cut_by_a_crash_is_shown_at_the_time_before_it(logs: FileLogStore) -> None:
    # The machine went down within the time of a record; the next writer ended the line.
    write(logs, b"1000 one\n10\n\n1005 two\n")
    chunk = logs.read(GROUP, STREAM)
    assert [(e.timestamp, e.message) for e in chunk.events] == [
        (1000, "one"),
        (1000, "10"),
        (1000, ""),
        (1005, "two"),
    ]
    assert logs.read(GROUP, STREAM, position=chunk.events[2].position).events == chunk.events[2:]
    assert logs.read_backward(GROUP, STREAM, limit=2).events == chunk.events[2:]
    assert logs.seek(GROUP, STREAM, 1001) == chunk.events[3].position


def test_a_position_within_a_record_goes_on_at_the_next_one(logs: FileLogStore) -> None:
    write(logs, b"1000 one\n1001 two\n")
    assert [event.message for event in logs.read(GROUP, STREAM, position=3).events] == ["two"]
    assert logs.read(GROUP, STREAM, position=12).events == ()
    assert logs.read(GROUP, STREAM, position=10_000).next_position == 10_000


def test_reading_backward_gives_the_last_records_oldest_first(logs: FileLogStore) -> None:
    write(logs, b"".join(b"%d line %d\n" % (1000 + n, n) for n in range(10)))
    every = logs.read(GROUP, STREAM).events
    last = logs.read_backward(GROUP, STREAM, limit=3)
    assert last.events == every[-3:]
    assert last.next_position == logs.read(GROUP, STREAM).next_position
    before = logs.read_backward(GROUP, STREAM, end=last.events[0].position, limit=3)
    assert before.events == every[4:7]
    assert before.next_position == every[7].position
    assert logs.read_backward(GROUP, STREAM, end=every[2].position).events == every[:2]
    assert logs.read_backward(GROUP, STREAM, end=0).events == ()


_lines = st.lists(
    st.tuples(
        st.integers(0, 3),  # milliseconds since the record before
        st.one_of(
            st.binary(max_size=12),
            st.integers(0, 9).map(lambda size: b"x" * size * 1000),
            st.just(b"y" * 70_000),
        ).map(lambda message: message.replace(b"\n", b" ")),
    ),
    max_size=30,
)


@settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150
)
@given(lines=_lines, tail=st.sampled_from([b"", b"1", b"9999 no end"]), limit=st.integers(1, 7))
def test_reading_agrees_with_reading_it_all(
    tmp_path: Path, lines: list[tuple[int, bytes]], tail: bytes, limit: int
) -> None:
    file = tmp_path / "stream"
    time, position, expected = 1000, 0, []
    with file.open("wb") as stream:
        for step, message in lines:
            time += step
            stream.write(b"%d %b\n" % (time, message))
            expected.append(LogEvent(time, message.decode("utf-8", "replace"), position))
            position = stream.tell()
        stream.write(tail)
    with opened(file) as log:
        assert log.forward(0, 10_000).events == tuple(expected)
        found: list[LogEvent] = []
        start = 0
        while (chunk := log.forward(start, limit)).events:
            assert len(chunk.events) <= limit
            found += chunk.events
            start = chunk.next_position
        assert found == expected
        assert start == position
        found = []
        end: int | None = None
        while (chunk := log.backward(end, limit)).events:
            assert len(chunk.events) <= limit
            found = [*chunk.events, *found]
            end = chunk.events[0].position
        assert found == expected
        for moment in range(999, time + 2):
            first = next((event for event in expected if event.timestamp >= moment), None)
            assert log.seek(moment) == (first.position if first else position)
        assert log.first_timestamp() == (expected[0].timestamp if expected else None)
        assert log.last_timestamp() == (expected[-1].timestamp if expected else None)


def test_a_long_stream_is_not_read_whole(
    logs: FileLogStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = 200_000
    write(logs, b"".join(b"%d a line of some length, %d\n" % (n * 2, n) for n in range(count)))
    size, here = 0, threading.current_thread()
    pread = os.pread

    def counted(descriptor: int, length: int, offset: int) -> bytes:
        nonlocal size
        data = pread(descriptor, length, offset)
        if threading.current_thread() is here:
            size += len(data)
        return data

    monkeypatch.setattr(os, "pread", counted)
    position = logs.seek(GROUP, STREAM, 300_001)
    assert logs.read(GROUP, STREAM, position=position, limit=1).events[0].timestamp == 300_002
    assert logs.read_backward(GROUP, STREAM, limit=5).events[0].timestamp == (count - 5) * 2
    (stream,) = logs.streams(GROUP)
    assert (stream.first_event, stream.last_event) == (0, (count - 1) * 2)
    assert size < 1_000_000


def test_reading_while_another_thread_appends_sees_every_record_once(logs: FileLogStore) -> None:
    file = logs.path(GROUP, STREAM)
    file.touch()

    def append() -> None:
        with file.open("ab", buffering=0) as stream:
            for number in range(2000):
                record = b"%d line %d\n" % (1000 + number, number)
                stream.write(record[:7])
                stream.write(record[7:])

    writer = threading.Thread(target=append)
    writer.start()
    seen: list[str] = []
    position = 0
    while len(seen) < 2000:
        chunk = logs.read(GROUP, STREAM, position=position, limit=100)
        seen += [event.message for event in chunk.events]
        position = chunk.next_position
    writer.join()
    assert seen == [f"line {number}" for number in range(2000)]


def test_streams_are_listed_by_name_and_prefix(logs: FileLogStore) -> None:
    for name in ("job/algo-2-5", "job/algo-1-5", "job-2/algo-1-6", "other"):
        write(logs, b"1500 x\n1700 y\n", stream=name)
    logs.path(GROUP, "job/algo-3-5").touch()
    names = [stream.name for stream in logs.streams(GROUP)]
    assert names == ["job-2/algo-1-6", "job/algo-1-5", "job/algo-2-5", "job/algo-3-5", "other"]

    def found(prefix: str) -> list[str]:
        return [stream.name for stream in logs.streams(GROUP, prefix=prefix)]

    assert found("job/") == names[1:4]
    assert found("job/algo-1") == ["job/algo-1-5"]
    assert found("job") == names[:4]
    assert found("nothing/") == found("../") == found("/") == []
    stream = logs.streams(GROUP, prefix="job/algo-1")[0]
    assert (stream.first_event, stream.last_event, stream.created) == (1500, 1700, 1.5)
    assert stream.size == 14
    empty = logs.streams(GROUP, prefix="job/algo-3")[0]
    assert (empty.first_event, empty.last_event, empty.size) == (None, None, 0)


def test_groups_are_those_that_have_a_stream(logs: FileLogStore, tmp_path: Path) -> None:
    assert logs.groups() == ()
    logs.path("/aws/sagemaker/ProcessingJobs", "only-the-folder")
    write(logs, b"1 x\n")
    write(logs, b"1 x\n", group="/aws/sagemaker/TrainingJobs/nested")
    write(logs, b"1 x\n", group="/aws")
    assert logs.groups() == ("/aws", GROUP, f"{GROUP}/nested")
    assert [stream.name for stream in logs.streams(GROUP)] == [STREAM]
    assert FileLogStore(tmp_path / "logs").groups() == logs.groups()


def test_what_is_not_there_is_missing(logs: FileLogStore) -> None:
    write(logs, b"1 x\n", stream="there/stream")
    for group, stream in (
        ("/aws/sagemaker/Other", "there/stream"),
        (GROUP, "there"),
        (GROUP, "there/stream/deeper"),
        (GROUP, "x" * 400),
        (GROUP, "../@streams/there/stream"),
        ("no-slash", "there/stream"),
        ("/aws/../aws/sagemaker/TrainingJobs", "there/stream"),
    ):
        with pytest.raises(StreamMissing):
            logs.read(group, stream)
        with pytest.raises(StreamMissing):
            logs.read_backward(group, stream)
        with pytest.raises(StreamMissing):
            logs.seek(group, stream, 0)
    with pytest.raises(StreamMissing):
        logs.streams("/aws/sagemaker/Other")
    with pytest.raises(StreamMissing):
        logs.streams("/../..")


@pytest.mark.parametrize(
    ("group", "stream"),
    [
        (GROUP, "../outside"),
        (GROUP, "a/../../outside"),
        (GROUP, "/absolute"),
        (GROUP, "a//b"),
        (GROUP, "a/."),
        (GROUP, ""),
        (GROUP, "a/"),
        (GROUP, "nul\0"),
        (GROUP, "a.log/b"),
        ("/aws/../..", "s"),
        ("relative", "s"),
        ("/", "s"),
        ("/aws/@streams", "s"),
    ],
)
def test_names_that_would_leave_the_store_are_refused(
    logs: FileLogStore, tmp_path: Path, group: str, stream: str
) -> None:
    with pytest.raises(ValueError, match="cannot be the name of a log"):
        logs.path(group, stream)
    assert list(tmp_path.iterdir()) == []


def test_a_name_may_be_the_beginning_of_another(logs: FileLogStore) -> None:
    write(logs, b"1 short\n", stream="a")
    write(logs, b"2 long\n", stream="a/b")
    assert [stream.name for stream in logs.streams(GROUP)] == ["a", "a/b"]
    assert logs.read(GROUP, "a").events[0].message == "short"
    assert logs.read(GROUP, "a/b").events[0].message == "long"


def test_streams_are_deleted_by_prefix(logs: FileLogStore, tmp_path: Path) -> None:
    for name in ("job/algo-1-5", "job/algo-2-5", "job-2/algo-1-6"):
        write(logs, b"1 x\n", stream=name)
    logs.delete(GROUP, prefix="job/")
    assert [stream.name for stream in logs.streams(GROUP)] == ["job-2/algo-1-6"]
    assert not (tmp_path / "logs/aws/sagemaker/TrainingJobs/@streams/job").exists()
    logs.delete(GROUP, prefix="job/")
    write(logs, b"2 again\n", stream="job/algo-1-5")
    assert [event.message for event in logs.read(GROUP, "job/algo-1-5").events] == ["again"]
    logs.delete(GROUP, prefix="")
    with pytest.raises(StreamMissing):
        logs.streams(GROUP)
