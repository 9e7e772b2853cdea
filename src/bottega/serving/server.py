"""The model server of one instance: ``python -m bottega.serving.server``.

It keeps SageMaker's container contract on a Unix socket: ``GET /ping`` answers 200 once the model
is loaded, ``POST /invocations`` predicts, SIGTERM lets what is being served finish, then exits
with 0.

Predictions of built-in algorithms are so short that a hand-over to a thread would cost more than
they do; they run on the event loop. The user's own code runs in worker threads, so that ``/ping``
answers whatever it does, and it is loaded by the thread that later runs it.

The environment says what to serve:

* ``BOTTEGA_SOCKET``: the socket to listen on.
* ``BOTTEGA_IMAGE``: the resolved image.
* ``BOTTEGA_ML_ROOT``: the folder with ``model`` in it, ``/opt/ml`` by default.
* ``SAGEMAKER_MODEL_SERVER_WORKERS``: threads for the user's code, each with its own copy of the
  model, 1 by default.
* ``SAGEMAKER_MODEL_SERVER_TIMEOUT``: seconds a prediction of the user's code may take, 60 by
  default; a server with one that takes longer ends itself, because a thread cannot be ended.
* ``SAGEMAKER_MAX_PAYLOAD_IN_MB``: the largest request, 100 by default.
"""

from __future__ import annotations

import asyncio
import os
import queue
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path

import uvloop

from bottega.algorithms.base import CustomerError
from bottega.container.inference import (
    InferenceError,
    InferenceHandler,
    InferenceResponse,
    load_handler,
)
from bottega.container.paths import ContainerPaths
from bottega.serving.server_connection import CUSTOM_ATTRIBUTES, Exchange, ServerConnection

_BACKLOG = 1024
_INLINE_BYTES = 64 * 1024
"""Larger bodies go to a worker even for built-in algorithms."""
_INLINE_SECONDS = 0.02
"""A prediction on the loop that took longer halves the size that may run there."""


