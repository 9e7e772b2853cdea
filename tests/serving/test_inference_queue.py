"""The queue of asynchronous requests: against a model, across restarts, from many threads."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bottega.serving.inference_queue import AsyncRequest, Backlog, Waiting
from bottega.serving.sqlite_queue import SqliteInferenceQueue


def request(name: str, endpoint: str = "e", received: float = 1.0, ttl: float = 60) -> AsyncRequest:
    return AsyncRequest(
        id=name,
        endpoint=endpoint,
        endpoint_created=0.5,
        received=received,
        expires=received + ttl,
        timeout=900.0,
        inference_id=f"{name} \u00e9",
        content_type="text/csv",
        accept="",
        custom_attributes="a=1",
        input_location="",
        output_location=f"s3://b/{name}.out",
        failure_location="",
        success_topic="",
        error_topic="arn:aws:sns:us-east-1:000000000000:t",
        tells_answer=("ERROR_NOTIFICATION_TOPIC",),
    )


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[SqliteInferenceQueue]:
    opened = SqliteInferenceQueue(tmp_path / "q.sqlite")
    yield opened
    opened.close()


def test_a_request_comes_back_as_it_was(queue: SqliteInferenceQueue) -> None:
    number = queue.add(request("x"), b"\x00\xff")
    assert queue.next("e", after=0, limit=5) == [Waiting(number, request("x"))]
    assert queue.body(number) == b"\x00\xff"
    queue.remove(number)
    queue.remove(number)  # as after a kill between two steps
    assert queue.next("e", after=0, limit=5) == []
    with pytest.raises(KeyError):
        queue.body(number)


def test_numbers_are_not_given_twice(tmp_path: Path) -> None:
    queue = SqliteInferenceQueue(tmp_path / "q.sqlite")
    first = queue.add(request("x"), None)
    queue.remove(first)
    queue.close()
    queue = SqliteInferenceQueue(tmp_path / "q.sqlite")
    assert queue.last_of_former == 0
    second = queue.add(request("y"), None)
    assert second > first
    queue.close()
    queue = SqliteInferenceQueue(tmp_path / "q.sqlite")
    assert queue.last_of_former == second
    queue.close()


def test_the_file_is_private(tmp_path: Path, queue: SqliteInferenceQueue) -> None:
    queue.add(request("x"), b"secret")
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_many_threads_add_at_once_and_each_is_heard(queue: SqliteInferenceQueue) -> None:
    heard: list[str] = []
    queue.listen(heard.append)
    added: dict[str, int] = {}

    def add(thread: int) -> None:
        for number in range(40):
            name = f"{thread}-{number}"
            added[name] = queue.add(request(name), name.encode())

    threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    found = queue.next("e", after=0, limit=1000)
    assert {waiting.request.id: waiting.number for waiting in found} == added
    assert heard == ["e"] * 320
    for caller in range(8):  # each caller's requests are in the caller's order
        numbers = [added[f"{caller}-{number}"] for number in range(40)]
        assert numbers == sorted(numbers)


def test_a_change_that_fails_fails_for_its_callers_and_leaves_the_queue_usable(
    queue: SqliteInferenceQueue,
) -> None:
    with pytest.raises(Exception, match="type"):
        queue.add(request("x"), object())  # type: ignore[arg-type]
    assert queue.backlogs() == {}
    queue.add(request("y"), b"")
    assert queue.backlogs() == {"e": Backlog(1, 1.0)}


class AgainstAModel(RuleBasedStateMachine):
    """The queue does what a list does, also when it is opened anew in between."""

    @initialize()
    def open(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.file = Path(self.folder.name) / "q.sqlite"
        self.queue = SqliteInferenceQueue(self.file)
        self.model: dict[int, tuple[AsyncRequest, bytes | None]] = {}
        self.count = 0

    @rule(
        endpoint=st.sampled_from("ef"),
        body=st.none() | st.binary(max_size=20),
        received=st.integers(0, 50),
        ttl=st.integers(1, 50),
    )
    def add(self, endpoint: str, body: bytes | None, received: int, ttl: int) -> None:
        self.count += 1
        added = request(str(self.count), endpoint, received, ttl)
        number = self.queue.add(added, body)
        assert number > max(self.model, default=0)
        self.model[number] = added, body

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def remove(self, data: Any) -> None:
        number = data.draw(st.sampled_from(sorted(self.model)))
        assert self.queue.body(number) == self.model[number][1]
        self.queue.remove(number)
        del self.model[number]

    @rule()
    def reopen(self) -> None:
        self.queue.close()
        self.queue = SqliteInferenceQueue(self.file)
        assert self.queue.last_of_former == max(self.model, default=0)

    @rule(
        endpoint=st.sampled_from("ef"),
        after=st.integers(0, 20),
        limit=st.integers(1, 5),
        now=st.integers(0, 100),
    )
    def read(self, endpoint: str, after: int, limit: int, now: int) -> None:
        own = [
            Waiting(number, found)
            for number, (found, _) in sorted(self.model.items())
            if found.endpoint == endpoint and number > after
        ]
        assert self.queue.next(endpoint, after=after, limit=limit) == own[:limit]
        overdue = self.queue.overdue(endpoint, after=after, now=now, limit=100)
        assert sorted(overdue) == [w for w in own if w.request.expires <= now]

    @invariant()
    def backlogs(self) -> None:
        if not hasattr(self, "model"):
            return
        by_endpoint: dict[str, list[float]] = {}
        for found, _ in self.model.values():
            by_endpoint.setdefault(found.endpoint, []).append(found.received)
        assert self.queue.backlogs() == {
            name: Backlog(len(times), min(times)) for name, times in by_endpoint.items()
        }

    def teardown(self) -> None:
        if hasattr(self, "queue"):
            self.queue.close()
            self.folder.cleanup()


TestAgainstAModel = AgainstAModel.TestCase
TestAgainstAModel.settings = settings(max_examples=15, stateful_step_count=20, deadline=None)
