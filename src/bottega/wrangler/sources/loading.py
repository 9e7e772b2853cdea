"""Texts into tables with types; a text that does not fit makes its column wider."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from bottega.wrangler.columns import Column, ColumnType, Schema
from bottega.wrangler.engine.database import Database
from bottega.wrangler.engine.relation import Relation
from bottega.wrangler.errors import DataError
from bottega.wrangler.sources.column_types import MISFIT, WIDER, misfits, typed
from bottega.wrangler.sql_text import literal, name

_PER_QUERY = 50


@dataclass(frozen=True)
class Loaded:
    """A table in the engine, and what was odd."""

    relation: Relation
    file: Path | None
    """Where the rows were written; None where they are read from the source's own files."""
    findings: tuple[str, ...] = ()

    def discard(self) -> None:
        """Remove what was written."""
        if self.file is not None:
            self.file.unlink(missing_ok=True)


def load_texts(
    database: Database,
    source: str,
    types: Mapping[str, ColumnType],
    *,
    comma: bool = False,
    limit: int | None = None,
) -> Loaded:
    """Bring texts into one table, in their order.

    Args:
        database: where the table comes to be.
        source: SQL that gives the texts, NULL where nothing is.
        types: of all columns, in the order of the table.
        comma: whether decimals have a comma.
        limit: how many rows; all when None.

    Raises:
        DataError: the texts cannot be read at all.
    """
    limited = source if limit is None else f"SELECT * FROM ({source}) LIMIT {limit}"
    try:
        return _stored(database, limited, types, comma)
    except DataError as error:
        if MISFIT not in error.message:
            raise
    wider, findings = _widened(database, limited, types, comma)
    return replace(_stored(database, limited, wider, comma), findings=tuple(findings))


def stored_query(database: Database, query: str, schema: Schema) -> Loaded:
    """The rows of a query, kept as a Parquet file of the database's: it is written faster than a
    table, and is smaller.

    Args:
        database: runs the query.
        query: SQL that gives the schema's columns in their order.
        schema: of the table.
    """
    file = database.folder / f"{database.free_name('source')}.parquet"
    if len(schema):
        database.execute(f"COPY ({query}) TO {literal(str(file))} (FORMAT parquet)")
        return Loaded(Relation.parquet(database, [file], schema), file)
    raise DataError("The source has no columns.")


def _stored(
    database: Database, source: str, types: Mapping[str, ColumnType], comma: bool
) -> Loaded:
    columns = ", ".join(
        f"{typed(column, kind, comma=comma)} AS {name(column)}" for column, kind in types.items()
    )
    schema = Schema(Column(column, kind) for column, kind in types.items())
    return stored_query(database, f"SELECT {columns} FROM ({source})", schema)


def _widened(
    database: Database, source: str, types: Mapping[str, ColumnType], comma: bool
) -> tuple[dict[str, ColumnType], list[str]]:
    """Types that every text fits, and which columns that changed."""
    candidates = [
        (column, other)
        for column, kind in types.items()
        if kind is not ColumnType.STRING
        for other in (kind, *_wider(kind))
    ]
    counts: dict[tuple[str, ColumnType], int] = {}
    for start in range(0, len(candidates), _PER_QUERY):
        some = candidates[start : start + _PER_QUERY]
        wanted = ", ".join(misfits(column, kind, comma=comma) for column, kind in some)
        (row,) = database.rows(f"SELECT {wanted} FROM ({source})")
        counts |= dict(zip(some, row, strict=True))
    result, findings = dict(types), []
    for column, kind in types.items():
        odd = counts.get((column, kind), 0)
        if odd:
            result[column] = next(other for other in _wider(kind) if not counts[column, other])
            one = "1 of its values is" if odd == 1 else f"{odd} of its values are"
            findings.append(f"Column {column!r} is {result[column]}, because {one} not {kind}.")
    return result, findings


def _wider(kind: ColumnType) -> tuple[ColumnType, ...]:
    return WIDER.get(kind, (ColumnType.STRING,))
