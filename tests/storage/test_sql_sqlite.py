"""The SQL store on SQLite."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bottega.clock import ManualClock, SystemClock
from bottega.events import EventBus
from bottega.storage.metadata import MetadataStore, ResourceExists, ResourceQuery
from bottega.storage.sql import SqlMetadataStore
from bottega.storage.sql_engine import DatabaseUnusable, open_database
from bottega.storage.sql_schema import HEAD_VERSION, KNOWN_VERSIONS, metadata
from bottega.testing.metadata_store_case import MetadataStoreCase
from bottega.testing.metadata_store_samples import resource

ASSETS = Path(__file__).parent / "upgrade_assets"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/metadata.sqlite"


def opened(url: str) -> SqlMetadataStore:
    return SqlMetadataStore(url, EventBus(), SystemClock())


class TestSqliteStore(MetadataStoreCase):
    @pytest.fixture
    def store(self, url: str, events: EventBus, clock: ManualClock) -> Iterator[MetadataStore]:
        store = SqlMetadataStore(url, events, clock)
        yield store
        store.close()

    @pytest.fixture
    def another(
        self, url: str, store: MetadataStore, clock: ManualClock
    ) -> Iterator[MetadataStore]:
        another = SqlMetadataStore(url, EventBus(), clock)
        yield another
        another.close()

    @pytest.fixture
    def opening(self, url: str) -> str:
        return (
            "from bottega.clock import SystemClock\n"
            "from bottega.events import EventBus\n"
            "from bottega.storage.sql import SqlMetadataStore\n"
            f"store = SqlMetadataStore({url!r}, EventBus(), SystemClock())\n"
        )


def test_everything_is_there_after_closing_and_opening(url: str) -> None:
    store = opened(url)
    created = store.create(resource("m", body={"a": 1}), tags={"k": "v"})
    store.close()
    store = opened(url)
    assert store.get("Model", "m") == created
    assert store.tags(created.arn) == {"k": "v"}
    store.close()


def test_a_closed_store_refuses(url: str) -> None:
    store = opened(url)
    store.close()
    with pytest.raises(RuntimeError, match="closed"):
        store.get("Model", "m")
    with pytest.raises(RuntimeError, match="closed"):
        store.create(resource("m"))


def test_names_that_share_an_arn_exclude_each_other(url: str) -> None:
    store = opened(url)
    first = store.create(resource("Mixed"))
    with pytest.raises(ResourceExists) as refused:
        store.create(resource("mixed"))
    assert refused.value.existing == first
    store.close()


def test_tags_without_an_arn_are_refused(url: str) -> None:
    store = opened(url)
    with pytest.raises(ValueError, match="no ARN"):
        store.create(resource("m", arn=""), tags={"k": "v"})
    assert list(store.each(ResourceQuery("Model"))) == []
    store.close()


def test_a_write_that_fails_keeps_no_other_from_being_committed(url: str) -> None:
    store = opened(url)
    unstorable = resource("bad\ud800", arn="")
    with pytest.raises(UnicodeEncodeError):
        store.create(unstorable)
    assert store.create(resource("good")).version == 1
    store.close()


def test_commits_are_flushed_and_logged_ahead(url: str) -> None:
    database = open_database(url)
    with database.writing.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 30_000
    with database.reading.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA query_only").scalar() == 1
    database.close()


def test_only_the_owner_can_read_the_files(url: str, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = opened(url)
        store.create(resource("m"))
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
        store.close()
    finally:
        os.umask(before)
    assert set(modes.values()) == {0o600}
    assert "metadata.sqlite-wal" in modes


@pytest.mark.parametrize("sort_by", ["created", "modified", "name", "status"])
def test_listings_are_read_off_an_index(url: str, sort_by: str) -> None:
    store = opened(url)
    for number in range(3):
        store.create(resource(f"m{number}"))
    query = ResourceQuery("Model", sort_by=sort_by)  # type: ignore[arg-type]
    token = store.page(query, limit=1).next_token
    asked: list[str] = []

    from sqlalchemy import event

    @event.listens_for(store._database.reading, "before_cursor_execute")
    def note(connection, cursor, statement, parameters, context, many):  # type: ignore[no-untyped-def]
        if statement.startswith("SELECT"):
            plan = cursor.execute("EXPLAIN QUERY PLAN " + statement, parameters).fetchall()
            asked.append(" / ".join(row[3] for row in plan))

    store.page(query, limit=1)
    store.page(query, limit=1, token=token)
    store.close()
    assert len(asked) == 2
    for plan in asked:
        assert "USING INDEX" in plan
        assert "TEMP B-TREE" not in plan


def test_opening_a_current_database_does_not_load_alembic(url: str) -> None:
    opened(url).close()
    program = (
        "import sys\n"
        "from bottega.clock import SystemClock\n"
        "from bottega.events import EventBus\n"
        "from bottega.storage.sql import SqlMetadataStore\n"
        f"SqlMetadataStore({url!r}, EventBus(), SystemClock()).close()\n"
        "assert 'alembic' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_many_processes_may_open_a_new_database_at_once(url: str) -> None:
    program = (
        "from bottega.clock import SystemClock\n"
        "from bottega.events import EventBus\n"
        "from bottega.storage.sql import SqlMetadataStore\n"
        f"SqlMetadataStore({url!r}, EventBus(), SystemClock()).close()\n"
    )
    children = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(4)]
    assert [child.wait() for child in children] == [0] * 4


def test_the_known_versions_are_the_migrations() -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option(
        "script_location",
        str(Path(sys.modules[open_database.__module__].__file__ or "").parent / "migrations"),
    )
    scripts = ScriptDirectory.from_config(config)
    assert scripts.get_heads() == [HEAD_VERSION]
    assert tuple(s.revision for s in reversed(list(scripts.walk_revisions()))) == KNOWN_VERSIONS


def test_the_migrations_lead_to_the_tables_as_declared(url: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    database = open_database(url)
    with database.writing.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    database.close()


def test_there_is_an_asset_for_every_schema_version() -> None:
    assert sorted(file.stem for file in ASSETS.glob("*.sql")) == list(KNOWN_VERSIONS)


@pytest.mark.parametrize("version", KNOWN_VERSIONS)
def test_a_database_of_every_version_opens_with_its_content(version: str, tmp_path: Path) -> None:
    file = tmp_path / "old.sqlite"
    with sqlite3.connect(file) as connection:
        connection.executescript((ASSETS / f"{version}.sql").read_text())
    connection.close()
    store = opened(f"sqlite:///{file}")
    job = store.get("TrainingJob", "abalone")
    assert job.status == "Completed"
    assert job.body == {"TrainingJobName": "abalone", "Unicode": "ünïcode", "Rounds": 3}
    assert job.private == {"step": "done"}
    assert (job.created, job.modified, job.version) == (1_700_000_000.125, 1_700_000_060.5, 4)
    assert store.tags(job.arn) == {"team": "shells"}
    assert store.get("Internal", "without-arn").arn == ""
    assert store.update(job).version == 5
    store.close()


def test_a_newer_database_is_refused_and_left_alone(url: str, tmp_path: Path) -> None:
    opened(url).close()
    file = tmp_path / "metadata.sqlite"
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    before = file.read_bytes()
    with pytest.raises(DatabaseUnusable, match=r"version 9999.*newer bottega.*another home"):
        opened(url)
    assert file.read_bytes() == before


def test_what_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("these are notes, and no database at all" * 30)
    with pytest.raises(DatabaseUnusable, match="not a database"):
        opened(f"sqlite:///{file}")
    assert file.read_text().startswith("these are notes")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("sqlite://", "in memory"),
        ("sqlite:///:memory:", "in memory"),
        ("sqlite:////no/such/folder/metadata.sqlite", "No such file"),
        ("mysql://localhost/x", "'mysql'"),
        ("what is this", "not an SQLAlchemy URL"),
    ],
)
def test_a_database_url_that_cannot_be_used_is_refused(url: str, why: str) -> None:
    with pytest.raises(DatabaseUnusable, match=why):
        opened(url)


def test_a_failed_migration_leaves_nothing_behind(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from alembic.operations import Operations

    def fail(*arguments: object, **options: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(Operations, "create_index", fail)
    with pytest.raises(OSError, match="disk is full"):
        opened(url)
    monkeypatch.undo()
    with sqlite3.connect(tmp_path / "metadata.sqlite") as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []
    connection.close()
    opened(url).close()
