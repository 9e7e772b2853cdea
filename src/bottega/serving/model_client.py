"""HTTP to model servers over pooled Unix-socket connections, and nothing they do not need.

A general client spends longer on a small request than the model does; this one writes one buffer
and parses one answer. It works by callbacks, because a task a request costs more than the request.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, cast

import httptools

from bottega.serving.answers import CUSTOM_ATTRIBUTES, MODEL_MISSING, ServerAnswer, plain_answer

_KEPT = frozenset({b"content-type", CUSTOM_ATTRIBUTES, MODEL_MISSING})
_MAX_IDLE = 64
"""Connections kept open to one server that nobody uses."""
_MOST_TOGETHER = 32
"""Requests that share a connection: a lost one takes no more along."""


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


Failure: TypeAlias = Unreachable | AnswerLost | AnswerLate
Done: TypeAlias = Callable[[ServerAnswer | Failure], None]
"""What is called, once and from the event loop, with the answer or with why there is none."""
Request: TypeAlias = tuple[bytes, float, Done]
"""The whole message, seconds until it must be answered, and who gets the answer."""


@dataclass(frozen=True, slots=True)
class AnswerHead:
    """The beginning of an answer that is read piece by piece."""

    status: int
    content_type: str
    custom_attributes: str
    model_missing: bool = False
    """See :class:`.ServerAnswer`."""


class ModelClient:
    """Connections to the model servers of one event loop, kept open between requests."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._idle: dict[Path, list[Connection]] = {}
        self._connecting: set[asyncio.Task[None]] = set()
        self._together: dict[Path, list[Request]] = {}

    def ask(self, socket: Path, message: bytes, timeout: float, done: Done) -> None:
        """Send one HTTP request and have ``done`` called with what comes of it.

        Args:
            socket: where the server listens.
            message: the whole request, head and body.
            timeout: seconds from now to the end of the answer.
            done: gets the answer, or :class:`Unreachable` when nobody listens there,
                :class:`AnswerLost` when the connection was closed, :class:`AnswerLate` when the
                time is over and the connection therefore closed.
        """
        self._ask(socket, [(message, timeout, done)])

    def ask_together(self, socket: Path, message: bytes, timeout: float, done: Done) -> None:
        """Send a request with the others that come in the same turn of the loop; otherwise as
        :meth:`ask`.

        They share a connection and are answered in their order, so this is for servers that answer
        one after the other in any case: one write and one read serve all of them.
        """
        waiting = self._together.get(socket)
        if waiting is None:
            waiting = self._together[socket] = []
            self.loop.call_soon(self._send_together, socket)
        waiting.append((message, timeout, done))

    def _send_together(self, socket: Path) -> None:
        waiting = self._together.pop(socket)
        for first in range(0, len(waiting), _MOST_TOGETHER):
            self._ask(socket, waiting[first : first + _MOST_TOGETHER])

    def _ask(self, socket: Path, requests: Sequence[Request]) -> None:
        idle = self._idle.get(socket)
        if idle:
            idle.pop().ask_all(requests)
        else:
            task = self.loop.create_task(self._connect_and_ask(socket, requests))
            self._connecting.add(task)
            task.add_done_callback(self._connecting.discard)

    async def send(self, socket: Path, message: bytes, timeout: float) -> ServerAnswer:
        """Send one HTTP request and wait for its answer; otherwise as :meth:`ask`.

        Raises:
            Unreachable: nobody listens there.
            AnswerLost: the connection was closed.
            AnswerLate: the time is over; the connection is closed.
        """
        connection = await self.connection(socket)
        answer: asyncio.Future[ServerAnswer] = self.loop.create_future()

        def settle(outcome: ServerAnswer | Failure) -> None:
            if answer.done():
                return
            if isinstance(outcome, ServerAnswer):
                answer.set_result(outcome)
            else:
                answer.set_exception(outcome)

        connection.ask(message, timeout, settle)
        try:
            return await answer
        except asyncio.CancelledError:  # the next request would get this one's answer
            connection.abort()
            raise

    async def connection(self, socket: Path) -> Connection:
        """A connection that nobody else uses; it comes back by itself after a whole answer.

        Raises:
            Unreachable: nobody listens there.
        """
        idle = self._idle.get(socket)
        if idle:
            return idle.pop()
        try:
            _, connection = await self.loop.create_unix_connection(
                lambda: Connection(self, socket), str(socket)
            )
        except OSError as error:
            raise Unreachable(f"no model server listens on {socket}: {error}") from error
        return connection

    def close(self) -> None:
        """Close every idle connection."""
        for connections in tuple(self._idle.values()):
            for connection in tuple(connections):
                connection.abort()

    async def _connect_and_ask(self, socket: Path, requests: Sequence[Request]) -> None:
        try:
            connection = await self.connection(socket)
        except Unreachable as error:
            for _, _, done in requests:
                done(error)
        else:
            connection.ask_all(requests)

    def keep(self, socket: Path, connection: Connection) -> None:
        """Take back a connection whose request is answered."""
        idle = self._idle.setdefault(socket, [])
        if len(idle) < _MAX_IDLE:
            idle.append(connection)
        else:
            connection.discard()

    def drop(self, socket: Path, connection: Connection) -> None:
        """Forget a connection that is closed."""
        idle = self._idle.get(socket, [])
        if connection in idle:
            idle.remove(connection)
        if not idle:
            self._idle.pop(socket, None)


