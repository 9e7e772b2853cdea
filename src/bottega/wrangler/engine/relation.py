"""A table inside the engine: the query that gives it, and its schema."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bottega.wrangler.columns import ROW, Schema
from bottega.wrangler.engine.database import Database
from bottega.wrangler.sql_text import escaped, literal, name, names
from bottega.wrangler.transform import Columns, Query, Rows

if TYPE_CHECKING:
    import pandas as pd

_PLACE = re.compile(r"\{(\w+)\}|\{\{|\}\}")


class Kept:
    """Stands for a table or a file that relations read."""


@dataclass(frozen=True)
class Relation:
    """The table that a chain of named queries ends in. Nothing is computed until it is asked.

    It is the :class:`~bottega.wrangler.transform.Table` that transforms learn from.
    """

    database: Database
    schema: Schema
    """Without the hidden column."""
    queries: tuple[tuple[str, str], ...]
    """(name, SQL) of common table expressions, each after those that it mentions. The last one is
    the table, with the hidden column and those of the schema."""
    ordered: bool = True
    """Whether it comes in the order of the hidden column without being sorted."""
    dense: bool = False
    """Whether the hidden column counts 0, 1, 2, … in the order of the table."""
    kept: tuple[Kept, ...] = field(default=(), compare=False, repr=False)
    """What must stay in the database as long as somebody has the relation."""

    def keeping(self, remove: Callable[[], object]) -> Relation:
        """The same relation; once it and all that came of it are gone, something is removed."""
        kept = Kept()
        self.database.remove_with(kept, remove)
        return replace(self, kept=(*self.kept, kept))

    @classmethod
    def stored(cls, database: Database, table: str, schema: Schema) -> Relation:
        """A table of the database, in the order in which it was written."""
        sql = f"SELECT rowid AS {ROW}, {names(schema.names)} FROM {name(table)}"
        return cls(database, schema, ((_query_name(0), sql),), dense=True)

    @classmethod
    def parquet(
        cls,
        database: Database,
        paths: Sequence[Path],
        schema: Schema,
        expressions: Mapping[str, str] | None = None,
    ) -> Relation:
        """The rows of Parquet files, read where they lie, one file after the other.

        Args:
            database: reads them.
            paths: of files that stay as they are as long as the relation is used.
            schema: of the table.
            expressions: SQL of a column over the files' own columns, where it is not just one.
        """
        given = expressions or {}
        items = [f"{given.get(c, name(c))} AS {name(c)}" for c in schema.names]
        files, row = literal([str(path) for path in paths]), "file_row_number"
        if len(paths) > 1:
            counts = database.rows(
                f"SELECT num_rows FROM parquet_file_metadata({files}) "
                f"ORDER BY list_position({files}, file_name)"
            )
            starts = [0, *accumulate(count for (count,) in counts)]
            row = f"{row} + {literal(starts)}[file_index + 1]"
        sql = (
            f"SELECT ({row})::BIGINT AS {ROW}, {', '.join(items)} FROM "
            f"read_parquet({files}, union_by_name = true, hive_partitioning = false)"
        )
        return cls(database, schema, ((_query_name(0), sql),), dense=True)

    def then(
        self, rendering: Columns | Rows | Query, schema: Schema, *others: Relation
    ) -> Relation:
        """The table after one more step."""
        match rendering:
            case Columns():
                return replace(self._plus(self._projected(rendering, schema)), schema=schema)
            case Rows():
                shown = names([ROW, *schema.names])
                sql = f"SELECT {shown} FROM {self._name} WHERE {rendering.where}"
                return replace(self._plus(sql), schema=schema, dense=False)
            case Query():
                return self._queried(rendering, schema, others)

    def sql(self, statement: str) -> str:
        """A whole statement, in which ``{table}`` stands for the table."""
        text = filled(statement, {"table": self._name})
        ctes = ", ".join(f"{name} AS NOT MATERIALIZED ({sql})" for name, sql in self.queries)
        return f"WITH {ctes} {text}"

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query about the table."""
        return self.database.rows(self.sql(sql))

    def row(self, sql: str) -> tuple[Any, ...]:
        """The only row of a query about the table."""
        (found,) = self.rows(sql)
        return found

    def count(self) -> int:
        """How many rows it has."""
        return int(self.row("SELECT count(*) FROM {table}")[0])

    def select(self, columns: Sequence[str] | None = None, *, row: bool = False) -> str:
        """A statement that gives the table in its order."""
        shown = [*([ROW] if row else []), *(self.schema.names if columns is None else columns)]
        sort = "" if self.ordered else f" ORDER BY {ROW}"
        return self.sql(f"SELECT {escaped(names(shown))} FROM {{table}}{sort}")

    def arrow(self, columns: Sequence[str] | None = None) -> Any:
        """The whole table as a ``pyarrow.Table``."""
        return self.database.arrow(self.select(columns))

    def frame(self) -> pd.DataFrame:
        """The whole table in memory."""
        from bottega.wrangler.engine.frames import frame_of

        return frame_of(self.arrow(), self.schema)

    def page(
        self, offset: int, limit: int, columns: Sequence[str] | None = None
    ) -> list[tuple[Any, ...]]:
        """Some rows, in order, each with the hidden column first."""
        shown = names([ROW, *(self.schema.names if columns is None else columns)])
        sort, rest = "" if self.ordered else f"ORDER BY {ROW}", f"LIMIT {limit} OFFSET {offset}"
        if self.dense:
            sort, rest = f"WHERE {ROW} >= {offset} AND {ROW} < {offset + limit}", f"ORDER BY {ROW}"
        return self.rows(f"SELECT {escaped(shown)} FROM {{table}} {sort} {rest}")

    def store(self, prefix: str) -> Relation:
        """The same table, computed and kept in the database."""
        table = self.database.free_name(prefix)
        self.database.execute(f"CREATE TABLE {name(table)} AS {self.select()}")
        found = Relation.stored(self.database, table, self.schema)
        return found.keeping(partial(self.database.execute, f"DROP TABLE {name(table)}"))

    @property
    def _name(self) -> str:
        return self.queries[-1][0]

    def _plus(self, sql: str) -> Relation:
        return replace(self, queries=(*self.queries, (_query_name(len(self.queries)), sql)))

    def _projected(self, rendering: Columns, schema: Schema) -> str:
        items = [ROW]
        for column in schema.names:
            expression = rendering.set.get(column)
            shown = name(column)
            items.append(shown if expression is None else f"{expression} AS {shown}")
        return f"SELECT {', '.join(items)} FROM {self._name}"

    def _queried(self, rendering: Query, schema: Schema, others: Iterable[Relation]) -> Relation:
        queries, places, kept = list(self.queries), {"input": self._name}, self.kept
        for number, other in enumerate(others, 1):
            renamed = {old: f"{old}_{number}_{len(queries)}" for old, _ in other.queries}
            for old, sql in other.queries:
                queries.append((renamed[old], _renamed(sql, renamed)))
            kept += other.kept
            places[f"input_{number}"] = renamed[other._name]
        queries.append((_query_name(len(queries)), filled(rendering.sql, places)))
        return Relation(
            self.database, schema, tuple(queries), ordered=rendering.ordered, dense=False, kept=kept
        )


def filled(sql: str, places: dict[str, str]) -> str:
    """Put names in the places of ``{input}`` and the like; doubled braces become single."""

    def replacement(match: re.Match[str]) -> str:
        if match[1] is None:
            return match[0][0]
        return places[match[1]]

    return _PLACE.sub(replacement, sql)


def _query_name(number: int) -> str:
    return f"__t{number}"


_QUOTED_OR_NAME = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|__t\w+""")


def _renamed(sql: str, names_: dict[str, str]) -> str:
    """SQL with our query names changed, but not inside texts and quoted names."""
    return _QUOTED_OR_NAME.sub(lambda match: names_.get(match[0], match[0]), sql)
