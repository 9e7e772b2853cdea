"""One look at the daemon's events for all sockets of the server, and a memory for those cut off."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from logging import Logger
from typing import Any, Protocol

from bottega.errors import BottegaError

WAIT_SECONDS = 20
"""How long the daemon holds a question that has no answer yet."""
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 10.0
REMEMBERED_EVENTS = 5_000
REMEMBERED_BATCHES = 1_000

Message = Mapping[str, Any]
Watch = Callable[[str | None, int], Awaitable[dict[str, Any]]]
"""WatchEvents: cursor and seconds to wait."""


class Listener(Protocol):
    """A socket, as the hub sees it."""

    def deliver(self, message: Message) -> None:
        """Send a message some time soon; never waits, never raises."""


@dataclass(frozen=True)
class Batch:
    """What one answer of the daemon brought."""

    before: str
    events: list[Any]
    after: str


class EventHub:
    """Passes events on to every listener, in order and without a gap.

    Nothing is asked while nobody listens. The cursors are the daemon's own: a listener that knows
    one of them and comes back gets what it missed, out of the hub's memory or the daemon's, or is
    told ``reset``.
    """

    def __init__(self, watch: Watch, revive: Callable[[], Awaitable[Any]], log: Logger) -> None:
        self._watch = watch
        self._revive = revive
        self._log = log
        self._listeners: set[Listener] = set()
        self._newcomers: dict[Listener, str | None] = {}
        self._history: deque[Batch] = deque()
        self._cursor: str | None = None
        self._lost = False
        """Whether events may be missing before the next answer."""
        self._current = False
        """Whether the cursor is that of an answer that came since somebody listens."""
        self._troubled = False
        self._task: asyncio.Task[None] | None = None

    def join(self, listener: Listener, cursor: str | None) -> None:
        """Let a listener hear everything from now on.

        Args:
            listener: its first message says where it begins.
            cursor: the last one it was given; None for one that knows nothing yet.
        """
        if self._current:
            self._greet(listener, cursor)
        else:
            self._newcomers[listener] = cursor
            if self._troubled:
                listener.deliver({"status": "reconnecting"})
        if self._task is None or self._task.done():  # done is one that failed unexpectedly
            self._task = asyncio.create_task(self._run())

    def leave(self, listener: Listener) -> None:
        """Forget a listener; with the last one the hub falls silent."""
        self._listeners.discard(listener)
        self._newcomers.pop(listener, None)
        if not self._listeners and not self._newcomers and self._task is not None:
            self._task.cancel()
            self._task = None
            self._current = self._troubled = False

    async def close(self) -> None:
        """Stop asking."""
        task = self._task
        for listener in [*self._listeners, *self._newcomers]:
            self.leave(listener)
        if task is not None:
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                if self._troubled:
                    await self._revive()
                answer = await self._watch(*self._question())
            except (BottegaError, OSError) as error:
                self._suffer(error)
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
            else:
                pause = FIRST_PAUSE_SECONDS
                self._take(answer)

    def _question(self) -> tuple[str | None, int]:
        """What to ask the daemon: the hub's own cursor, or one that a listener came back with."""
        if self._cursor is None and not self._lost:
            known = (cursor for cursor in self._newcomers.values() if cursor is not None)
            self._cursor = next(known, None)
        return self._cursor, WAIT_SECONDS if self._current else 0

    def _suffer(self, error: BottegaError | OSError) -> None:
        if isinstance(error, BottegaError) and error.status < 500:
            # It is the question that the daemon does not take: begin anew.
            self._cursor, self._lost = None, True
            self._history.clear()
        if not self._troubled:
            self._troubled, self._current = True, False
            self._log.warning("no events from the daemon: %s", error)
            self._tell({"status": "reconnecting"})
            for newcomer in self._newcomers:
                newcomer.deliver({"status": "reconnecting"})

    def _take(self, answer: Mapping[str, Any]) -> None:
        events, after = answer["Events"], answer["Cursor"]
        reset = bool(answer["Reset"]) or self._lost
        before, self._cursor, self._lost = self._cursor, after, False
        if reset:
            self._history.clear()
        elif before is not None and before != after:
            self._remember(Batch(before, events, after))
        if self._troubled:
            self._troubled = False
            self._tell({"status": "connected"})
            for newcomer in self._newcomers:
                newcomer.deliver({"status": "connected"})
        if events or reset:
            self._tell({"events": events, "cursor": after, "reset": reset})
        self._current = True
        newcomers, self._newcomers = self._newcomers, {}
        for newcomer, cursor in newcomers.items():
            self._greet(newcomer, cursor)

    def _remember(self, batch: Batch) -> None:
        self._history.append(batch)
        events = sum(len(kept.events) for kept in self._history)
        while self._history and (
            events > REMEMBERED_EVENTS or len(self._history) > REMEMBERED_BATCHES
        ):
            events -= len(self._history.popleft().events)

    def _greet(self, listener: Listener, cursor: str | None) -> None:
        self._listeners.add(listener)
        missed = self._since(cursor)
        known = cursor is None or missed is not None
        start = cursor if missed else self._cursor
        listener.deliver({"events": [], "cursor": start, "reset": not known})
        if missed:
            # After the greeting, so that a listener that is cut off in between has lost nothing.
            listener.deliver({"events": missed, "cursor": self._cursor, "reset": False})

    def _since(self, cursor: str | None) -> list[Any] | None:
        """What happened after a cursor; None where nobody knows."""
        if cursor is None:
            return None
        if cursor == self._cursor:
            return []
        batches = list(self._history)
        for place, batch in enumerate(batches):
            if batch.before == cursor:
                return [event for later in batches[place:] for event in later.events]
        return None

    def _tell(self, message: Message) -> None:
        for listener in list(self._listeners):
            listener.deliver(message)
