"""uvicorn's protocol with a lane for invocations beside it, on the same connections."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from bottega.daemon.lane import PREFIX, InvocationLane, LaneHead
from bottega.daemon.one_write import OneWriteProtocol, OneWriteTransport
from bottega.wire.message import WireResponse

_PATIENCE_SECONDS = 2.0
"""How long the lane waits for the rest of a body; then the ordinary way waits on."""


class LaneProtocol(OneWriteProtocol):
    """Looks at bytes before the parser does, when they can be the beginning of a request.

    A request of the lane is answered before anything that came after it on its connection is looked
    at, so answers are in order whichever way each request goes.
    """

    transport: OneWriteTransport  # type: ignore[assignment]

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._lane: InvocationLane | None = getattr(self.app, "lane", None)
        self._between = True
        self._busy = False
        self._last = False
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._head: LaneHead | None = None
        self._patience: asyncio.TimerHandle | None = None
        self._answered_at = 0.0

    # What the event loop calls.

    def data_received(self, data: bytes) -> None:
        if self._busy:
            self._hold(data)
        elif self._held:
            self._hold(data)
            self._go_on()
        else:
            self._take(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._head = None
        self._held.clear()
        self._forget_patience()
        super().connection_lost(exc)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._held and not self._busy:
            self._go_on()

    # What the server calls.

    def shutdown(self) -> None:
        if self._busy:
            self._last = True
        else:
            super().shutdown()

    def timeout_keep_alive_handler(self) -> None:
        # The lane leaves this timer alone; so it may have been used since the timer was set.
        quiet = self.loop.time() - self._answered_at
        if self._busy or self._held:
            self._keep_alive(self.timeout_keep_alive)
        elif quiet < self.timeout_keep_alive:
            self._keep_alive(self.timeout_keep_alive - quiet)
        else:
            super().timeout_keep_alive_handler()

    def _keep_alive(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(
            seconds, self.timeout_keep_alive_handler
        )

    # What the parser calls.

    def on_message_begin(self) -> None:
        self._between = False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        if self.parser.should_upgrade():
            self._lane = None  # the parser is never between messages again
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._between = True
        super().on_message_complete()

    # The lane.

    def _take(self, data: bytes) -> None:
        """Begin with bytes that nobody has looked at."""
        lane = self._lane
        if lane is None or not data.startswith(PREFIX) or not self._free(lane):
            super().data_received(data)
            return
        head = lane.read_head(data)
        if head is None:
            super().data_received(data)
        elif len(data) < head.end:
            self._head = head
            self._hold(data)
            self._patience = self.loop.call_later(_PATIENCE_SECONDS, self._give_up)
        else:
            self._submit(lane, head, data)

    def _free(self, lane: InvocationLane) -> bool:
        """Whether nothing is under way on this connection, and another request may begin."""
        cycle: Any = self.cycle  # there is none before the parser has met a request
        return (
            lane.open
            and self._between
            and (cycle is None or cycle.response_complete)
            and not self.pipeline
            and not self.flow.write_paused
            and (self.limit_concurrency is None or len(self.connections) < self.limit_concurrency)
        )

    def _submit(self, lane: InvocationLane, head: LaneHead, data: bytes) -> None:
        body = data[head.body_start : head.end]
        source = self.client[0] if self.client else ""
        if not lane.submit(head, body, source, self._answer):
            super().data_received(data)
            return
        self._busy = True
        if len(data) > head.end:
            self._hold(data[head.end :])

    def _hold(self, data: bytes) -> None:
        """Keep bytes for later, and take no more than a few of them."""
        self._held.append(data)
        self._held_bytes += len(data)
        if self._head is None and self._held_bytes > HIGH_WATER_LIMIT:
            self.flow.pause_reading()

    def _go_on(self) -> None:
        """Look at the bytes that were held."""
        if self._head is not None and self._held_bytes < self._head.end:
            return
        if self.flow.write_paused:
            return
        head, data = self._head, self._release()
        if head is not None and self._lane is not None and self._free(self._lane):
            self._submit(self._lane, head, data)
        else:
            self._take(data)

    def _release(self) -> bytes:
        data = b"".join(self._held)
        self._held.clear()
        self._held_bytes = 0
        self._head = None
        self._forget_patience()
        self.flow.resume_reading()
        return data

    def _give_up(self) -> None:
        super().data_received(self._release())

    def _forget_patience(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _answer(self, response: WireResponse) -> None:
        self._busy = False
        if self.transport.is_closing():
            return
        self.transport.write_at_once(self._message(response))
        self.server_state.total_requests += 1
        if self._last:
            self.transport.close()
            return
        self._answered_at = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._keep_alive(self.timeout_keep_alive)
        if self._held:
            self._go_on()

    def _message(self, response: WireResponse) -> bytes:
        """An answer as uvicorn writes it."""
        body = cast(bytes, response.body)  # the lane has no streams
        lines = [STATUS_LINE[response.status]]
        for name, value in self.server_state.default_headers:
            lines += (name, b": ", value, b"\r\n")
        text = "".join([f"{name.lower()}: {value}\r\n" for name, value in response.headers])
        last = "connection: close\r\n" if self._last else ""
        lines.append(f"{text}content-length: {len(body)}\r\n{last}\r\n".encode("latin-1"))
        lines.append(body)
        return b"".join(lines)