class ModelServer:
    """Serves one model. Everything but the predictions of user code happens on the event loop.

    Args:
        load: makes a handler; called by each worker for its own.
        workers: how many threads run what is not run on the event loop.
        timeout: seconds a prediction in a worker may take.
        max_payload: bytes.
    """

    def __init__(
        self,
        load: Callable[[], InferenceHandler],
        *,
        workers: int = 1,
        timeout: float = 60.0,
        max_payload: int = 100 * 1024 * 1024,
    ) -> None:
        self.max_payload = max_payload
        self.draining = False
        self.connections: set[ServerConnection] = set()
        self._load = load
        self._inline_bytes = -1
        self._workers = self._loading = workers
        self._timeout = timeout
        self._handler: InferenceHandler | None = None
        self._work: queue.SimpleQueue[tuple[ServerConnection, Exchange]] = queue.SimpleQueue()
        self._running: dict[int, float] = {}
        self._finished: asyncio.Future[int]
        self._loop: asyncio.AbstractEventLoop

    async def run(self, path: Path) -> int:
        """Listen on ``path`` until SIGTERM; returns the exit status."""
        self._loop = asyncio.get_running_loop()
        self._finished = self._loop.create_future()
        for ending in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(ending, self.drain)
        listener = await self._loop.create_unix_server(
            lambda: ServerConnection(self), sock=_bind(path), backlog=_BACKLOG
        )
        for number in range(self._workers):
            threading.Thread(target=self._worker, name=f"worker-{number}", daemon=True).start()
        watchdog = self._loop.create_task(self._watch_workers())
        try:
            return await self._finished
        finally:
            watchdog.cancel()
            path.unlink(missing_ok=True)
            listener.close()

    def drain(self) -> None:
        """Take no new work, finish what is being served, then end."""
        self.draining = True
        for connection in tuple(self.connections):
            connection.close_when_idle()
        self._finish_when_drained()

    def serve(self, connection: ServerConnection, exchange: Exchange) -> None:
        """Answer one request, now or from a worker later."""
        if exchange.path == b"/invocations":
            if exchange.method != b"POST":
                connection.answer(405, b"use POST", "text/plain")
            elif self._handler is None:
                connection.answer(503, b"the model is still being loaded", "text/plain")
            elif len(exchange.body) <= self._inline_bytes:
                self._serve_inline(connection, exchange, self._handler)
            else:
                self._work.put((connection, exchange))
        elif exchange.path == b"/ping":
            if exchange.method != b"GET":
                connection.answer(405, b"use GET", "text/plain")
            else:
                connection.answer(503 if self._handler is None else 200, b"")
        else:
            connection.answer(404, b"there are /ping and /invocations", "text/plain")

    def _serve_inline(
        self, connection: ServerConnection, exchange: Exchange, handler: InferenceHandler
    ) -> None:
        started = time.monotonic()
        response = _transform(handler, exchange)
        if time.monotonic() - started > _INLINE_SECONDS:
            self._inline_bytes = min(self._inline_bytes, len(exchange.body) // 2)
        self._answer(connection, exchange, response)

    def _answer(
        self, connection: ServerConnection, exchange: Exchange, response: InferenceResponse
    ) -> None:
        connection.answer(
            response.status,
            response.body,
            response.content_type,
            exchange.headers.get(CUSTOM_ATTRIBUTES, b""),
        )
        if self.draining:
            self._finish_when_drained()

    def _finish_when_drained(self) -> None:
        if all(connection.idle for connection in self.connections):
            self._finish(0)

    def _finish(self, status: int) -> None:
        if not self._finished.done():
            self._finished.set_result(status)

    def _loaded(self, handler: InferenceHandler) -> None:
        self._loading -= 1
        if self._loading == 0:
            self._inline_bytes = _INLINE_BYTES if handler.quick else -1
            self._handler = handler

    def _worker(self) -> None:
        """Load a handler of its own and answer what does not run on the event loop."""
        try:
            handler = self._load()
        except CustomerError as error:
            print(error.message, file=sys.stderr)
            self._loop.call_soon_threadsafe(self._finish, 1)
            return
        except BaseException:
            traceback.print_exc()
            self._loop.call_soon_threadsafe(self._finish, 1)
            return
        self._loop.call_soon_threadsafe(self._loaded, handler)
        thread = threading.get_ident()
        while True:
            connection, exchange = self._work.get()
            self._running[thread] = time.monotonic()
            response = _transform(handler, exchange)
            self._running.pop(thread, None)
            self._loop.call_soon_threadsafe(self._answer, connection, exchange, response)

    async def _watch_workers(self) -> None:
        while True:
            await asyncio.sleep(min(1.0, self._timeout / 4))
            now = time.monotonic()
            if any(now - started > self._timeout for started in tuple(self._running.values())):
                print(
                    f"A prediction did not end within {self._timeout:g} seconds; the model server "
                    "is started anew. SAGEMAKER_MODEL_SERVER_TIMEOUT sets the limit.",
                    file=sys.stderr,
                )
                self._finish(1)


def _transform(handler: InferenceHandler, exchange: Exchange) -> InferenceResponse:
    """The handler's answer; whatever it raises becomes a status and a text, and goes to the log."""
    try:
        return handler.transform(
            exchange.body, exchange.header(b"content-type"), exchange.header(b"accept")
        )
    except InferenceError as error:
        if error.status < 500:  # the handler has printed the traceback of a failure
            print(f"refused with {error.status}: {error.message}", file=sys.stderr)
        return InferenceResponse(error.status, error.message.encode(), "text/plain")
    except BaseException as error:  # SystemExit of the user's code must not end a worker silently
        traceback.print_exc()
        return InferenceResponse(500, f"{type(error).__name__}: {error}".encode(), "text/plain")


def _bind(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    path.chmod(0o600)
    listener.setblocking(False)
    return listener


def _server(environment: Mapping[str, str]) -> ModelServer:
    image = environment["BOTTEGA_IMAGE"]
    model = ContainerPaths.of(environment).model
    return ModelServer(
        lambda: load_handler(image, model, environment),
        workers=max(1, int(environment.get("SAGEMAKER_MODEL_SERVER_WORKERS", "1"))),
        timeout=float(environment.get("SAGEMAKER_MODEL_SERVER_TIMEOUT", "60")),
        max_payload=int(float(environment.get("SAGEMAKER_MAX_PAYLOAD_IN_MB", "100")) * 1024 * 1024),
    )


def main() -> int:
    """Serve until told to stop; returns the exit status."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    server = _server(os.environ)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        status = runner.run(server.run(Path(os.environ["BOTTEGA_SOCKET"])))
    sys.stdout.flush()
    sys.stderr.flush()
    # A worker may be in the middle of the user's code, which an ordinary exit would wait for.
    os._exit(status)


if __name__ == "__main__":
    main()
