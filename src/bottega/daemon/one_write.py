"""Head and body of an answer in one write, so that a client is woken once and not twice."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_LARGE = 16 * 1024
"""Bytes. What is larger goes out at once, with what waits in front of it."""


class OneWriteTransport:
    """A transport that gathers what is written within one turn of the event loop.

    uvicorn writes an answer's head and its body one after the other, and with TCP_NODELAY each
    becomes a packet of its own. Everything else is the wrapped transport's business.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._waiting: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Send this soon, and after what was written before."""
        self._waiting.append(data)
        if len(data) > _LARGE:
            self._flush()
        elif len(self._waiting) == 1:
            self._loop.call_soon(self._flush)

    def write_at_once(self, data: bytes) -> None:
        """Send what is whole already, after what was written before."""
        if self._waiting:
            self._flush()
        self._transport.write(data)

    def close(self) -> None:
        """Close once everything is sent."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            self._transport.write(b"".join(waiting) if len(waiting) > 1 else waiting[0])

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class OneWriteProtocol(HttpToolsProtocol):
    """uvicorn's protocol on such a transport."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(OneWriteTransport(transport, self.loop))  # type: ignore[arg-type]
