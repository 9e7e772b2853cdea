"""Runs controllers: a keyed work queue, so that one resource is never reconciled twice at once."""

from __future__ import annotations

import heapq
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from bottega.controller import Controller
from bottega.events import Event, EventBus, ResourceChanged

log = logging.getLogger(__name__)

FIRST_RETRY_SECONDS = 0.1
LONGEST_RETRY_SECONDS = 30.0


@dataclass
class _Item:
    """What is known of one (controller, name): at most one thread works on it."""

    queued: bool = False
    running: bool = False
    again: bool = False
    failures: int = 0
    timer: int = 0
    """Counts timers set, so that an outdated one is told from the present one."""


Key = tuple[int, str]


@dataclass(order=True)
class _Timer:
    due: float
    key: Key = field(compare=False)
    number: int = field(compare=False)


class ControllerHost:
    """Calls ``reconcile`` for what changed, what asked to be called later, and what failed
    before.
    """

    def __init__(self, events: EventBus, *, workers: int = 8) -> None:
        self._events = events
        self._controllers: list[Controller] = []
        self._condition = threading.Condition()
        self._ready: deque[Key] = deque()
        self._items: dict[Key, _Item] = {}
        self._timers: list[_Timer] = []
        self._stopping = False
        self._threads = [
            threading.Thread(target=self._work, name=f"controller-{n}", daemon=True)
            for n in range(workers)
        ]
        self._unsubscribe: Callable[[], None] | None = None

    def add(self, controller: Controller) -> None:
        """Host one more controller; before :meth:`start`."""
        self._controllers.append(controller)

    def start(self) -> None:
        """Queue everything pending, in the controllers' own order, and begin."""
        self._unsubscribe = self._events.subscribe(self._on_event)
        for index, controller in enumerate(self._controllers):
            for name in controller.pending():
                self._enqueue((index, name))
        for thread in self._threads:
            thread.start()

    def wake(self, controller: Controller, name: str) -> None:
        """Reconcile this name soon. May be called from any thread."""
        self._enqueue((self._controllers.index(controller), name))

    def stop(self, timeout: float = 10.0) -> bool:
        """Start nothing new and wait for what runs; returns whether all threads have ended."""
        if self._unsubscribe is not None:
            self._unsubscribe()
        with self._condition:
            self._stopping = True
            self._condition.notify_all()
        deadline = time.monotonic() + timeout
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _on_event(self, event: Event) -> None:
        if not isinstance(event, ResourceChanged):
            return
        for index, controller in enumerate(self._controllers):
            if controller.kind == event.kind:
                self._enqueue((index, event.name))

    def _enqueue(self, key: Key) -> None:
        with self._condition:
            item = self._items.setdefault(key, _Item())
            if item.running:
                item.again = True
            elif not item.queued:
                item.queued = True
                self._ready.append(key)
                self._condition.notify()

    def _work(self) -> None:
        while (key := self._next()) is not None:
            delay: float | None
            try:
                delay = self._controllers[key[0]].reconcile(key[1])
                failed = False
            except Exception:
                log.exception("reconciling %s %s failed", self._controllers[key[0]].kind, key[1])
                delay, failed = None, True
            self._done(key, delay, failed)

    def _next(self) -> Key | None:
        with self._condition:
            while not self._stopping:
                now = time.monotonic()
                while self._timers and self._timers[0].due <= now:
                    timer = heapq.heappop(self._timers)
                    item = self._items.get(timer.key)
                    if item and item.timer == timer.number and not (item.queued or item.running):
                        item.queued = True
                        self._ready.append(timer.key)
                if self._ready:
                    key = self._ready.popleft()
                    item = self._items[key]
                    item.queued, item.running = False, True
                    return key
                self._condition.wait(self._timers[0].due - now if self._timers else None)
        return None

    def _done(self, key: Key, delay: float | None, failed: bool) -> None:
        with self._condition:
            item = self._items[key]
            item.running = False
            item.failures = item.failures + 1 if failed else 0
            item.timer += 1
            if failed:
                growing = FIRST_RETRY_SECONDS * 2.0 ** min(item.failures - 1, 20)
                delay = min(LONGEST_RETRY_SECONDS, growing)
            if item.again and not failed:
                item.again = False
                item.queued = True
                self._ready.append(key)
                self._condition.notify()
            elif delay is not None:
                item.again = False
                heapq.heappush(self._timers, _Timer(time.monotonic() + delay, key, item.timer))
                self._condition.notify()
            else:
                del self._items[key]
