"""What happened lately, for those who come back and ask: the latest event of each thing.

A screen that shows a resource needs its newest state, not every step on the way. So the log keeps
one entry for each thing that events are about, in the order of their latest events; a busy job
takes no more room than a quiet one.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, replace
from itertools import takewhile

from bottega.events import (
    Event,
    EventBus,
    InferenceNotified,
    MetricsChanged,
    ResourceChanged,
    RuleNotified,
    TrackingChanged,
)

CAPACITY = 10_000
"""How many things are remembered; those without news for the longest go first."""
MOST_AT_ONCE = 1000
"""The most events of one answer; what is left comes with the next one."""
FOLD_SECONDS = 0.03
"""How long an awaited event is held back for others that come with it."""

_CURSOR = re.compile(r"([0-9a-f]{16})-(\d{1,18})")
_Key = tuple[str, ...]


class CursorInvalid(Exception):
    """The text was never a cursor."""


@dataclass(frozen=True)
class News:
    """What happened since a cursor."""

    events: tuple[Event, ...]
    """The latest of each thing, oldest first. A resource that came into being since the cursor is
    ``created``, whatever was updated after."""
    cursor: str
    """Where the next reading goes on."""
    reset: bool
    """Whether events since the given cursor are lost."""


@dataclass(frozen=True)
class _Entry:
    """The latest event of one thing, and its place among all events."""

    number: int
    event: Event
    created: int
    """The number of the event that created it; 0 where that is not known."""

    def since(self, number: int) -> Event:
        """The event as it is told to somebody who knows the events up to ``number``."""
        event = self.event
        if isinstance(event, ResourceChanged) and event.change == "updated":
            return replace(event, change="created") if self.created > number else event
        return event


class EventLog:
    """Hears the bus's events and tells them to any number of readers, from any thread.

    It begins anew with each process, and cursors of a former one are known as such.
    """

    def __init__(self, events: EventBus, *, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._start = secrets.token_hex(8)
        self._lock = threading.Lock()
        self._entries: OrderedDict[_Key, _Entry] = OrderedDict()
        self._number = 0
        self._forgotten = 0
        """The number of the latest event that nobody can be told any more."""
        self._bells: dict[asyncio.AbstractEventLoop, asyncio.Future[None]] = {}
        self._closed = False
        self._unsubscribe = events.subscribe(self._hear)

    def close(self) -> None:
        """Hear nothing more, and let everybody who waits answer now."""
        self._unsubscribe()
        with self._lock:
            self._closed = True
        self._ring()

    def read(self, cursor: str = "") -> News:
        """What happened since ``cursor``; without one, nothing yet and where to go on.

        Raises:
            CursorInvalid: ``cursor`` is no cursor.
        """
        known = self._position(cursor)
        with self._lock:
            number = self._number
            lost = known is not None and not self._forgotten <= known <= number
            if known is None or lost:
                return News((), self._cursor(number), lost)
            newest = reversed(self._entries.values())
            found = list(takewhile(lambda entry: entry.number > known, newest))
        found = found[::-1][:MOST_AT_ONCE]
        end = found[-1].number if len(found) == MOST_AT_ONCE else number
        return News(tuple(x.since(known) for x in found), self._cursor(end), False)

    async def wait(self, cursor: str = "", *, seconds: float) -> News:
        """As :meth:`read`, but wait up to ``seconds`` for something to happen.

        Holds no thread. Answers at once where something has happened already, or once the log is
        closed.

        Raises:
            CursorInvalid: ``cursor`` is no cursor.
        """
        first = self.read(cursor)
        if first.events or first.reset:
            return first
        deadline = time.monotonic() + seconds
        while (bell := self._bell(first.cursor)) is not None:
            left = deadline - time.monotonic()
            if left <= 0:
                return first
            await asyncio.wait((bell,), timeout=left)
        if not self._closed and seconds > 0:
            await asyncio.sleep(FOLD_SECONDS)
        return self.read(first.cursor)

    def _position(self, cursor: str) -> int | None:
        """The number a cursor stands for; None for now, -1 where it is another process's."""
        if not cursor:
            return None
        if (match := _CURSOR.fullmatch(cursor)) is None:
            raise CursorInvalid(cursor)
        return int(match[2]) if match[1] == self._start else -1

    def _cursor(self, number: int) -> str:
        return f"{self._start}-{number}"

    def _bell(self, cursor: str) -> asyncio.Future[None] | None:
        """What rings at the next event, for everybody on this event loop; None when there is no
        need to wait."""
        loop = asyncio.get_running_loop()
        known = self._position(cursor)
        with self._lock:
            if self._closed or known is None or self._number > known:
                return None
            if loop not in self._bells:
                self._bells[loop] = loop.create_future()
            return self._bells[loop]

    def _hear(self, event: Event) -> None:
        if (key := _key(event)) is None:
            return
        with self._lock:
            self._number += 1
            former = self._entries.pop(key, None)
            created = former.created if former else 0
            if isinstance(event, ResourceChanged) and event.change != "updated":
                created = self._number if event.change == "created" else 0
            self._entries[key] = _Entry(self._number, event, created)
            if len(self._entries) > self._capacity:
                _, oldest = self._entries.popitem(last=False)
                self._forgotten = oldest.number
        self._ring()

    def _ring(self) -> None:
        """Wake those who wait: one call into each event loop, however many they are."""
        with self._lock:
            bells, self._bells = self._bells, {}
        for loop, bell in bells.items():
            with contextlib.suppress(RuntimeError):  # the loop is closed, so nobody waits there
                loop.call_soon_threadsafe(_set, bell)


def _key(event: Event) -> _Key | None:
    """What an event is about; None for those that nobody is told."""
    match event:
        case ResourceChanged(kind=kind, name=name):
            return ("resource", kind, name)
        case MetricsChanged(kind=kind, name=name):
            return ("metrics", kind, name)
        case TrackingChanged(experiment=experiment):
            return ("tracking", experiment)
        case InferenceNotified(endpoint=endpoint, inference=inference):
            return ("inference", endpoint, inference)
        case RuleNotified(job=job, rule=rule, channel=channel, address=address):
            return ("rule", job, rule, channel, address)
        case _:
            return None


def _set(bell: asyncio.Future[None]) -> None:
    if not bell.done():
        bell.set_result(None)
