"""Metrics in an SQLite file of their own.

One table of series, and for each resolution one of points. A batch is one transaction in the
write-ahead log: a kill loses nothing that was told, and no write waits for the disk.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from bottega.clock import Clock
from bottega.metrics.statistics import Statistics, unpack
from bottega.metrics.store import (
    MINUTES_KEPT,
    SECONDS_KEPT,
    KnownMetric,
    MetricName,
    MetricQuery,
    MetricStore,
    Observation,
    Period,
)

_SWEEP_SECONDS = 60.0
_MINUTE = 60
_KEPT = {1: SECONDS_KEPT, _MINUTE: MINUTES_KEPT}
_POINTS = {1: "seconds", _MINUTE: "minutes"}
_POINT_TABLE = """
CREATE TABLE IF NOT EXISTS {table} (
  series INTEGER NOT NULL,
  time INTEGER NOT NULL,
  count REAL NOT NULL,
  sum REAL NOT NULL,
  minimum REAL NOT NULL,
  maximum REAL NOT NULL,
  histogram BLOB NOT NULL,
  PRIMARY KEY (series, time)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS {table}_by_time ON {table} (time);
"""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS series (
  id INTEGER PRIMARY KEY,
  namespace TEXT NOT NULL,
  name TEXT NOT NULL,
  dimensions TEXT NOT NULL,
  unit TEXT NOT NULL,
  latest INTEGER NOT NULL,
  UNIQUE (namespace, name, dimensions, unit)
);
""" + "".join(_POINT_TABLE.format(table=table) for table in _POINTS.values())


class _Series(NamedTuple):
    metric: MetricName
    unit: str


class SqliteMetricStore(MetricStore):
    """See :class:`~bottega.metrics.store.MetricStore`.

    Args:
        file: made where it is not there; only one process may have it open.
    """

    def __init__(self, file: Path, clock: Clock) -> None:
        self._clock = clock
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
        self._writing = threading.Lock()
        self._reading = threading.Lock()
        self._writer = _connect(file)
        # Going back to a rollback journal is not wanted; NORMAL survives a kill, and a loss of
        # power costs the last seconds.
        self._writer.execute("PRAGMA journal_mode = WAL")
        self._writer.execute("PRAGMA synchronous = NORMAL")
        self._writer.executescript(_SCHEMA)
        self._reader = _connect(file)
        self._reader.execute("PRAGMA query_only = ON")
        self._ids: dict[_Series, tuple[int, int]] = {}
        """Number and latest minute of the series that were written."""
        self._sweep_at = 0.0

    def record(self, observations: Iterable[Observation]) -> None:
        now = self._clock.now()
        batch: dict[tuple[_Series, int, int], Statistics] = {}
        for seen in observations:
            if not seen.statistics.count:
                continue
            series = _Series(seen.metric, seen.unit)
            for resolution in (1, _MINUTE) if seen.resolution < _MINUTE else (_MINUTE,):
                time = int(seen.time // resolution * resolution)
                if time > now - _KEPT[resolution]:
                    key = (series, resolution, time)
                    present = batch.get(key)
                    batch[key] = seen.statistics if present is None else present + seen.statistics
        with self._writing:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                for (series, resolution, time), statistics in batch.items():
                    self._add(self._id(series, time), resolution, time, statistics)
                self._writer.execute("COMMIT")
            except BaseException:
                self._writer.execute("ROLLBACK")
                self._ids.clear()
                raise
            if now >= self._sweep_at:
                self._sweep_at = now + _SWEEP_SECONDS
                self._sweep(now)

    def read(self, query: MetricQuery) -> Sequence[Period]:
        period = query.period
        start = query.start // period * period
        tier = _MINUTE if period % _MINUTE == 0 else 1
        # What is over may still be in the file until it is swept.
        oldest = self._clock.now() - _KEPT[tier]
        rows = self._rows(
            f"SELECT unit, time, count, sum, minimum, maximum, histogram "
            f"FROM {_POINTS[tier]} JOIN series ON series = id "
            "WHERE namespace = ? AND name = ? AND dimensions = ? AND (? IS NULL OR unit = ?) "
            "AND time >= ? AND time < ? AND time > ?",
            (*_key(query.metric), query.unit, query.unit, start, query.end, oldest),
        )
        found: dict[tuple[float, str], Statistics] = {}
        for unit, time, *row in rows:
            key = (float(time // period * period), unit)
            point = _statistics(*row)
            present = found.get(key)
            found[key] = point if present is None else present + point
        return [Period(*key, found[key]) for key in sorted(found)]

    def metrics(
        self,
        *,
        namespace: str | None = None,
        name: str | None = None,
        since: float = 0.0,
    ) -> Sequence[KnownMetric]:
        since = max(since, self._clock.now() - MINUTES_KEPT)
        rows = self._rows(
            "SELECT namespace, name, dimensions, max(latest) FROM series "
            "WHERE (? IS NULL OR namespace = ?) AND (? IS NULL OR name = ?) "
            "GROUP BY namespace, name, dimensions HAVING max(latest) > ? - 60",
            (namespace, namespace, name, name, since),
        )
        return sorted(
            KnownMetric(MetricName(space, name, tuple(map(tuple, json.loads(text)))), float(latest))
            for space, name, text, latest in rows
        )

    def close(self) -> None:
        with self._writing, self._reading:
            self._reader.close()
            self._writer.close()

    def _rows(self, statement: str, values: Sequence[object]) -> list[Any]:
        with self._reading, closing(self._reader.execute(statement, values)) as cursor:
            return cursor.fetchall()

    def _id(self, series: _Series, time: int) -> int:
        minute = time // _MINUTE * _MINUTE
        known = self._ids.get(series)
        if known is not None and known[1] >= minute:
            return known[0]
        row = self._writer.execute(
            "INSERT INTO series (namespace, name, dimensions, unit, latest) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT DO UPDATE SET latest = max(latest, excluded.latest) RETURNING id, latest",
            (*_key(series.metric), series.unit, minute),
        ).fetchone()
        self._ids[series] = (row[0], row[1])
        return int(row[0])

    def _add(self, series: int, resolution: int, time: int, statistics: Statistics) -> None:
        table = _POINTS[resolution]
        row = self._writer.execute(
            f"SELECT count, sum, minimum, maximum, histogram FROM {table} "
            "WHERE series = ? AND time = ?",
            (series, time),
        ).fetchone()
        if row is not None:
            statistics = _statistics(*row) + statistics
        values = (statistics.count, statistics.sum, statistics.minimum, statistics.maximum)
        self._writer.execute(
            f"INSERT OR REPLACE INTO {table} VALUES (?, ?, ?, ?, ?, ?, ?)",
            (series, time, *values, statistics.pack()),
        )

    def _sweep(self, now: float) -> None:
        """Forget what is too old."""
        for resolution, table in _POINTS.items():
            before = now - _KEPT[resolution]
            self._writer.execute(f"DELETE FROM {table} WHERE time <= ?", (before,))
        gone = self._writer.execute("DELETE FROM series WHERE latest <= ?", (now - MINUTES_KEPT,))
        if gone.rowcount:
            self._ids.clear()


def _connect(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(file, isolation_level=None, check_same_thread=False, timeout=30.0)


def _statistics(
    count: float, total: float, minimum: float, maximum: float, histogram: bytes
) -> Statistics:
    return Statistics(count, total, minimum, maximum, unpack(histogram))


def _key(metric: MetricName) -> tuple[str, str, str]:
    return metric.namespace, metric.name, json.dumps(metric.dimensions, ensure_ascii=False)
