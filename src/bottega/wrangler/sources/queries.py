"""What databases answer: one query, read only, in batches."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from bottega.wrangler.columns import NUMBERS, TIMES, ColumnType
from bottega.wrangler.engine.arrow_types import ARROW
from bottega.wrangler.engine.database import Database
from bottega.wrangler.errors import DataError, ParameterError
from bottega.wrangler.sources.dialect import unique_names
from bottega.wrangler.sources.loading import Loaded
from bottega.wrangler.sources.typed_files import load_scan
from bottega.wrangler.sql_text import literal, name

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection

_BATCH = 10_000
_FIRST = 1_000
_LONGEST = 1 << 63
_DIALECTS = {
    "postgresql": "postgres", "mysql": "mysql", "mariadb": "mysql", "sqlite": "sqlite",
    "mssql": "tsql", "oracle": "oracle", "snowflake": "snowflake", "redshift": "redshift",
    "bigquery": "bigquery", "trino": "trino", "presto": "presto", "duckdb": "duckdb",
    "databricks": "databricks", "hive": "hive",
}  # fmt: skip


@dataclass
class QueryPlan:
    """How the rows of a query are read."""

    database: Database
    url: URL
    query: str
    types: dict[str, ColumnType]
    findings: tuple[str, ...] = ()
    format: str = "sql"
    options: dict[str, Any] = field(default_factory=dict)
    choices: dict[str, Any] = field(default_factory=dict)

    def load(self, limit: int | None) -> Loaded:
        """Read so many rows, or all.

        Raises:
            DataError: the database refuses; the password is not told.
        """
        with _answer(self.url, self.query) as (columns, batches):
            return _written(self.database, columns, batches, self.types, limit)


def plan_query(
    database: Database,
    url: str,
    query: str,
    options: Mapping[str, Any],
    folder: Path | None,
) -> QueryPlan:
    """Find out what a query gives.

    Args:
        database: where tables come to be.
        url: of SQLAlchemy's.
        query: one that only reads.
        options: ``Types`` is heeded.
        folder: where the path of an SQLite file begins.

    Raises:
        ParameterError: the URL or the query cannot be used.
        DataError: the database refuses.
    """
    target = _checked_url(url, folder)
    check_query(query, target.get_backend_name())
    wanted = {column: ColumnType(kind) for column, kind in (options.get("Types") or {}).items()}
    found = QueryPlan(database, target, query, wanted)
    loaded = found.load(_FIRST)
    loaded.discard()
    found.options = {"Types": {c.name: str(c.type) for c in loaded.relation.schema}}
    found.findings = loaded.findings
    return found


def check_query(query: str, backend: str) -> None:
    """Refuse what is not one query that only reads.

    Args:
        query: SQL.
        backend: SQLAlchemy's name of the database.

    Raises:
        ParameterError: it is no SQL, several statements, or one that changes something.
    """
    import sqlglot
    from sqlglot import exp

    try:
        statements = [one for one in sqlglot.parse(query, read=_DIALECTS.get(backend)) if one]
    except sqlglot.errors.SqlglotError as error:
        first = str(error).split("\n", 1)[0]
        raise ParameterError("Query", f"The query cannot be understood: {first}") from error
    if len(statements) != 1:
        raise ParameterError("Query", f"A source has one query, not {len(statements)} statements.")
    changing = (exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Create, exp.Drop, exp.Into,
                exp.Command, exp.Lock)  # fmt: skip
    found = statements[0].find(*changing)
    if not isinstance(statements[0], exp.Query) or found is not None:
        what = (found or statements[0]).key.upper()
        raise ParameterError("Query", f"A source only reads: a SELECT, and no {what}.")


def shown_url(url: str) -> str:
    """A URL without its password."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(url).render_as_string(hide_password=True)
    except (ArgumentError, ValueError):
        return "the URL"


def _checked_url(url: str, folder: Path | None) -> URL:
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError

    try:
        target = make_url(url)
        target.get_dialect()
    except NoSuchModuleError as error:
        raise ParameterError("Uri", f"The database is unknown here: {error}.") from error
    except (ArgumentError, ValueError) as error:
        # The URL itself is not told: it may hold a password.
        raise ParameterError(
            "Uri", "The URL is none of SQLAlchemy's, such as postgresql+psycopg://user@host/name."
        ) from error
    if target.get_backend_name() != "sqlite":
        return target
    path = Path(target.database or "")
    if not path.is_absolute() and folder is not None:
        path = folder / path
    if not target.database or not path.is_file():  # opening would make an empty one
        raise DataError(f"There is no SQLite file {target.database or ''!r}.")
    return target.set(database=str(path))


