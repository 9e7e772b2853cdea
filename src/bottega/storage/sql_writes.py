"""Group commit: writes of many threads share transactions, so that they share the disk's flush.

A durable commit waits for the disk for about a millisecond, whatever is in it. While one thread
commits, the others queue up; the next one to get its turn commits everything that has queued
meanwhile. A thread that is alone pays no more than without the queue: there is no extra thread and
no hand-over.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar, cast

import sqlalchemy as sa

from bottega.events import Event, EventBus

Outcome = TypeVar("Outcome")

Work = Callable[[sa.Connection], tuple[Outcome, Sequence[Event]]]
"""Does its reads and writes on the connection; returns its outcome and what to announce once that
is committed. It may be run again after a rollback."""

BATCH = 128
"""The most writes that share one transaction."""


class Refusal(Exception):
    """Wraps an error that a work raises before it has written anything: the others go on."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(str(reason))
        self.reason = reason


class _Write(Generic[Outcome]):
    """One queued write and, once ``done``, how it went."""

    def __init__(self, work: Work[Outcome]) -> None:
        self.work = work
        self.done = False
        self.outcome: Outcome | None = None
        self.error: Exception | None = None
        self.events: Sequence[Event] = ()


class WriteQueue:
    """Runs writes one transaction after the other, and announces them in that order."""

    def __init__(
        self,
        engine: sa.Engine,
        events: EventBus,
        committed: Callable[[Sequence[Event]], None] = lambda events: None,
    ) -> None:
        """Say where to write.

        Args:
            engine: of the database.
            events: where changes are announced.
            committed: told of changes when they are in the database, before those who made them
                are; it must be quick, and raise nothing.
        """
        self._engine = engine
        self._events = events
        self._committed = committed
        self._turn = threading.Lock()
        self._waiting: deque[_Write[Any]] = deque()
        self._unannounced: deque[Event] = deque()
        self._announcing = threading.Lock()

    def run(self, work: Work[Outcome]) -> Outcome:
        """Run ``work`` in a transaction and return its outcome once that is durable.

        Raises:
            Exception: what the work raised, wrapped in a :class:`Refusal` or not; or the database's
                own error. The write has changed nothing then.
        """
        write = _Write(work)
        self._waiting.append(write)
        with self._turn:
            # Whoever had the turn before may have committed this write along with its own.
            while not write.done:
                self._commit_waiting()
        self._announce()
        if write.error is not None:
            raise write.error
        return cast(Outcome, write.outcome)

    def _commit_waiting(self) -> None:
        batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
        try:
            if len(batch) > 1 and self._commit(batch) is None:
                return
            for write in batch:
                if (error := self._commit([write])) is not None:
                    write.error, write.events, write.done = error, (), True
        finally:
            # Only an interrupt leaves something undone; it belongs to this thread, not to the
            # others.
            self._waiting.extendleft(reversed([write for write in batch if not write.done]))

    def _commit(self, batch: Sequence[_Write[Any]]) -> Exception | None:
        """Commit the writes together; on an error nothing of them is in the database, and none is
        done."""
        try:
            with self._engine.begin() as connection:
                for write in batch:
                    write.error = None
                    try:
                        write.outcome, write.events = write.work(connection)
                    except Refusal as refusal:
                        write.error, write.events = refusal.reason, ()
        except Exception as error:
            return error
        for write in batch:
            self._committed(write.events)
            self._unannounced.extend(write.events)
            write.done = True
        return None

    def _announce(self) -> None:
        """Publish what is committed, in order, unless somebody is just doing so.

        A listener may itself write: its own event then waits until the listeners of the present one
            are
        through, so that every listener sees the same order.
        """
        while self._unannounced and self._announcing.acquire(blocking=False):
            try:
                while self._unannounced:
                    self._events.publish(self._unannounced.popleft())
            finally:
                self._announcing.release()
