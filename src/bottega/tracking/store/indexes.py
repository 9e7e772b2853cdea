"""The indexes and statistics that MLflow's SQLite database lacks.

MLflow indexes what belongs to one run. What belongs to one metric over all runs, in the order of
its values, it finds by reading everything; and without statistics SQLite plans MLflow's own joins
so that they take minutes.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

log = logging.getLogger(__name__)

INDEXES: Mapping[str, str] = {
    # Backwards it is MLflow's natural order: the newest start first, ids upwards.
    "bottega_runs_by_start": (
        "runs (experiment_id, lifecycle_stage, start_time, run_uuid DESC, status, end_time)"
    ),
    # What decides whether a run found elsewhere is wanted, without reading the run.
    "bottega_runs_by_id": "runs (run_uuid, experiment_id, lifecycle_stage, start_time)",
    "bottega_metrics_by_value": "latest_metrics (key, is_nan, value, run_uuid)",
    "bottega_params_by_value": "params (key, value, run_uuid)",
    "bottega_tags_by_value": "tags (key, value, run_uuid)",
}

ANALYSIS_LIMIT = 1000
"""How many rows of each index are looked at; so the statistics take milliseconds."""
GROWTH = 2
"""Statistics are made anew when there are so many times the rows they know of."""
WORTH_ANALYSING = 500
"""With fewer rows any plan is quick."""
_TIMEOUT_SECONDS = 60.0


def prepare(database: Path) -> bool:
    """Make what is missing; does nothing where nothing is.

    Each index is a transaction of its own: a kill leaves those that are whole.

    Returns:
        Whether something was made.
    """
    with closing(sqlite3.connect(database, timeout=_TIMEOUT_SECONDS)) as connection:
        missing = [name for name in INDEXES if name not in _present(connection)]
        for name in missing:
            log.info("making the index %s of %s", name, database)
            connection.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {INDEXES[name]}")
            connection.commit()
        analysed = bool(missing and _rows(connection)) or stale(connection)
        if analysed:
            analyse(connection)
        return bool(missing) or analysed


def drop(database: Path) -> None:
    """Take the indexes away, for migrations that know nothing of them."""
    with closing(sqlite3.connect(database)) as connection:
        for name in _present(connection):
            connection.execute(f"DROP INDEX {name}")
        connection.commit()


def stale(connection: sqlite3.Connection) -> bool:
    """Whether there are no statistics, or the tables have grown a lot since they were made."""
    rows = _rows(connection)
    return rows >= WORTH_ANALYSING and rows > GROWTH * _rows_known(connection)


def analyse(connection: sqlite3.Connection) -> None:
    """Make the statistics. Connections that are open already go on with those they had."""
    connection.execute(f"PRAGMA analysis_limit={ANALYSIS_LIMIT}")
    connection.execute("ANALYZE")
    connection.commit()


def _present(connection: sqlite3.Connection) -> set[str]:
    found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'index'")
    return {name for (name,) in found} & set(INDEXES)


def _rows(connection: sqlite3.Connection) -> int:
    """About how many runs there are; the newest row's number, because counting takes longer."""
    (newest,) = connection.execute("SELECT max(rowid) FROM runs").fetchone()
    return int(newest or 0)


def _rows_known(connection: sqlite3.Connection) -> int:
    """How many runs the statistics say there are."""
    tables = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'")
    if tables.fetchone() is None:
        return 0
    found = connection.execute("SELECT stat FROM sqlite_stat1 WHERE tbl = 'runs'")
    return max((int(stat.split()[0]) for (stat,) in found), default=0)
