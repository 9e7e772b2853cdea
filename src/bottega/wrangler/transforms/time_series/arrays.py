"""Series as vectors: group by, and standardize length."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bottega.wrangler.columns import NUMBERS, ROW, SCALARS, Column, ColumnType, Schema
from bottega.wrangler.errors import DataError, ParameterError
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.sql_text import name
from bottega.wrangler.transform import Columns, Query, Rendering, State, Step, Transform, Values
from bottega.wrangler.transforms.query_sql import clash, free_names, quoted
from bottega.wrangler.transforms.time_series import series

_LISTS = frozenset({ColumnType.VECTOR, ColumnType.ARRAY})
_TIME_FORMAT = "%Y-%m-%dT%H:%M:%S.%f"


class GroupSeries(Transform):
    operator = series.OPERATOR
    name = "Group by"
    group = series.GROUP
    sentence = "Makes one row of each series, with its values as vectors and arrays."
    edge_cases = (
        f"{series.ORDER} Rows are sorted by the ID, a missing one last. Numbers and booleans (0 "
        "and 1) become vectors, everything else arrays of texts; times are written as in "
        "2024-02-29T13:45:00.000000. Missing values stay in their places."
    )
    parameter_group = "Group by_parameters"
    parameters = (
        series.id_parameter(required=True),
        series.timestamp_parameter(),
        Parameter(
            "columns",
            "columns",
            "Columns",
            "Which become vectors and arrays; all but the ID column when none is named.",
            types=SCALARS,
        ),
    )
    serving = "refuse"
    words = ("collect", "nest", "vector", "array")

    def check(self, schema: Schema, values: Values, others: tuple[Schema, ...] = ()) -> None:
        if values["columns"] and values["id_column"] in values["columns"]:
            raise ParameterError(
                "columns", f"Columns: {values['id_column']!r} is the ID column already."
            )
        for column in schema:
            if not values["columns"] and column.type in _LISTS:
                raise ParameterError(
                    "columns",
                    f"Columns: {column.name!r} holds vectors or arrays already; name the columns "
                    "to collect.",
                )

    def columns(self, step: Step) -> Schema:
        made = (Column(c, _list_type(step.schema.type(c))) for c in self._collected(step))
        return Schema((step.schema[step.values["id_column"]], *made))

    def sql(self, step: Step) -> Rendering:
        key = quoted(step.values["id_column"])
        order = f"__i.{quoted(step.values['timestamp_column'])} ASC NULLS LAST, __i.{ROW}"
        items = [f"__i.{key}"]
        for column in self._collected(step):
            kind = step.schema.type(column)
            value = f"__i.{quoted(column)}"
            if kind.is_time:
                value = f"strftime({value}::TIMESTAMP, '{_TIME_FORMAT}')"
            elif _list_type(kind) is ColumnType.VECTOR:
                value = f"{value}::DOUBLE"
            items.append(f"list({value} ORDER BY {order}) AS {quoted(column)}")
        return Query(
            f"SELECT row_number() OVER (ORDER BY {key} ASC NULLS LAST) AS {ROW}, * FROM "
            f"(SELECT {', '.join(items)} FROM {{input}} AS __i GROUP BY __i.{key})"
        )

    def pandas(self, step: Step, code: PandasCode) -> None:
        df, key = code.table, step.values["id_column"]
        series.write_ordered(code, step.values)
        for column in self._collected(step):
            kind, place = step.schema.type(column), code.column(column, "ordered")
            if kind.is_time:
                text = f'{place}.dt.strftime("{_TIME_FORMAT}")'
                code.line(f"{place} = {text}.astype(object).where({place}.notna(), None)")
            elif _list_type(kind) is ColumnType.VECTOR:
                code.line(f'{place} = {place}.astype("float64")')
            else:
                code.line(f"{place} = {place}.astype(object).where({place}.notna(), None)")
        code.line(f"groups = ordered.groupby({code.literal(key)}, dropna=False)")
        code.line(f"{df} = pd.DataFrame({{")
        for column in self._collected(step):
            code.line(f"    {code.literal(column)}: groups[{code.literal(column)}].agg(list),")
        code.line("}).reset_index()")

    def touches(self, schema: Schema, values: Values) -> frozenset[str]:
        return frozenset(values["columns"] or schema.names) | super().touches(schema, values)

    @staticmethod
    def _collected(step: Step) -> list[str]:
        if step.values["columns"]:
            return list(step.values["columns"])
        return [c for c in step.schema.names if c != step.values["id_column"]]


class StandardizeLength(Transform):
    operator = series.OPERATOR
    name = "Standardize length"
    group = series.GROUP
    sentence = "Gives all vectors of a column the same length."
    edge_cases = (
        "Longer vectors lose their end, shorter ones get missing values behind; a missing vector "
        "stays missing. The length is learnt. A column without a vector is refused."
    )
    parameter_group = "Standardize length_parameters"
    parameters = (
        Parameter(
            "sequence_column",
            "column",
            "Sequence column",
            "The vectors or arrays.",
            required=True,
            types=_LISTS,
        ),
        Parameter(
            "cutoff_quantile",
            "number",
            "Cutoff quantile",
            "The length is that of which this share of the vectors is not longer.",
            default=0.9,
            minimum=0,
            maximum=1,
        ),
        Parameter(
            "flatten",
            "boolean",
            "Flatten",
            "Whether each place becomes a column; the vector then goes.",
            default=False,
        ),
        Parameter(
            "output_column",
            "new_column",
            "Output column",
            "The vector's name, or what the columns' names begin with; the column when empty.",
        ),
    )
    learns = True
    words = ("pad", "truncate", "length")

    def check(self, schema: Schema, values: Values, others: tuple[Schema, ...] = ()) -> None:
        output = values["output_column"]
        near = clash(schema, output) if output is not None else None
        if near is not None and output != values["sequence_column"] and not values["flatten"]:
            raise ParameterError(
                "output_column",
                f"Output column: there is a column {near!r} already; choose another name.",
            )

    def statistics(self, schema: Schema, values: Values) -> Mapping[str, str]:
        length = f"len({name(values['sequence_column'])})"
        return {"length": f"quantile_disc({length}, {float(values['cutoff_quantile'])!r})"}

    def learn(self, schema: Schema, values: Values, found: Mapping[str, Any]) -> State:
        if found["length"] is None:
            raise DataError(
                f"Column {values['sequence_column']!r} has no vector to learn a length from."
            )
        if values["flatten"] and found["length"] > 10_000:
            raise DataError(
                f"The vectors of column {values['sequence_column']!r} would become "
                f"{found['length']} columns; choose a smaller cutoff quantile, or do not flatten."
            )
        return {"length": int(found["length"])}

    def columns(self, step: Step) -> Schema:
        column = step.schema[step.values["sequence_column"]]
        if not step.values["flatten"]:
            return step.schema.with_columns(
                [Column(step.values["output_column"] or column.name, column.type)]
            )
        kind = ColumnType.FLOAT if column.type is ColumnType.VECTOR else ColumnType.STRING
        made = (Column(c, kind) for c in self._names(step))
        return Schema((*step.schema.without([column.name]), *made))

    def sql(self, step: Step) -> Rendering:
        column, length = step.values["sequence_column"], step.state["length"]
        if step.values["flatten"]:
            made = {c: f"{name(column)}[{i}]" for i, c in enumerate(self._names(step), 1)}
            return Columns(made, drop=[column])
        output = step.values["output_column"] or column
        return Columns({output: f"list_resize({name(column)}, {length}, NULL)"})

    def pandas(self, step: Step, code: PandasCode) -> None:
        df, column, length = code.table, step.values["sequence_column"], step.state["length"]
        source = code.column(column)
        if step.values["flatten"]:
            names = self._names(step)
            dtype = self.columns(step).type(names[0]).pandas if names else "object"
            code.line(f"lists = [cell if isinstance(cell, list) else [] for cell in {source}]")
            code.line(f"{df} = {df}.drop(columns={code.literal([column])})")
            code.line(f"for place, column in enumerate({code.literal(names)}):")
            code.line("    cells = [cell[place] if place < len(cell) else None for cell in lists]")
            code.line(f'    {df}[column] = pd.Series(cells, {df}.index, dtype="{dtype}")')
            return
        output = step.values["output_column"] or column
        constant = code.constant(f"{column} length", length)
        code.line("cells = [")
        code.line(f"    (cell + [None] * {constant})[:{constant}]")
        code.line("    if isinstance(cell, list)")
        code.line("    else None")
        code.line(f"    for cell in {source}")
        code.line("]")
        code.line(f"{code.column(output)} = pd.Series(cells, {df}.index, dtype=object)")

    @staticmethod
    def _names(step: Step) -> list[str]:
        column = step.values["sequence_column"]
        base = step.values["output_column"] or column
        kept = step.schema.names
        return free_names((f"{base}_{i}" for i in range(step.state["length"])), kept)


def _list_type(kind: ColumnType) -> ColumnType:
    if kind in NUMBERS or kind is ColumnType.BOOLEAN:
        return ColumnType.VECTOR
    return ColumnType.ARRAY
