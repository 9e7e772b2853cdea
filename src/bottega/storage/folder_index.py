"""The index of a folder object store: which key is which bytes.

One SQLite file in WAL mode with full synchronisation. Keys are kept as UTF-8 bytes, so that
SQLite's own order is S3's. An object points to a *content*: either a few bytes in the index itself,
or *pieces*, the files whose bytes make it up. Copies share a content; a content goes when nothing
points to it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.engine import Connection, Engine

from bottega.storage.objects import Bucket, BucketMissing, ObjectInfo

SCHEMA_VERSION = 1

_schema = sa.MetaData()
buckets = sa.Table(
    "buckets",
    _schema,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("created", sa.Float, nullable=False),
)
contents = sa.Table(
    "contents",
    _schema,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("bytes", sa.LargeBinary),
    sqlite_autoincrement=True,
)
pieces = sa.Table(
    "pieces",
    _schema,
    sa.Column("content", sa.Integer, primary_key=True),
    sa.Column("ordinal", sa.Integer, primary_key=True),
    sa.Column("file", sa.Text, nullable=False, index=True),
    sa.Column("size", sa.Integer, nullable=False),
    sqlite_with_rowid=False,
)
objects = sa.Table(
    "objects",
    _schema,
    sa.Column("bucket", sa.Text, primary_key=True),
    sa.Column("key", sa.LargeBinary, primary_key=True),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("etag", sa.Text, nullable=False),
    sa.Column("modified", sa.Float, nullable=False),
    sa.Column("content_type", sa.Text, nullable=False),
    sa.Column("metadata", sa.Text, nullable=False),
    sa.Column("checksums", sa.Text, nullable=False),
    sa.Column("content", sa.Integer, nullable=False, index=True),
    sqlite_with_rowid=False,
)
uploads = sa.Table(
    "uploads",
    _schema,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("bucket", sa.Text, nullable=False, index=True),
    sa.Column("key", sa.LargeBinary, nullable=False),
    sa.Column("content_type", sa.Text, nullable=False),
    sa.Column("metadata", sa.Text, nullable=False),
    sa.Column("begun", sa.Float, nullable=False),
)
parts = sa.Table(
    "parts",
    _schema,
    sa.Column("upload", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("etag", sa.Text, nullable=False),
    sa.Column("modified", sa.Float, nullable=False),
    sa.Column("content", sa.Integer, nullable=False, index=True),
    sqlite_with_rowid=False,
)

_FIND = sa.select(*objects.c).where(
    objects.c.bucket == sa.bindparam("b"), objects.c.key == sa.bindparam("k")
)
_PUT = insert(objects)
_PUT = _PUT.on_conflict_do_update(
    index_elements=["bucket", "key"],
    set_={c.name: _PUT.excluded[c.name] for c in objects.c if c.name not in ("bucket", "key")},
)
_MANY = 400
"""How many values one IN clause takes; SQLite allows at least 999 parameters."""


class IndexTooNew(Exception):
    """The folder was written by a later version of bottega."""


@dataclass(frozen=True)
class Entry:
    """An object and where its bytes are."""

    info: ObjectInfo
    content: int


class FolderIndex:
    """The tables, the connections to them, and the statements several operations share."""

    def __init__(self, file: Path) -> None:
        fresh = not file.exists()
        self._reader = self._engine(file, isolation_level="AUTOCOMMIT", pool_size=8)
        self._writer = self._engine(file, pool_size=1)
        # Taken at the beginning, so that what a transaction has read still holds when it writes.
        sa.event.listen(
            self._writer, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE")
        )
        self._turn = threading.Lock()
        with self.write() as connection:
            version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
            if version > SCHEMA_VERSION:
                raise IndexTooNew(
                    f"{file} has layout {version}; this version of bottega knows up to "
                    f"{SCHEMA_VERSION}. Open it with the version that wrote it, or a later one."
                )
            if fresh or version == 0:
                _schema.create_all(connection)
                connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA_VERSION}")

    @staticmethod
    def _engine(file: Path, **options: Any) -> Engine:
        url = sa.URL.create("sqlite", database=str(file))
        engine = sa.create_engine(
            url, max_overflow=-1, connect_args={"check_same_thread": False}, **options
        )

        @sa.event.listens_for(engine, "connect")
        def _prepare(connection: Any, record: object) -> None:
            connection.isolation_level = None
            for pragma in ("journal_mode = WAL", "synchronous = FULL", "busy_timeout = 30000"):
                connection.execute(f"PRAGMA {pragma}").close()

        return engine

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection of which each statement sees the newest state."""
        with self._reader.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """The only write transaction; durable once the block has ended, undone if it raises."""
        with self._turn, self._writer.begin() as connection:
            yield connection

    def close(self) -> None:
        self._reader.dispose()
        self._writer.dispose()


def bucket_of(connection: Connection, name: str) -> Bucket:
    """Raises: BucketMissing."""
    row = connection.execute(sa.select(*buckets.c).where(buckets.c.name == name)).one_or_none()
    if row is None:
        raise BucketMissing(name)
    return Bucket(row.name, row.created)


