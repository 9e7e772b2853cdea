"""The operations of CloudWatch Logs."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bottega.errors import ClientFault, InvalidParameterException, ResourceNotFoundException
from bottega.features.logs import events, filter_pattern, streams
from bottega.testing.operations import Operations

GROUP = "/aws/sagemaker/TrainingJobs"
STREAM = "job/algo-1-1700000000"

_numbers = itertools.count()


@pytest.fixture
def operations(tmp_path: Path) -> Iterator[Operations]:
    with Operations(tmp_path, events, streams) as operations:
        yield operations


def write(
    operations: Operations, *records: tuple[int, str], stream: str = STREAM, group: str = GROUP
) -> None:
    with operations.ports.logs.path(group, stream).open("a") as file:
        file.writelines(f"{timestamp} {message}\n" for timestamp, message in records)


def numbered(count: int, start: int = 0) -> list[tuple[int, str]]:
    return [(1000 + n, f"line {n}") for n in range(start, start + count)]


def get(operations: Operations, **members: Any) -> Any:
    request = {"logGroupName": GROUP, "logStreamName": STREAM, **members}
    return operations.call("logs", "GetLogEvents", **request)


def find(operations: Operations, **members: Any) -> Any:
    return operations.call("logs", "FilterLogEvents", **{"logGroupName": GROUP, **members})


def messages(answer: Any) -> list[str]:
    return [event["message"] for event in answer["events"]]


# --- groups and streams ---------------------------------------------------------------------------


def test_groups_of_our_own_are_for_those_who_ask(operations: Operations) -> None:
    for name in ("/bottega/SystemMetrics", GROUP):
        write(operations, (1, "x"), group=name)

    def groups(**request: Any) -> list[str]:
        answer = operations.call("logs", "DescribeLogGroups", **request)
        return [group["logGroupName"] for group in answer["logGroups"]]

    assert groups() == groups(logGroupNamePattern="e") == [GROUP]
    assert groups(logGroupNamePrefix="/bottega/") == ["/bottega/SystemMetrics"]
    named = ["/bottega/SystemMetrics", GROUP]
    assert groups(logGroupIdentifiers=named) == ["/aws/sagemaker/TrainingJobs", named[0]]


def test_groups_are_listed_in_pages(operations: Operations) -> None:
    names = [f"/aws/sagemaker/{kind}" for kind in ("Endpoints/e", "ProcessingJobs", "TrainingJobs")]
    for name in names:
        write(operations, (1, "x"), group=name)
    first = operations.call("logs", "DescribeLogGroups", limit=2)
    second = operations.call("logs", "DescribeLogGroups", limit=2, nextToken=first["nextToken"])
    found = [*first["logGroups"], *second["logGroups"]]
    assert [group["logGroupName"] for group in found] == names
    assert found[0]["logGroupArn"] == (
        "arn:aws:logs:us-east-1:000000000000:log-group:/aws/sagemaker/Endpoints/e"
    )
    assert found[0]["arn"] == found[0]["logGroupArn"] + ":*"
    assert "nextToken" not in second


def test_groups_are_found_by_prefix_part_or_identifier(operations: Operations) -> None:
    for name in ("/aws/sagemaker/TrainingJobs", "/aws/sagemaker/Endpoints/Train"):
        write(operations, (1, "x"), group=name)

    def names(**members: Any) -> list[str]:
        answer = operations.call("logs", "DescribeLogGroups", **members)
        return [group["logGroupName"] for group in answer["logGroups"]]

    assert names(logGroupNamePrefix="/aws/sagemaker/T") == ["/aws/sagemaker/TrainingJobs"]
    assert len(names(logGroupNamePattern="Train")) == 2
    arn = f"arn:aws:logs:us-east-1:000000000000:log-group:{GROUP}"
    assert names(logGroupIdentifiers=[arn]) == [GROUP]
    assert names(logGroupClass="DELIVERY") == []
    with pytest.raises(InvalidParameterException, match="mutually exclusive"):
        names(logGroupNamePrefix="a", logGroupNamePattern="b")


def test_streams_are_described_without_ever_a_token(operations: Operations) -> None:
    for number in range(1, 56):
        write(operations, (1000 + number, "x"), stream=f"job/algo-{number:02}-5")
    write(operations, (1, "x"), stream="job-2/algo-1-5")
    answer = operations.call(
        "logs",
        "DescribeLogStreams",
        logGroupName=GROUP,
        logStreamNamePrefix="job/",
        orderBy="LogStreamName",
    )
    assert answer.keys() == {"logStreams"}
    assert len(answer["logStreams"]) == 50
    assert answer["logStreams"][0] == {
        "logStreamName": "job/algo-01-5",
        "creationTime": 1001,
        "firstEventTimestamp": 1001,
        "lastEventTimestamp": 1001,
        "lastIngestionTime": 1001,
        "arn": f"arn:aws:logs:us-east-1:000000000000:log-group:{GROUP}:log-stream:job/algo-01-5",
        "storedBytes": 7,
    }


def test_streams_can_be_ordered_by_time(operations: Operations) -> None:
    write(operations, (3000, "x"), stream="a")
    write(operations, (1000, "x"), (5000, "y"), stream="b")
    write(operations, (4000, "x"), stream="c")

    def names(**members: Any) -> list[str]:
        answer = operations.call("logs", "DescribeLogStreams", logGroupName=GROUP, **members)
        return [stream["logStreamName"] for stream in answer["logStreams"]]

    assert names() == ["a", "b", "c"]
    assert names(descending=True, limit=2) == ["c", "b"]
    assert names(orderBy="LastEventTime") == ["a", "c", "b"]
    assert names(orderBy="LastEventTime", descending=True, limit=1) == ["b"]
    with pytest.raises(InvalidParameterException, match="LastEventTime"):
        names(orderBy="LastEventTime", logStreamNamePrefix="a")
    with pytest.raises(InvalidParameterException, match="nextToken"):
        names(nextToken="x")


def test_a_group_without_streams_does_not_exist_yet(operations: Operations) -> None:
    for name, members in (
        ("DescribeLogStreams", {}),
        ("GetLogEvents", {"logStreamName": STREAM}),
        ("FilterLogEvents", {}),
        ("FilterLogEvents", {"logStreamNames": [STREAM]}),
    ):
        with pytest.raises(ResourceNotFoundException) as refused:
            operations.call("logs", name, logGroupName=GROUP, **members)
        assert refused.value.message == "The specified log group does not exist."
        assert refused.value.status == 400


def test_a_stream_that_is_not_there_is_told_from_its_group(operations: Operations) -> None:
    write(operations, (1, "x"))
    with pytest.raises(ResourceNotFoundException, match="log stream does not exist"):
        get(operations, logStreamName="job/other")
    with pytest.raises(ResourceNotFoundException, match="log stream does not exist"):
        get(operations, logStreamName="../../../metadata.sqlite")
    with pytest.raises(ResourceNotFoundException, match="log stream does not exist"):
        find(operations, logStreamNames=[STREAM, "job/other"])


def test_a_group_is_named_once_by_name_or_arn(operations: Operations) -> None:
    write(operations, (1, "x"))
    arn = f"arn:aws:logs:us-east-1:000000000000:log-group:{GROUP}"
    for identifier in (GROUP, arn):
        answer = operations.call(
            "logs", "GetLogEvents", logGroupIdentifier=identifier, logStreamName=STREAM
        )
        assert messages(answer) == ["x"]
    for members in ({}, {"logGroupName": GROUP, "logGroupIdentifier": arn}):
        with pytest.raises(InvalidParameterException, match="not both"):
            operations.call("logs", "GetLogEvents", logStreamName=STREAM, **members)


# --- GetLogEvents ---------------------------------------------------------------------------------


def test_events_are_read_forward_to_the_end_and_beyond(operations: Operations) -> None:
    write(operations, *numbered(7))
    answer = get(operations, startFromHead=True, limit=3)
    assert answer["events"][0] == {"timestamp": 1000, "message": "line 0", "ingestionTime": 1000}
    seen = messages(answer)
    token = ""
    while answer["nextForwardToken"] != token:
        token = answer["nextForwardToken"]
        answer = get(operations, startFromHead=True, limit=3, nextToken=token)
        seen += messages(answer)
    assert seen == [f"line {n}" for n in range(7)]
    assert answer["events"] == []
    write(operations, *numbered(2, start=7))
    assert messages(get(operations, startFromHead=True, nextToken=token)) == ["line 7", "line 8"]


def test_without_start_from_head_the_latest_come_first(operations: Operations) -> None:
    write(operations, *numbered(7))
    answer = get(operations, limit=3)
    assert messages(answer) == ["line 4", "line 5", "line 6"]
    before = get(operations, limit=3, nextToken=answer["nextBackwardToken"])
    assert messages(before) == ["line 1", "line 2", "line 3"]
    assert messages(get(operations, limit=9, nextToken=before["nextForwardToken"])) == [
        "line 4",
        "line 5",
        "line 6",
    ]
    first = get(operations, limit=3, nextToken=before["nextBackwardToken"])
    assert messages(first) == ["line 0"]
    none = get(operations, limit=3, nextToken=first["nextBackwardToken"])
    assert none["events"] == []
    assert none["nextBackwardToken"] == first["nextBackwardToken"]


def test_an_empty_stream_has_tokens_that_lead_on(operations: Operations) -> None:
    write(operations)
    for members in ({"startFromHead": True}, {}):
        answer = get(operations, **members)
        assert answer["events"] == []
        again = get(operations, nextToken=answer["nextForwardToken"])
        assert again["nextForwardToken"] == answer["nextForwardToken"]
    write(operations, (5, "now"))
    assert messages(get(operations, nextToken=answer["nextForwardToken"])) == ["now"]


def test_start_is_inclusive_and_end_is_not(operations: Operations) -> None:
    write(operations, (1000, "a"), (1000, "b"), (1001, "c"), (1002, "d"), (1002, "e"))
    assert messages(get(operations, startTime=1001)) == ["c", "d", "e"]
    assert messages(get(operations, startTime=1001, startFromHead=True)) == ["c", "d", "e"]
    assert messages(get(operations, endTime=1002)) == ["a", "b", "c"]
    assert messages(get(operations, endTime=1002, startFromHead=True)) == ["a", "b", "c"]
    assert messages(get(operations, startTime=1000, endTime=1001)) == ["a", "b"]
    assert messages(get(operations, startTime=5000, startFromHead=True)) == []
    assert messages(get(operations, startTime=1002, endTime=1001)) == []


def test_resuming_by_time_sees_the_same_order_again(operations: Operations) -> None:
    # The SDK resumes with the last timestamp and skips as many events as it has seen of it.
    write(operations, *[(1000, f"a{n}") for n in range(5)], (1001, "b"))
    answer = get(operations, startTime=1000, startFromHead=True)
    assert messages(answer)[:5] == [f"a{n}" for n in range(5)]
    write(operations, (1001, "b2"))
    assert messages(get(operations, startTime=1001, startFromHead=True)) == ["b", "b2"]


def test_times_hold_for_pages_too(operations: Operations) -> None:
    write(operations, *numbered(10))
    bounds = {"startTime": 1002, "endTime": 1007}
    forward = get(operations, startFromHead=True, limit=3, **bounds)
    rest = get(operations, startFromHead=True, nextToken=forward["nextForwardToken"], **bounds)
    assert messages(forward) + messages(rest) == [f"line {n}" for n in range(2, 7)]
    end = get(operations, startFromHead=True, nextToken=rest["nextForwardToken"], **bounds)
    assert end["nextForwardToken"] == rest["nextForwardToken"]
    backward = get(operations, limit=3, **bounds)
    rest = get(operations, nextToken=backward["nextBackwardToken"], **bounds)
    assert messages(rest) + messages(backward) == [f"line {n}" for n in range(2, 7)]


def test_a_page_holds_ten_thousand_events_or_a_megabyte(operations: Operations) -> None:
    write(operations, *numbered(10_050))
    assert len(get(operations, startFromHead=True)["events"]) == 10_000
    assert messages(get(operations))[0] == "line 50"
    big = "big/algo-1-5"
    write(operations, *[(1000 + n, f"{n} " + "x" * 250_000) for n in range(9)], stream=big)
    pages = []
    answer = get(operations, logStreamName=big, startFromHead=True)
    while answer["events"]:
        pages.append([message[0] for message in messages(answer)])
        token = answer["nextForwardToken"]
        answer = get(operations, logStreamName=big, nextToken=token)
    assert pages == [["0", "1", "2", "3"], ["4", "5", "6", "7"], ["8"]]
    assert [message[0] for message in messages(get(operations, logStreamName=big))] == list("5678")


def test_an_event_larger_than_a_page_is_still_given(operations: Operations) -> None:
    write(operations, (1, "x" * 1_200_000), (2, "y"))
    first = get(operations, startFromHead=True)
    assert len(first["events"]) == 1
    assert messages(get(operations, nextToken=first["nextForwardToken"])) == ["y"]


@pytest.mark.parametrize("token", ["x", "f/x", "b/", "f/AAAA", "/"])
def test_a_made_up_token_is_refused(operations: Operations, token: str) -> None:
    write(operations, (1, "x"))
    with pytest.raises(InvalidParameterException, match="nextToken is invalid"):
        get(operations, nextToken=token)


def test_a_token_of_another_stream_is_refused(operations: Operations) -> None:
    write(operations, (1, "x"))
    write(operations, (1, "x"), stream="other")
    token = get(operations, logStreamName="other")["nextForwardToken"]
    with pytest.raises(InvalidParameterException, match="nextToken is invalid"):
        get(operations, nextToken=token)


# --- FilterLogEvents ------------------------------------------------------------------------------


def test_events_of_all_streams_come_in_the_order_of_time(operations: Operations) -> None:
    write(operations, (1000, "a0"), (1002, "a2"), (1002, "a2 again"), stream="a")
    write(operations, (1000, "b0"), (1001, "b1"), (1003, "b3"), stream="b")
    answer = find(operations)
    assert messages(answer) == ["a0", "b0", "b1", "a2", "a2 again", "b3"]
    first = answer["events"][0]
    assert first.keys() == {"logStreamName", "timestamp", "message", "ingestionTime", "eventId"}
    assert first["logStreamName"] == "a"
    assert len({event["eventId"] for event in answer["events"]}) == 6
    assert find(operations)["events"] == answer["events"]
    assert answer["searchedLogStreams"] == []
    assert "nextToken" not in answer


def test_both_ends_of_a_search_are_inclusive(operations: Operations) -> None:
    write(operations, *numbered(5))
    found = messages(find(operations, startTime=1001, endTime=1003))
    assert found == ["line 1", "line 2", "line 3"]


def test_streams_are_chosen_by_name_or_prefix(operations: Operations) -> None:
    for name in ("a/1", "a/2", "b/1"):
        write(operations, (1, name), stream=name)
    assert messages(find(operations, logStreamNamePrefix="a/")) == ["a/1", "a/2"]
    assert messages(find(operations, logStreamNames=["b/1", "a/2", "b/1"])) == ["a/2", "b/1"]
    assert messages(find(operations, logStreamNamePrefix="zzz")) == []
    with pytest.raises(InvalidParameterException, match="mutually exclusive"):
        find(operations, logStreamNames=["a/1"], logStreamNamePrefix="a")


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    records=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), max_size=40),
    limit=st.integers(1, 7),
)
def test_pages_of_a_search_add_up_to_the_whole(
    operations: Operations, records: list[tuple[int, int]], limit: int
) -> None:
    group = f"/group/{next(_numbers)}"
    now = 1000
    write(operations, stream="s0", group=group)
    for index, (stream, step) in enumerate(records):
        now += step
        text = f"{index} {'hit' if index % 3 else 'miss'}"
        write(operations, (now, text), stream=f"s{stream}", group=group)
    question = {"logGroupName": group, "filterPattern": "hit"}
    whole = messages(find(operations, **question))
    assert sorted(whole, key=lambda text: int(text.split()[0])) == [
        f"{index} hit" for index in range(len(records)) if index % 3
    ]
    found: list[str] = []
    while True:
        answer = find(operations, limit=limit, **question)
        assert len(answer["events"]) <= limit
        found += messages(answer)
        if "nextToken" not in answer:
            break
        question["nextToken"] = answer["nextToken"]
    assert found == whole


def test_a_search_goes_on_where_it_was_though_streams_come_and_go(operations: Operations) -> None:
    write(operations, (1000, "b0"), (1002, "b2"), stream="b")
    write(operations, (1000, "c0"), (1002, "c2"), stream="c")
    first = find(operations, limit=1)
    assert messages(first) == ["b0"]
    write(operations, (1001, "d1"), stream="d")
    write(operations, (1003, "b3"), stream="b")
    operations.ports.logs.delete(GROUP, prefix="c")
    rest = find(operations, nextToken=first["nextToken"])
    assert messages(rest) == ["d1", "b2", "b3"]


def test_a_search_for_something_rare_gives_pages_that_are_not_full(
    operations: Operations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "_SCANNED_EVENTS", 100)
    write(operations, *numbered(250), (2000, "the needle"))
    answer = find(operations, filterPattern="needle")
    sizes = [len(answer["events"])]
    while "nextToken" in answer:
        answer = find(operations, filterPattern="needle", nextToken=answer["nextToken"])
        sizes.append(len(answer["events"]))
    assert sizes == [0, 0, 1]


def test_a_token_serves_only_its_own_search(operations: Operations) -> None:
    write(operations, *numbered(5))
    token = find(operations, limit=2)["nextToken"]
    with pytest.raises(InvalidParameterException, match="nextToken is invalid"):
        find(operations, nextToken=token, filterPattern="line")
    with pytest.raises(InvalidParameterException, match="nextToken is invalid"):
        find(operations, nextToken="made up")


def test_newest_first_is_refused_rather_than_ignored(operations: Operations) -> None:
    write(operations, *numbered(2))
    with pytest.raises(InvalidParameterException, match="oldest first"):
        find(operations, startFromHead=False)


def test_what_is_out_of_bounds_is_refused_as_logs_does(operations: Operations) -> None:
    with pytest.raises(ClientFault) as refused:
        get(operations, limit=10_001)
    assert refused.value.code == "InvalidParameterException"


@pytest.mark.parametrize(
    ("pattern", "message", "expected"),
    [
        ("", "anything", True),
        ("  ", "anything", True),
        ("ERROR", "[ERROR 401] no", True),
        ("ERROR", "error", False),
        ("ERROR no", "no ERROR", True),
        ("ERROR yes", "no ERROR", False),
        ('"exit code"', "the exit code is 1", True),
        ('"exit code"', "code exit", False),
        ("?warn ?error", "an error", True),
        ("?warn ?error", "fine", False),
        ("-debug", "fine", True),
        ("-debug", "debug it", False),
        ("loss -debug", "loss", True),
        ("loss -debug", "debug loss", False),
        ('-"exit code" exit', "exit", True),
        ('?"a b" ?c', "a b", True),
        (r'"say \"hi\""', 'they say "hi"', True),
        (r'"back\\slash"', "back\\slash", True),
        ("validation-rmse:0.5", "validation-rmse:0.5", True),
        ("-", "a - b", True),
        ('rmse="1"', 'rmse="1"', True),
    ],
)
def test_filter_patterns(pattern: str, message: str, expected: bool) -> None:
    assert filter_pattern.matcher(pattern)(message) is expected


@pytest.mark.parametrize("pattern", ['"open', 'a "b', '-"x', "{ $.a = 1 }", "[a, b]", "%re%"])
def test_patterns_that_cannot_be_read_are_refused(operations: Operations, pattern: str) -> None:
    write(operations, (1, "x"))
    with pytest.raises(InvalidParameterException, match="Invalid filter pattern"):
        find(operations, filterPattern=pattern)
