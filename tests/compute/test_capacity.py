"""Slots are given first come, first served, and none is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bottega.compute.capacity import Capacity


def nothing() -> None:
    """A wake-up nobody waits for."""


def collector(calls: list[str], name: str) -> Callable[[], None]:
    return lambda: calls.append(name)


def test_it_needs_a_slot() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Capacity(0)


def test_slots_are_held_until_released() -> None:
    capacity = Capacity(2)
    assert capacity.acquire("a", 1, nothing)
    assert capacity.acquire("b", 1, nothing)
    assert not capacity.acquire("c", 1, nothing)
    assert (capacity.in_use, capacity.position("c"), capacity.position("a")) == (2, 1, None)
    capacity.release("a")
    assert capacity.acquire("c", 1, nothing)
    assert capacity.in_use == 2


def test_asking_again_changes_nothing() -> None:
    capacity = Capacity(1)
    assert capacity.acquire("a", 1, nothing)
    assert capacity.acquire("a", 1, nothing)
    assert not capacity.acquire("b", 1, nothing)
    assert not capacity.acquire("c", 1, nothing)
    assert not capacity.acquire("b", 1, nothing)
    assert (capacity.in_use, capacity.position("b"), capacity.position("c")) == (1, 1, 2)


def test_a_large_one_is_not_overtaken() -> None:
    capacity = Capacity(2)
    assert capacity.acquire("small", 1, nothing)
    assert not capacity.acquire("large", 2, nothing)
    assert not capacity.acquire("late", 1, nothing)
    capacity.release("small")
    assert not capacity.acquire("late", 1, nothing)
    assert capacity.acquire("large", 2, nothing)


def test_the_older_goes_first_however_they_ask() -> None:
    capacity = Capacity(1)
    assert capacity.acquire("a", 1, nothing, order=1)
    assert not capacity.acquire("younger", 1, nothing, order=3)
    assert not capacity.acquire("older", 1, nothing, order=2)
    assert (capacity.position("older"), capacity.position("younger")) == (1, 2)
    capacity.release("a")
    assert not capacity.acquire("younger", 1, nothing, order=3)
    assert capacity.acquire("older", 1, nothing, order=2)


def test_one_too_large_runs_alone() -> None:
    capacity = Capacity(2)
    assert capacity.acquire("small", 1, nothing)
    assert not capacity.acquire("huge", 5, nothing)
    capacity.release("small")
    assert capacity.acquire("huge", 5, nothing)
    assert not capacity.acquire("small", 1, nothing)


def test_the_next_is_woken_when_it_fits() -> None:
    capacity = Capacity(2)
    woken: list[str] = []
    assert capacity.acquire("a", 1, nothing)
    assert capacity.acquire("b", 1, nothing)
    assert not capacity.acquire("c", 2, collector(woken, "c"))
    assert not capacity.acquire("d", 1, collector(woken, "d"))
    capacity.release("a")
    assert woken == []
    capacity.release("b")
    assert woken == ["c"]
    capacity.release("c")
    assert woken == ["c", "d"]


def test_taking_a_slot_wakes_the_one_behind_if_it_fits_too() -> None:
    capacity = Capacity(2)
    woken: list[str] = []
    assert capacity.acquire("a", 2, nothing)
    assert not capacity.acquire("b", 1, collector(woken, "b"))
    assert not capacity.acquire("c", 1, collector(woken, "c"))
    capacity.release("a")
    assert woken == ["b"]
    assert capacity.acquire("b", 1, nothing)
    assert woken == ["b", "c"]


def test_a_wake_up_may_ask_at_once() -> None:
    capacity = Capacity(1)
    got: list[bool] = []
    assert capacity.acquire("a", 1, nothing)
    assert not capacity.acquire("b", 1, lambda: got.append(capacity.acquire("b", 1, nothing)))
    capacity.release("a")
    assert got == [True]


def test_what_runs_already_is_claimed_beyond_the_limit() -> None:
    capacity = Capacity(1)
    capacity.claim("a", 1)
    capacity.claim("b", 3)
    assert capacity.in_use == 4
    assert not capacity.acquire("c", 1, nothing)
    capacity.release("a")
    assert not capacity.acquire("c", 1, nothing)
    capacity.release("b")
    assert capacity.acquire("c", 1, nothing)


def test_leaving_the_queue_lets_the_next_through() -> None:
    capacity = Capacity(2)
    woken: list[str] = []
    assert capacity.acquire("a", 1, nothing, order=1)
    assert not capacity.acquire("large", 2, nothing, order=2)
    assert not capacity.acquire("b", 1, collector(woken, "b"), order=3)
    capacity.release("large")
    assert woken == ["b"]
    assert capacity.acquire("b", 1, nothing, order=3)
    capacity.release("nobody")


@given(
    slots=st.integers(1, 4),
    sizes=st.lists(st.integers(1, 6), min_size=1, max_size=20),
    choices=st.lists(st.integers(0, 1000), min_size=40, max_size=40),
)
def test_everybody_gets_in_by_wake_ups_alone(
    slots: int, sizes: list[int], choices: list[int]
) -> None:
    capacity = Capacity(slots)
    asking = list(range(len(sizes)))
    running: list[int] = []
    served: list[int] = []

    def ask_all() -> None:
        while asking:
            owner = asking.pop(0)
            if owner in served:
                continue
            if capacity.acquire(
                str(owner), sizes[owner], lambda owner=owner: asking.append(owner), order=owner
            ):
                served.append(owner)
                running.append(owner)
            assert capacity.in_use <= slots or len(running) == 1

    ask_all()
    for choice in choices:
        if running:
            capacity.release(str(running.pop(choice % len(running))))
            ask_all()
    assert served == list(range(len(sizes)))
    assert capacity.in_use == 0


def test_from_many_threads_none_is_lost() -> None:
    capacity = Capacity(3)
    most = 0

    def work(number: int) -> None:
        nonlocal most
        turn = threading.Event()
        while not capacity.acquire(str(number), 1, turn.set):
            assert turn.wait(30)
            turn.clear()
        most = max(most, capacity.in_use)
        capacity.release(str(number))

    with ThreadPoolExecutor(16) as pool:
        for done in [pool.submit(work, number) for number in range(300)]:
            done.result()
    assert most <= 3
    assert capacity.in_use == 0
