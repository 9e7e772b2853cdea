"""Files whose values have types already: Parquet, ORC; and anything else the engine can scan."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from bottega.wrangler.columns import Column, ColumnType, Schema
from bottega.wrangler.engine.database import Database
from bottega.wrangler.engine.relation import Relation
from bottega.wrangler.errors import DataError
from bottega.wrangler.sources.column_types import typed
from bottega.wrangler.sources.dialect import unique_names
from bottega.wrangler.sources.loading import Loaded, load_texts, stored_query
from bottega.wrangler.sql_text import literal, name

_LONGS = frozenset(
    {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"}
)
_FLOATS = frozenset({"FLOAT", "DOUBLE", "UBIGINT", "HUGEINT", "UHUGEINT"})
_LIST = re.compile(r"(.+)\[\d*\]")


def parquet(paths: Sequence[Path]) -> str:
    """SQL that scans Parquet files, in their order."""
    files = literal([str(path) for path in paths])
    return f"SELECT * FROM read_parquet({files}, union_by_name = true, hive_partitioning = false)"


def orc_batches(paths: Sequence[Path]) -> pa.RecordBatchReader:
    """The stripes of ORC files, one after the other.

    Raises:
        DataError: a file is damaged, or has other columns than the first.
    """
    from pyarrow import orc

    try:
        files = [orc.ORCFile(path) for path in paths]
        schema = files[0].schema
        for path, file in zip(paths, files, strict=True):
            if not file.schema.equals(schema):
                raise DataError(f"{path.name} has other columns than {paths[0].name}.")
    except pa.ArrowException as error:
        raise DataError(f"The file is no ORC file, or is damaged: {error}") from error

    def batches() -> Any:
        for file in files:
            for stripe in range(file.nstripes):
                yield file.read_stripe(stripe)

    return pa.RecordBatchReader.from_batches(schema, batches())


@contextmanager
def arriving(database: Database, paths: Sequence[Path], limit: int | None) -> Iterator[str]:
    """SQL that scans ORC files; what it scans is kept only while the context lasts."""
    table = database.free_name("orc")
    rest = "" if limit is None else f" LIMIT {limit}"
    try:
        with database.cursor() as cursor:
            cursor.register("__arriving", orc_batches(paths))
            cursor.execute(f"CREATE TABLE {name(table)} AS SELECT * FROM __arriving{rest}")
            cursor.unregister("__arriving")
        yield f"SELECT * FROM {name(table)}"
    finally:
        database.execute(f"DROP TABLE IF EXISTS {name(table)}")


def load_table(database: Database, table: pa.Table, types: Mapping[str, ColumnType]) -> Loaded:
    """Bring a table in memory into the database."""
    view = database.free_name("arrived")
    try:
        with database.cursor() as cursor:
            cursor.register("__arriving", table)
            cursor.execute(f"CREATE TABLE {name(view)} AS SELECT * FROM __arriving")
            cursor.unregister("__arriving")
        return load_scan(database, f"SELECT * FROM {name(view)}", types)
    finally:
        database.execute(f"DROP TABLE IF EXISTS {name(view)}")


def natural(described: Sequence[tuple[str, str]]) -> tuple[Schema, dict[str, str], tuple[str, ...]]:
    """The columns that a scan gives here.

    Args:
        described: names and the engine's types.

    Returns:
        The schema, the SQL of each column, and what is odd.
    """
    names, findings = unique_names([column for column, _ in described])
    columns, expressions, notes = [], {}, []
    for column, (source, kind) in zip(names, described, strict=True):
        found, sql = _converted(name(source), kind)
        columns.append(Column(column, found))
        expressions[column] = sql
        if found is ColumnType.STRING and kind.startswith(("STRUCT", "MAP", "BLOB")):
            notes.append(f"Column {column!r} ({_short(kind)}) is read as text.")
        if kind.startswith(("DECIMAL", "UBIGINT", "HUGEINT")):
            notes.append(
                f"Column {column!r} ({_short(kind)}) is read as float: 15 digits are kept."
            )
    return Schema(columns), expressions, (*findings, *notes)


def load_parquet(
    database: Database,
    paths: Sequence[Path],
    types: Mapping[str, ColumnType],
    *,
    limit: int | None = None,
) -> Loaded:
    """Parquet files, which are read where they lie unless columns shall have other types.

    Args:
        database: reads them.
        paths: of the files, in their order.
        types: those that columns shall have other than their own.
        limit: how many rows; all when None.

    Raises:
        DataError: the files are damaged.
    """
    scan = parquet(paths)
    schema, expressions, findings = natural(database.described(scan))
    own = all(types.get(column.name, column.type) is column.type for column in schema)
    if not own or limit is not None:
        return load_scan(database, scan, types, limit=limit)
    return Loaded(Relation.parquet(database, paths, schema, expressions), None, findings)


def load_scan(
    database: Database, scan: str, types: Mapping[str, ColumnType], *, limit: int | None = None
) -> Loaded:
    """Bring what a scan gives into one table, in its order.

    Args:
        database: where the table comes to be.
        scan: SQL.
        types: those that columns shall have other than their own.
        limit: how many rows; all when None.

    Raises:
        DataError: the files are damaged.
    """
    schema, expressions, findings = natural(database.described(scan))
    changed = {
        column.name: types[column.name]
        for column in schema
        if types.get(column.name, column.type) is not column.type
    }
    rest = "" if limit is None else f" LIMIT {limit}"
    if not changed:
        shown = ", ".join(f"{sql} AS {name(column)}" for column, sql in expressions.items())
        loaded = stored_query(database, f"SELECT {shown} FROM ({scan}{rest})", schema)
        return replace(loaded, findings=findings)
    return _retyped(database, f"{scan}{rest}", schema, expressions, changed, findings)


def _retyped(
    database: Database,
    scan: str,
    schema: Schema,
    expressions: Mapping[str, str],
    changed: Mapping[str, ColumnType],
    findings: tuple[str, ...],
) -> Loaded:
    # Texts of the columns that change are judged first, so that a misfit makes the column wider.
    texts = ", ".join(f"({expressions[column]})::VARCHAR AS {name(column)}" for column in changed)
    judged = load_texts(database, f"SELECT {texts} FROM ({scan})", changed)
    judged.discard()
    final = judged.relation.schema
    shown = ", ".join(
        f"{typed(column.name, final.type(column.name))} AS {name(column.name)}"
        if column.name in final
        else name(column.name)
        for column in schema
    )
    inner = ", ".join(
        f"({sql}){'::VARCHAR' if column in final else ''} AS {name(column)}"
        for column, sql in expressions.items()
    )
    wanted = schema.with_columns(final)
    query = f"SELECT {shown} FROM (SELECT {inner} FROM ({scan}))"
    loaded = stored_query(database, query, wanted)
    return replace(loaded, findings=(*findings, *judged.findings))


def _converted(column: str, kind: str) -> tuple[ColumnType, str]:
    if kind in _LONGS:
        return ColumnType.LONG, f"{column}::BIGINT"
    if kind in _FLOATS or kind.startswith("DECIMAL"):
        value = f"{column}::DOUBLE"
        return ColumnType.FLOAT, f"CASE WHEN NOT isnan({value}) THEN {value} END"
    if kind == "BOOLEAN":
        return ColumnType.BOOLEAN, column
    if kind == "DATE":
        return ColumnType.DATE, column
    if kind == "TIMESTAMP WITH TIME ZONE":
        return ColumnType.DATETIME, f"timezone('UTC', {column})"
    if kind.startswith("TIMESTAMP"):
        return ColumnType.DATETIME, f"{column}::TIMESTAMP"
    listed = _LIST.fullmatch(kind)
    if listed:
        if listed[1] in _LONGS | _FLOATS:
            return ColumnType.VECTOR, f"{column}::DOUBLE[]"
        if not _LIST.fullmatch(listed[1]) and not listed[1].startswith(("STRUCT", "MAP")):
            return ColumnType.ARRAY, f"{column}::VARCHAR[]"
    if listed or kind.startswith(("STRUCT", "MAP")):
        return ColumnType.STRING, f"to_json({column})::VARCHAR"
    return ColumnType.STRING, f"{column}::VARCHAR"


def _short(kind: str) -> str:
    return kind if len(kind) <= 40 else f"{kind[:39]}…"
