"""What is told to those who ask what happened."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any, Literal

import pytest

from bottega.event_log import MOST_AT_ONCE, CursorInvalid, EventLog
from bottega.events import (
    Event,
    EventBus,
    InferenceNotified,
    MetricsChanged,
    OperationCalled,
    ResourceChanged,
    TrackingChanged,
)

FOR_EVER = 60.0
"""Seconds: longer than any test waits when all is well."""


@pytest.fixture
def bus() -> EventBus:
    return EventBus()


@pytest.fixture
def log(bus: EventBus) -> Iterator[EventLog]:
    log = EventLog(bus)
    yield log
    log.close()


def changed(
    name: str,
    change: Literal["created", "updated", "deleted"] = "updated",
    *,
    status: str = "",
    version: int = 1,
) -> ResourceChanged:
    return ResourceChanged(5.0, change, "Model", name, status, version)


def called() -> OperationCalled:
    return OperationCalled(5.0, "sagemaker", "ListModels", "me", "r", "wire", "", "", 0.0)


def test_a_reader_begins_with_what_comes(bus: EventBus, log: EventLog):
    bus.publish(changed("before"))
    news = log.read()
    assert (news.events, news.reset) == ((), False)
    bus.publish(changed("a"))
    bus.publish(changed("b"))
    after = log.read(news.cursor)
    assert after.events == (changed("a"), changed("b"))
    assert log.read(after.cursor).events == ()
    assert log.read(news.cursor) == after


def test_four_kinds_of_events_are_told(bus: EventBus, log: EventLog):
    start = log.read().cursor
    told = [
        changed("a"),
        MetricsChanged(6.0, "TrainingJob", "a"),
        TrackingChanged(7.0, "1"),
        TrackingChanged(8.0, ""),
        InferenceNotified(8.5, "e", "1", "Completed", "arn", {}),
        InferenceNotified(8.6, "e", "2", "Completed", "arn", {}),
    ]
    for event in (*told, called(), Event(9.0)):
        bus.publish(event)
    assert log.read(start).events == tuple(told)


def test_changes_of_one_thing_become_the_latest(bus: EventBus, log: EventLog):
    start = log.read().cursor
    bus.publish(changed("a", status="Creating", version=2))
    bus.publish(changed("b"))
    bus.publish(changed("a", status="InService", version=3))
    assert log.read(start).events == (changed("b"), changed("a", status="InService", version=3))


def test_what_was_created_since_stays_created(bus: EventBus, log: EventLog):
    start = log.read().cursor
    bus.publish(changed("a", "created"))
    middle = log.read(start).cursor
    bus.publish(changed("a", version=2))
    assert log.read(start).events == (changed("a", "created", version=2),)
    assert log.read(middle).events == (changed("a", version=2),)
    bus.publish(changed("a", "deleted", version=2))
    assert log.read(start).events == (changed("a", "deleted", version=2),)
    bus.publish(changed("a", "created"))
    bus.publish(changed("a", version=2))
    assert log.read(middle).events == (changed("a", "created", version=2),)


def test_a_cursor_of_another_process_is_reset(bus: EventBus, log: EventLog):
    other = EventLog(EventBus())
    foreign = other.read().cursor
    other.close()
    bus.publish(changed("a"))
    news = log.read(foreign)
    assert (news.events, news.reset) == ((), True)
    assert not log.read(news.cursor).reset


def test_a_cursor_is_reset_when_something_after_it_is_forgotten(bus: EventBus):
    log = EventLog(bus, capacity=3)
    start = log.read().cursor
    for name in "abc":
        bus.publish(changed(name))
    after_c = log.read(start).cursor
    assert len(log.read(start).events) == 3
    for name in "abcabcabc":
        bus.publish(changed(name))
    assert len(log.read(start).events) == 3, "a busy thing takes the place of itself alone"
    bus.publish(changed("d"))
    assert log.read(start).reset
    assert log.read(after_c).reset
    news = log.read(log.read(start).cursor)
    assert (news.events, news.reset) == ((), False)
    log.close()


def test_a_cursor_from_the_future_is_reset(log: EventLog):
    start, _, _ = log.read().cursor.partition("-")
    assert log.read(f"{start}-17").reset


@pytest.mark.parametrize("text", ["x", "-", "0", "0123456789abcdef-", "0123456789abcdef--1", "é-1"])
def test_what_was_never_a_cursor_is_refused(log: EventLog, text: str):
    with pytest.raises(CursorInvalid):
        log.read(text)


def test_many_events_come_in_several_answers(bus: EventBus, log: EventLog):
    cursor = log.read().cursor
    names = [str(number) for number in range(2 * MOST_AT_ONCE + 5)]
    for name in names:
        bus.publish(changed(name))
    told: list[str] = []
    sizes = []
    while (news := log.read(cursor)).events:
        told += [event.name for event in news.events if isinstance(event, ResourceChanged)]
        sizes.append(len(news.events))
        cursor = news.cursor
    assert told == names
    assert sizes == [MOST_AT_ONCE, MOST_AT_ONCE, 5]


def test_waiting_ends_at_once_when_something_has_happened(bus: EventBus, log: EventLog):
    start = log.read().cursor
    bus.publish(changed("a"))
    assert asyncio.run(log.wait(start, seconds=FOR_EVER)).events == (changed("a"),)


def test_waiting_ends_with_its_time(log: EventLog):
    start = log.read().cursor
    for seconds in (0, 0.01):
        news = asyncio.run(log.wait(start, seconds=seconds))
        assert (news.events, news.cursor, news.reset) == ((), start, False)


def test_those_who_wait_are_woken_from_another_thread(bus: EventBus, log: EventLog):
    """Hundreds of them in several event loops."""
    start = log.read().cursor
    waiting = threading.Barrier(4)

    def loop(found: list[Any]) -> None:
        async def run() -> None:
            tasks = [asyncio.create_task(log.wait(start, seconds=FOR_EVER)) for _ in range(200)]
            await asyncio.sleep(0)  # each is at its first wait now
            waiting.wait()
            found.extend(await asyncio.gather(*tasks))

        asyncio.run(run())

    results: list[list[Any]] = [[], [], []]
    threads = [threading.Thread(target=loop, args=(found,)) for found in results]
    for thread in threads:
        thread.start()
    waiting.wait()
    bus.publish(changed("a"))
    for thread in threads:
        thread.join()
    for found in results:
        assert len(found) == 200
        assert all(news.events == (changed("a"),) for news in found)


def test_what_follows_closely_comes_along(bus: EventBus, log: EventLog):
    async def run() -> Any:
        task = asyncio.create_task(log.wait(seconds=FOR_EVER))
        for name in "abc":
            for _ in range(10):  # turns of the loop: more than it takes to be woken
                await asyncio.sleep(0)
            bus.publish(changed(name))
        return await task

    assert asyncio.run(run()).events == (changed("a"), changed("b"), changed("c"))


def test_a_loop_that_is_gone_harms_nobody(bus: EventBus, log: EventLog):
    start = log.read().cursor

    async def give_up() -> None:
        task = asyncio.create_task(log.wait(start, seconds=FOR_EVER))
        await asyncio.sleep(0)
        task.cancel()

    asyncio.run(give_up())
    bus.publish(changed("a"))
    assert log.read(start).events == (changed("a"),)


def test_closing_ends_all_waiting(log: EventLog):
    async def run() -> Any:
        tasks = [asyncio.create_task(log.wait(seconds=FOR_EVER)) for _ in range(3)]
        await asyncio.sleep(0)
        await asyncio.to_thread(log.close)
        return await asyncio.gather(*tasks, log.wait(seconds=FOR_EVER))

    assert all(not news.events and not news.reset for news in asyncio.run(run()))


def test_a_closed_log_hears_nothing(bus: EventBus, log: EventLog):
    start = log.read().cursor
    log.close()
    bus.publish(changed("a"))
    assert log.read(start).events == ()
