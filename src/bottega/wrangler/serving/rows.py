"""Computes answers: a prepared statement in a small database in memory.

Planning a dozen steps costs a database more than running them on a row. So the statement is planned
once, with one parameter: the rows as texts. Steps that only a library can do split it in two.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import duckdb

from bottega.wrangler.columns import ROW, ColumnType, Schema
from bottega.wrangler.engine.database import Database
from bottega.wrangler.engine.relation import Relation
from bottega.wrangler.errors import DataError
from bottega.wrangler.serving.plan import ServedStep, ServingPlan
from bottega.wrangler.sources.column_types import MISFIT, typed
from bottega.wrangler.sql_text import escaped, literal, name, names
from bottega.wrangler.transform import InMemory

if TYPE_CHECKING:
    import pandas as pd

Text = str | None
Form = Literal["values", "texts"]
"""Cells as the engine's values, or as the texts that a job's CSV file without names would have, in
which booleans are 1 and 0."""

_FEW = 6
"""Rows up to this number are computed one by one: the engine reduces a statement about one row,
whose cells are constants, and is several times faster with it than with a table of that row."""
_UNNESTED = f"SELECT generate_subscripts($1::VARCHAR[][], 1) AS {ROW}, unnest($1::VARCHAR[][]) AS r"
_ARRIVING = "__arriving"


class RowEngine:
    """Answers with features. May be used from several threads, which wait for one another.

    Args:
        plan: what to compute.
    """

    def __init__(self, plan: ServingPlan) -> None:
        self.plan = plan
        self._lock = threading.Lock()
        self._database = _InMemory()
        self._connection = self._database.connection
        self._segments = _segments(plan)
        self._statements: dict[str, str] = {}

    def close(self) -> None:
        """Give the memory back."""
        self._connection.close()

    def of_texts(
        self, rows: Sequence[Sequence[Text]], form: Form = "values"
    ) -> list[tuple[Any, ...]]:
        """The features of some rows.

        Args:
            rows: each with the texts of ``plan.needed``, in its order; None where nothing is.
            form: how the cells come back.

        Raises:
            DataError: a text is not of its column's type, or a step refuses a value; names the
                column, and the value where it is known.
        """
        if not rows:
            return []
        with self._lock:
            try:
                return self._answered(rows, form)
            except duckdb.Error as error:
                raise self._told(error, rows) from error

    def of_frame(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The same for a frame that has the columns of ``plan.needed``, typed as one.

        Raises:
            DataError: see :meth:`of_texts`.
        """
        from bottega.wrangler.engine.frames import frame_of, table_of

        with self._lock:
            try:
                table = table_of(frame, self.plan.needed)
                for number, (steps, last) in enumerate(self._segments):
                    table = self._run_table(number, table, steps)
                    if last is not None:
                        schema = last.after
                        made = _called(last, frame_of(table, last.before))
                        table = table_of(made, schema)
            except duckdb.Error as error:
                raise self._told(error, ()) from error
        if table.num_rows != len(frame):
            raise _wrong_count(len(frame), table.num_rows)
        return frame_of(table.select(self.plan.features.names), self.plan.features)

    # -- texts ------------------------------------------------------------------------------------

    def _answered(self, rows: Sequence[Sequence[Text]], form: Form) -> list[tuple[Any, ...]]:
        if len(self._segments) > 1:
            return self._through_memory(rows, form)
        if len(rows) > _FEW:
            found = self._connection.execute(self._many(form), [rows]).fetchall()
        else:
            statement = self._single(form)
            found = []
            for row in rows:
                cells = ", ".join(map(literal, row))
                found += self._connection.execute(
                    f"EXECUTE {statement}([{cells}]::VARCHAR[])"
                ).fetchall()
        if len(found) != len(rows):
            raise _wrong_count(len(rows), len(found))
        return found

    def _single(self, form: Form) -> str:
        """The name of the statement for one row."""
        statement = f"__{form}"
        if statement not in self._statements:
            source = self._typed_rows(f"SELECT 1::BIGINT AS {ROW}, $1::VARCHAR[] AS r")
            sql = self._sql(source, self._segments[0][0], self.plan.features, form)
            self._connection.execute(f"PREPARE {statement} AS {sql}")
            self._statements[statement] = sql
        return statement

    def _many(self, form: Form) -> str:
        """The statement for many rows."""
        if form not in self._statements:
            source = self._typed_rows(_UNNESTED)
            sql = self._sql(source, self._segments[0][0], self.plan.features, form)
            self._statements[form] = sql
        return self._statements[form]

    def _typed_rows(self, rows: str) -> str:
        """SQL that gives typed columns from a table of ``r``, the texts of a row."""
        needed = self.plan.needed
        typed_columns = [f"{typed(c.name, c.type)} AS {name(c.name)}" for c in needed]
        texts = [f"r[{i}] AS {name(c)}" for i, c in enumerate(needed.names, 1)]
        return (
            f"SELECT {', '.join([ROW, *typed_columns])} FROM "
            f"(SELECT {', '.join([ROW, *texts])} FROM ({rows}))"
        )

    def _through_memory(self, rows: Sequence[Sequence[Text]], form: Form) -> list[tuple[Any, ...]]:
        """Rows of a plan in which a library does something: typed, then as a frame."""
        from bottega.wrangler.engine.frames import frame_of, table_of

        needed = self.plan.needed
        sql = f"SELECT {names(needed.names)} FROM ({self._typed_rows(_UNNESTED)}) ORDER BY {ROW}"
        table: Any = self._connection.sql(sql, params=[rows]).to_arrow_table()
        for number, (steps, last) in enumerate(self._segments):
            table = self._run_table(number, table, steps)
            if last is not None:
                table = table_of(_called(last, frame_of(table, last.before)), last.after)
        if table.num_rows != len(rows):
            raise _wrong_count(len(rows), table.num_rows)
        self._connection.register(_ARRIVING, table)
        try:
            shown = _shown(self.plan.features, form)
            return self._connection.execute(f"SELECT {shown} FROM {_ARRIVING}").fetchall()
        finally:
            self._connection.unregister(_ARRIVING)

    # -- tables -----------------------------------------------------------------------------------

    def _run_table(self, number: int, table: Any, steps: Sequence[ServedStep]) -> Any:
        if not steps:
            return table
        self._connection.register(_ARRIVING, table)
        try:
            before, after = steps[0].before, steps[-1].after
            columns = ", ".join(
                f"{name(c.name)}::{c.type.duckdb} AS {name(c.name)}" for c in before
            )
            source = f"SELECT row_number() OVER () AS {ROW}, {columns} FROM {_ARRIVING}"
            sql = self._sql(source, steps, after, "values")
            return self._connection.sql(sql).to_arrow_table()
        finally:
            self._connection.unregister(_ARRIVING)

    def _sql(self, source: str, steps: Sequence[ServedStep], after: Schema, form: Form) -> str:
        before = steps[0].before if steps else self.plan.needed
        relation = Relation(self._database, before, (("__t0", source),), ordered=False)
        for step in steps:
            assert not isinstance(step.rendering, InMemory)
            relation = relation.then(step.rendering, step.after)
        shown = escaped(_shown(after, form))
        return relation.sql(f"SELECT {shown} FROM {{table}} ORDER BY {ROW}")

    def _told(self, error: duckdb.Error, rows: Sequence[Sequence[Text]]) -> DataError:
        """The engine's error, with the value that is at fault where it can be found."""
        message = str(error).split("\n\n", 1)[0].replace("\n", " ")
        if MISFIT in message:
            for index, column in enumerate(self.plan.needed):
                for number, row in enumerate(rows, 1):
                    text = row[index]
                    if text is not None and not self._fits(text, column.type):
                        return DataError(
                            f"Row {number}, column {column.name!r}: {text!r} is no {column.type}."
                        )
        return DataError(message)

    def _fits(self, text: str, kind: ColumnType) -> bool:
        try:
            self._connection.execute(f"SELECT {typed('v', kind)} FROM (SELECT ? AS v)", [text])
        except duckdb.Error:
            return False
        return True


