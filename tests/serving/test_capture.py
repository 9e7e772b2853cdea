"""Data capture: what is written is what was asked and answered, and nothing waits for it."""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.clock import ManualClock
from bottega.serving import capture
from bottega.serving.capture import CaptureRecorder
from bottega.serving.invocation import Invocation
from bottega.serving.routing import CaptureMode, CaptureSettings

BOTH: frozenset[CaptureMode] = frozenset({"Input", "Output"})
PLAIN = CaptureSettings(
    "s3://b/captured/", 1.0, BOTH, frozenset({"text/csv"}), frozenset({"application/json"})
)


class Written(dict[str, bytes]):
    """An object store of one method, which can be out of order."""

    def __init__(self) -> None:
        super().__init__()
        self.failures = 0
        self.happened = threading.Condition()

    def __call__(self, uri: str, data: bytes) -> None:
        with self.happened:
            self.happened.notify_all()
            if self.failures:
                self.failures -= 1
                raise OSError("the disk is full")
            assert uri not in self
            self[uri] = data

    def records(self) -> list[Any]:
        return [json.loads(line) for data in self.values() for line in data.splitlines()]

    def wait_for(self, objects: int) -> None:
        with self.happened:
            assert self.happened.wait_for(lambda: len(self) >= objects, timeout=30)


@pytest.fixture
def written() -> Written:
    return Written()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_644_859_506.25)  # 2022-02-14T17:25:06.25Z


@pytest.fixture
def recorder(written: Written, clock: ManualClock) -> Iterator[CaptureRecorder]:
    made = CaptureRecorder(written, clock)
    yield made
    made.close()


def test_a_record_has_the_documented_schema(
    recorder: CaptureRecorder, written: Written, clock: ManualClock
) -> None:
    asked = Invocation(b"1,2\n", "text/csv", custom_attributes="trace=7")
    recorder.record("e", "v", PLAIN, asked, 200, "text/csv; charset=utf-8", b"0.02", "mine")
    recorder.flush()

    ((uri, data),) = written.items()
    assert re.fullmatch(
        r"s3://b/captured/e/v/2022/02/14/17/25-06-250-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
        r"\.jsonl",
        uri,
    )
    assert data.endswith(b"\n")
    record = json.loads(data)
    assert re.fullmatch(r"[0-9a-f-]{36}", record["eventMetadata"].pop("eventId"))
    assert record == {
        "captureData": {
            "endpointInput": {
                "observedContentType": "text/csv",
                "mode": "INPUT",
                "data": "1,2\n",
                "encoding": "CSV",
            },
            "endpointOutput": {
                "observedContentType": "text/csv; charset=utf-8",
                "mode": "OUTPUT",
                "data": "0.02",
                "encoding": "CSV",
            },
        },
        "eventMetadata": {
            "inferenceId": "mine",
            "customAttributes": ["trace=7"],
            "inferenceTime": "2022-02-14T17:25:06Z",
        },
        "eventVersion": "0",
    }


def decoded(side: Any) -> bytes:
    data: str = side["data"]
    return base64.b64decode(data) if side["encoding"] == "BASE64" else data.encode()


header = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30)
media_type = st.sampled_from(["text/csv", "TEXT/CSV; charset=x", "application/json", ""]) | header


@settings(max_examples=40, deadline=None)
@given(
    sent=st.lists(
        st.tuples(
            media_type,
            st.binary(max_size=200) | st.text(max_size=50).map(str.encode),
            media_type,
            st.binary(max_size=200) | st.just(b'{"a": "\xc3\xa9\\u2028\n"}'),
            st.sampled_from(["e", "f"]),
            st.floats(0, 4000),
        ),
        max_size=30,
    ),
    modes=st.sampled_from([BOTH, frozenset({"Input"}), frozenset({"Output"})]),
)
def test_every_record_matches_its_request_and_its_answer(sent: list[Any], modes: Any) -> None:
    written, clock = Written(), ManualClock()
    recorder = CaptureRecorder(written, clock)
    wanted = CaptureSettings("s3://b/c", 1.0, modes, PLAIN.csv_types, PLAIN.json_types)
    for number, (asked_type, asked, told_type, told, endpoint, pause) in enumerate(sent):
        invocation = Invocation(asked, asked_type)
        recorder.record(endpoint, "v", wanted, invocation, 200, told_type, told, str(number))
        clock.advance(pause)
    recorder.close()

    found = {int(record["eventMetadata"]["inferenceId"]): record for record in written.records()}
    assert sorted(found) == list(range(len(sent)))
    for number, (asked_type, asked, told_type, told, _, _) in enumerate(sent):
        data = found[number]["captureData"]
        expected = {"endpointInput"} if "Input" in modes else set()
        expected |= {"endpointOutput"} if "Output" in modes else set()
        assert data.keys() == expected
        for side, kind, body in (
            ("endpointInput", asked_type, asked),
            ("endpointOutput", told_type, told),
        ):
            if side in data:
                assert decoded(data[side]) == body
                assert data[side]["observedContentType"] == kind
    for uri, lines in written.items():
        records = [json.loads(line) for line in lines.splitlines()]
        order = [int(record["eventMetadata"]["inferenceId"]) for record in records]
        assert order == sorted(order)  # as they were asked, so by time
        for record in records:
            assert f"/{record['eventMetadata']['inferenceTime'][11:13]}/" in uri


