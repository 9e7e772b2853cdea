"""The lane for invocations: plain requests are read, answered and written without an ASGI task.

It reads only what leaves no doubt: one request line, headers that it knows, each once and in
visible ASCII, and a body of known length. Everything else is for the HTTP parser and the
application behind it, which the lane has not touched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bottega.daemon.hosts import AllowedHosts
from bottega.wire.invocations import MEMBERS, Answered, InvocationFace

PREFIX = b"POST /endpoints/"
_SUFFIX = "/invocations HTTP/1.1"
LARGEST_BODY_BYTES = 128 * 1024
"""Larger bodies are hashed by a thread, the ordinary way."""
_LARGEST_HEAD_BYTES = 16 * 1024
_KNOWN = frozenset(
    {
        *MEMBERS,
        *("host", "content-length", "connection", "user-agent", "accept-encoding"),
        *("authorization", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256"),
        *("amz-sdk-invocation-id", "amz-sdk-request", "x-amzn-trace-id"),
    }
)
_VISIBLE = bytes(range(0x20, 0x7F)) + b"\r\n"


@dataclass(frozen=True, slots=True)
class LaneHead:
    """The head of a request, and where its body is in the bytes it was read from."""

    endpoint: str
    headers: Mapping[str, str]
    body_start: int
    end: int


class InvocationLane:
    """Reads heads and has the requests answered. Belongs to one event loop at a time."""

    def __init__(self, face: InvocationFace, hosts: AllowedHosts) -> None:
        self._face = face
        self._hosts = hosts
        self._longest = min(LARGEST_BODY_BYTES, face.body_limit)
        self.open = True
        """Whether it takes requests; an application that is stopping refuses them itself."""

    def read_head(self, data: bytes) -> LaneHead | None:
        """The head of the request that the bytes begin with; None when it is not plain or not
        whole."""
        end = data.find(b"\r\n\r\n", 0, _LARGEST_HEAD_BYTES)
        if end < 0:
            return None
        raw = data[:end]
        if raw.translate(None, _VISIBLE):
            return None
        request_line, *lines = raw.decode("ascii").split("\r\n")
        if not raw.count(b"\r") == raw.count(b"\n") == len(lines):
            return None
        if not request_line.endswith(_SUFFIX):
            return None
        headers: dict[str, str] = {}
        for line in lines:
            name, colon, value = line.partition(": ")
            name = name.lower()
            if not colon or name not in _KNOWN or not value or value.strip() != value:
                return None
            headers[name] = value
        size = headers.get("content-length", "")
        if (
            len(headers) != len(lines)
            or not size.isdigit()
            or len(size) > 7
            or int(size) > self._longest
            or headers.get("connection", "keep-alive").lower() != "keep-alive"
            or not self._hosts.allows(headers.get("host", ""))
        ):
            return None
        endpoint = request_line[len(PREFIX) : -len(_SUFFIX)]
        return LaneHead(endpoint, headers, end + 4, end + 4 + int(size))

    def submit(self, head: LaneHead, body: bytes, source: str, done: Answered) -> bool:
        """Answer a request soon; see :meth:`InvocationFace.submit`."""
        return self._face.submit(head.endpoint, head.headers, body, source, done)
