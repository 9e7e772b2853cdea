"""Requests of one turn of the event loop are predicted together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.serving.batching import Batches

KINDS = ((b"text/csv", b""), (b"text/csv", b"application/json"), (b"text/libsvm", b""))


class Turn:
    """What stands for the event loop."""

    def __init__(self) -> None:
        self.calls: list[Callable[[], None]] = []
        self.batches: list[list[int]] = []

    def soon(self, call: Callable[[], None]) -> None:
        self.calls.append(call)

    def predict(self, requests: Sequence[int]) -> None:
        self.batches.append(list(requests))

    def end(self) -> None:
        calls, self.calls = self.calls, []
        for call in calls:
            call()


def test_requests_of_one_kind_are_one_batch_at_the_end_of_the_turn() -> None:
    turn = Turn()
    batches = Batches(turn.soon, turn.predict)
    for number, kind in enumerate((KINDS[0], KINDS[1], KINDS[0])):
        batches.add(kind, 10, number)
    early = list(turn.batches)

    turn.end()

    assert early == []
    assert turn.batches == [[0, 2], [1]]
    assert not turn.calls


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(KINDS), st.sampled_from([1, 1000, 70_000, 200_000])), max_size=200
    )
)
def test_every_request_is_predicted_once_in_its_order(
    requests: list[tuple[tuple[bytes, bytes], int]],
) -> None:
    turn = Turn()
    batches = Batches(turn.soon, turn.predict)
    for number, (kind, size) in enumerate(requests):
        batches.add(kind, size, number)
    turn.end()

    assert sorted(number for batch in turn.batches for number in batch) == list(
        range(len(requests))
    )
    for batch in turn.batches:
        assert batch == sorted(batch)
        assert len({requests[number][0] for number in batch}) == 1
        assert len(batch) <= 64
        sizes = [requests[number][1] for number in batch]
        assert len(batch) == 1 or sum(sizes) <= 256 * 1024


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1, 5), min_size=1, max_size=12),
    st.integers(1, 8),
    st.integers(1, 4),
)
def test_a_request_that_begins_while_others_are_predicted_is_not_lost(
    pipelines: list[int], most: int, size: int
) -> None:
    """A connection that was sent several requests begins the next one within its answer."""
    turn = Turn()
    waiting = dict(enumerate(pipelines))
    answered = dict.fromkeys(waiting, 0)

    def begin(connection: int) -> None:
        waiting[connection] -= 1
        batches.add(KINDS[0], size * 64 * 1024, connection)

    def predict(connections: Sequence[int]) -> None:
        for connection in connections:
            answered[connection] += 1
            if waiting[connection]:
                begin(connection)

    batches = Batches(turn.soon, predict)
    batches.most = most
    for connection in tuple(waiting):
        begin(connection)
    for _ in range(sum(pipelines)):
        turn.end()

    assert list(answered.values()) == pipelines
