"""Holds a transform to its promise: the engine, the pandas code and a second run agree.

>>> check_transform("Handle missing", "Drop missing", {}, pd.DataFrame({"a": [1.0, None]}))
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from bottega.wrangler.columns import ROW, Column, ColumnType, Schema
from bottega.wrangler.engine.database import Database
from bottega.wrangler.engine.frames import frame_of, schema_of, table_of
from bottega.wrangler.engine.in_memory import stored
from bottega.wrangler.engine.relation import Relation
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.transform import InMemory, Step, Transform
from bottega.wrangler.transforms.registry import named

_CLOSE = 1e-9


class Bench:
    """One database for many checks; each removes its tables."""

    def __init__(self) -> None:
        self.database = Database(threads=2, memory=1 << 30)

    def close(self) -> None:
        """Remove the database."""
        self.database.close()

    def check(
        self,
        transform: Transform,
        values: Mapping[str, Any],
        frame: pd.DataFrame,
        *others: pd.DataFrame,
        output: str = "default",
        types: Mapping[str, ColumnType] | None = None,
    ) -> pd.DataFrame:
        """Run a transform both ways and compare.

        Args:
            transform: what to check.
            values: its parameters, flat, as somebody would give them.
            frame: the table; columns get the types that :func:`schema_of` finds.
            others: the further tables of a join.
            output: which of several outputs.
            types: other types than those found.

        Returns:
            The table that came out, for further checks.

        Raises:
            AssertionError: the ways differ, or what came out is not what ``columns`` promises.
            FlowError: the transform refuses.
        """
        relations = [self.relation(one, types) for one in (frame, *others)]
        schemas = [relation.schema for relation in relations]
        checked = transform.parameter_set().check(values, schemas[0])
        transform.check(schemas[0], checked, tuple(schemas[1:]))
        state = transform.fit(relations[0], checked) if transform.learns else {}
        again = transform.fit(relations[0], checked) if transform.learns else {}
        assert _same(state, again), f"learning twice differs: {state} {again}"
        step = Step(schemas[0], checked, state, tuple(schemas[1:]), output)
        engine = self._by_engine(transform, step, relations)
        program = by_pandas(transform, step, [relation.frame() for relation in relations])
        assert_same_table(engine, program, transform.columns(step))
        return engine

    def relation(
        self, frame: pd.DataFrame, types: Mapping[str, ColumnType] | None = None
    ) -> Relation:
        """A frame as a table of the engine."""
        found = schema_of(frame)
        schema = Schema(Column(c.name, (types or {}).get(c.name, c.type)) for c in found)
        return stored(self.database, table_of(frame, schema), schema)

    def _by_engine(
        self, transform: Transform, step: Step, relations: Sequence[Relation]
    ) -> pd.DataFrame:
        schema, rendering = transform.columns(step), transform.sql(step)
        if isinstance(rendering, InMemory):
            frames = [relation.frame() for relation in relations]
            return frame_of(table_of(rendering.function(*frames), schema), schema)
        first, *rest = relations
        result = first.then(rendering, schema, *rest)
        described = self.database.described(result.sql("SELECT * FROM {table}"))
        promised = [(ROW, "BIGINT"), *((c.name, c.type.duckdb) for c in schema)]
        assert [(n, t) for n, t in described] == promised, f"{described} is not {promised}"
        rows = result.arrow([ROW]).column(ROW).to_pylist() if len(schema) else []
        assert len(set(rows)) == len(rows), "the hidden column repeats"
        assert rows == sorted(rows), "rows come out of their order"
        return result.frame()


def check_transform(
    group: str, name: str, values: Mapping[str, Any], frame: pd.DataFrame, *others: pd.DataFrame
) -> pd.DataFrame:
    """One check of a transform by what the palette calls it; see :meth:`Bench.check`."""
    bench = Bench()
    try:
        return bench.check(named(group, name), values, frame, *others)
    finally:
        bench.close()


def by_pandas(transform: Transform, step: Step, frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Run the code that a transform writes, as an exported program would."""
    others = tuple(f"other_{number}" for number in range(1, len(frames)))
    code = PandasCode("df", others)
    transform.pandas(step, code)
    source = "\n".join(
        [
            *code.imports,
            *(f"{name} = {text}" for name, text in code.constants.items()),
            *code.functions.values(),
            f"def prepare(df, {', '.join(others)}):",
            "    df = df.copy()",
            *(f"    {line}" for line in code.lines),
            "    return df",
        ]
    )
    scope: dict[str, Any] = {}
    try:
        exec(compile(source, "<exported>", "exec"), scope)
        result = scope["prepare"](*(frame.copy() for frame in frames))
    except Exception as error:
        error.add_note(source)
        raise
    assert isinstance(result, pd.DataFrame), source
    return result.reset_index(drop=True)


def assert_same_table(engine: pd.DataFrame, program: pd.DataFrame, schema: Schema) -> None:
    """Both have the schema's columns in its order, and the same rows in the same order.

    Missing is missing, whole floats equal integers, and floats are equal to nine digits.
    """
    assert list(engine.columns) == schema.names
    assert list(program.columns) == schema.names, f"{list(program.columns)} is not {schema.names}"
    assert len(engine) == len(program), (
        f"{len(engine)} rows by the engine, {len(program)} by pandas"
    )
    for column in schema:
        left, right = engine[column.name].tolist(), program[column.name].tolist()
        for row, (one, other) in enumerate(zip(left, right, strict=True)):
            assert _same(one, other), (
                f"column {column.name!r} ({column.type}), row {row}: "
                f"{one!r} by the engine, {other!r} by pandas"
            )


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray):
        one = one.tolist()
    if isinstance(other, np.ndarray):
        other = other.tolist()
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if _is_missing(one) or _is_missing(other):
        return _is_missing(one) and _is_missing(other)
    if isinstance(one, bool) or isinstance(other, bool):
        return bool(one) == bool(other) and isinstance(one, bool | np.bool_ | int)
    if isinstance(one, int | float | np.number) and isinstance(other, int | float | np.number):
        return bool(one == other) or math.isclose(one, other, rel_tol=_CLOSE, abs_tol=_CLOSE)
    return bool(one == other)


def _is_missing(value: Any) -> bool:
    if value is None or value is pd.NA or value is pd.NaT:
        return True
    return isinstance(value, float | np.floating) and math.isnan(value)
