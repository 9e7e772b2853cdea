"""The requests of one endpoint, taken in their order, as many at once as its servers may have."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TypeVar

from bottega.features.async_inference.answering import Answerer
from bottega.features.async_inference.endpoints import AsyncEndpoint, instances
from bottega.serving.inference_queue import Waiting

POLL_SECONDS = 0.25
"""How often a lane with a backlog looks whether there is more capacity."""
_AHEAD = 100
"""Requests that are read from the queue together."""
_AT_ONCE_WHEN_GONE = 8
"""Requests of an endpoint that is gone, which take no server."""

_Found = TypeVar("_Found")


class Lane:
    """Answers the backlog of one endpoint until there is none.

    A request is taken once: it is either answered and removed from the queue, or its task is among
    those of the lane.
    """

    def __init__(self, name: str, answerer: Answerer) -> None:
        self._name = name
        self._answerer = answerer
        self._bell = asyncio.Event()
        self._taken = 0
        """The number of the latest request that was read."""
        self._ready: deque[Waiting] = deque()
        self._running: set[asyncio.Task[None]] = set()
        self._endpoint: AsyncEndpoint | None = None
        self._known = False

    def ring(self, *, changed: bool) -> None:
        """Say that there are requests, or that the endpoint has changed."""
        if changed:
            self._known = False
        self._bell.set()

    @property
    def rung(self) -> bool:
        """Whether something was said since it last looked."""
        return self._bell.is_set()

    async def run(self) -> None:
        """Work until nothing is left; to be called anew when there is something again."""
        try:
            while True:
                self._bell.clear()
                await self._take()
                if not self._ready and not self._running and not self._bell.is_set():
                    return
                try:
                    async with asyncio.timeout(POLL_SECONDS):
                        await self._bell.wait()
                except TimeoutError:
                    continue
        finally:
            for task in self._running:
                task.cancel()
            if self._running:
                await asyncio.wait(self._running)

    async def _take(self) -> None:
        """Begin with as many requests as there is room for."""
        queue = self._answerer.ports.inference_queue
        room = await self._room()
        if len(self._ready) < room:
            after = self._taken
            found = await self._in_thread(
                lambda: queue.next(self._name, after=after, limit=_AHEAD + room)
            )
            self._ready.extend(found)
            self._taken = found[-1].number if found else self._taken
        elif not self._ready:
            # Without room nothing is read ahead, but the lane must know whether there is something.
            after = self._taken
            found = await self._in_thread(lambda: queue.next(self._name, after=after, limit=1))
            self._ready.extend(found)
            self._taken = found[-1].number if found else self._taken
        while self._ready and room > 0:
            room -= 1
            self._begin(self._ready.popleft())
        if self._ready:
            await self._expire()

    async def _room(self) -> int:
        if not self._known:
            self._known = True  # before it is read: a change meanwhile makes it unknown again
            ports = self._answerer.ports
            self._endpoint = await self._in_thread(lambda: AsyncEndpoint.read(ports, self._name))
        endpoint = self._endpoint
        if endpoint is None or endpoint.gone:
            return _AT_ONCE_WHEN_GONE - len(self._running)
        servers = instances(self._answerer.ports.routes, self._name)
        return servers * endpoint.concurrency - len(self._running)

    def _begin(self, waiting: Waiting) -> None:
        task = asyncio.create_task(self._answerer.answer(waiting))
        self._running.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._bell.set()

    async def _expire(self) -> None:
        """End what waits for too long, wherever in the queue it is, before any more is taken."""
        queue, now = self._answerer.ports.inference_queue, self._answerer.ports.clock.now()
        over = [waiting for waiting in self._ready if waiting.request.expires <= now]
        self._ready = deque(x for x in self._ready if x.request.expires > now)
        after = self._taken
        over += await self._in_thread(
            lambda: queue.overdue(self._name, after=after, now=now, limit=_AHEAD)
        )
        if over:
            await asyncio.gather(*(self._answerer.answer(waiting) for waiting in over))

    async def _in_thread(self, do: Callable[[], _Found]) -> _Found:
        return await asyncio.get_running_loop().run_in_executor(self._answerer.threads, do)