class Connection(asyncio.Protocol):
    """One connection, with one request at a time or some that were sent together."""

    def __init__(self, client: ModelClient, socket: Path) -> None:
        self._client = client
        self._socket = socket
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._done: Done | None = None
        self._followers: deque[Done] = deque()
        """Who gets the answers after this one."""
        self._on_head: Callable[[AnswerHead], None] | None = None
        self._on_piece: Callable[[bytes], None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._begun = False
        self._between = True
        self._type = b""
        self._custom = b""
        self._model_missing = False
        self._body: list[bytes] = []

    def ask(
        self,
        message: bytes,
        timeout: float,
        done: Done,
        *,
        on_head: Callable[[AnswerHead], None] | None = None,
        on_piece: Callable[[bytes], None] | None = None,
    ) -> None:
        """Send a request; see :meth:`ModelClient.ask`.

        Args:
            on_head: called when the answer begins.
            on_piece: called with the answer's body as it comes, which ``done`` then gets empty.
        """
        self._done = done
        self._on_head, self._on_piece = on_head, on_piece
        if self._transport is None:
            self._client.loop.call_soon(self._settle, AnswerLost(begun=False))
            return
        self._begun = False
        self._transport.write(message)
        self._timer = self._client.loop.call_later(timeout, self._late)

    def ask_all(self, requests: Sequence[Request]) -> None:
        """Send some requests; all of them have the time of the one that has least."""
        first = requests[0]
        if len(requests) == 1:
            self.ask(*first)
            return
        self._followers.extend(done for _, _, done in requests[1:])
        message = b"".join([message for message, _, _ in requests])
        self.ask(message, min(timeout for _, timeout, _ in requests), first[2])

    def abort(self) -> None:
        """Close it; nobody is told of the answer it waits for."""
        self._done = None
        self._followers.clear()
        if self._transport is not None:
            self._transport.abort()

    def discard(self) -> None:
        """Close it after this answer, of which somebody is still to be told."""
        if self._transport is not None:
            self._transport.abort()

    def pause(self) -> None:
        """Take nothing more of the answer for now."""
        if self._transport is not None:
            self._transport.pause_reading()

    def resume(self) -> None:
        """Go on with the answer."""
        if self._transport is not None:
            self._transport.resume_reading()

    def _late(self) -> None:
        self._settle(AnswerLate())
        self.abort()

    def _settle(self, outcome: ServerAnswer | Failure) -> None:
        """Tell the one whose turn it is; a failure is also that of all who follow."""
        done, self._done = self._done, None
        followers = self._followers
        if followers and isinstance(outcome, ServerAnswer):
            self._done = followers.popleft()
            self._begun = False
        elif self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if done is not None:
            done(outcome)
        if not isinstance(outcome, ServerAnswer):
            lost = AnswerLost(begun=False) if isinstance(outcome, AnswerLost) else outcome
            while followers:
                followers.popleft()(lost)

    def _answered(self, answer: ServerAnswer) -> None:
        if not self._followers:
            self._client.keep(self._socket, self)
        self._settle(answer)

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are no subclasses of it

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._client.drop(self._socket, self)
        self._settle(AnswerLost(begun=self._begun))

    def data_received(self, data: bytes) -> None:
        if self._between and self._on_head is None:
            start = 0
            while (found := plain_answer(data, start)) is not None:
                answer, start = found
                if self._done is not None:
                    self._answered(answer)
                if start == len(data):
                    return
            data = data[start:] if start else data
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._settle(AnswerLost(begun=True))
            self.abort()

    # What the parser calls.

    def on_message_begin(self) -> None:
        self._begun = True
        self._between = False
        self._type = b""
        self._custom = b""
        self._model_missing = False
        self._body = []

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name in _KEPT:
            if name == CUSTOM_ATTRIBUTES:
                self._custom = value
            elif name == MODEL_MISSING:
                self._model_missing = True
            else:
                self._type = value

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if self._on_head is not None and self._done is not None and status != 100:
            kind, custom = self._type.decode("latin-1"), self._custom.decode("latin-1")
            self._on_head(AnswerHead(status, kind, custom, self._model_missing))

    def on_body(self, body: bytes) -> None:
        if self._on_piece is None:
            self._body.append(body)
        elif self._done is not None:
            self._on_piece(body)

    def on_message_complete(self) -> None:
        self._between = True
        status = self._parser.get_status_code()
        if self._done is None or status == 100:
            return
        answer = ServerAnswer(
            status=status,
            body=self._body[0] if len(self._body) == 1 else b"".join(self._body),
            content_type=self._type.decode("latin-1"),
            custom_attributes=self._custom.decode("latin-1"),
            model_missing=self._model_missing,
        )
        self._body = []
        if self._on_piece is not None:
            self.resume()  # the next request's answer must not wait for who reads this one
        if self._parser.should_keep_alive():
            self._answered(answer)
            return
        self._settle(answer)
        self.discard()  # what follows is lost with it
