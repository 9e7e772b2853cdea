"""MLflow's database: made and brought up to date on a draft, which then takes its place at once.

MLflow's own first start runs some sixty migrations on the file itself. A kill in between leaves a
file that no MLflow opens again, and every migration waits for the disk. Here the migrations run on
a draft that nobody waits for, which is flushed once and renamed: whole or not at all, and sooner.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from bottega.tracking.store import indexes
from bottega.tracking.store.entities import tables

log = logging.getLogger(__name__)


class ForeignDatabase(Exception):
    """The file is not a database of MLflow's. The message names it."""


def prepare(database: Path) -> None:
    """Make sure ``database`` has the schema of the installed MLflow.

    Imports MLflow, which takes seconds. An older database is kept beside the new one as
    ``<name>.<revision>``.

    Raises:
        ForeignDatabase: the file exists and is no database of MLflow's.
    """
    from mlflow.store.db import utils as mlflow_database

    present = revision(database)
    newest: str = mlflow_database._get_latest_schema_revision()  # type: ignore[no-untyped-call]
    if present == newest:
        return
    database.parent.mkdir(parents=True, exist_ok=True)
    draft = database.with_name(f"{database.name}.draft")
    for leftover in (draft, draft.with_name(f"{draft.name}-journal")):
        leftover.unlink(missing_ok=True)
    if present is not None:
        log.info("bringing %s from revision %s to %s", database, present, newest)
        _fold_log(database)
        _copy(database, draft)
        backup = database.with_name(f"{database.name}.{present}")
        backup.unlink(missing_ok=True)
        os.link(database, backup)
        # MLflow's migrations rebuild tables, and know nothing of ours.
        indexes.drop(draft)
        tables.drop_triggers(draft)
    _migrate(draft)
    indexes.prepare(draft)
    tables.prepare(draft)
    _settle(draft)
    draft.rename(database)
    _flush(database.parent)


def revision(database: Path) -> str | None:
    """The schema revision of a database; None when there is no file.

    Raises:
        ForeignDatabase: the file exists and has none.
    """
    if not database.exists():
        return None
    try:
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError) and "no such table" not in str(error):
            raise
        raise ForeignDatabase(
            f"{database} is not a database of MLflow ({error}); move it away and start again."
        ) from error
    if row is None:
        raise ForeignDatabase(f"{database} has no schema revision; move it away and start again.")
    return str(row[0])


def _fold_log(database: Path) -> None:
    """Move everything into the main file: no log may be replayed into its successor."""
    with closing(sqlite3.connect(database, timeout=20)) as connection:
        (mode,) = connection.execute("PRAGMA journal_mode=DELETE").fetchone()
    if mode != "delete":
        raise sqlite3.OperationalError(f"{database} is in use by another process")


def _copy(source: Path, target: Path) -> None:
    with (
        closing(sqlite3.connect(source)) as old,
        closing(sqlite3.connect(target)) as new,
    ):
        old.backup(new)


def _migrate(draft: Path) -> None:
    """What ``mlflow db upgrade`` does, without waiting for the disk after every step."""
    import mlflow.db
    import sqlalchemy

    def hurry(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA synchronous=OFF")

    engines = sqlalchemy.engine.Engine
    sqlalchemy.event.listen(engines, "connect", hurry)
    try:
        mlflow.db.commands.main(["upgrade", f"sqlite:///{draft}"], standalone_mode=False)
    finally:
        sqlalchemy.event.remove(engines, "connect", hurry)


def _settle(draft: Path) -> None:
    """Readers and a writer do not wait for each other in WAL mode; the file itself remembers it."""
    with closing(sqlite3.connect(draft)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    _flush(draft)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
