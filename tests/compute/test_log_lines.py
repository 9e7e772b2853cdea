"""Lines of a stream by number, and where a text is."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bottega.compute.file_logs import _INDEXES, FileLogStore
from bottega.compute.line_index import BLOCK
from bottega.compute.logs import LineMatches, StreamMissing

GROUP = "/aws/sagemaker/TrainingJobs"
STREAM = "job/algo-1-1700000000"


@pytest.fixture
def logs(tmp_path: Path) -> FileLogStore:
    return FileLogStore(tmp_path / "logs")


def write(logs: FileLogStore, data: bytes, stream: str = STREAM) -> None:
    with logs.path(GROUP, stream).open("ab") as file:
        file.write(data)


def numbered(count: int, *, width: int = 0) -> bytes:
    return b"".join(b"%d line %d%b\n" % (1000 + n, n, b"." * width) for n in range(count))


def message(logs: FileLogStore, line: int) -> str:
    position = logs.line_position(GROUP, STREAM, line)
    events = logs.read(GROUP, STREAM, position=position, limit=1).events
    return events[0].message if events else ""


def test_a_line_is_found_by_its_number(logs: FileLogStore) -> None:
    write(logs, numbered(20_000))
    assert logs.count_lines(GROUP, STREAM) == 20_000
    for line in (0, 1, 4999, 10_000, 19_999):
        assert message(logs, line) == f"line {line}"
    end = logs.path(GROUP, STREAM).stat().st_size
    assert logs.line_position(GROUP, STREAM, 20_000) == end
    assert logs.line_position(GROUP, STREAM, 10**9) == end


def test_a_place_is_found_back_to_its_number(logs: FileLogStore) -> None:
    write(logs, numbered(20_000, width=9))
    for line in (0, 1, 4999, 10_000, 19_999, 20_000):
        position = logs.line_position(GROUP, STREAM, line)
        assert logs.line_number(GROUP, STREAM, position) == line
    write(logs, b"30000 half")
    end = logs.path(GROUP, STREAM).stat().st_size
    assert logs.line_number(GROUP, STREAM, end) == 20_000


def test_a_line_is_counted_once_it_is_whole(logs: FileLogStore) -> None:
    write(logs, b"1000 whole\n1001 half")
    assert logs.count_lines(GROUP, STREAM) == 1
    assert logs.line_position(GROUP, STREAM, 1) == 11
    assert logs.find(GROUP, STREAM, "half") == LineMatches((), complete=True)
    write(logs, b" and whole\n")
    assert logs.count_lines(GROUP, STREAM) == 2
    assert logs.find(GROUP, STREAM, "half") == LineMatches((1,), complete=True)


@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_a_block_may_end_anywhere_in_a_line(logs: FileLogStore, extra: int) -> None:
    first = b"1 " + b"x" * (BLOCK - 3 + extra) + b"\n"
    write(logs, first + b"2 second\n3 third\n")
    assert logs.count_lines(GROUP, STREAM) == 3
    assert [message(logs, line) for line in (1, 2)] == ["second", "third"]
    write(logs, b"4 fourth\n")
    assert message(logs, 3) == "fourth"


def test_lines_longer_than_a_block_are_found(logs: FileLogStore) -> None:
    write(logs, numbered(5, width=3 * BLOCK + 7))
    assert [message(logs, line).rstrip(".") for line in range(5)] == [f"line {n}" for n in range(5)]


def test_another_file_of_the_name_is_counted_anew(logs: FileLogStore) -> None:
    write(logs, numbered(9000))
    assert logs.count_lines(GROUP, STREAM) == 9000
    logs.path(GROUP, STREAM).write_bytes(b"1 a\n2 b\n")
    assert logs.count_lines(GROUP, STREAM) == 2
    assert message(logs, 1) == "b"


def test_a_longer_file_in_the_same_place_is_counted_anew(logs: FileLogStore) -> None:
    write(logs, numbered(9000))
    assert logs.count_lines(GROUP, STREAM) == 9000
    # Writing over it keeps the file's number, as a file system may after a deletion.
    longer = numbered(5000, width=100).replace(b"1000 line 0", b"2000 other", 1)
    assert len(longer) > logs.path(GROUP, STREAM).stat().st_size
    logs.path(GROUP, STREAM).write_bytes(longer)
    assert logs.count_lines(GROUP, STREAM) == 5000
    assert message(logs, 4321).startswith("line 4321.")


def test_few_streams_are_remembered(logs: FileLogStore) -> None:
    for number in range(_INDEXES + 5):
        write(logs, b"1 a\n" * (number + 1), f"job/{number}")
    for _ in range(2):
        counts = [logs.count_lines(GROUP, f"job/{n}") for n in range(_INDEXES + 5)]
        assert counts == [n + 1 for n in range(_INDEXES + 5)]
    assert len(logs._indexes) == _INDEXES


def test_an_unknown_stream_is_missing(logs: FileLogStore) -> None:
    write(logs, b"1 a\n")
    for call in (
        lambda: logs.count_lines(GROUP, "other"),
        lambda: logs.line_position(GROUP, "../x", 0),
        lambda: logs.find("/other", STREAM, "a"),
    ):
        with pytest.raises(StreamMissing):
            call()


def test_a_text_is_found_in_messages_only(logs: FileLogStore) -> None:
    write(logs, b"1700000000123 loss 17\n1700000000124 Loss 3\ncut 1700\n1700000000125 \n")
    assert logs.find(GROUP, STREAM, "17").lines == (0, 2)
    assert logs.find(GROUP, STREAM, "loss").lines == (0, 1)
    assert logs.find(GROUP, STREAM, "loss", match_case=True).lines == (0,)
    assert logs.find(GROUP, STREAM, "LOSS", first_line=1).lines == (1,)
    assert logs.find(GROUP, STREAM, "3 loss").lines == ()
    assert logs.find(GROUP, STREAM, "3\ncut").lines == ()


def test_the_case_of_any_alphabet_can_be_passed_over(logs: FileLogStore) -> None:
    write(logs, "1 GRÖSSE\n2 größe\n3 \xe4\n".encode() + b"4 \xff\xfe\n5 Gr\xc3\xb6n\n")
    assert logs.find(GROUP, STREAM, "grö").lines == (0, 1, 4)
    assert logs.find(GROUP, STREAM, "GRÖ", match_case=True).lines == (0,)


def test_a_search_ends_at_its_limit(logs: FileLogStore) -> None:
    write(logs, numbered(100))
    assert logs.find(GROUP, STREAM, "line", limit=3) == LineMatches((0, 1, 2), complete=False)
    rest = logs.find(GROUP, STREAM, "line", first_line=97, limit=3)
    assert rest == LineMatches((97, 98, 99), complete=True)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=6)),
    st.text(st.characters(codec="utf-8", exclude_characters="\n"), min_size=1, max_size=2),
)
def test_a_search_finds_what_reading_finds(
    logs: FileLogStore, messages: list[str], text: str
) -> None:
    content = "".join(f"{n} {line}\n" for n, line in enumerate(messages))
    logs.path(GROUP, STREAM).write_bytes(content.encode())
    expected = tuple(n for n, line in enumerate(messages) if text in line)
    assert logs.find(GROUP, STREAM, text, match_case=True).lines == expected
