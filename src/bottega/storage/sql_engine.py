"""Opening a metadata database: connections as they must be, and the schema brought up to date."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import QueuePool

from bottega.config import ConfigurationError
from bottega.storage.sql_schema import HEAD_VERSION, KNOWN_VERSIONS, VERSION_TABLE

BUSY_SECONDS = 30.0
"""How long to wait for another process that is writing to the same SQLite file."""

_MIGRATION_LOCK = 0x626F7474656761
"""The number under which PostgreSQL keeps two processes from migrating at once."""


class DatabaseUnusable(ConfigurationError):
    """The database cannot be opened: not there, not a database, or made by a newer bottega."""


@dataclass(frozen=True)
class Database:
    """One opened database."""

    reading: sa.Engine
    """Connections that see each statement as its own snapshot."""
    writing: sa.Engine
    """Connections whose transactions may write from their beginning."""
    dialect: str
    """``sqlite`` or ``postgresql``."""

    def close(self) -> None:
        self.reading.dispose()
        self.writing.dispose()


def open_database(url: str) -> Database:
    """Open a database and bring its schema to :data:`~bottega.storage.sql_schema.HEAD_VERSION`.

    A database that already has that version is opened without loading alembic.

    Args:
        url: an SQLAlchemy URL of SQLite (a file) or PostgreSQL.

    Raises:
        DatabaseUnusable: the message says what is wrong and what to do; nothing was changed.
    """
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError as error:
        raise DatabaseUnusable("database_url is not an SQLAlchemy URL") from error
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        database = _sqlite(parsed)
    elif backend == "postgresql":
        database = _postgresql(parsed)
    else:
        raise DatabaseUnusable(
            f"database_url names {backend!r}; bottega keeps its metadata in sqlite or postgresql"
        )
    shown = parsed.render_as_string(hide_password=True)
    try:
        _bring_up_to_date(database, shown)
    except sa.exc.DBAPIError as error:
        database.close()
        raise DatabaseUnusable(f"cannot open the metadata in {shown}: {error.orig}") from error
    except BaseException:
        database.close()
        raise
    return database


def _sqlite(url: sa.URL) -> Database:
    if not url.database or url.database == ":memory:" or url.query:
        raise DatabaseUnusable(
            "database_url must name a file (sqlite:////path/to/metadata.sqlite): a database in "
            "memory would lose what it has acknowledged"
        )
    file = Path(url.database)
    try:
        # Documents may hold what only the owner should read; SQLite gives its other files this mode
        # too.
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise DatabaseUnusable(f"cannot open the metadata in {file}: {error.strerror}") from error
    options: dict[str, Any] = {
        "poolclass": QueuePool,
        # Transactions are begun by us, not by the driver; connections move between threads in the
        # pool.
        "connect_args": {
            "isolation_level": None,
            "check_same_thread": False,
            "timeout": BUSY_SECONDS,
        },
    }
    reading = sa.create_engine(
        url,
        isolation_level="AUTOCOMMIT",
        skip_autocommit_rollback=True,
        pool_size=32,
        max_overflow=-1,
        pool_use_lifo=True,
        **options,
    )
    writing = sa.create_engine(url, pool_size=1, max_overflow=0, pool_timeout=None, **options)

    @sa.event.listens_for(reading, "connect")
    def prepare_reader(connection: Any, record: object) -> None:
        _pragmas(connection, "query_only = ON")

    @sa.event.listens_for(writing, "connect")
    def prepare_writer(connection: Any, record: object) -> None:
        _pragmas(connection, "journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON")

    @sa.event.listens_for(writing, "begin")
    def begin_immediate(connection: sa.Connection) -> None:
        # A transaction that read first and wrote later could be refused half way.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return Database(reading, writing, "sqlite")


def _pragmas(connection: Any, *pragmas: str) -> None:
    cursor = connection.cursor()
    for pragma in pragmas:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _postgresql(url: sa.URL) -> Database:
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    try:
        writing = sa.create_engine(url, pool_size=32, max_overflow=-1, pool_pre_ping=True)
    except ModuleNotFoundError as error:
        raise DatabaseUnusable(
            f"PostgreSQL needs the module {error.name}: pip install 'bottega[postgresql]'"
        ) from error
    return Database(writing.execution_options(isolation_level="AUTOCOMMIT"), writing, "postgresql")


def _bring_up_to_date(database: Database, shown: str) -> None:
    with database.reading.connect() as connection:
        if _version(connection, shown) == HEAD_VERSION:
            return
    with database.writing.begin() as connection:
        if database.dialect == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
        if _version(connection, shown) != HEAD_VERSION:
            _migrate(connection)


def _version(connection: sa.Connection, shown: str) -> str | None:
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return None
    version = connection.execute(sa.text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()
    if version is not None and version not in KNOWN_VERSIONS:
        raise DatabaseUnusable(
            f"the metadata in {shown} has schema version {version}, which this bottega does not "
            f"know (it knows up to {HEAD_VERSION}): a newer bottega has written it. Update "
            "bottega, or use another home; nothing was changed."
        )
    return version


def _migrate(connection: sa.Connection) -> None:
    # Loading alembic takes longer than all the rest of opening; most of the time it is not needed.
    from alembic import command
    from alembic.config import Config

    config = Config()
    folder = str(Path(__file__).parent / "migrations")
    config.set_main_option("script_location", folder.replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
