"""HTTP to model servers over pooled Unix-socket connections, and nothing they do not need.

A general client spends longer on a small request than the model does; this one writes one buffer
and parses one answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import httptools

_CUSTOM_ATTRIBUTES = b"x-amzn-sagemaker-custom-attributes"
_KEPT = frozenset({b"content-type", _CUSTOM_ATTRIBUTES})
_MAX_IDLE = 64
"""Connections kept open to one server that nobody uses."""


class Unreachable(Exception):
    """No connection to the server could be made, so it has not seen the request."""


class AnswerLost(Exception):
    """The server took the request and went away before its answer was whole."""

    def __init__(self, *, begun: bool) -> None:
        super().__init__("the model server closed the connection before it had answered")
        self.begun = begun
        """Whether some of the answer had come."""


class AnswerLate(Exception):
    """The server did not answer in time."""


@dataclass(frozen=True, slots=True)
class ServerAnswer:
    """What a model server said."""

    status: int
    body: bytes
    content_type: str
    custom_attributes: str


class ModelClient:
    """Connections to the model servers of one event loop, kept open between requests."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._idle: dict[Path, list[_Connection]] = {}

    async def send(self, socket: Path, message: bytes, timeout: float) -> ServerAnswer:
        """Send one HTTP request and wait for its answer.

        Args:
            socket: where the server listens.
            message: the whole request, head and body.
            timeout: seconds from now to the end of the answer.

        Raises:
            Unreachable: nobody listens there.
            AnswerLost: the connection was closed.
            AnswerLate: the time is over; the connection is closed.
        """
        idle = self._idle.get(socket)
        connection = idle.pop() if idle else await self._connect(socket)
        answer = await connection.ask(message, timeout)
        if connection.reusable:
            self._keep(socket, connection)
        return answer

    def close(self) -> None:
        """Close every idle connection."""
        for connections in tuple(self._idle.values()):
            for connection in tuple(connections):
                connection.abort()

    async def _connect(self, socket: Path) -> _Connection:
        try:
            _, connection = await self.loop.create_unix_connection(
                lambda: _Connection(self.loop, lambda lost: self._drop(socket, lost)), str(socket)
            )
        except OSError as error:
            raise Unreachable(f"no model server listens on {socket}: {error}") from error
        return connection

    def _keep(self, socket: Path, connection: _Connection) -> None:
        idle = self._idle.setdefault(socket, [])
        if len(idle) < _MAX_IDLE:
            idle.append(connection)
        else:
            connection.abort()

    def _drop(self, socket: Path, connection: _Connection) -> None:
        idle = self._idle.get(socket, [])
        if connection in idle:
            idle.remove(connection)
        if not idle:
            self._idle.pop(socket, None)


class _Connection(asyncio.Protocol):
    """One connection, with one request at a time."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, on_lost: Callable[[_Connection], None]
    ) -> None:
        self._loop = loop
        self._on_lost = on_lost
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[ServerAnswer] | None = None
        self._begun = False
        self._type = b""
        self._custom = b""
        self._body: list[bytes] = []
        self.reusable = False
        """Whether the last request was answered whole and the server keeps the connection open."""

    async def ask(self, message: bytes, timeout: float) -> ServerAnswer:
        if self._transport is None:
            raise AnswerLost(begun=False)
        self.reusable = self._begun = False
        self._answer = self._loop.create_future()
        self._transport.write(message)
        timer = self._loop.call_later(timeout, self._fail, AnswerLate())
        try:
            answer = await self._answer
        except BaseException:  # also a cancellation: the next request would get this one's answer
            self.abort()
            raise
        finally:
            timer.cancel()
        if not self.reusable:
            self.abort()
        return answer

    def abort(self) -> None:
        self.reusable = False
        if self._transport is not None:
            self._transport.abort()

    def _fail(self, error: Exception) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are no subclasses of it

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self.reusable = False
        self._fail(AnswerLost(begun=self._begun))
        self._on_lost(self)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._fail(AnswerLost(begun=True))
            self.abort()

    # What the parser calls.

    def on_message_begin(self) -> None:
        self._begun = True
        self._type = b""
        self._custom = b""
        self._body = []

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name in _KEPT:
            if name == _CUSTOM_ATTRIBUTES:
                self._custom = value
            else:
                self._type = value

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        answer = self._answer
        if answer is None or answer.done() or status == 100:
            return
        self.reusable = self._parser.should_keep_alive()
        answer.set_result(
            ServerAnswer(
                status=status,
                body=self._body[0] if len(self._body) == 1 else b"".join(self._body),
                content_type=self._type.decode("latin-1"),
                custom_attributes=self._custom.decode("latin-1"),
            )
        )
