"""The controller of asynchronous inference: a thread with an event loop, and a lane an endpoint.

Large inputs and answers pass through here, so the loop is another than that of the listener, and
so is the router.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from bottega.controller import Controller
from bottega.features.async_inference.answering import Answerer
from bottega.features.async_inference.endpoints import ENDPOINT, AsyncEndpoint
from bottega.features.async_inference.lanes import Lane
from bottega.features.async_inference.measures import Measures
from bottega.features.async_inference.objects import ByteBudget
from bottega.ports import Ports
from bottega.serving.router import Router
from bottega.storage.metadata import ResourceQuery

log = logging.getLogger(__name__)

INPUT_BYTES = 768 * 1024 * 1024
"""Bytes that inputs take in memory at once, of all endpoints together."""
MEASURE_SECONDS = 5.0
"""How often backlogs are measured, unless autoscaling looks at them more often."""
_THREADS = 8
_RESTART_SECONDS = 1.0


class AsyncInferenceController(Controller):
    """Answers the requests that InvokeEndpointAsync took in.

    It begins when the host asks for :meth:`pending`, and ends with :meth:`close`; what is not
    answered by then is in the queue still.
    """

    kind = ENDPOINT

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._measures = Measures(ports)
        self._asynchronous: set[str] = set()
        """Endpoints whose backlog is measured also while it is empty."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stop: Callable[[], object] = lambda: None
        self._lanes: dict[str, Lane] = {}
        """Of endpoints with a backlog; only the loop's thread looks at them."""
        self._tasks: set[asyncio.Task[None]] = set()

    def pending(self) -> Iterable[str]:
        """Every endpoint, and those that are no more and have requests."""
        self._start()
        endpoints = self._ports.store.each(ResourceQuery(kind=ENDPOINT, descending=False))
        names = [endpoint.name for endpoint in endpoints]
        return dict.fromkeys([*names, *self._ports.inference_queue.backlogs()])

    def reconcile(self, name: str) -> None:
        """Take notice of a change of an endpoint."""
        if AsyncEndpoint.read(self._ports, name) is not None:
            self._asynchronous.add(name)
        else:
            self._asynchronous.discard(name)
        self._ring(name, changed=True)

    def measure(self) -> None:
        """Write down how much waits now, and what happened since the last time."""
        try:
            self._measures.record(set(self._asynchronous))
        except Exception:
            log.exception("the backlogs of asynchronous endpoints cannot be measured")

    def close(self) -> None:
        """Stop: nothing new is sent to a model, and what a model has now is asked again after the
        next start."""
        if self._thread is not None:
            self._stop()
            self._thread.join()
            self._thread = None
            self.measure()

    def _start(self) -> None:
        if self._thread is None:
            running = threading.Event()
            self._thread = threading.Thread(
                target=self._run, args=(running,), name="async-inference", daemon=True
            )
            self._thread.start()
            running.wait()
            self._ports.inference_queue.listen(lambda name: self._ring(name, changed=False))

    def _run(self, running: threading.Event) -> None:
        try:
            asyncio.run(self._work(running))
        finally:
            running.set()  # whoever waits for the start must not wait for ever

    def _ring(self, name: str, *, changed: bool) -> None:
        try:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._rung, name, changed)
        except RuntimeError:
            return  # the loop is closed: the request waits for the next start

    async def _work(self, running: threading.Event) -> None:
        loop = asyncio.get_running_loop()
        stopping = asyncio.Event()
        self._stop = lambda: loop.call_soon_threadsafe(stopping.set)
        threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="async-inference")
        router = Router(self._ports.routes, loop)
        budget = ByteBudget(INPUT_BYTES)
        self._answerer = Answerer(self._ports, router, threads, budget, self._measures)
        self._loop = loop
        running.set()
        pause = min(MEASURE_SECONDS, float(self._ports.config.autoscaling_period_seconds))
        try:
            while not stopping.is_set():
                try:
                    async with asyncio.timeout(pause):
                        await stopping.wait()
                except TimeoutError:
                    await loop.run_in_executor(threads, self.measure)
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            router.close()
            threads.shutdown(wait=True)

    def _rung(self, name: str, changed: bool) -> None:
        lane = self._lanes.get(name)
        if lane is None:
            lane = self._lanes[name] = Lane(name, self._answerer)
            self._drive(name, lane)
        lane.ring(changed=changed)

    def _drive(self, name: str, lane: Lane) -> None:
        task = asyncio.get_running_loop().create_task(lane.run())
        self._tasks.add(task)
        task.add_done_callback(lambda ended: self._ended(name, ended))

    def _ended(self, name: str, task: asyncio.Task[None]) -> None:
        """Forget a lane that has nothing to do; one that failed is begun anew."""
        self._tasks.discard(task)
        lane = self._lanes.pop(name)
        if task.cancelled():
            return
        if error := task.exception():
            log.error("the requests of endpoint %s cannot be taken", name, exc_info=error)
            task.get_loop().call_later(_RESTART_SECONDS, self._rung, name, True)
        elif lane.rung:
            self._rung(name, False)
