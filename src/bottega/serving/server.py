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
* ``BOTTEGA_MODEL_SERVER_QUEUE``: how many requests may wait for a worker, 1000 by default; one more
  is refused with 503.
"""

from __future__ import annotations

import asyncio
import json
import os
import queue
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import uvloop

from bottega.algorithms import registry
from bottega.algorithms.base import CustomerError
from bottega.algorithms.images import DATA_WRANGLER
from bottega.container.inference import (
    InferenceError,
    InferenceHandler,
    InferenceResponse,
    load_handler,
)
from bottega.container.inference_pipeline import PIPELINE_IMAGE
from bottega.container.inference_script import SHARED_CODE
from bottega.container.multi_model import ModelMissing, MultiModelHandler
from bottega.container.paths import ContainerPaths
from bottega.serving import server_models, server_program
from bottega.serving.answers import MODEL_MISSING
from bottega.serving.batching import Batches
from bottega.serving.server_connection import (
    CUSTOM_ATTRIBUTES,
    STREAM,
    TARGET_CONTAINER,
    TARGET_MODEL,
    Exchange,
    ServerConnection,
)
from bottega.serving.sockets import near_path

_BACKLOG = 1024
_INLINE_BYTES = 64 * 1024
"""Larger bodies go to a worker even for built-in algorithms."""
_INLINE_SECONDS = 0.02
"""A prediction on the loop that took longer halves the size that may run there."""
_MISSING = MODEL_MISSING + b": 1\r\n"
_WAITING = 1000
_BATCH_PAYLOAD = 6
"""MB that a request of a batch transform job best has, where the job does not say."""


class ModelServer:
    """Serves one model. Everything but the predictions of user code happens on the event loop.

    Args:
        load: makes a handler; called by each worker for its own.
        workers: how many threads run what is not run on the event loop.
        timeout: seconds a prediction in a worker may take.
        max_payload: bytes.
        most_waiting: how many requests may wait for a worker.
    """

    def __init__(
        self,
        load: Callable[[], InferenceHandler],
        *,
        workers: int = 1,
        timeout: float = 60.0,
        max_payload: int = 100 * 1024 * 1024,
        most_waiting: int = _WAITING,
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
        self._most_waiting = most_waiting
        self._running: dict[int, float] = {}
        self._finished: asyncio.Future[int]
        self._loop: asyncio.AbstractEventLoop

    async def run(self, path: Path) -> int:
        """Listen on ``path`` until SIGTERM; returns the exit status."""
        self._loop = asyncio.get_running_loop()
        self._near = near_path(path)
        self._near.unlink(missing_ok=True)  # of the server that listened here before
        self._batches: Batches[tuple[ServerConnection, Exchange]] = Batches(
            self._loop.call_soon, self._serve_together
        )
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

    def serve(self, connection: ServerConnection, exchange: Exchange) -> bool:
        """Answer one request now, at the end of this turn of the loop, or from a worker later.

        Returns:
            False in the last case, unless it was refused.
        """
        if exchange.path == b"/invocations":
            return self._invoke(connection, exchange)
        if exchange.path.startswith(server_models.PREFIX) and self._handler is not None:
            return self._give_to_a_worker(connection, exchange)
        if exchange.path not in (b"/ping", b"/execution-parameters"):
            text = b"there are /ping, /invocations and /execution-parameters"
            connection.answer(404, text, "text/plain")
        elif exchange.method != b"GET":
            connection.answer(405, b"use GET", "text/plain")
        elif exchange.path == b"/ping":
            connection.answer(503 if self._handler is None else 200, b"")
        else:
            connection.answer(200, self._execution_parameters(), "application/json")
        return True

    def _invoke(self, connection: ServerConnection, exchange: Exchange) -> bool:
        handler = self._handler
        if exchange.method != b"POST":
            connection.answer(405, b"use POST", "text/plain")
        elif handler is None:
            connection.answer(503, b"the model is still being loaded", "text/plain")
        elif (
            len(exchange.body) <= self._inline_bytes
            and (ready := handler.at_once(*_target(exchange))) is not None
        ):
            if ready is handler and handler.joins:
                kind = (
                    exchange.headers.get(b"content-type", b""),
                    exchange.headers.get(b"accept", b""),
                )
                self._batches.add(kind, len(exchange.body), (connection, exchange))
            else:
                self._serve_inline(connection, exchange, ready)
        else:
            return self._give_to_a_worker(connection, exchange)
        return True

    def _give_to_a_worker(self, connection: ServerConnection, exchange: Exchange) -> bool:
        """Returns whether it was refused."""
        if self._work.qsize() >= self._most_waiting:
            text = b"%d requests are waiting already; try again later" % self._most_waiting
            connection.answer(503, text, "text/plain", headers=b"retry-after: 1\r\n")
            return True
        self._work.put((connection, exchange))
        return False

    def _execution_parameters(self) -> bytes:
        """What a batch transform job asks for where its own request leaves it open."""
        found = {
            "MaxConcurrentTransforms": self._workers,
            "BatchStrategy": "MULTI_RECORD",
            "MaxPayloadInMB": min(_BATCH_PAYLOAD, self.max_payload >> 20),
        }
        return json.dumps(found).encode()

    def _serve_inline(
        self, connection: ServerConnection, exchange: Exchange, handler: InferenceHandler
    ) -> None:
        started = time.monotonic()
        response = _transform(handler, exchange)
        if time.monotonic() - started > _INLINE_SECONDS:
            self._inline_bytes = min(self._inline_bytes, len(exchange.body) // 2)
        self._answer(connection, exchange, response)

    def _serve_together(self, requests: Sequence[tuple[ServerConnection, Exchange]]) -> None:
        """Answer requests of one kind, of which there may be only one."""
        handler = self._handler
        assert handler is not None  # a request is let in only when it is there
        if len(requests) == 1:
            self._serve_inline(*requests[0], handler)
            return
        first = requests[0][1]
        try:
            found = handler.transform_many(
                [exchange.body for _, exchange in requests],
                first.header(b"content-type"),
                first.header(b"accept"),
            )
        except Exception:
            # Whose request it is shows when each is predicted alone.
            traceback.print_exc()
            for connection, exchange in requests:
                self._answer(connection, exchange, _transform(handler, exchange))
            return
        for (connection, exchange), outcome in zip(requests, found, strict=True):
            if isinstance(outcome, InferenceError):
                outcome = _refusal(outcome)
            self._answer(connection, exchange, outcome)

    def _answer(
        self, connection: ServerConnection, exchange: Exchange, response: InferenceResponse
    ) -> None:
        connection.answer(
            response.status,
            response.body,
            response.content_type,
            exchange.headers.get(CUSTOM_ATTRIBUTES, b""),
            _MISSING if response.model_missing else b"",
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
            self._inline_bytes = _INLINE_BYTES
            self._handler = handler
            threading.Thread(
                target=_compile,
                args=(handler, self._near, self.max_payload),
                name="compiling",
                daemon=True,
            ).start()

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
            if response.pieces is None:
                self._loop.call_soon_threadsafe(self._answer, connection, exchange, response)
            else:
                self._stream(connection, exchange, response, response.pieces)
            self._running.pop(thread, None)

    def _stream(
        self,
        connection: ServerConnection,
        exchange: Exchange,
        response: InferenceResponse,
        pieces: Iterator[bytes],
    ) -> None:
        """In a worker: write an answer as it is made, or when it is whole if it is wanted so."""
        soon = self._loop.call_soon_threadsafe
        if exchange.headers.get(STREAM) != b"1":
            soon(self._answer, connection, exchange, _joined(response, pieces))
            return
        custom = exchange.headers.get(CUSTOM_ATTRIBUTES, b"")
        soon(connection.begin_stream, response.content_type, custom)
        thread, whole = threading.get_ident(), False
        try:
            for piece in pieces:
                soon(connection.write_piece, piece)
                self._wait_until_taken(connection)
                self._running[thread] = time.monotonic()
                if connection.lost:
                    break
            else:
                whole = True
        except InferenceError:
            pass  # Its traceback is in the log; the reader sees an answer that is cut off.
        except BaseException:
            traceback.print_exc()
        soon(self._end_stream, connection, whole)

    def _wait_until_taken(self, connection: ServerConnection) -> None:
        """Wait for what was written so far to reach the transport, and for that to have room."""
        written = threading.Event()
        self._loop.call_soon_threadsafe(written.set)
        written.wait()
        while not connection.writable.wait(1.0):
            self._running[threading.get_ident()] = time.monotonic()  # the reader's time, not ours

    def _end_stream(self, connection: ServerConnection, whole: bool) -> None:
        connection.end_stream(whole=whole)
        if self.draining:
            self._finish_when_drained()

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
        if exchange.path.startswith(server_models.PREFIX):
            return server_models.answer(handler, exchange)
        return handler.target(*_target(exchange)).transform(
            exchange.body, exchange.header(b"content-type"), exchange.header(b"accept")
        )
    except InferenceError as error:
        return _refusal(error)
    except BaseException as error:  # SystemExit of the user's code must not end a worker silently
        traceback.print_exc()
        return InferenceResponse(500, f"{type(error).__name__}: {error}".encode(), "text/plain")


def _target(exchange: Exchange) -> tuple[str, str]:
    """The model and the container that a request names."""
    if TARGET_MODEL in exchange.headers or TARGET_CONTAINER in exchange.headers:
        return exchange.header(TARGET_MODEL), exchange.header(TARGET_CONTAINER)
    return "", ""


def _joined(response: InferenceResponse, pieces: Iterator[bytes]) -> InferenceResponse:
    try:
        return replace(response, body=b"".join(pieces), pieces=None)
    except InferenceError as error:
        return _refusal(error)
    except BaseException as error:
        traceback.print_exc()
        return InferenceResponse(500, f"{type(error).__name__}: {error}".encode(), "text/plain")


def _refusal(error: InferenceError) -> InferenceResponse:
    if error.status < 500:  # the handler has printed the traceback of a failure
        print(f"refused with {error.status}: {error.message}", file=sys.stderr)
    return InferenceResponse(
        error.status,
        error.message.encode(),
        "text/plain",
        model_missing=isinstance(error, ModelMissing),
    )


def _compile(handler: InferenceHandler, near: Path, max_payload: int) -> None:
    """Make the model faster while it is served already, and give the router its part of it."""
    try:
        said = handler.compile()
    except Exception:
        traceback.print_exc()
        said = "The model could not be compiled; it is served as it is."
    if said:
        print(said, file=sys.stderr)
    draft = near.with_suffix(".draft")
    try:
        # The router would not refuse a request that is larger than this server takes.
        draft.write_bytes(handler.near() if max_payload >= _INLINE_BYTES else b"")
        draft.replace(near)
    except Exception:
        traceback.print_exc()
        print("The router gets no part of the model; all requests come here.", file=sys.stderr)
        draft.unlink(missing_ok=True)


def _bind(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    path.chmod(0o600)
    listener.setblocking(False)
    return listener


def _server(environment: Mapping[str, str]) -> ModelServer:
    image = environment["BOTTEGA_IMAGE"]
    return ModelServer(
        _loader(image, ContainerPaths.of(environment), environment),
        workers=max(1, int(environment.get("SAGEMAKER_MODEL_SERVER_WORKERS", "1"))),
        timeout=float(environment.get("SAGEMAKER_MODEL_SERVER_TIMEOUT", "60")),
        max_payload=int(float(environment.get("SAGEMAKER_MAX_PAYLOAD_IN_MB", "100")) * 1024 * 1024),
        most_waiting=int(environment.get("BOTTEGA_MODEL_SERVER_QUEUE", str(_WAITING))),
    )


def _loader(
    image: str, paths: ContainerPaths, environment: Mapping[str, str]
) -> Callable[[], InferenceHandler]:
    if environment.get("SAGEMAKER_MULTI_MODEL", "").lower() != "true":
        return lambda: load_handler(image, paths.model, environment)
    variables = {**environment, SHARED_CODE: str(paths.model / "code")}
    shared = MultiModelHandler.of(
        paths.root, environment, lambda folder: load_handler(image, folder, variables)
    )
    return lambda: shared


def _may_be_a_program() -> bool:
    """Whether the image runs what the user brings, and one model only."""
    image = os.environ["BOTTEGA_IMAGE"]
    several = os.environ.get("SAGEMAKER_MULTI_MODEL", "").lower() == "true"
    return image not in (PIPELINE_IMAGE, DATA_WRANGLER, *registry.names()) and not several


def main() -> int:
    """Serve until told to stop; returns the exit status."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    # A thread that compiles or runs user code gives way to the event loop sooner than in 5 ms.
    sys.setswitchinterval(0.0005)
    path = Path(os.environ["BOTTEGA_SOCKET"])
    program = server_program.find_program(os.environ) if _may_be_a_program() else None
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        if program is None:
            status = runner.run(_server(os.environ).run(path))
        else:
            status = runner.run(server_program.run(program, os.environ, path))
    sys.stdout.flush()
    sys.stderr.flush()
    # A worker may be in the middle of the user's code, which an ordinary exit would wait for.
    os._exit(status)


if __name__ == "__main__":
    main()
