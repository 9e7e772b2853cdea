"""Group commit: writes that wait together share a transaction, and so a flush of the disk."""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

Outcome = TypeVar("Outcome")

Work = Callable[[sqlite3.Connection], Outcome]
"""Reads and writes on the connection. What it raises undoes what it wrote, and nothing else."""

BATCH = 256
"""The most writes that share a transaction."""
CACHE_KIB = 32 * 1024
_TIMEOUT_SECONDS = 20.0


class _Write(Generic[Outcome]):
    """One queued write and, once ``done``, how it went."""

    def __init__(self, work: Work[Outcome]) -> None:
        self.work = work
        self.done = False
        self.outcome: Outcome | None = None
        self.error: Exception | None = None


class Writes:
    """Runs writes to one database of SQLite's, one transaction after the other.

    Whoever gets its turn commits everything that queued up meanwhile; there is no thread of its
    own. Those who write in another way than through this take :attr:`turn` around it, as SQLite
    lets only one write at a time and has the others look again and again.

    Args:
        database: the file.
    """

    def __init__(self, database: Path) -> None:
        self.turn = threading.RLock()
        self._database = database
        self._waiting: deque[_Write[Any]] = deque()
        self._connection: sqlite3.Connection | None = None

    def run(self, work: Work[Outcome]) -> Outcome:
        """Run the work in a transaction; returns its outcome once that is on the disk.

        Raises:
            Exception: what the work raised, or the database's own error. Nothing of the work is in
                the database then.
        """
        write = _Write(work)
        self._waiting.append(write)
        with self.turn:
            # Whoever had the turn before may have committed this write along with its own.
            while not write.done:
                self._commit_waiting()
        if write.error is not None:
            raise write.error
        return cast(Outcome, write.outcome)

    def close(self) -> None:
        """Close the connection; the next write opens another one."""
        with self.turn:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _commit_waiting(self) -> None:
        batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
        try:
            self._commit(batch)
        except Exception as error:  # the disk is full, or the file is another process's too long
            for write in batch:
                write.error = error
        for write in batch:
            write.done = True

    def _commit(self, batch: Sequence[_Write[Any]]) -> None:
        connection = self._open()
        try:
            connection.execute("BEGIN IMMEDIATE")
            for write in batch:
                connection.execute("SAVEPOINT work")
                try:
                    write.outcome = write.work(connection)
                except Exception as error:
                    if not connection.in_transaction:
                        raise  # the disk is full, say: SQLite has given up everybody's work
                    write.error = error
                    connection.execute("ROLLBACK TO work")
                connection.execute("RELEASE work")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def _open(self) -> sqlite3.Connection:
        """The one connection that writes: flushed at every commit, as it is SQLite's default."""
        if self._connection is None:
            connection = sqlite3.connect(
                self._database,
                timeout=_TIMEOUT_SECONDS,
                isolation_level=None,
                check_same_thread=False,
            )
            for pragma in (
                f"cache_size=-{CACHE_KIB}",
                "foreign_keys=ON",
                "case_sensitive_like=ON",
                "synchronous=FULL",
            ):
                connection.execute(f"PRAGMA {pragma}")
            self._connection = connection
        return self._connection
