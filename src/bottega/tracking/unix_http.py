"""HTTP to a Unix socket, by urllib3."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection


class _UnixConnection(HTTPConnection):
    def __init__(self, path: Path, **options: Any) -> None:
        super().__init__("localhost", **options)
        self._path = path

    def _new_conn(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            if isinstance(self.timeout, int | float):
                connection.settimeout(self.timeout)
            connection.connect(str(self._path))
        except OSError as error:
            connection.close()
            message = f"nothing answers at {self._path}: {error}"
            raise urllib3.exceptions.NewConnectionError(self, message) from error
        return connection


class UnixConnectionPool(urllib3.HTTPConnectionPool):
    """Connections to one Unix socket, kept open and shared between threads."""

    def __init__(self, path: Path, *, maxsize: int, timeout: urllib3.Timeout) -> None:
        super().__init__("localhost", maxsize=maxsize, timeout=timeout)
        self._path = path

    def _new_conn(self) -> _UnixConnection:
        self.num_connections += 1
        return _UnixConnection(self._path, timeout=self.timeout.connect_timeout)
