"""Reading connections to MLflow's database, beside those that MLflow has itself."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

CACHE_KIB = 32 * 1024
REMEMBERED = 64
ESTIMATE_SECONDS = 10.0
_TIMEOUT_SECONDS = 30.0


@dataclass
class Reader:
    """One connection in the hands of one thread, and totals that hold until something changes."""

    connection: sqlite3.Connection
    totals: dict[tuple[object, ...], int] = field(default_factory=dict)
    estimates: dict[tuple[object, ...], int] = field(default_factory=dict)
    """Numbers that decide how something is found, not what; a few seconds old at most."""
    _version: int = -1
    _estimated: float = 0.0

    def forget_stale(self) -> None:
        """Forget the totals if anybody has written since, and the estimates in time."""
        if time.monotonic() > self._estimated + ESTIMATE_SECONDS:
            self.estimates.clear()
            self._estimated = time.monotonic()
        (version,) = self.connection.execute("PRAGMA data_version").fetchone()
        if version != self._version or len(self.totals) >= REMEMBERED:
            self.totals.clear()
            self._version = version


class Readers:
    """A pool of connections; the one used last is used next, as it has the most in its cache."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._idle: list[Reader] = []

    @contextmanager
    def read(self) -> Iterator[Reader]:
        """A reader that sees one state of the database from beginning to end."""
        with self._lock:
            reader = self._idle.pop() if self._idle else None
        reader = reader or self._open()
        try:
            reader.connection.execute("BEGIN")
            reader.forget_stale()
            yield reader
        finally:
            reader.connection.rollback()  # nothing was written
            with self._lock:
                self._idle.append(reader)

    def close(self) -> None:
        """Close the connections that nobody uses."""
        with self._lock:
            idle, self._idle = self._idle, []
        for reader in idle:
            reader.connection.close()

    def _open(self) -> Reader:
        connection = sqlite3.connect(
            self._database,
            timeout=_TIMEOUT_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
        connection.execute("PRAGMA query_only=ON")
        connection.execute("PRAGMA case_sensitive_like=ON")  # as MLflow's own connections
        return Reader(connection)
