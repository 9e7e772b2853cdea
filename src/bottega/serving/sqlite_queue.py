"""Asynchronous requests in an SQLite file of their own.

A commit waits for the disk, so writers that come meanwhile share the next one: a hundred callers
at once cost about as much as two.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bottega.serving.inference_queue import AsyncRequest, Backlog, InferenceQueue, Waiting

_SCHEMA = """
CREATE TABLE IF NOT EXISTS requests (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  endpoint TEXT NOT NULL,
  received REAL NOT NULL,
  expires REAL NOT NULL,
  request TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS requests_by_endpoint ON requests (endpoint, number);
CREATE INDEX IF NOT EXISTS requests_by_expiry ON requests (endpoint, expires);
CREATE INDEX IF NOT EXISTS requests_by_age ON requests (endpoint, received);
CREATE TABLE IF NOT EXISTS bodies (number INTEGER PRIMARY KEY, body BLOB NOT NULL);
"""
_Change = Callable[[sqlite3.Connection], Any]


class SqliteInferenceQueue(InferenceQueue):
    """See :class:`~bottega.serving.inference_queue.InferenceQueue`.

    Args:
        file: made where it is not there; only one process may have it open.
    """

    def __init__(self, file: Path) -> None:
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
        self._writing = threading.Lock()
        self._reading = threading.Lock()
        self._gathering = threading.Lock()
        self._gathered: list[tuple[_Change, Future[Any]]] = []
        self._heard: list[Callable[[str], None]] = []
        self._writer = _connect(file)
        self._writer.execute("PRAGMA journal_mode = WAL")
        # What is acknowledged must survive a loss of power.
        self._writer.execute("PRAGMA synchronous = FULL")
        self._writer.executescript(_SCHEMA)
        self._reader = _connect(file)
        self._reader.execute("PRAGMA query_only = ON")
        rows = self._rows("SELECT max(number) FROM requests", ())
        self._last_of_former = int(rows[0][0] or 0)

    def add(self, request: AsyncRequest, body: bytes | None) -> int:
        text = json.dumps(asdict(request), ensure_ascii=False)

        def added(writer: sqlite3.Connection) -> int:
            number = writer.execute(
                "INSERT INTO requests (endpoint, received, expires, request) VALUES (?, ?, ?, ?)",
                (request.endpoint, request.received, request.expires, text),
            ).lastrowid
            assert number is not None
            if body is not None:
                writer.execute("INSERT INTO bodies VALUES (?, ?)", (number, body))
            return number

        number: int = self._change(added)
        for heard in self._heard:
            heard(request.endpoint)
        return number

    def next(self, endpoint: str, *, after: int, limit: int) -> Sequence[Waiting]:
        rows = self._rows(
            "SELECT number, request FROM requests WHERE endpoint = ? AND number > ? "
            "ORDER BY number LIMIT ?",
            (endpoint, after, limit),
        )
        return [_waiting(*row) for row in rows]

    def overdue(self, endpoint: str, *, after: int, now: float, limit: int) -> Sequence[Waiting]:
        rows = self._rows(
            "SELECT number, request FROM requests INDEXED BY requests_by_expiry "
            "WHERE endpoint = ? AND expires <= ? AND number > ? ORDER BY expires LIMIT ?",
            (endpoint, now, after, limit),
        )
        return [_waiting(*row) for row in rows]

    def body(self, number: int) -> bytes | None:
        rows = self._rows(
            "SELECT body FROM requests LEFT JOIN bodies USING (number) WHERE number = ?", (number,)
        )
        if not rows:
            raise KeyError(number)
        found: bytes | None = rows[0][0]
        return found

    def remove(self, number: int) -> None:
        def removed(writer: sqlite3.Connection) -> None:
            writer.execute("DELETE FROM requests WHERE number = ?", (number,))
            writer.execute("DELETE FROM bodies WHERE number = ?", (number,))

        self._change(removed)

    def backlogs(self) -> Mapping[str, Backlog]:
        rows = self._rows("SELECT endpoint, count(*), min(received) FROM requests GROUP BY 1", ())
        return {endpoint: Backlog(size, oldest) for endpoint, size, oldest in rows}

    @property
    def last_of_former(self) -> int:
        return self._last_of_former

    def listen(self, heard: Callable[[str], None]) -> None:
        self._heard.append(heard)

    def close(self) -> None:
        with self._writing, self._reading:
            self._reader.close()
            self._writer.close()

    def _change(self, change: _Change) -> Any:
        """Commit a change, with all that others want to commit by then."""
        done: Future[Any] = Future()
        with self._gathering:
            self._gathered.append((change, done))
        with self._writing:
            if not done.done():
                with self._gathering:
                    changes, self._gathered = self._gathered, []
                self._commit(changes)
        return done.result()

    def _commit(self, changes: Sequence[tuple[_Change, Future[Any]]]) -> None:
        try:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                results = [change(self._writer) for change, _ in changes]
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:  # a full disk has ended it already
                    self._writer.execute("ROLLBACK")
                raise
        except BaseException as error:
            for _, done in changes:
                done.set_exception(error)
            return
        for (_, done), result in zip(changes, results, strict=True):
            done.set_result(result)

    def _rows(self, statement: str, values: Sequence[object]) -> list[Any]:
        with self._reading, closing(self._reader.execute(statement, values)) as cursor:
            return cursor.fetchall()


def _connect(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(file, isolation_level=None, check_same_thread=False, timeout=30.0)


def _waiting(number: int, text: str) -> Waiting:
    stored = json.loads(text)
    return Waiting(
        number, AsyncRequest(**{**stored, "tells_answer": tuple(stored["tells_answer"])})
    )
