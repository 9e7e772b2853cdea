"""Random steps for random tables: any transform, with values that the table's schema allows.

What a step refuses is no mistake of the step's; see :func:`random_step`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

import pandas as pd
from hypothesis import strategies as st

from bottega.testing.wrangler_frames import frames, names
from bottega.wrangler.columns import ColumnType, Schema
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.transform import Transform
from bottega.wrangler.transforms.registry import transforms

ALONE = tuple(
    one for one in transforms() if one.inputs == 1 and "PySpark)" not in one.name.split(",")[0]
)
"""Transforms of one table. There is no Spark: its code is refused."""
COMBINING = tuple(one for one in transforms() if one.inputs == 2)
"""Transforms of two tables."""

_PATTERNS = ("a", "[a-c]+", "^.", "(b)", r"\s", r"\d+", "x?", "é|ß", r"\bn")
_TEXTS = ("a", "ab", " ", "_", "é", "1", "zz")
_SPLITS: tuple[tuple[float, ...], ...] = ((0.6, 0.4), (0.5, 0.3, 0.2))
_FRAME_CODE = (
    "df = df.head(4)",
    "df['more'] = range(len(df))",
    "df = df[df.columns[::-1]]",
)
_COLUMN_CODE = {
    "pandas_code": "def custom_func(series):\n    return series",
    "python_code": "def custom_func(value):\n    return value",
}
_DAY = datetime(2024, 2, 28)
_UNITS_TOO_SMALL = ("Secondly", "Minutely")
_SLOW = ("All features", "Efficient subset", "Manual subset")


_SEEDS = st.integers(0, (1 << 32) - 1).map(Random)
"""What is drawn from them is spread evenly; a strategy prefers the first and the same ones."""


@st.composite
def flow_frames(
    draw: st.DrawFn, *, max_rows: int = 12, largest: float | None = 1e6
) -> pd.DataFrame:
    """A table to begin with, which has columns of most types, so that most steps have something to
    do. Times lie within two days, so that no step makes rows without end.
    """
    cells: Mapping[ColumnType, st.SearchStrategy[Any]] = {
        ColumnType.DATE: st.dates(date(2024, 2, 27), date(2024, 3, 1)),
        ColumnType.DATETIME: st.integers(0, 2880).map(lambda m: _DAY + timedelta(minutes=m)),
    }
    random = draw(_SEEDS)
    kinds = random.sample([*ColumnType, ColumnType.FLOAT, ColumnType.STRING], 6)
    called = draw(st.lists(names(), min_size=6, max_size=6, unique_by=str.lower))
    types = dict(zip(called, kinds, strict=True))
    own = {name: cells[kind] for name, kind in types.items() if kind in cells}
    rows = random.randint(0, max_rows)
    return draw(frames(types, min_rows=rows, max_rows=rows, largest=largest, cells=own))


def transforms_at_random(number: int) -> st.SearchStrategy[list[Transform]]:
    """Some transforms of one table, each as likely as any other."""
    return _SEEDS.map(lambda random: random.sample(ALONE, number))


@st.composite
def random_step(
    draw: st.DrawFn, transform: Transform, schema: Schema, others: Sequence[Schema] = ()
) -> dict[str, Any] | None:
    """Values for a step on a table; None where the table has no column that it takes.

    The step may still refuse them: what its parameters' descriptions cannot say is not known here.
    """
    values: dict[str, Any] = {}
    for parameter in transform.parameters:
        if parameter.when is not None and values.get(parameter.when[0]) not in parameter.when[1]:
            continue
        if not parameter.required and parameter.kind != "choice" and draw(st.booleans()):
            values[parameter.name] = parameter.default
            continue
        strategy = _value(parameter, schema, others)
        if strategy is None:
            if parameter.required:
                return None
            continue
        values[parameter.name] = draw(strategy)
    return {name: value for name, value in values.items() if value is not None}


def _value(
    parameter: Parameter, schema: Schema, others: Sequence[Schema]
) -> st.SearchStrategy[Any] | None:
    """Values of a parameter; None where there are none."""
    made = _BY_NAME.get(parameter.name)
    if made is not None:
        return made(schema, others)
    columns = schema.of_type(parameter.types or ColumnType)
    match parameter.kind:
        case "column":
            return st.sampled_from(columns) if columns else None
        case "columns":
            lists = st.lists(st.sampled_from(columns or [""]), min_size=1, max_size=3, unique=True)
            return lists if columns else None
        case "new_column":
            return st.sampled_from(["made", "made too", "{x}", *schema.names])
        case "choice":
            return st.sampled_from(
                [c for c in parameter.choices if c not in (*_UNITS_TOO_SMALL, *_SLOW)]
            )
        case "boolean":
            return st.booleans()
        case "integer":
            least = int(max(parameter.minimum, -3))
            return st.integers(least, int(min(max(least + 1, 6), parameter.maximum)))
        case "number":
            low, high = max(parameter.minimum, -3.0), min(parameter.maximum, 60.0)
            return st.sampled_from([low, high, (low + high) / 2, (3 * low + high) / 4])
        case "value":
            return st.sampled_from([0, 1, 2.5, "a", "", True, "2024-02-29"])
        case "texts":
            return st.lists(st.sampled_from(_TEXTS), min_size=1, max_size=2, unique=True)
    return st.sampled_from(_TEXTS)


def _records_of(
    fields: Callable[[Schema, Sequence[Schema]], dict[str, st.SearchStrategy[Any]] | None],
) -> Callable[[Schema, Sequence[Schema]], st.SearchStrategy[Any] | None]:
    def lists(schema: Schema, others: Sequence[Schema]) -> st.SearchStrategy[Any] | None:
        found = fields(schema, others)
        if found is None:
            return None
        return st.lists(st.fixed_dictionaries(found), min_size=1, max_size=2)

    return lists


def _aggregations(schema: Schema, _: Sequence[Schema]) -> dict[str, st.SearchStrategy[Any]] | None:
    functions = ["count", "count distinct", "sum", "mean", "median", "min", "max", "stddev",
                 "variance", "first", "last", "most common"]  # fmt: skip
    if not len(schema):
        return None
    return {"column": st.sampled_from(schema.names), "function": st.sampled_from(functions)}


def _keys(schema: Schema, others: Sequence[Schema]) -> dict[str, st.SearchStrategy[Any]] | None:
    both = [c.name for c in schema if c.name in others[0] and others[0].type(c.name) == c.type]
    return {"left": st.sampled_from(both)} if both else None


def _splits(_: Schema, __: Sequence[Schema]) -> st.SearchStrategy[Any]:
    return st.sampled_from(_SPLITS).map(
        lambda parts: [
            {"name": f"Part {number}", "percentage": share} for number, share in enumerate(parts, 1)
        ]
    )


def _formulas(schema: Schema, _: Sequence[Schema]) -> st.SearchStrategy[Any] | None:
    texts: list[str] = ["1 + 1"]
    for column in schema:
        shown = "`" + column.name.replace("`", "``") + "`"
        texts.append(f"{shown} IS NULL")
        if column.type.is_number:
            texts += [f"{shown} * 2 - 1", f"CASE WHEN {shown} > 0 THEN 'up' ELSE 'down' END"]
        if column.type is ColumnType.STRING:
            texts += [f"concat({shown}, '!')", f"length(trim({shown}))"]
    return st.sampled_from(texts)


def _code(schema: Schema, _: Sequence[Schema]) -> st.SearchStrategy[Any]:
    return st.sampled_from([*_FRAME_CODE, "SELECT * FROM df", "SELECT count(*) AS n FROM df"])


def _right_column(schema: Schema, others: Sequence[Schema]) -> st.SearchStrategy[Any] | None:
    names = (others[0] if others else schema).names  # two transforms call something so
    return st.sampled_from(names) if names else None


_BY_NAME: Mapping[str, Callable[[Schema, Sequence[Schema]], st.SearchStrategy[Any] | None]] = {
    "splits": _splits,
    "aggregations": _records_of(_aggregations),
    "join_keys": _records_of(_keys),
    "right_column": _right_column,
    "schema": lambda *_: None,
    "formula": _formulas,
    "code": _code,
    "pandas_code": lambda *_: st.just(_COLUMN_CODE["pandas_code"]),
    "python_code": lambda *_: st.just(_COLUMN_CODE["python_code"]),
    "pattern": lambda *_: st.sampled_from(_PATTERNS),
    "start": lambda *_: st.just("2024-02-01"),
    "date_formatting": lambda *_: st.sampled_from(["%Y-%m-%d", "%d.%m.%Y %H:%M"]),
    "date_time_format": lambda *_: st.sampled_from(["%Y-%m-%d", "%d.%m.%Y %H:%M"]),
}
"""Values of parameters of which the description does not say enough."""
