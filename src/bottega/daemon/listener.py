"""The ASGI application in front of the wire core: every face on one port.

It takes in bodies, keeps to limits, runs operations in threads or on the loop, and sends answers
out; what a request means is the core's business alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.metadata
import json
import logging
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, BinaryIO

from bottega.config import Config
from bottega.daemon.hosts import AllowedHosts
from bottega.daemon.lane import InvocationLane
from bottega.daemon.lane_protocol import LaneProtocol
from bottega.daemon.request_body import (
    IN_MEMORY_BYTES,
    BodyTooLarge,
    BodyTooSlow,
    ClientGone,
    Receive,
    ReceivedBody,
    receive_body,
)
from bottega.errors import RequestTimeout, ServiceUnavailable
from bottega.wire.core import Call, Wire
from bottega.wire.message import WireRequest, WireResponse
from bottega.wire.sigv4_claim import is_aws_signed

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

HEALTH_PATH = "/-/health"
LARGEST_HEAD_BYTES = 64 * 1024
LARGEST_PATH_BYTES = 8 * 1024
_THREADS = 32
_SENT_AT_ONCE = 256 * 1024
_PATIENCE_SECONDS = 60.0
_BODILESS = frozenset({204, 304})


def server_settings(config: Config) -> dict[str, Any]:
    """How uvicorn should be set up for this application: the keyword arguments of its
    ``Config``."""
    return {
        "host": config.host,
        "port": config.port,
        "http": LaneProtocol,
        "loop": "uvloop",
        "ws": "none",
        "lifespan": "on",
        "interface": "asgi3",
        "access_log": False,
        "server_header": False,
        "log_config": None,
        "proxy_headers": False,
        # Clients keep their connections for the next poll; closing under them costs them a retry.
        "timeout_keep_alive": 75,
        "timeout_graceful_shutdown": 30,
        "limit_concurrency": 4096,
        "backlog": 2048,
    }


def build_app(wire: Wire, *, mounts: Mapping[str, ASGIApp], config: Config) -> Listener:
    """Put the listener together.

    Args:
        wire: the core that answers AWS requests.
        mounts: other applications by the path prefix they serve (``/mlflow``). They get their
            requests unchanged, unless these carry an AWS signature: a bucket may have the name of a
            mount.
        config: host, home and limits.
    """
    return Listener(wire, mounts, config)


class Listener:
    """The application; see :func:`build_app`.

    Attributes:
        lane: what the protocol of :func:`server_settings` answers without the application.
    """

    def __init__(self, wire: Wire, mounts: Mapping[str, ASGIApp], config: Config) -> None:
        self._wire = wire
        self._mounts = tuple((prefix.rstrip("/"), app) for prefix, app in mounts.items())
        self._hosts = AllowedHosts(config)
        self.lane = InvocationLane(wire.invocations, self._hosts)
        self._spool_folder = config.home / "tmp"
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="operation")
        self._stopping = False
        self._version = _version()

    def refuse_new_work(self) -> None:
        """Answer everything from now on with 503, so that clients try again later."""
        self._stopping = True
        self.lane.open = False

    def close(self) -> None:
        """Wait for the operations that run, and let go of the threads."""
        self._threads.shutdown(wait=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        headers = _headers(scope)
        app = self._mounted(scope, headers)
        if scope["type"] != "http":
            if app is not None and self._hosts.allows(headers.get("host", "")):
                await app(scope, receive, send)
            else:
                await send({"type": "websocket.close", "code": 1008})
            return
        if (refused := self._refuse_head(scope, headers)) is not None:
            await _send_bytes(send, *refused, close="expect" in headers)
        elif scope["path"] == HEALTH_PATH:
            await _send_bytes(send, 200, self._health())
        elif app is not None:
            await app(scope, receive, send)
        else:
            await self._answer(scope, headers, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                self.refuse_new_work()
                await asyncio.to_thread(self.close)
                self._wire.invocations.close()
                await asyncio.sleep(0)  # for the connections to be closed
                await send({"type": "lifespan.shutdown.complete"})
                return

    def _mounted(self, scope: Scope, headers: Mapping[str, str]) -> ASGIApp | None:
        path = scope["path"]
        for prefix, app in self._mounts:
            if path == prefix or path.startswith(prefix + "/"):
                query = scope["query_string"].decode("latin-1")
                signed = is_aws_signed(headers.get("authorization", ""), query)
                return None if signed else app
        return None

    def _refuse_head(self, scope: Scope, headers: Mapping[str, str]) -> tuple[int, bytes] | None:
        """Status and body for what is refused whatever it is for."""
        host = headers.get("host")
        if host is None:
            return 400, b'{"message":"The Host header is missing."}'
        if not self._hosts.allows(host):
            return 421, (
                b'{"message":"This host name is not served here. Use 127.0.0.1 or localhost, or '
                b'set the host in the configuration."}'
            )
        if sum(len(name) + len(value) for name, value in scope["headers"]) > LARGEST_HEAD_BYTES:
            return 431, b'{"message":"The headers are larger than 64 KiB."}'
        if len(scope["raw_path"]) + len(scope["query_string"]) > LARGEST_PATH_BYTES:
            return 414, b'{"message":"The path and query are larger than 8 KiB."}'
        return None

    def _health(self) -> bytes:
        status = "stopping" if self._stopping else "ok"
        return json.dumps({"status": status, "version": self._version, "pid": os.getpid()}).encode()

    async def _answer(
        self, scope: Scope, headers: Mapping[str, str], receive: Receive, send: Send
    ) -> None:
        head = _wire_request(scope, headers)
        call = self._wire.route(head)
        if (refused := self._refuse_before_body(head, call)) is not None:
            # A client that waits to be told to send its body will not send it after this, so the
            # connection is of no further use; one that is sending already is listened to.
            await self._send(refused, head, receive, send, close="expect" in headers)
            return
        try:
            body = await receive_body(
                receive,
                limit=call.body_limit,
                folder=self._spool_folder,
                threads=self._threads,
                patience=_PATIENCE_SECONDS,
            )
        except BodyTooLarge:
            await self._send(self._wire.too_large(head, call), head, receive, send)
            return
        except BodyTooSlow:
            error = RequestTimeout(f"No byte of the body came for {_PATIENCE_SECONDS:.0f} seconds.")
            response = self._wire.refuse(error, head, call)
            await self._send(response, head, receive, send, close=True)
            return
        except ClientGone:
            return
        with contextlib.closing(body.stream):
            response = await self._run(head, body, call)
            await self._send(response, head, receive, send)

    def _refuse_before_body(self, head: WireRequest, call: Call) -> WireResponse | None:
        if self._stopping:
            error = ServiceUnavailable("bottega is stopping; try again when it is back.")
            return self._wire.refuse(error, head, call)
        declared = head.headers.get("content-length", "0")
        if not declared.isdigit():
            return None
        if int(declared) > call.body_limit:
            return self._wire.too_large(head, call)
        if int(declared) > IN_MEMORY_BYTES:
            return self._wire.refuse_head(head, call)
        return None

    async def _run(self, head: WireRequest, body: ReceivedBody, call: Call) -> WireResponse:
        request = replace(head, body=body.stream, body_size=body.size, body_sha256=body.sha256)
        if call.is_async:
            return await self._wire.handle_async(request, call)
        loop = asyncio.get_running_loop()
        if call.asker is not None:
            asked = await loop.run_in_executor(self._threads, self._wire.question, request, call)
            if asked is not None:
                await self._wire.hold(asked)
        return await loop.run_in_executor(self._threads, self._wire.handle, request, call)

    async def _send(
        self,
        response: WireResponse,
        head: WireRequest,
        receive: Receive,
        send: Send,
        *,
        close: bool = False,
    ) -> None:
        headers = _answer_headers(response, close=close)
        start = {"type": "http.response.start", "status": response.status, "headers": headers}
        if isinstance(response.body, bytes):
            await send(start)
            bodiless = head.method == "HEAD" or response.status in _BODILESS
            await send({"type": "http.response.body", "body": b"" if bodiless else response.body})
            return
        if isinstance(response.body, AsyncGenerator):
            async with contextlib.aclosing(response.body):
                await send(start)
                await _send_pieces(response.body, receive, send)
            return
        with contextlib.closing(response.body):
            await send(start)
            if head.method == "HEAD" or response.status in _BODILESS:
                await send({"type": "http.response.body", "body": b""})
            else:
                await self._stream(response.body, response.length, receive, send)

    async def _stream(
        self, source: BinaryIO, length: int | None, receive: Receive, send: Send
    ) -> None:
        """Send a file piece by piece, never more of it in memory than one piece."""
        loop = asyncio.get_running_loop()
        gone = asyncio.ensure_future(receive())  # after the body, only a disconnect is left to come
        try:
            left = length
            while left is None or left > 0:
                wanted = _SENT_AT_ONCE if left is None else min(_SENT_AT_ONCE, left)
                piece = await loop.run_in_executor(self._threads, source.read, wanted)
                if gone.done():
                    return
                if not piece:
                    break
                if left is not None:
                    left -= len(piece)
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            if left:
                # Ending here leaves the response short, which the client notices; padding would
                # lie.
                log.error("a stored file ended %d bytes before its length", left)
                return
            await send({"type": "http.response.body", "body": b""})
        finally:
            gone.cancel()


async def _send_pieces(pieces: AsyncGenerator[bytes, None], receive: Receive, send: Send) -> None:
    """Send pieces as they come, and take no more of them once the client has gone away."""
    gone = asyncio.ensure_future(receive())  # after the body, only a disconnect is left to come
    try:
        while True:
            piece = asyncio.ensure_future(anext(pieces, None))
            await asyncio.sleep(0)  # what was never begun would not notice that it is closed
            try:
                await asyncio.wait({piece, gone}, return_when=asyncio.FIRST_COMPLETED)
                if gone.done():
                    return
                found = await piece
            finally:
                if not piece.done():
                    piece.cancel()
                    await asyncio.wait({piece})
            if found is None:
                await send({"type": "http.response.body", "body": b""})
                return
            await send({"type": "http.response.body", "body": found, "more_body": True})
    finally:
        gone.cancel()


def _headers(scope: Scope) -> dict[str, str]:
    found: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name = raw_name.decode("latin-1")
        value = raw_value.decode("latin-1")
        found[name] = f"{found[name]},{value}" if name in found else value
    return found


def _wire_request(scope: Scope, headers: Mapping[str, str]) -> WireRequest:
    return WireRequest(
        method=scope["method"],
        path=scope["raw_path"].decode("latin-1"),
        query=scope["query_string"].decode("latin-1"),
        headers=headers,
        source=scope["client"][0] if scope.get("client") else "",
    )


def _answer_headers(response: WireResponse, *, close: bool) -> list[tuple[bytes, bytes]]:
    headers = [(n.encode("latin-1"), v.encode("latin-1")) for n, v in response.headers]
    length = len(response.body) if isinstance(response.body, bytes) else response.length
    known = any(name.lower() == b"content-length" for name, _ in headers)
    if length is not None and not known and response.status not in _BODILESS:
        headers.append((b"content-length", str(length).encode()))
    if close:
        headers.append((b"connection", b"close"))
    return headers


async def _send_bytes(send: Send, status: int, body: bytes, *, close: bool = False) -> None:
    headers: Sequence[tuple[bytes, bytes]] = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        *([(b"connection", b"close")] if close else []),
    ]
    await send({"type": "http.response.start", "status": status, "headers": list(headers)})
    await send({"type": "http.response.body", "body": body})


def _version() -> str:
    try:
        return importlib.metadata.version("bottega")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"
