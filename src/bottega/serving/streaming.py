"""Answers that are passed on as they come, no faster than they are taken."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from bottega.serving.answers import ServerAnswer
from bottega.serving.model_client import AnswerHead, AnswerLate, Connection, Failure
from bottega.serving.routing import InstanceRoute, VariantRoute

LONGEST_SECONDS = 480.0
"""From the request to the end of a streamed answer."""
_HELD_BYTES = 256 * 1024
"""Of an answer that nobody takes; beyond, the model server is made to wait."""


class StreamBroken(Exception):
    """The answer ended before it was whole. The message says why.

    Attributes:
        late: whether it took too long.
    """

    def __init__(self, message: str, *, late: bool = False) -> None:
        super().__init__(message)
        self.late = late


class AnswerBody:
    """The body of an answer, piece by piece: iterate over it, or close it."""

    def __init__(self, connection: Connection) -> None:
        self.head = AnswerHead(0, "", "")
        self._connection = connection
        self._pieces: deque[bytes] = deque()
        self._held = 0
        self._paused = False
        self._news = asyncio.Event()
        self._outcome: ServerAnswer | Failure | None = None
        self._ended: Callable[[ServerAnswer | Failure | None], None] | None = None

    def on_end(self, ended: Callable[[ServerAnswer | Failure | None], None]) -> None:
        """Have ``ended`` called once: with what ended the answer, or None when it is closed."""
        if self._outcome is not None:
            ended(self._outcome)
        else:
            self._ended = ended

    def __aiter__(self) -> AnswerBody:
        return self

    async def __anext__(self) -> bytes:
        """The next piece.

        Raises:
            StreamBroken: the model server went away, or took too long.
        """
        while not self._pieces:
            if isinstance(self._outcome, ServerAnswer):
                raise StopAsyncIteration
            if isinstance(self._outcome, AnswerLate):
                raise StreamBroken(f"it took more than {LONGEST_SECONDS:.0f} seconds", late=True)
            if self._outcome is not None:
                raise StreamBroken("the model server went away in the middle of it")
            self._news.clear()
            await self._news.wait()
        piece = self._pieces.popleft()
        self._held -= len(piece)
        if self._paused and self._held <= _HELD_BYTES // 2:
            self._paused = False
            if self._outcome is None:
                self._connection.resume()
        return piece

    async def rest(self, most: int) -> bytes:
        """What is left, or the first ``most`` bytes of it; the answer is closed.

        Raises:
            StreamBroken: see :meth:`__anext__`.
        """
        pieces: list[bytes] = []
        size = 0
        async for piece in self:
            pieces.append(piece)
            size += len(piece)
            if size >= most:
                break
        self.close()
        return b"".join(pieces)[:most]

    def close(self) -> None:
        """Take no more of it. Closing what has ended does nothing."""
        if self._outcome is None:
            self._connection.abort()
            self._settle(None)

    def piece(self, data: bytes) -> None:
        """Some of the body came."""
        self._pieces.append(data)
        self._held += len(data)
        if self._held > _HELD_BYTES and not self._paused:
            self._paused = True
            self._connection.pause()
        self._news.set()

    def end(self, outcome: ServerAnswer | Failure) -> None:
        """The answer is whole, or nothing more of it comes."""
        self._outcome = outcome
        self._settle(outcome)
        self._news.set()

    def _settle(self, outcome: ServerAnswer | Failure | None) -> None:
        ended, self._ended = self._ended, None
        if ended is not None:
            ended(outcome)


@dataclass(frozen=True, slots=True)
class Streamed:
    """An answer that has begun, whatever its status, and who gives it."""

    head: AnswerHead
    body: AnswerBody
    variant: VariantRoute
    instance: InstanceRoute


async def begin(connection: Connection, message: bytes, timeout: float) -> AnswerBody:
    """Send a request and wait for the head of its answer.

    Args:
        timeout: seconds until the answer must have begun.

    Raises:
        AnswerLost: the connection was closed.
        AnswerLate: no answer began in time; the connection is closed.
    """
    body = AnswerBody(connection)
    begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def head_came(head: AnswerHead) -> None:
        body.head = head
        if not begun.done():
            begun.set_result(None)

    def done(outcome: ServerAnswer | Failure) -> None:
        body.end(outcome)
        if not begun.done() and not isinstance(outcome, ServerAnswer):
            begun.set_exception(outcome)

    connection.ask(
        message, max(timeout, LONGEST_SECONDS), done, on_head=head_came, on_piece=body.piece
    )
    try:
        async with asyncio.timeout(timeout):
            await begun
    except TimeoutError as error:
        connection.abort()
        raise AnswerLate from error
    except asyncio.CancelledError:
        connection.abort()
        raise
    return body
