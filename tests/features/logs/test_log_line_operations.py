"""Reading and searching a log stream by the numbers of its lines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bottega.errors import ResourceNotFoundException, ValidationException
from bottega.features.logs import lines
from bottega.testing.operations import Operations

GROUP = "/aws/sagemaker/TrainingJobs"
STREAM = "job/algo-1-1700000000"


@pytest.fixture
def operations(tmp_path: Path) -> Iterator[Operations]:
    with Operations(tmp_path, lines) as operations:
        yield operations


def write(operations: Operations, text: str) -> None:
    with operations.ports.logs.path(GROUP, STREAM).open("a") as file:
        file.write(text)


def numbered(count: int, rest: str = "") -> str:
    return "".join(f"{1000 + n} line {n}{rest}\n" for n in range(count))


def read(operations: Operations, **members: Any) -> Any:
    request = {"LogGroupName": GROUP, "LogStreamName": STREAM, **members}
    return operations.call("bottega", "ReadLogLines", **request)


def find(operations: Operations, **members: Any) -> Any:
    request = {"LogGroupName": GROUP, "LogStreamName": STREAM, **members}
    return operations.call("bottega", "FindLogLines", **request)


def numbers(answer: Any) -> list[int]:
    return [line["Number"] for line in answer["Lines"]]


def test_a_window_is_read_from_its_first_line(operations: Operations) -> None:
    write(operations, numbered(2000))
    answer = read(operations, FirstLine=700, MaxLines=3)
    assert answer == {
        "Lines": [
            {"Number": n, "Time": (1000 + n) / 1000, "Message": f"line {n}"}
            for n in (700, 701, 702)
        ],
        "TotalLines": 2000,
    }
    assert numbers(read(operations, FirstLine=1998)) == [1998, 1999]
    assert numbers(read(operations, FirstLine=2000)) == []
    assert numbers(read(operations, FirstLine=0)) == list(range(500))


def test_without_a_first_line_the_last_ones_are_read(operations: Operations) -> None:
    write(operations, numbered(2000) + "9999 not whole")
    answer = read(operations, MaxLines=450)
    assert numbers(answer) == list(range(1550, 2000))
    assert [line["Message"] for line in answer["Lines"]] == [f"line {n}" for n in range(1550, 2000)]
    assert answer["TotalLines"] == 2000


def test_the_lines_around_a_moment_are_read(operations: Operations) -> None:
    write(operations, numbered(2000))
    answer = read(operations, AroundTime=1.5004, MaxLines=4)
    assert answer["LineAtTime"] == 500
    assert numbers(answer) == [499, 500, 501, 502]
    before = read(operations, AroundTime=0.5, MaxLines=3)
    assert numbers(before) == [0, 1, 2]
    assert "LineAtTime" not in before
    after = read(operations, AroundTime=99.0, MaxLines=3)
    assert after["LineAtTime"] == 1999
    assert numbers(after) == [1998, 1999]
    with pytest.raises(ValidationException, match="not both"):
        read(operations, AroundTime=1.0, FirstLine=0)


def test_very_long_lines_come_in_smaller_answers(operations: Operations) -> None:
    write(operations, numbered(1000, "." * 100_000))
    first = numbers(read(operations, FirstLine=0, MaxLines=1000))
    assert first == list(range(200))
    assert numbers(read(operations, MaxLines=1000)) == list(range(800, 1000))


def test_lines_with_a_text_are_found(operations: Operations) -> None:
    write(operations, numbered(120) + "2000 LINE\n")
    assert find(operations, Text="line 11") == {
        "Lines": [11, *range(110, 120)],
        "TotalLines": 121,
        "Complete": True,
    }
    assert find(operations, Text="LINE", MatchCase=True)["Lines"] == [120]
    answer = find(operations, Text="line", FirstLine=5, MaxMatches=2)
    assert (answer["Lines"], answer["Complete"]) == ([5, 6], False)


def test_an_unknown_stream_is_refused(operations: Operations) -> None:
    with pytest.raises(ResourceNotFoundException, match="group does not exist"):
        read(operations)
    write(operations, "1 a\n")
    with pytest.raises(ResourceNotFoundException, match="stream does not exist"):
        read(operations, LogStreamName="other")
    with pytest.raises(ResourceNotFoundException, match="stream does not exist"):
        find(operations, LogStreamName="other", Text="a")
