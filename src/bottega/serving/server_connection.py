"""The HTTP/1.1 side of a model server: one object a connection, little work a request."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, cast

import httptools

if TYPE_CHECKING:
    from bottega.serving.server import ModelServer

CUSTOM_ATTRIBUTES = b"x-amzn-sagemaker-custom-attributes"
TARGET_MODEL = b"x-amzn-sagemaker-target-model"
TARGET_CONTAINER = b"x-amzn-sagemaker-target-container-hostname"
STREAM = b"x-bottega-stream"
"""``1`` where the answer is wanted as it is made."""
_KEPT = frozenset(
    {
        b"content-type",
        b"accept",
        b"content-length",
        b"expect",
        CUSTOM_ATTRIBUTES,
        TARGET_MODEL,
        TARGET_CONTAINER,
        STREAM,
    }
)
_STATUS_LINES = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus
}


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request, received whole."""

    method: bytes
    path: bytes
    headers: dict[bytes, bytes]
    """Those a model server looks at, names in lower case."""
    body: bytes
    keep_alive: bool

    def header(self, name: bytes) -> str:
        """A header's value, empty when it did not come."""
        return self.headers.get(name, b"").decode("latin-1")


class ServerConnection(asyncio.Protocol):
    """Parses requests of one connection and writes the answers in their order."""

    __slots__ = (
        "_body",
        "_closing",
        "_current",
        "_ending",
        "_gathered",
        "_headers",
        "_parser",
        "_paused",
        "_queue",
        "_server",
        "_size",
        "_transport",
        "_url",
        "writable",
    )

    def __init__(self, server: ModelServer) -> None:
        self._server = server
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._current: Exchange | None = None
        self._queue: deque[Exchange] = deque()
        self._closing = self._ending = False
        self._gathered: list[bytes] | None = None
        """What is to be written when all that came is looked at; None at other times."""
        self._paused = False
        self.writable = threading.Event()
        """Clear while the peer takes nothing; set when it is gone, too."""
        self.writable.set()
        self.on_message_begin()

    @property
    def lost(self) -> bool:
        """Whether the peer is gone."""
        return self._transport is None

    @property
    def idle(self) -> bool:
        """Whether nothing was asked that is not answered yet."""
        return self._current is None and not self._queue

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are no subclasses of it
        self._server.connections.add(self)

    def pause_writing(self) -> None:
        self.writable.clear()

    def resume_writing(self) -> None:
        self.writable.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self.writable.set()
        self._queue.clear()
        self._server.connections.discard(self)

    def data_received(self, data: bytes) -> None:
        self._gathered = []
        try:
            self._feed(data)
        finally:
            gathered, self._gathered = self._gathered, None
            if gathered and self._transport is not None:
                self._transport.write(b"".join(gathered))
            if self._ending:
                self._close()

    def _feed(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._refuse(400, "this server upgrades to no other protocol")
            self._close()
        except httptools.HttpParserError as error:
            self._refuse(400, f"this is not HTTP/1.1: {error}")
            self._close()

    # What the parser calls.

    def on_message_begin(self) -> None:
        self._url = b""
        self._headers: dict[bytes, bytes] = {}
        self._body: list[bytes] = []
        self._size = 0

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name in _KEPT:
            self._headers[name] = value

    def on_headers_complete(self) -> None:
        declared = self._headers.get(b"content-length", b"")
        if declared.isdigit() and int(declared) > self._server.max_payload:
            self._refuse_large()
        elif b"expect" in self._headers and self._transport is not None:
            self._write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self._size += len(body)
        if self._size > self._server.max_payload:
            self._refuse_large()
        elif not self._closing:
            self._body.append(body)

    def on_message_complete(self) -> None:
        if self._closing:
            self._close()
            return
        exchange = Exchange(
            method=self._parser.get_method(),
            path=self._url.partition(b"?")[0],
            headers=self._headers,
            body=self._body[0] if len(self._body) == 1 else b"".join(self._body),
            keep_alive=self._parser.should_keep_alive(),
        )
        if self._current is not None:
            self._queue.append(exchange)
        else:
            self._begin(exchange)

    # What the server calls.

    def answer(
        self,
        status: int,
        body: bytes,
        content_type: str = "",
        custom_attributes: bytes = b"",
        headers: bytes = b"",
    ) -> None:
        """Write the answer to the request that is being served, and go on to the next.

        Args:
            status: of HTTP.
            body: the whole of it.
            content_type: none where it is empty.
            custom_attributes: none where they are empty.
            headers: further lines, each with its end.
        """
        exchange, self._current = self._current, None
        if self._transport is None or exchange is None:
            return
        last = self._server.draining or not exchange.keep_alive
        head = [_STATUS_LINES.get(status) or f"HTTP/1.1 {status} Unknown\r\n".encode()]
        if content_type:
            head.append(f"content-type: {content_type}\r\n".encode("latin-1", "replace"))
        if custom_attributes:
            head.append(CUSTOM_ATTRIBUTES + b": " + custom_attributes + b"\r\n")
        if headers:
            head.append(headers)
        if last:
            head.append(b"connection: close\r\n")
        bodiless = status in (204, 304)
        head.append(b"\r\n" if bodiless else b"content-length: %d\r\n\r\n" % len(body))
        if not bodiless:
            head.append(body)
        self._write(b"".join(head))
        self._go_on(last)

    def begin_stream(self, content_type: str, custom_attributes: bytes) -> None:
        """Write the head of an answer with status 200 whose body comes in pieces."""
        if self._transport is None:
            return
        head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n"
        if content_type:
            head += f"content-type: {content_type}\r\n".encode("latin-1", "replace")
        if custom_attributes:
            head += CUSTOM_ATTRIBUTES + b": " + custom_attributes + b"\r\n"
        self._write(head + b"\r\n")

    def write_piece(self, piece: bytes) -> None:
        """Write a piece of the body; an empty one is left out."""
        if self._transport is not None and piece:
            self._write(b"%x\r\n%b\r\n" % (len(piece), piece))

    def end_stream(self, *, whole: bool) -> None:
        """End the answer; one that is not whole ends without its last chunk, so that it shows."""
        exchange, self._current = self._current, None
        if self._transport is None or exchange is None:
            return
        if whole:
            self._write(b"0\r\n\r\n")
        self._go_on(not whole or self._server.draining or not exchange.keep_alive)

    def _go_on(self, last: bool) -> None:
        assert self._transport is not None
        if last:
            self._close()
            return
        if self._paused:
            self._paused = False
            self._transport.resume_reading()
        if self._queue:
            self._begin(self._queue.popleft())

    def close_when_idle(self) -> None:
        """Close now if nothing is being served; otherwise the answer will be the last."""
        if self.idle:
            self._close()

    def _begin(self, exchange: Exchange) -> None:
        self._current = exchange
        at_once = self._server.serve(self, exchange)
        if not at_once and self._current is exchange and self._transport is not None:
            # It runs in a worker: what comes meanwhile waits in the system's buffer, not in ours.
            self._transport.pause_reading()
            self._paused = True

    def _refuse_large(self) -> None:
        """Answer at once, but go on reading: a client that is still sending would miss it."""
        self._refuse(413, f"the payload is larger than {self._server.max_payload} bytes")

    def _refuse(self, status: int, text: str) -> None:
        if self._closing or self._transport is None:
            return
        self._closing = True
        body = text.encode()
        self._write(
            _STATUS_LINES[status]
            + b"content-type: text/plain\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
            % len(body)
            + body
        )

    def _write(self, data: bytes) -> None:
        """Write; answers to requests that came together go together, too."""
        if self._gathered is not None:
            self._gathered.append(data)
        elif self._transport is not None:
            self._transport.write(data)

    def _close(self) -> None:
        self._closing = True
        if self._gathered is not None:
            self._ending = True
        elif self._transport is not None:
            self._transport.close()
