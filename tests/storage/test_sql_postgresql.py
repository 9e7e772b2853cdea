"""The SQL store on PostgreSQL: one given by URL, or one started here for the time of the tests."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from bottega.clock import ManualClock, SystemClock
from bottega.events import EventBus
from bottega.storage.metadata import MetadataStore
from bottega.storage.sql import SqlMetadataStore
from bottega.storage.sql_engine import DatabaseUnusable, open_database
from bottega.storage.sql_schema import metadata
from bottega.testing.metadata_store_case import MetadataStoreCase

_numbers = itertools.count()


@pytest.fixture(scope="module")
def server() -> Iterator[sa.URL]:
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    if given := os.environ.get("BOTTEGA_TEST_POSTGRESQL_URL"):
        yield sa.make_url(given).set(drivername="postgresql+psycopg")
        return
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not programs:
        pytest.skip("no PostgreSQL: set BOTTEGA_TEST_POSTGRESQL_URL or install postgresql")
    unprivileged: list[str] = []
    owner = os.getuid()
    if owner == 0:
        # PostgreSQL refuses to run as root.
        try:
            owner = pwd.getpwnam("postgres").pw_uid
        except KeyError:
            pytest.skip("PostgreSQL cannot run as root and there is no user postgres")
        if not (setpriv := shutil.which("setpriv")):
            pytest.skip("PostgreSQL cannot run as root and there is no setpriv")
        unprivileged = [setpriv, "--reuid=postgres", "--regid=postgres", "--init-groups"]
    folder = Path(tempfile.mkdtemp(prefix="bottega-postgresql-"))
    try:
        os.chown(folder, owner, -1)
        data = folder / "data"
        subprocess.run(
            [
                *unprivileged,
                str(programs[-1] / "initdb"),
                f"--pgdata={data}",
                "--auth=trust",
                "--username=bottega",
                "--encoding=UTF8",
                "--no-sync",
            ],
            check=True,
            cwd=folder,
            stdout=subprocess.DEVNULL,
        )
        command = [str(programs[-1] / "postgres"), "-D", str(data), "-k", str(folder)]
        settings = ["-c", "listen_addresses=", "-c", "fsync=off"]
        with (
            (folder / "log").open("wb") as log,
            subprocess.Popen(
                [*unprivileged, *command, *settings], cwd=folder, stdout=log, stderr=log
            ) as process,
        ):
            try:
                url = sa.URL.create(
                    "postgresql+psycopg",
                    username="bottega",
                    database="postgres",
                    query={"host": str(folder)},
                )
                _wait_until_it_answers(url, process, folder / "log")
                yield url
            finally:
                process.send_signal(signal.SIGINT)
                process.wait(30)
    finally:
        shutil.rmtree(folder)


def _wait_until_it_answers(url: sa.URL, process: subprocess.Popen[bytes], log: Path) -> None:
    engine = sa.create_engine(url)
    while process.poll() is None:
        try:
            engine.connect().close()
        except sa.exc.OperationalError:
            time.sleep(0.05)
        else:
            engine.dispose()
            return
    raise RuntimeError(f"PostgreSQL did not start: {log.read_text()}")


@pytest.fixture
def url(server: sa.URL) -> Iterator[str]:
    """A schema of its own for each test."""
    schema = f"bottega_test_{os.getpid()}_{next(_numbers)}"
    engine = sa.create_engine(server)
    with engine.begin() as connection:
        connection.execute(sa.schema.CreateSchema(schema))
    yield server.update_query_dict({"options": f"-csearch_path={schema}"}).render_as_string(
        hide_password=False
    )
    with engine.begin() as connection:
        connection.execute(sa.schema.DropSchema(schema, cascade=True))
    engine.dispose()


class TestPostgresqlStore(MetadataStoreCase):
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


def test_the_migrations_lead_to_the_tables_as_declared_here_too(url: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    database = open_database(url)
    with database.writing.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    database.close()


def test_a_newer_postgresql_database_is_refused(url: str) -> None:
    database = open_database(url)
    with database.writing.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    with pytest.raises(DatabaseUnusable, match=r"version 9999.*newer bottega"):
        SqlMetadataStore(url, EventBus(), SystemClock())


def test_the_password_is_not_in_the_message(server: sa.URL) -> None:
    wrong = server.set(password="s3cret", database="no_such_database")
    with pytest.raises(DatabaseUnusable) as refused:
        SqlMetadataStore(wrong.render_as_string(hide_password=False), EventBus(), SystemClock())
    assert "no_such_database" in str(refused.value)
    assert "s3cret" not in str(refused.value)