def test_text_that_is_not_utf8_is_base64(recorder: CaptureRecorder, written: Written) -> None:
    invocation = Invocation(b"\xff,1", "text/csv")
    recorder.record("e", "v", PLAIN, invocation, 200, "application/json", b"{}")
    recorder.flush()
    data = written.records()[0]["captureData"]
    assert data["endpointInput"]["encoding"] == "BASE64"
    assert data["endpointInput"]["data"] == "/ywx"
    assert data["endpointOutput"]["encoding"] == "JSON"


def test_answers_that_failed_and_endpoints_that_capture_nothing_leave_none(
    recorder: CaptureRecorder, written: Written
) -> None:
    recorder.record("e", "v", PLAIN, Invocation(b"x"), 500, "text/plain", b"no")
    recorder.record("e", "v", None, Invocation(b"x"), 200, "text/plain", b"yes")
    recorder.flush()
    assert written == {}


def test_variants_lie_apart(recorder: CaptureRecorder, written: Written) -> None:
    for endpoint, variant in (("e", "a"), ("e", "b"), ("f", "a"), ("e", "a")):
        recorder.record(endpoint, variant, PLAIN, Invocation(b"x"), 200, "", b"y")
    assert recorder.waiting("e") == 3
    recorder.flush()
    assert sorted(uri.split("/")[4:6] for uri in written) == [["e", "a"], ["e", "b"], ["f", "a"]]
    assert recorder.waiting("e") == 0


def test_many_records_are_written_before_their_time(
    written: Written, recorder: CaptureRecorder
) -> None:
    for _ in range(capture.FLUSH_RECORDS):
        recorder.record("e", "v", PLAIN, Invocation(b"x"), 200, "", b"y")
    written.wait_for(1)
    assert len(written.records()) == capture.FLUSH_RECORDS


def test_what_finds_no_room_is_dropped_and_counted(
    written: Written, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = CaptureRecorder(written, clock, buffer_bytes=10_000)
    for _ in range(5):
        recorder.record("e", "v", PLAIN, Invocation(b"x" * 3000), 200, "", b"")
    assert (recorder.waiting("e"), recorder.dropped("e"), recorder.dropped("f")) == (2, 3, 0)
    recorder.flush()
    recorder.record("e", "v", PLAIN, Invocation(b"x" * 3000), 200, "", b"")
    recorder.close()
    assert len(written.records()) == 3  # there is room again once something was written
    assert "3 captured records were dropped" in caplog.text


def test_a_store_that_fails_is_asked_again_for_the_same_object(
    written: Written, recorder: CaptureRecorder, clock: ManualClock
) -> None:
    written.failures = 1
    recorder.record("e", "v", PLAIN, Invocation(b"x"), 200, "", b"y")
    recorder.flush()
    assert written == {}
    assert (recorder.waiting("e"), recorder.dropped("e")) == (1, 0)
    recorder.flush()
    assert len(written.records()) == 1


def test_a_store_that_goes_on_failing_costs_the_records_and_no_memory(
    written: Written, clock: ManualClock
) -> None:
    recorder = CaptureRecorder(written, clock, buffer_bytes=1000)
    written.failures = capture.ATTEMPTS
    recorder.record("e", "v", PLAIN, Invocation(b"x"), 200, "", b"y")
    for _ in range(capture.ATTEMPTS):
        recorder.flush()
    assert (recorder.waiting("e"), recorder.dropped("e")) == (0, 1)
    recorder.record("e", "v", PLAIN, Invocation(b"z"), 200, "", b"y")
    recorder.close()
    assert [decoded(r["captureData"]["endpointInput"]) for r in written.records()] == [b"z"]


def test_closing_says_what_could_not_be_written(written: Written, clock: ManualClock) -> None:
    recorder = CaptureRecorder(written, clock)
    recorder.record("e", "v", PLAIN, Invocation(b"x"), 200, "", b"y")
    written.failures = 10
    recorder.close()
    assert recorder.dropped("e") == 1
    recorder.record("e", "v", PLAIN, Invocation(b"x"), 200, "", b"y")
    assert recorder.dropped("e") == 2


def test_many_threads_record_at_once(written: Written, recorder: CaptureRecorder) -> None:
    def record(thread: int) -> None:
        for number in range(300):
            name = f"{thread}-{number}"
            recorder.record("e", "v", PLAIN, Invocation(b"x"), 200, "", b"y", name)

    threads = [threading.Thread(target=record, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    recorder.close()
    names = {record["eventMetadata"]["inferenceId"] for record in written.records()}
    assert len(names) == len(written.records()) == 1200
