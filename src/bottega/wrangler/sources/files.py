"""The tables of SOURCE nodes: see :class:`FileSources`."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bottega.wrangler.columns import Column, Schema
from bottega.wrangler.engine.database import Database
from bottega.wrangler.engine.relation import Relation
from bottega.wrangler.errors import DataError, FlowError, ParameterError
from bottega.wrangler.flow.document import Node
from bottega.wrangler.sources.loading import Loaded
from bottega.wrangler.sources.nodes import Source
from bottega.wrangler.sources.plans import SAMPLE, Plan, plan
from bottega.wrangler.sources.queries import QueryPlan, plan_query

Fetch = Callable[[str], list[Path]]
"""Gives local paths of what an ``s3://`` URI, an object or a prefix, names."""
SHOWN = 100
_MOST_FILES = 10_000


@dataclass
class _Known:
    """What is known of a source while its data do not change."""

    plan: Plan | QueryPlan
    lock: threading.Lock = field(default_factory=threading.Lock)
    whole: Loaded | None = None
    samples: dict[int, Loaded] = field(default_factory=dict)


@dataclass(frozen=True)
class Detected:
    """What was found out about a source."""

    format: str
    options: Mapping[str, Any]
    choices: Mapping[str, Any]
    schema: Schema
    rows: list[list[Any]]
    findings: list[str]
    bytes: int | None = None


