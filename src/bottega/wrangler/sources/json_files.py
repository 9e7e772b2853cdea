"""JSON: an object a line, a list of objects, or one object that holds the table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bottega.wrangler.columns import Column, ColumnType, Schema
from bottega.wrangler.engine.database import Database
from bottega.wrangler.errors import DataError
from bottega.wrangler.sources.column_types import types_of
from bottega.wrangler.sources.dialect import unique_names
from bottega.wrangler.sources.loading import stored_query
from bottega.wrangler.sql_text import literal, name

_LARGEST_DOCUMENT = 256 << 20
_MOST_KEYS = 10_000
_WHOLE = frozenset({"UBIGINT", "BIGINT"})
_NUMBERS = _WHOLE | {"DOUBLE", "HUGEINT", "UHUGEINT"}


def scan_of(paths: Sequence[Path]) -> str:
    """SQL that gives the records of files, in their order, each as JSON in a column ``json``."""
    files = literal([str(path) for path in paths])
    return f"SELECT json FROM read_json_objects({files}, format = 'auto', compression = 'none')"


def keys_of(database: Database, scan: str) -> tuple[str, ...]:
    """The keys of all records, in the order in which they first come up.

    Raises:
        DataError: a record is no object, or there are no keys, or far too many.
    """
    numbered = f"SELECT json, row_number() OVER () AS n FROM ({scan})"
    odd = database.rows(
        f"SELECT n, json_type(json) FROM ({numbered}) WHERE json_type(json) <> 'OBJECT' "
        "ORDER BY n LIMIT 1"
    )
    if odd:
        raise DataError(
            f"Record {odd[0][0]} of the JSON is no object but {odd[0][1].lower()}; a table is a "
            "list of objects, or an object a line."
        )
    rows = database.rows(
        "SELECT key FROM (SELECT unnest(keys) AS key, n, unnest(range(len(keys))) AS place FROM "
        f"(SELECT json_keys(json) AS keys, n FROM ({numbered}))) GROUP BY key "
        f"ORDER BY min(n), min_by(place, n) LIMIT {_MOST_KEYS + 1}"
    )
    if not rows:
        raise DataError("The JSON has no records.")
    if len(rows) > _MOST_KEYS:
        raise DataError(
            f"The records of the JSON have more than {_MOST_KEYS} different keys; what is a key "
            "here may be meant as a value."
        )
    return tuple(row[0] for row in rows)


def texts(scan: str, columns: Mapping[str, str]) -> str:
    """SQL that gives the texts of records, NULL where nothing is.

    Args:
        scan: see :func:`scan_of`.
        columns: keys by the names of their columns.
    """
    items = ", ".join(f"json ->> {_pointer(key)} AS {name(c)}" for c, key in columns.items())
    return f"SELECT {items} FROM ({scan})"


def detected(
    database: Database, scan: str, columns: Mapping[str, str]
) -> tuple[dict[str, ColumnType], tuple[str, ...]]:
    """The types of the columns, and what is odd."""
    shown = ", ".join(
        f"list_sort(list(DISTINCT json_type(json, {_pointer(key)})) FILTER "
        f"(json_type(json, {_pointer(key)}) <> 'NULL'))"
        for key in columns.values()
    )
    (kinds,) = database.rows(f"SELECT {shown} FROM ({scan})")
    schema = Schema(Column(column, ColumnType.STRING) for column in columns)
    some = stored_query(database, texts(scan, columns), schema)
    types: dict[str, ColumnType] = {}
    nested = []
    for column, found in zip(columns, kinds, strict=True):
        kind = frozenset(found or ())
        if kind and kind <= _WHOLE:
            types[column] = ColumnType.LONG
        elif kind and kind <= _NUMBERS:
            types[column] = ColumnType.FLOAT
        elif kind == {"BOOLEAN"}:
            types[column] = ColumnType.BOOLEAN
        else:
            types[column] = ColumnType.STRING
            if kind & {"OBJECT", "ARRAY"}:
                nested.append(column)
    texts_only = [
        column for column, found in zip(columns, kinds, strict=True) if found == ["VARCHAR"]
    ]
    # A number between quotes is meant as text; a date has no other way to be written.
    for column, guess in types_of(some.relation, texts_only).items():
        if guess.type.is_time:
            types[column] = guess.type
    findings = [
        f"Column {column!r} holds objects or lists; they are JSON texts." for column in nested
    ]
    some.discard()
    return types, tuple(findings)


def columns_of(keys: Sequence[str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Names of columns for keys, and what was changed."""
    names, findings = unique_names(keys)
    return dict(zip(names, keys, strict=True)), findings


def as_lines(path: Path, target: Path) -> Path | None:
    """A document that is one object holding a table, written as an object a line.

    The table may be a list of objects under the only key with a list, or a list for every column.

    Returns:
        Where it is; None when the document has records already.

    Raises:
        DataError: the object is too large to look into.
    """
    with path.open(encoding="utf-8-sig") as stream:
        start = stream.read(1 << 16).lstrip()
        if not start.startswith("{"):
            return None
        stream.seek(0)
        if path.stat().st_size > _LARGEST_DOCUMENT:
            return None
        try:
            document = json.load(stream)
        except ValueError:  # several records, one after the other; or damaged, which is told later
            return None
    rows = _rows(document)
    with target.open("w", encoding="utf-8") as out:
        for row in rows:
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
    return target


def _rows(document: Mapping[str, Any]) -> Sequence[Any]:
    lists = {key: value for key, value in document.items() if isinstance(value, list)}
    if len(lists) == len(document) > 0 and len({len(v) for v in lists.values()}) == 1:
        columns = list(lists.values())
        if not all(isinstance(cell, dict) for column in columns for cell in column):
            return [dict(zip(lists, row, strict=True)) for row in zip(*columns, strict=True)]
    tables = [v for v in lists.values() if v and all(isinstance(cell, dict) for cell in v)]
    return tables[0] if len(tables) == 1 else [document]


def _pointer(key: str) -> str:
    return literal("/" + key.replace("~", "~0").replace("/", "~1"))
