"""Asking a model server whether it is well, without ever waiting for it."""

from __future__ import annotations

import select
import socket
import time
from pathlib import Path

PING_TIMEOUT_SECONDS = 2.0
_REQUEST = b"GET /ping HTTP/1.1\r\nhost: model\r\nconnection: close\r\n\r\n"
_WELL = b"HTTP/1.1 200 "


class PingProbe:
    """One ``GET /ping`` that is under way."""

    def __init__(self, path: Path) -> None:
        self._deadline = time.monotonic() + PING_TIMEOUT_SECONDS
        self._received = b""
        self._verdict: bool | None = None
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.setblocking(False)
        try:
            self._socket.connect(str(path))
            self._socket.sendall(_REQUEST)
        except OSError:  # nobody listens there, or so many wait already that the server is not well
            self._settle(False)

    def poll(self, wait: float = 0.0) -> bool | None:
        """Whether the server is well; None while that is not known.

        Args:
            wait: seconds to wait for an answer, at most; a server that is well takes less than one
                thousandth.
        """
        if self._verdict is None:
            self._advance(wait)
        return self._verdict

    def close(self) -> None:
        """Give up asking."""
        self._socket.close()

    def _advance(self, wait: float) -> None:
        ready = select.poll()  # unlike select(), it takes descriptors above 1023
        ready.register(self._socket, select.POLLIN)
        if ready.poll(wait * 1000):
            self._read()
        elif time.monotonic() > self._deadline:
            self._settle(False)

    def _read(self) -> None:
        try:
            data = self._socket.recv(64)
        except OSError:
            data = b""
        self._received += data
        if not data or len(self._received) >= len(_WELL):
            self._settle(self._received.startswith(_WELL))

    def _settle(self, verdict: bool) -> None:
        self._verdict = verdict
        self._socket.close()