class FileSources:
    """Reads sources into a database, each once as long as its data do not change.

    May be used from several threads: a sample does not wait for the whole.

    Args:
        database: where tables come to be.
        folder: where the paths of files begin, the folder of the flow; None when there is none.
        fetch: gives local paths of objects of S3; None when there are none.
    """

    def __init__(
        self, database: Database, folder: Path | None = None, fetch: Fetch | None = None
    ) -> None:
        self._database = database
        self._folder = folder
        self._fetch = fetch
        self._lock = threading.Lock()
        self._known: dict[str, _Known] = {}

    def relation(self, node: Node) -> Relation:
        """The whole table of a source.

        Raises:
            FlowError: it cannot be read; says what, where and what to do.
        """
        return self._whole(self._found(Source.of(node))).relation

    def sample(self, node: Node, rows: int = SAMPLE) -> Relation:
        """The first rows of a source.

        Columns have the types that :meth:`relation` gives them as far as those are known.

        Raises:
            FlowError: it cannot be read; says what, where and what to do.
        """
        return self._sample(self._found(Source.of(node)), rows).relation

    def findings(self, node: Node) -> list[str]:
        """What is odd about a source, as far as it has been read, in sentences."""
        known = self._found(Source.of(node))
        loads = [known.whole] if known.whole else list(known.samples.values())
        found = [*known.plan.findings, *(text for load in loads for text in load.findings)]
        return list(dict.fromkeys(found))

    def known(self, node: Node) -> tuple[str, Mapping[str, Any]]:
        """The format of a source and its options, as they were found out or given."""
        plan = self._found(Source.of(node)).plan
        return plan.format, plan.options

    def fingerprint(self, node: Node) -> str:
        """Changes when the data may have changed.

        Raises:
            FlowError: there are no data.
        """
        return self._key(Source.of(node))

    def detect(self, source: Mapping[str, Any]) -> Detected:
        """Find out what a source is.

        Args:
            source: in the shape ``FlowSource``; options given in it are taken as they are.

        Raises:
            FlowError: it cannot be read; says what, where and what to do.
        """
        given = Source.given(source)
        known = self._found(given)
        some = self._sample(known, SHOWN)
        size = None if given.kind == "sql" else sum(p.stat().st_size for p in self._paths(given))
        table = some.relation.arrow().to_pylist()
        return Detected(
            known.plan.format,
            known.plan.options,
            known.plan.choices,
            Schema(Column(c.name, c.type) for c in some.relation.schema),
            [list(row.values()) for row in table],
            list(dict.fromkeys([*known.plan.findings, *some.findings])),
            size,
        )

    def _found(self, source: Source) -> _Known:
        key = self._key(source)
        with self._lock:
            found = self._known.get(key)
        if found is None:
            made = self._planned(source)
            with self._lock:
                found = self._known.setdefault(key, _Known(made))
        return found

    def _planned(self, source: Source) -> Plan | QueryPlan:
        if source.kind == "sql":
            return plan_query(
                self._database, source.uri, source.query, source.options, self._folder
            )
        return plan(
            self._database, self._paths(source), source.options, filename=source.adds_filename
        )

    def _whole(self, known: _Known) -> Loaded:
        with known.lock:
            if known.whole is None:
                known.whole = known.plan.load(None)
                # What the whole has taught about types holds for the sample, too.
                known.plan.types.update(
                    {column.name: column.type for column in known.whole.relation.schema}
                )
            return known.whole

    def _sample(self, known: _Known, rows: int) -> Loaded:
        with self._lock:
            found = known.samples.get(rows)
        if found is None:
            made = known.plan.load(rows)
            with self._lock:
                found = known.samples.setdefault(rows, made)
            if found is not made:
                made.discard()
        return found

    def _key(self, source: Source) -> str:
        part: list[Any] = [
            source.kind, source.uri, source.query, source.options, source.nested,
            source.adds_filename, source.is_manifest,
        ]  # fmt: skip
        if source.kind != "sql":
            for path in self._paths(source):
                stat = path.stat()
                part.append([str(path), stat.st_size, stat.st_mtime_ns, stat.st_ino])
        return json.dumps(part, sort_keys=True)

    def _paths(self, source: Source) -> list[Path]:
        if source.kind == "file":
            return self._local(source.uri)
        if self._fetch is None:
            raise FlowError(f"{source.uri} cannot be read here: there is no S3.")
        uris = [source.uri]
        if source.is_manifest:
            uris = _manifest(self._fetch(source.uri), source.uri)
        paths = [path for uri in uris for path in self._fetch(uri)]
        shown = [path for path in paths if not path.name.startswith(("_", "."))]
        if not source.nested and shown:
            top = min(len(path.parts) for path in shown)
            shown = [path for path in shown if len(path.parts) == top]
        return _some(shown, source.uri)

    def _local(self, uri: str) -> list[Path]:
        if "\0" in uri:
            raise ParameterError("Uri", "A path has no NUL characters.")
        path = Path(uri).expanduser()
        if not path.is_absolute():
            if self._folder is None:
                raise ParameterError("Uri", f"{uri!r} says no folder, and the flow has none.")
            path = self._folder / path
        try:
            if path.is_dir():
                found = sorted(p for p in path.iterdir() if p.is_file())
                return _some([p for p in found if not p.name.startswith(("_", "."))], uri)
            if not path.is_file():
                raise DataError(
                    f"There is no file {uri!r} in {str(self._folder) or 'the folder'!r}."
                    if not Path(uri).is_absolute()
                    else f"There is no file {uri!r}."
                )
        except OSError as error:
            raise DataError(f"{uri!r} cannot be read: {error.strerror}.") from error
        return [path]


def _some(paths: list[Path], uri: str) -> list[Path]:
    if not paths:
        raise DataError(f"There are no files at {uri}.")
    if len(paths) > _MOST_FILES:
        raise DataError(f"There are {len(paths)} files at {uri}; at most {_MOST_FILES} are read.")
    return paths


def _manifest(paths: list[Path], uri: str) -> list[str]:
    try:
        (path,) = paths
        entries = json.loads(path.read_bytes())
        prefix = entries[0]["prefix"] if isinstance(entries[0], dict) else ""
        names = entries[1:] if prefix else entries
        if not all(isinstance(name, str) for name in names):
            raise TypeError
    except (ValueError, TypeError, LookupError) as error:
        raise DataError(
            f"{uri} is no manifest: a list of a mapping with the prefix, and names."
        ) from error
    return [prefix + name for name in names]
