"""The tables beside MLflow's, and the triggers that keep them true to its runs.

Triggers run in whoever writes, in the same transaction: MLflow's server, its command line, or us.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from bottega.tracking.experiments import ARN_TAG, JOB_SUFFIXES, JOB_TAG, KIND_TAG

NOW = "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"
"""Milliseconds since the epoch, in every SQLite."""

DEFAULT_TRIAL = "Default-Run-Group-"
"""The name of an experiment's default trial begins so, as in the SageMaker Python SDK's ``Run``."""
_DEFAULT_TRIAL_ROOM = 100
_FOREIGN_EXPERIMENT = "mlflow-experiment-"


def is_name(column: str) -> str:
    """Whether a text could be the name of one of SageMaker's entities."""
    return (
        f"(length({column}) BETWEEN 1 AND 120 AND {column} NOT GLOB '*[^a-zA-Z0-9-]*'"
        f" AND {column} NOT GLOB '-*' AND {column} NOT GLOB '*-')"
    )


def experiment_name(alias: str) -> str:
    """The name that SageMaker knows an experiment by: its own, or one made of its number."""
    own = f"{alias}.name"
    return (
        f"CASE WHEN {is_name(own)} THEN {own}"
        f" ELSE '{_FOREIGN_EXPERIMENT}' || {alias}.experiment_id END"
    )


TABLES: Mapping[str, str] = {
    "bottega_components": (
        "CREATE TABLE IF NOT EXISTS bottega_components ("
        " run_uuid TEXT NOT NULL PRIMARY KEY,"
        " name TEXT NOT NULL COLLATE NOCASE UNIQUE,"
        " created INTEGER NOT NULL,"
        " modified INTEGER NOT NULL,"
        # As JSON: what the tables of MLflow have no place for.
        " facts TEXT NOT NULL DEFAULT '{}')"
    ),
    "bottega_trials": (
        "CREATE TABLE IF NOT EXISTS bottega_trials ("
        " trial_id INTEGER PRIMARY KEY,"
        " name TEXT NOT NULL COLLATE NOCASE UNIQUE,"
        " experiment_id INTEGER NOT NULL,"
        # The one that runs of plain mlflow clients belong to.
        " is_default INTEGER NOT NULL DEFAULT 0,"
        " created INTEGER NOT NULL,"
        " modified INTEGER NOT NULL,"
        " facts TEXT NOT NULL DEFAULT '{}',"
        " tags TEXT NOT NULL DEFAULT '{}')"
    ),
    "bottega_members": (
        "CREATE TABLE IF NOT EXISTS bottega_members ("
        " trial_id INTEGER NOT NULL,"
        " run_uuid TEXT NOT NULL,"
        " PRIMARY KEY (trial_id, run_uuid)) WITHOUT ROWID"
    ),
}

INDEXES: Mapping[str, str] = {
    "bottega_components_by_created": "bottega_components (created, name)",
    "bottega_components_by_modified": "bottega_components (modified, name)",
    "bottega_members_by_run": "bottega_members (run_uuid, trial_id)",
    "bottega_trials_by_experiment": "bottega_trials (experiment_id, is_default)",
}

_STEM = f"'{DEFAULT_TRIAL}' || rtrim(substr(e.name, 1, {_DEFAULT_TRIAL_ROOM}), '-')"
DEFAULT_TRIAL_NAME = (
    f"CASE WHEN {is_name('e.name')}"
    f" AND NOT EXISTS (SELECT 1 FROM bottega_trials n WHERE n.name = {_STEM} COLLATE NOCASE)"
    f" THEN {_STEM} ELSE '{DEFAULT_TRIAL}mlflow-' || e.experiment_id END"
)
"""For the experiment ``e``: as the SDK names it, unless another experiment's trial is called so."""

_TAKE_UP = (
    f"INSERT OR IGNORE INTO bottega_trials (name, experiment_id, is_default, created, modified)"
    f" SELECT {DEFAULT_TRIAL_NAME}, e.experiment_id, 1, {NOW}, {NOW} FROM experiments e"
    " WHERE e.experiment_id = NEW.experiment_id"
    " AND NOT EXISTS (SELECT 1 FROM bottega_components c WHERE c.run_uuid = NEW.run_uuid)"
    " AND NOT EXISTS (SELECT 1 FROM bottega_trials t"
    "  WHERE t.experiment_id = e.experiment_id AND t.is_default = 1);"
    " INSERT INTO bottega_members (trial_id, run_uuid)"
    " SELECT t.trial_id, NEW.run_uuid FROM bottega_trials t"
    " WHERE t.experiment_id = NEW.experiment_id AND t.is_default = 1"
    " AND NOT EXISTS (SELECT 1 FROM bottega_components c WHERE c.run_uuid = NEW.run_uuid);"
    " INSERT INTO bottega_components (run_uuid, name, created, modified)"
    f" SELECT NEW.run_uuid, NEW.run_uuid, {NOW}, {NOW}"
    " WHERE NOT EXISTS (SELECT 1 FROM bottega_components c WHERE c.run_uuid = NEW.run_uuid);"
)
"""Makes the run NEW a component of the default trial, unless it is a component already. Where a
trial of another experiment has that trial's name, the run belongs to none."""

