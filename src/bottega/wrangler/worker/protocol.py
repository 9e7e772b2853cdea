"""Messages between the daemon and a worker: JSON, each behind its length in four bytes."""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

LARGEST = 256 << 20
"""Bytes of a message."""


class Closed(Exception):
    """The other side has gone."""


class Channel:
    """One end of a stream socket. Reading and writing may happen at once, each by one thread."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock

    def send(self, message: dict[str, Any]) -> None:
        """Write a whole message.

        Raises:
            Closed: nobody reads any more.
            ValueError: it is larger than a message may be.
        """
        data = json.dumps(message, ensure_ascii=False, allow_nan=False).encode(
            "utf-8", "surrogatepass"
        )
        if len(data) > LARGEST:
            raise ValueError(f"a message of {len(data)} bytes; {LARGEST} are the most")
        try:
            self._socket.sendall(struct.pack(">I", len(data)) + data)
        except OSError as error:
            raise Closed from error

    def receive(self) -> dict[str, Any]:
        """The next message.

        Raises:
            Closed: there is none any more.
        """
        (size,) = struct.unpack(">I", self._exactly(4))
        if size > LARGEST:
            raise Closed
        message: dict[str, Any] = json.loads(self._exactly(size).decode("utf-8", "surrogatepass"))
        return message

    def _exactly(self, size: int) -> bytes:
        parts, left = [], size
        while left:
            try:
                part = self._socket.recv(min(left, 1 << 20))
            except OSError as error:
                raise Closed from error
            if not part:
                raise Closed
            parts.append(part)
            left -= len(part)
        return b"".join(parts)

    def close(self) -> None:
        """End it for both sides."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:  # the other side was faster
            return
        finally:
            self._socket.close()