def find(connection: Connection, bucket: str, key: str) -> Entry | None:
    row = connection.execute(_FIND, {"b": bucket, "k": key.encode()}).one_or_none()
    return Entry(info_of(row), row.content) if row is not None else None


def info_of(row: Any) -> ObjectInfo:
    # By position: a page of a listing makes a thousand of these.
    bucket, key, size, etag, modified, content_type, metadata, checksums, _ = row
    return ObjectInfo(
        bucket,
        key.decode(),
        size,
        etag,
        modified,
        content_type,
        from_json(metadata),
        from_json(checksums),
    )


def from_json(text: str) -> Mapping[str, str]:
    # Most objects have neither metadata nor checksums.
    return json.loads(text) if text != "{}" else {}


def to_json(value: Mapping[str, str] | None) -> str:
    return json.dumps(dict(value or {}), separators=(",", ":"))


def put(connection: Connection, info: ObjectInfo, content: int) -> None:
    connection.execute(
        _PUT,
        {
            "bucket": info.bucket,
            "key": info.key.encode(),
            "size": info.size,
            "etag": info.etag,
            "modified": info.modified,
            "content_type": info.content_type,
            "metadata": to_json(info.metadata),
            "checksums": to_json(info.checksums),
            "content": content,
        },
    )


def add_content(
    connection: Connection, files: Sequence[tuple[str, int]], inline: bytes | None = None
) -> int:
    """A new content of the given files (name, size), or of bytes; returns its id."""
    made = connection.execute(contents.insert(), {"bytes": inline}).inserted_primary_key
    assert made is not None
    content = int(made[0])
    if files:
        connection.execute(
            pieces.insert(),
            [
                {"content": content, "ordinal": ordinal, "file": file, "size": size}
                for ordinal, (file, size) in enumerate(files)
            ],
        )
    return content


def pieces_of(connection: Connection, content: int) -> list[tuple[str, int]]:
    """The files (name, size) of a content, in order."""
    rows = connection.execute(
        sa.select(pieces.c.file, pieces.c.size)
        .where(pieces.c.content == content)
        .order_by(pieces.c.ordinal)
    )
    return [(row.file, row.size) for row in rows]


def bytes_of(connection: Connection, content: int) -> bytes | None:
    """The bytes of a content that is kept in the index; None where it is not, or is gone."""
    found = connection.execute(
        sa.select(contents.c.bytes).where(contents.c.id == content)
    ).one_or_none()
    return found.bytes if found is not None else None


def repoint(connection: Connection, old: int, new: int) -> set[str]:
    """Let every object of one content have another one; returns the files to remove after the
    commit.
    """
    connection.execute(objects.update().where(objects.c.content == old).values(content=new))
    return release(connection, [old])


def release(connection: Connection, candidates: Iterable[int]) -> set[str]:
    """Forget the contents among ``candidates`` that nothing points to any more.

    Returns:
        The files that no content needs now; remove them once the transaction is committed.
    """
    files: set[str] = set()
    for some in _batches(sorted(set(candidates))):
        used = sa.union(
            sa.select(objects.c.content).where(objects.c.content.in_(some)),
            sa.select(parts.c.content).where(parts.c.content.in_(some)),
        )
        dead = sorted(set(some) - set(connection.execute(used).scalars()))
        if not dead:
            continue
        of_dead = pieces.c.content.in_(dead)
        files.update(connection.execute(sa.select(pieces.c.file).where(of_dead)).scalars())
        connection.execute(pieces.delete().where(of_dead))
        connection.execute(contents.delete().where(contents.c.id.in_(dead)))
    for names in _batches(sorted(files)):
        shared = sa.select(pieces.c.file).where(pieces.c.file.in_(names))
        files.difference_update(connection.execute(shared).scalars())
    return files


def all_files(connection: Connection) -> frozenset[str]:
    """Every file that some content needs."""
    return frozenset(connection.execute(sa.select(pieces.c.file).distinct()).scalars())


def remove_objects(connection: Connection, bucket: str, keys: Sequence[str]) -> set[str]:
    """Forget objects; returns the files to remove after the commit."""
    candidates: list[int] = []
    for some in _batches([key.encode() for key in keys]):
        there = (objects.c.bucket == bucket) & objects.c.key.in_(some)
        candidates += connection.execute(sa.select(objects.c.content).where(there)).scalars()
        connection.execute(objects.delete().where(there))
    return release(connection, candidates)


def remove_uploads(connection: Connection, ids: Sequence[str]) -> set[str]:
    """Forget uploads with their parts; returns the files to remove after the commit."""
    candidates: list[int] = []
    for some in _batches(ids):
        theirs = parts.c.upload.in_(some)
        candidates += connection.execute(sa.select(parts.c.content).where(theirs)).scalars()
        connection.execute(parts.delete().where(theirs))
        connection.execute(uploads.delete().where(uploads.c.id.in_(some)))
    return release(connection, candidates)


def _batches(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), _MANY):
        yield values[start : start + _MANY]
