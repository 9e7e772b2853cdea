"""The database of MLflow is whole or not there, and grows with MLflow."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import alembic.command
import pytest
import sqlalchemy
from alembic.script import ScriptDirectory
from mlflow.store.db.utils import _get_alembic_config, _get_latest_schema_revision
from mlflow.store.tracking.dbmodels.initial_models import Base as InitialBase

from bottega.tracking import schema

# What MLflow's own models use of SQLAlchemy is not ours to change.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def tables(database: Path) -> set[str]:
    with closing(sqlite3.connect(database)) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}


def make_older(database: Path) -> str:
    """A database of the MLflow before its newest migration; returns that schema's revision."""
    engine = sqlalchemy.create_engine(f"sqlite:///{database}")
    config = _get_alembic_config(str(engine.url))
    newest = ScriptDirectory.from_config(config).get_revision(_get_latest_schema_revision())
    assert newest is not None
    older = newest.down_revision
    assert isinstance(older, str)
    InitialBase.metadata.create_all(engine)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        alembic.command.upgrade(config, older)
    engine.dispose()
    return older


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "folder" / "mlflow.db"
    schema.prepare(path)
    return path


def test_a_new_database_is_up_to_date_and_in_wal_mode(database: Path) -> None:
    assert schema.revision(database) == _get_latest_schema_revision()
    assert {"experiments", "runs", "metrics", "registered_models"} <= tables(database)
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert not list(database.parent.glob("*draft*"))


def test_an_up_to_date_database_is_left_alone(database: Path) -> None:
    before = database.stat()
    schema.prepare(database)
    assert database.stat().st_mtime_ns == before.st_mtime_ns
    assert database.stat().st_ino == before.st_ino


def test_an_older_database_is_brought_up_to_date_and_kept(tmp_path: Path) -> None:
    database = tmp_path / "mlflow.db"
    older = make_older(database)
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        # The change is in the log: not to be lost, nor to be replayed into the new file.
        with closing(sqlite3.connect(database)) as reader, connection:
            reader.execute("SELECT * FROM experiments").fetchall()
            connection.execute(
                "INSERT INTO experiments (experiment_id, name, lifecycle_stage, workspace)"
                " VALUES (7, 'kept', 'active', 'default')"
            )
    schema.prepare(database)
    assert schema.revision(database) == _get_latest_schema_revision()
    backup = database.with_name(f"mlflow.db.{older}")
    assert schema.revision(backup) == older
    for file in (database, backup):
        with closing(sqlite3.connect(file)) as connection:
            query = "SELECT name FROM experiments WHERE experiment_id = 7"
            assert connection.execute(query).fetchall() == [("kept",)]
    assert "job_locks" in tables(database) - tables(backup)


def test_a_database_in_use_is_not_replaced(tmp_path: Path) -> None:
    database = tmp_path / "mlflow.db"
    older = make_older(database)
    with closing(sqlite3.connect(database)) as other:
        other.execute("PRAGMA journal_mode=WAL")
        other.execute("SELECT * FROM experiments").fetchall()
        with pytest.raises(sqlite3.OperationalError):
            schema.prepare(database)
    assert schema.revision(database) == older


def test_what_a_kill_left_behind_is_thrown_away(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    path.with_name("mlflow.db.draft").write_bytes(b"half a database")
    schema.prepare(path)
    assert schema.revision(path) == _get_latest_schema_revision()
    assert not list(tmp_path.glob("*draft*"))


@pytest.mark.parametrize("content", [b"not a database at all", b""])
def test_a_foreign_file_is_refused_and_kept(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "mlflow.db"
    path.write_bytes(content)
    with pytest.raises(schema.ForeignDatabase, match=r"mlflow\.db"):
        schema.prepare(path)
    assert path.read_bytes() == content