@contextmanager
def _answer(url: URL, query: str) -> Iterator[tuple[list[str], Iterator[Sequence[Any]]]]:
    from sqlalchemy import create_engine, text
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.pool import NullPool

    try:
        engine = create_engine(url, poolclass=NullPool)
    except ImportError as error:
        raise DataError(f"The driver of the database is not installed: {error.name}.") from error
    try:
        with engine.connect() as connection:
            _read_only(connection, url.get_backend_name())
            # Colons of the query's own are no parameters.
            statement = text(query.replace(":", "\\:"))
            answer = connection.execution_options(stream_results=True, yield_per=_BATCH).execute(
                statement
            )
            yield list(answer.keys()), answer.partitions(_BATCH)
            connection.rollback()
    except SQLAlchemyError as error:
        words = str(getattr(error, "orig", None) or error).strip().split("\n", 1)[0]
        if url.password:
            words = words.replace(str(url.password), "***")
        raise DataError(f"The database refuses: {words}") from error
    finally:
        engine.dispose()


def _read_only(connection: Connection, backend: str) -> None:
    statement = {
        "sqlite": "PRAGMA query_only = ON",
        "postgresql": "SET TRANSACTION READ ONLY",
        "mysql": "SET TRANSACTION READ ONLY",
        "mariadb": "SET TRANSACTION READ ONLY",
    }.get(backend)
    if statement is not None:
        connection.exec_driver_sql(statement)


def _written(
    database: Database,
    columns: Sequence[str],
    batches: Iterator[Sequence[Any]],
    wanted: Mapping[str, ColumnType],
    limit: int | None,
) -> Loaded:
    names, findings = unique_names(columns)
    parts = _Parts(database, names)
    rest = limit
    for batch in batches:
        rows = batch if rest is None else batch[:rest]
        parts.append(rows)
        rest = None if rest is None else rest - len(rows)
        if rest == 0:
            break
    try:
        loaded = load_scan(database, parts.scan(), wanted)
    finally:
        parts.remove()
    return replace(loaded, findings=(*findings, *loaded.findings))


class _Parts:
    """The rows of an answer as Parquet files; a new one begins where a column becomes wider."""

    def __init__(self, database: Database, names: Sequence[str]) -> None:
        self._database = database
        self._kinds: dict[str, ColumnType | None] = dict.fromkeys(names)
        self._paths: list[Path] = []
        self._writer: pq.ParquetWriter | None = None

    def append(self, rows: Sequence[Any]) -> None:
        """Write further rows."""
        columns = list(zip(*rows, strict=True)) or [()] * len(self._kinds)
        kinds = {
            name: _merged(kind, {_kind(value) for value in values} - {None})
            for (name, kind), values in zip(self._kinds.items(), columns, strict=True)
        }
        if kinds != self._kinds or self._writer is None:
            self._kinds = kinds
            self._begin()
        types = [kind or ColumnType.STRING for kind in kinds.values()]
        arrays = [
            pa.array([_value(value, kind) for value in values], ARROW[kind])
            for values, kind in zip(columns, types, strict=True)
        ]
        assert self._writer is not None
        self._writer.write_table(pa.table(arrays, names=list(kinds)))

    def scan(self) -> str:
        """SQL that gives all rows, in their order, each column as wide as it has become."""
        if not self._paths:
            self.append(())
        self._close()
        shown = ", ".join(
            f"{name(column)}::{(kind or ColumnType.STRING).duckdb} AS {name(column)}"
            for column, kind in self._kinds.items()
        )
        return " UNION ALL ".join(
            f"SELECT {shown} FROM read_parquet({literal(str(path))})" for path in self._paths
        )

    def remove(self) -> None:
        """Remove the files."""
        self._close()
        for path in self._paths:
            path.unlink(missing_ok=True)

    def _begin(self) -> None:
        self._close()
        path = self._database.folder / f"{self._database.free_name('answer')}.parquet"
        fields = [(c, ARROW[kind or ColumnType.STRING]) for c, kind in self._kinds.items()]
        self._paths.append(path)
        self._writer = pq.ParquetWriter(path, pa.schema(fields))

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def _kind(value: Any) -> ColumnType | None:
    match value:
        case None:
            return None
        case bool():
            return ColumnType.BOOLEAN
        case int():
            return ColumnType.LONG if -_LONGEST <= value < _LONGEST else ColumnType.FLOAT
        case float() | Decimal():
            return ColumnType.FLOAT if value == value else None
        case datetime():
            return ColumnType.DATETIME
        case date():
            return ColumnType.DATE
    return ColumnType.STRING


def _merged(old: ColumnType | None, found: set[Any]) -> ColumnType | None:
    kinds = found | ({old} if old is not None else set())
    if len(kinds) <= 1:
        return next(iter(kinds), None)
    if kinds <= NUMBERS:
        return ColumnType.FLOAT
    return ColumnType.DATETIME if kinds <= TIMES else ColumnType.STRING


def _value(value: Any, kind: ColumnType) -> Any:
    if value is None or value != value:
        return None
    match kind:
        case ColumnType.FLOAT:
            return float(value)
        case ColumnType.DATETIME:
            if not isinstance(value, datetime):
                return datetime(value.year, value.month, value.day)
            return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
        case ColumnType.STRING:
            return _text(value)
    return value


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode("utf-8", "replace")
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    return str(value)