TRIGGERS: Mapping[str, str] = {
    "bottega_run_added": f"AFTER INSERT ON runs BEGIN {_TAKE_UP} END",
    "bottega_run_changed": (
        "AFTER UPDATE OF name, status, start_time, end_time ON runs BEGIN"
        f" UPDATE bottega_components SET modified = {NOW} WHERE run_uuid = NEW.run_uuid; END"
    ),
    # One that was deleted as a component and brought back by an mlflow client.
    "bottega_run_restored": (
        "AFTER UPDATE OF lifecycle_stage ON runs WHEN NEW.lifecycle_stage = 'active'"
        f" BEGIN {_TAKE_UP} END"
    ),
    "bottega_run_removed": (
        "AFTER DELETE ON runs BEGIN"
        " DELETE FROM bottega_members WHERE run_uuid = OLD.run_uuid;"
        " DELETE FROM bottega_components WHERE run_uuid = OLD.run_uuid; END"
    ),
    "bottega_experiment_removed": (
        "AFTER DELETE ON experiments BEGIN"
        " DELETE FROM bottega_members WHERE trial_id IN"
        "  (SELECT trial_id FROM bottega_trials WHERE experiment_id = OLD.experiment_id);"
        " DELETE FROM bottega_trials WHERE experiment_id = OLD.experiment_id; END"
    ),
}

_SUFFIX = " ".join(f"WHEN '{kind}' THEN '{suffix}'" for kind, suffix in JOB_SUFFIXES.items())
_BACKFILL = (
    # The newest run of each job is the job's component, which no trial has to have.
    "INSERT OR IGNORE INTO bottega_components (run_uuid, name, created, modified)"
    f" SELECT r.run_uuid, j.value || CASE k.value {_SUFFIX} END, r.start_time,"
    " coalesce(r.end_time, r.start_time) FROM runs r"
    f" JOIN tags j ON j.run_uuid = r.run_uuid AND j.key = '{JOB_TAG}'"
    f" JOIN tags k ON k.run_uuid = r.run_uuid AND k.key = '{KIND_TAG}'"
    f" WHERE k.value IN ({', '.join(repr(kind) for kind in JOB_SUFFIXES)})"
    f" AND {is_name('j.value')} AND length(j.value) <= 90 AND r.start_time IS NOT NULL"
    " AND NOT EXISTS (SELECT 1 FROM bottega_components c WHERE c.run_uuid = r.run_uuid)"
    " ORDER BY r.start_time DESC",
    "INSERT OR IGNORE INTO bottega_trials (name, experiment_id, is_default, created, modified)"
    f" SELECT {DEFAULT_TRIAL_NAME}, e.experiment_id, 1, {NOW}, {NOW} FROM experiments e"
    " WHERE EXISTS (SELECT 1 FROM runs r WHERE r.experiment_id = e.experiment_id AND NOT EXISTS"
    "  (SELECT 1 FROM bottega_components c WHERE c.run_uuid = r.run_uuid))"
    " AND NOT EXISTS (SELECT 1 FROM bottega_trials t"
    "  WHERE t.experiment_id = e.experiment_id AND t.is_default = 1)",
    "INSERT INTO bottega_members (trial_id, run_uuid)"
    " SELECT t.trial_id, r.run_uuid FROM runs r"
    " JOIN bottega_trials t ON t.experiment_id = r.experiment_id AND t.is_default = 1"
    " WHERE NOT EXISTS (SELECT 1 FROM bottega_components c WHERE c.run_uuid = r.run_uuid)"
    " AND NOT EXISTS (SELECT 1 FROM tags a WHERE a.run_uuid = r.run_uuid"
    f"  AND a.key = '{ARN_TAG}')",
    "INSERT INTO bottega_components (run_uuid, name, created, modified)"
    f" SELECT r.run_uuid, r.run_uuid, coalesce(r.start_time, {NOW}),"
    f" coalesce(r.end_time, r.start_time, {NOW}) FROM runs r"
    " WHERE NOT EXISTS (SELECT 1 FROM bottega_components c WHERE c.run_uuid = r.run_uuid)",
)
"""Makes components of runs that were there before the triggers were."""

_TIMEOUT_SECONDS = 60.0


def prepare(database: Path) -> None:
    """Make the tables, indexes and triggers that are missing, and components of runs that are none.

    One transaction: a kill leaves either nothing or everything.
    """
    with closing(
        sqlite3.connect(database, timeout=_TIMEOUT_SECONDS, isolation_level=None)
    ) as connection:
        if _present(connection) >= {*TABLES, *INDEXES, *TRIGGERS}:
            return
        connection.execute("BEGIN IMMEDIATE")
        for statement in TABLES.values():
            connection.execute(statement)
        for name, columns in INDEXES.items():
            connection.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {columns}")
        for statement in _BACKFILL:
            connection.execute(statement)
        for name, definition in TRIGGERS.items():
            connection.execute(f"CREATE TRIGGER IF NOT EXISTS {name} {definition}")
        connection.execute("COMMIT")


def drop_triggers(database: Path) -> None:
    """Take the triggers away, for migrations that rebuild the tables they are on."""
    with closing(sqlite3.connect(database)) as connection:
        for name in TRIGGERS:
            connection.execute(f"DROP TRIGGER IF EXISTS {name}")
        connection.commit()


def _present(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
