"""The metadata store on SQLite and PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, Literal, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from bottega.clock import Clock
from bottega.events import EventBus, ResourceChanged
from bottega.storage.change_history import ChangeHistory
from bottega.storage.metadata import (
    JSON,
    Changes,
    MetadataStore,
    Outline,
    Resource,
    ResourceExists,
    ResourceMissing,
    ResourcePage,
    ResourceQuery,
    TooManyTags,
    VersionConflict,
    Written,
)
from bottega.storage.sql_engine import open_database
from bottega.storage.sql_paging import after, listing, token_after
from bottega.storage.sql_schema import resources, tags
from bottega.storage.sql_writes import Refusal, Work, WriteQueue

Outcome = TypeVar("Outcome")

_COLUMNS = (
    resources.c.kind,
    resources.c.name,
    resources.c.arn,
    resources.c.status,
    resources.c.created,
    resources.c.modified,
    resources.c.body,
    resources.c.private,
    resources.c.version,
)

_is_named = sa.and_(
    resources.c.kind == sa.bindparam("the_kind"), resources.c.name == sa.bindparam("the_name")
)
_BY_NAME = sa.select(*_COLUMNS).where(_is_named)
_BY_ARN = sa.select(*_COLUMNS).where(resources.c.arn == sa.bindparam("the_arn"))
# SQLite's transactions exclude each other anyway and leave FOR UPDATE out.
_BY_NAME_LOCKED = _BY_NAME.with_for_update()
_BY_ARN_LOCKED = _BY_ARN.with_for_update()
_TAGS = (
    sa.select(tags.c.key, tags.c.value)
    .select_from(resources.outerjoin(tags, resources.c.arn == tags.c.arn))
    .where(resources.c.arn == sa.bindparam("the_arn"))
    .order_by(tags.c.key)
)
_ALL_TAGS = (
    sa.select(resources.c.name, tags.c.key, tags.c.value)
    .select_from(resources.join(tags, resources.c.arn == tags.c.arn))
    .where(resources.c.kind == sa.bindparam("the_kind"))
    .order_by(resources.c.name, tags.c.key)
)
_TAGS_BY_NAMES = _ALL_TAGS.where(resources.c.name.in_(sa.bindparam("the_names", expanding=True)))
_UPDATE = (
    sa.update(resources)
    .where(
        _is_named,
        resources.c.version == sa.bindparam("the_version"),
        # A resource of the same name that was made anew has the same versions, but not this.
        resources.c.created == sa.bindparam("the_created"),
    )
    .values(
        status=sa.bindparam("new_status"),
        body=sa.bindparam("new_body"),
        private=sa.bindparam("new_private"),
        modified=sa.bindparam("new_modified"),
        version=resources.c.version + 1,
    )
)
_DELETE = sa.delete(resources).where(_is_named)
_OUTLINE = (
    resources.c.name,
    resources.c.status,
    resources.c.created,
    resources.c.modified,
    resources.c.version,
)
_WRITTEN = (resources.c.name, resources.c.modified, resources.c.body)
_BY_NAMES = sa.select(*_COLUMNS).where(
    resources.c.kind == sa.bindparam("the_kind"),
    resources.c.name.in_(sa.bindparam("the_names", expanding=True)),
)
_NAMES_AT_ONCE = 500
_SCANNED_AT_ONCE = 500
_COUNTS = (
    sa.select(resources.c.status, sa.func.count())
    .where(resources.c.kind == sa.bindparam("the_kind"))
    .group_by(resources.c.status)
)
_REMOVE_TAGS = sa.delete(tags).where(
    tags.c.arn == sa.bindparam("the_arn"),
    tags.c.key.in_(sa.bindparam("the_keys", expanding=True)),
)


class SqlMetadataStore(MetadataStore):
    """Resources and tags in SQLite (write-ahead log, flushed at every commit) or PostgreSQL.

    Beyond the port's contract an ARN belongs to one resource only, so names of a kind that differ
    only in case exclude each other: SageMaker's ARNs are in lower case.

    Raises:
        DatabaseUnusable: at construction, when the database cannot be opened.
    """

    def __init__(self, url: str, events: EventBus, clock: Clock) -> None:
        self._database = open_database(url)
        self._clock = clock
        self._history = ChangeHistory()
        self._writes = WriteQueue(self._database.writing, events, self._history.note)
        self._closed = False
        insert: Any = sqlite.insert if self._database.dialect == "sqlite" else postgresql.insert
        fresh = insert(resources).on_conflict_do_nothing()
        self._insert = fresh.execution_options(preserve_rowcount=True)
        upsert = insert(tags)
        self._upsert_tags = upsert.on_conflict_do_update(
            index_elements=[tags.c.arn, tags.c.key], set_={"value": upsert.excluded.value}
        )

    def create(self, resource: Resource, *, tags: Mapping[str, str] | None = None) -> Resource:
        if tags and not resource.arn:
            raise ValueError(f"{resource.kind} {resource.name} has no ARN and so cannot have tags")
        created = replace(resource, version=1)
        row = {
            "kind": created.kind,
            "name": created.name,
            "arn": created.arn or None,
            "status": created.status,
            "created": created.created,
            "modified": created.modified,
            "version": created.version,
            "body": _encode(created.body),
            "private": _encode(created.private),
        }

        def work(connection: sa.Connection) -> tuple[Resource, Sequence[ResourceChanged]]:
            while connection.execute(self._insert, row).rowcount == 0:
                if (existing := _find_clash(connection, created)) is not None:
                    raise Refusal(ResourceExists(existing))
            if tags:
                self._write_tags(connection, created.arn, tags)
            return created, [self._changed("created", created)]

        return self._write(work)

    def get(self, kind: str, name: str) -> Resource:
        with self._read() as connection:
            row = connection.execute(_BY_NAME, {"the_kind": kind, "the_name": name}).first()
        if row is None:
            raise ResourceMissing(f"{kind} {name}")
        return _resource(row)

    def update(self, resource: Resource) -> Resource:
        body, private = _encode(resource.body), _encode(resource.private)

        def work(connection: sa.Connection) -> tuple[Resource, Sequence[ResourceChanged]]:
            updated = replace(resource, modified=self._clock.now(), version=resource.version + 1)
            found = connection.execute(
                _UPDATE,
                {
                    "the_kind": resource.kind,
                    "the_name": resource.name,
                    "the_version": resource.version,
                    "the_created": resource.created,
                    "new_status": updated.status,
                    "new_body": body,
                    "new_private": private,
                    "new_modified": updated.modified,
                },
            ).rowcount
            if not found:
                raise Refusal(VersionConflict(f"{resource.kind} {resource.name}"))
            return updated, [self._changed("updated", updated)]

        return self._write(work)

    def delete(self, kind: str, name: str, *, seen: Resource | None = None) -> None:
        key = {"the_kind": kind, "the_name": name}

        def work(connection: sa.Connection) -> tuple[None, Sequence[ResourceChanged]]:
            row = connection.execute(_BY_NAME_LOCKED, key).first()
            if row is None:
                raise Refusal(ResourceMissing(f"{kind} {name}"))
            present = _resource(row)
            if seen is not None and not present.same_as(seen):
                raise Refusal(VersionConflict(f"{kind} {name}"))
            connection.execute(_DELETE, key)
            return None, [self._changed("deleted", present)]

        self._write(work)

    def page(self, query: ResourceQuery, *, limit: int, token: str = "") -> ResourcePage:
        statement = listing(query, _COLUMNS)
        if token:
            statement = after(statement, query, token)
        with self._read() as connection:
            rows = connection.execute(statement.limit(limit + 1)).all()
        found = tuple(_resource(row) for row in rows[:limit])
        more = len(rows) > limit and found
        return ResourcePage(found, token_after(query, found[-1]) if more else "")

    def outlines(self, query: ResourceQuery) -> tuple[Outline, ...]:
        with self._read() as connection:
            rows = connection.execute(listing(query, _OUTLINE)).all()
        return tuple(map(Outline._make, rows))

    def scan(self, kind: str) -> Iterator[Written]:
        query = ResourceQuery(kind, sort_by="name", descending=False)
        first = listing(query, _WRITTEN).limit(_SCANNED_AT_ONCE)
        statement = first
        while True:
            with self._read() as connection:
                rows = connection.execute(statement).all()
            yield from map(Written._make, rows)
            if len(rows) < _SCANNED_AT_ONCE:
                return
            statement = first.where(resources.c.name > rows[-1].name)

    def changes(self, kind: str, since: int) -> Changes:
        return self._history.since(kind, since)

    def all_tags(
        self, kind: str, names: Iterable[str] | None = None
    ) -> Mapping[str, Mapping[str, str]]:
        found: dict[str, dict[str, str]] = {}
        with self._read() as connection:
            if names is None:
                rows = connection.execute(_ALL_TAGS, {"the_kind": kind}).all()
            else:
                rows = [
                    row
                    for some in _in_parts(names)
                    for row in connection.execute(
                        _TAGS_BY_NAMES, {"the_kind": kind, "the_names": some}
                    )
                ]
        for name, key, value in rows:
            found.setdefault(name, {})[key] = value
        return found

    def get_many(self, kind: str, names: Iterable[str]) -> Mapping[str, Resource]:
        found: dict[str, Resource] = {}
        with self._read() as connection:
            for some in _in_parts(names):
                rows = connection.execute(_BY_NAMES, {"the_kind": kind, "the_names": some})
                found.update((row.name, _resource(row)) for row in rows)
        return found

    def counts(self, kind: str) -> Mapping[str, int]:
        with self._read() as connection:
            rows = connection.execute(_COUNTS, {"the_kind": kind}).all()
        return {status: int(count) for status, count in rows}

    def set_tags(
        self, arn: str, tags: Mapping[str, str], *, limit: int | None = None
    ) -> Mapping[str, str]:
        def work(
            connection: sa.Connection,
        ) -> tuple[Mapping[str, str], Sequence[ResourceChanged]]:
            tagged = _tagged(connection, arn)
            present = _tags(connection, arn)
            wanted = dict(sorted((present | dict(tags)).items()))
            if limit is not None and len(wanted) > limit:
                raise Refusal(TooManyTags(f"{arn} would have {len(wanted)} tags"))
            if wanted == present:
                return present, []
            self._write_tags(connection, arn, tags)
            return wanted, [self._changed("updated", tagged)]

        return self._write(work)

    def remove_tags(self, arn: str, keys: Sequence[str]) -> None:
        def work(connection: sa.Connection) -> tuple[None, Sequence[ResourceChanged]]:
            tagged = _tagged(connection, arn)
            removed = connection.execute(_REMOVE_TAGS, {"the_arn": arn, "the_keys": list(keys)})
            return None, [self._changed("updated", tagged)] if removed.rowcount else []

        self._write(work)

    def tags(self, arn: str) -> Mapping[str, str]:
        with self._read() as connection:
            return _tags(connection, arn)

    def close(self) -> None:
        self._closed = True
        self._database.close()

    def _read(self) -> sa.Connection:
        self._check_open()
        return self._database.reading.connect()

    def _write(self, work: Work[Outcome]) -> Outcome:
        self._check_open()
        return self._writes.run(work)

    def _check_open(self) -> None:
        if self._closed:
            raise RuntimeError("the metadata store is closed")

    def _write_tags(self, connection: sa.Connection, arn: str, tags: Mapping[str, str]) -> None:
        rows = [{"arn": arn, "key": key, "value": value} for key, value in tags.items()]
        connection.execute(self._upsert_tags, rows)

    def _changed(
        self, change: Literal["created", "updated", "deleted"], resource: Resource
    ) -> ResourceChanged:
        return ResourceChanged(
            time=self._clock.now(),
            change=change,
            kind=resource.kind,
            name=resource.name,
            status=resource.status,
            version=resource.version,
        )


def _find_clash(connection: sa.Connection, wanted: Resource) -> Resource | None:
    row = connection.execute(_BY_NAME, {"the_kind": wanted.kind, "the_name": wanted.name}).first()
    if row is None:
        row = connection.execute(_BY_ARN, {"the_arn": wanted.arn}).first()
    return None if row is None else _resource(row)


def _tagged(connection: sa.Connection, arn: str) -> Resource:
    row = connection.execute(_BY_ARN_LOCKED, {"the_arn": arn}).first()
    if row is None:
        raise Refusal(ResourceMissing(arn))
    return _resource(row)


def _in_parts(names: Iterable[str]) -> Iterator[list[str]]:
    """Names in lists that are short enough for one statement."""
    rest = iter(names)
    while some := list(islice(rest, _NAMES_AT_ONCE)):
        yield some


def _tags(connection: sa.Connection, arn: str) -> dict[str, str]:
    rows = connection.execute(_TAGS, {"the_arn": arn}).all()
    if not rows:
        raise ResourceMissing(arn)
    return {key: value for key, value in rows if key is not None}


def _resource(row: Iterable[Any]) -> Resource:
    kind, name, arn, status, created, modified, body, private, version = row
    return Resource(
        kind=kind,
        name=name,
        arn=arn or "",
        status=status,
        created=created,
        modified=modified,
        body=_decode(body),
        private=_decode(private),
        version=version,
    )


def _encode(document: JSON) -> str:
    return json.dumps(document, separators=(",", ":"))


def _decode(text: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(text)
    return document