class _InMemory(Database):
    """What a relation asks of a database; here it only composes statements."""

    def __init__(self) -> None:
        self.connection = duckdb.connect(
            ":memory:",
            config={
                "threads": 1,
                "preserve_insertion_order": True,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            },
        )


def _segments(plan: ServingPlan) -> list[tuple[list[ServedStep], ServedStep | None]]:
    """Steps in the engine, each run of them with the step in memory that comes after it."""
    segments: list[tuple[list[ServedStep], ServedStep | None]] = [([], None)]
    for step in plan.steps:
        steps, _ = segments[-1]
        if isinstance(step.rendering, InMemory):
            segments[-1] = (steps, step)
            segments.append(([], None))
        else:
            steps.append(step)
    return segments


def _called(step: ServedStep, frame: pd.DataFrame) -> pd.DataFrame:
    assert isinstance(step.rendering, InMemory)
    return step.rendering.function(frame)


def _shown(schema: Schema, form: Form) -> str:
    if form == "values":
        return names(schema.names) or "NULL"
    texts = {
        c.name: f"{name(c.name)}{'::BIGINT' if c.type is ColumnType.BOOLEAN else ''}::VARCHAR"
        for c in schema
    }
    return ", ".join(f"{text} AS {name(column)}" for column, text in texts.items()) or "NULL"


def _wrong_count(asked: int, found: int) -> DataError:
    return DataError(
        f"{asked} rows were asked for and {found} came out: a step adds or removes rows, which "
        "cannot be in front of a model."
    )
