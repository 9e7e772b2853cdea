"""What a host writes becomes records: whole, in order, once."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bottega.compute.local.log_writer import LONGEST_LINE, LogWriter

some_bytes = st.lists(st.sampled_from([b"a", b"\n", b"\r", b"\xff", "ü".encode(), b" 12 ", b"\0"]))


def records(path: Path) -> list[tuple[int, bytes]]:
    content = path.read_bytes()
    assert content == b"" or content.endswith(b"\n")
    split = [record.partition(b" ") for record in content.split(b"\n")[:-1]]
    return [(int(time), message) for time, _, message in split]


def write(path: Path, *chunks: bytes) -> None:
    writer = LogWriter(str(path))
    for chunk in chunks:
        writer.feed(chunk)
    writer.finish()
    writer.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(pieces=st.lists(some_bytes.map(b"".join)))
def test_however_it_is_cut_the_lines_are_the_same(tmp_path: Path, pieces: list[bytes]) -> None:
    path = tmp_path / "log"
    path.unlink(missing_ok=True)
    write(path, *pieces)
    lines = b"".join(pieces).split(b"\n")
    if not lines[-1]:
        lines.pop()
    assert [message for _, message in records(path)] == lines


def test_a_line_is_in_the_file_at_once(tmp_path: Path) -> None:
    writer = LogWriter(str(tmp_path / "new" / "folder" / "log"))
    writer.feed(b"first\nsec")
    assert [message for _, message in records(tmp_path / "new" / "folder" / "log")] == [b"first"]
    writer.close()


def test_time_never_runs_backwards(tmp_path: Path) -> None:
    times = iter([5.0, 3.0, 7.0])
    writer = LogWriter(str(tmp_path / "log"), clock=lambda: next(times))
    for line in (b"a\n", b"b\n", b"c\n"):
        writer.feed(line)
    writer.close()
    assert records(tmp_path / "log") == [(5000, b"a"), (5000, b"b"), (7000, b"c")]


@pytest.mark.parametrize("extra", [-1, 0, 1, LONGEST_LINE + 5])
def test_long_lines_become_several_records(tmp_path: Path, extra: int) -> None:
    line = b"x" * (LONGEST_LINE + extra)
    write(tmp_path / "log", b"before\n", line, b"\nafter")
    before, *parts, after = (message for _, message in records(tmp_path / "log"))
    assert (before, after) == (b"before", b"after")
    assert b"".join(parts) == line
    assert all(len(part) <= LONGEST_LINE for part in parts)
    assert len(parts) == (len(line) + LONGEST_LINE - 1) // LONGEST_LINE


def test_no_character_is_cut_in_two(tmp_path: Path) -> None:
    text = "x" + "€" * LONGEST_LINE
    write(tmp_path / "log", text.encode())
    assert "".join(message.decode() for _, message in records(tmp_path / "log")) == text


def test_a_second_writer_goes_on_behind_a_cut_record(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"9000000000000 whole\n9000000000001 cu")
    write(path, b"next\n")
    assert records(path) == [
        (9000000000000, b"whole"),
        (9000000000001, b"cu"),
        (9000000000001, b"next"),
    ]


@pytest.fixture
def small_files() -> Iterator[int]:
    """No file may grow beyond so many bytes, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    yield 1000
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_loses_nothing(tmp_path: Path, small_files: int) -> None:
    writer = LogWriter(str(tmp_path / "log"))
    lines = [b"%d" % number for number in range(200)]
    writer.feed(b"\n".join(lines) + b"\n")
    assert writer.blocked
    writer.flush()
    assert writer.blocked
    assert (tmp_path / "log").stat().st_size == small_files
    resource.setrlimit(
        resource.RLIMIT_FSIZE,
        (resource.RLIM_INFINITY, resource.getrlimit(resource.RLIMIT_FSIZE)[1]),
    )
    writer.flush()
    assert not writer.blocked
    writer.close()
    assert [message for _, message in records(tmp_path / "log")] == lines
