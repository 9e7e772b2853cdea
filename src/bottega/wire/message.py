"""A request and a response as the wire core sees them: no sockets, no server, no framework."""

from __future__ import annotations

import io
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO


@dataclass(frozen=True)
class WireRequest:
    """One HTTP request, received whole."""

    method: str
    path: str
    """As it came over the wire, still percent-encoded, without the query."""
    query: str
    """Without the question mark, still encoded."""
    headers: Mapping[str, str]
    """Names in lower case; a header that came several times is joined with commas."""
    body: BinaryIO = field(default_factory=io.BytesIO)
    """Seekable and at its start. Large bodies are in a temporary file, so read only what is
    needed.
    """
    body_size: int = 0
    """Bytes."""
    body_sha256: str = ""
    """Hexadecimal, computed while the body came in."""
    source: str = ""
    """The address of the peer."""

    def read_body(self) -> bytes:
        """The whole body, from its start."""
        self.body.seek(0)
        return self.body.read()


@dataclass(frozen=True)
class WireResponse:
    """One HTTP response. The listener adds Date and Connection and closes ``body`` if it is a
    stream; pieces that come one by one go out as they come.
    """

    status: int
    headers: Sequence[tuple[str, str]] = ()
    body: bytes | BinaryIO | AsyncGenerator[bytes, None] = b""
    length: int | None = None
    """How many bytes of a stream to send; None for bytes, and for pieces."""
