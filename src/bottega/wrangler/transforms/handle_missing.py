"""Handle missing: drop, fill and impute missing values, or mark them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from bottega.wrangler.columns import NUMBERS, SCALARS, Column, ColumnType, Schema
from bottega.wrangler.errors import DataError, ParameterError
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.sql_text import literal, name
from bottega.wrangler.transform import (
    Columns,
    Rendering,
    Rows,
    Serving,
    State,
    Step,
    Table,
    Transform,
    Values,
)
from bottega.wrangler.transforms.learnt import finite, learnt
from bottega.wrangler.transforms.query_sql import quoted
from bottega.wrangler.typed_values import typed_value

_OPERATOR = "sagemaker.spark.handle_missing_0.1"
_GROUP = "Handle missing"
_LARGEST = 1 << 63

_OUTPUT = Parameter(
    "output_column",
    "new_column",
    "Output column",
    "Where the result goes when it shall not replace the column; for one column only.",
)


class DropMissing(Transform):
    operator = _OPERATOR
    name = "Drop missing"
    group = _GROUP
    sentence = "Drops the rows that have a missing value, or the columns that have too many."
    edge_cases = "Empty text and infinity are not missing."
    parameter_group = "drop_missing_parameters"
    parameters = (
        Parameter(
            "dimension",
            "choice",
            "Dimension",
            "Whether rows or columns are dropped.",
            default="Drop Rows",
            choices=("Drop Rows", "Drop Columns"),
        ),
        Parameter(
            "input_column",
            "columns",
            "Columns",
            "A row goes when one of these is missing; all columns when none is named.",
            path="drop_rows_parameters.input_column",
            when=("dimension", ("Drop Rows",)),
        ),
        Parameter(
            "missing_percentage",
            "number",
            "Missing percentage",
            "A column goes when more than this percentage of its values is missing.",
            path="drop_columns_parameters.missing_percentage",
            default=50,
            minimum=0,
            maximum=100,
            when=("dimension", ("Drop Columns",)),
        ),
    )
    serving = "skip"
    learns = True
    words = ("dropna", "null", "NaN", "remove")

    def serving_of(self, values: Values) -> Serving:
        """Dropping rows is for training; a dropped column is missing in what a model is given."""
        return "skip" if values["dimension"] == "Drop Rows" else "apply"

    def statistics(self, schema: Schema, values: Values) -> Mapping[str, str]:
        if values["dimension"] == "Drop Rows":
            return {}
        found = {f"missing {i}": f"count(*) - count({name(c)})" for i, c in enumerate(schema.names)}
        return {"rows": "count(*)", **found}

    def learn(self, schema: Schema, values: Values, found: Mapping[str, Any]) -> State:
        limit = found["rows"] * values["missing_percentage"] / 100
        gone = [c for i, c in enumerate(schema.names) if found[f"missing {i}"] > limit]
        if gone and len(gone) == len(schema):
            raise DataError(
                f"Every column has more than {values['missing_percentage']:g}% missing values, and "
                "no column would be left; raise the missing percentage, or drop columns by name."
            )
        return {"dropped": gone}

    def columns(self, step: Step) -> Schema:
        return step.schema.without(step.state.get("dropped", ()))

    def sql(self, step: Step) -> Rendering:
        if step.values["dimension"] == "Drop Columns":
            return Columns({}, drop=step.state["dropped"])
        chosen = step.values["input_column"] or step.schema.names
        return Rows(" AND ".join(f"{name(column)} IS NOT NULL" for column in chosen) or "TRUE")

    def pandas(self, step: Step, code: PandasCode) -> None:
        df = code.table
        if step.values["dimension"] == "Drop Columns":
            code.line(f"{df} = {df}.drop(columns={code.literal(step.state['dropped'])})")
        elif step.values["input_column"]:
            code.line(f"{df} = {df}.dropna(subset={code.literal(step.values['input_column'])})")
        else:
            code.line(f"{df} = {df}.dropna()")


class FillMissing(Transform):
    operator = _OPERATOR
    name = "Fill missing"
    group = _GROUP
    sentence = "Puts one value in the place of missing ones."
    edge_cases = "Only null is filled; empty text and infinity stay."
    parameter_group = "fill_missing_parameters"
    parameters = (
        Parameter("input_column", "columns", "Columns", "Where to fill.", required=True),
        Parameter(
            "fill_value",
            "value",
            "Fill value",
            "What is put there; it must be readable as the column's type.",
            required=True,
        ),
        _OUTPUT,
    )
    words = ("fillna", "replace", "constant")

    def check(self, schema: Schema, values: Values, others: tuple[Schema, ...] = ()) -> None:
        _refuse_several(values)
        for column in values["input_column"]:
            typed_value("fill_value", values["fill_value"], schema[column])

    def columns(self, step: Step) -> Schema:
        output = step.values["output_column"]
        return step.schema.with_columns(
            Column(output or column, step.schema.type(column))
            for column in step.values["input_column"]
        )

    def sql(self, step: Step) -> Rendering:
        output = step.values["output_column"]
        return Columns(
            {
                (output or column): f"coalesce({name(column)}, "
                f"{literal(self._value(step, column))})"
                for column in step.values["input_column"]
            }
        )

    def pandas(self, step: Step, code: PandasCode) -> None:
        for column in step.values["input_column"]:
            value = self._value(step, column)
            if step.schema.type(column).is_time:
                text = f"pd.Timestamp({code.literal(value.isoformat())})"
            else:
                text = code.literal(value)
            output = code.column(step.values["output_column"] or column)
            code.line(f"{output} = {code.column(column)}.fillna({text})")

    def touches(self, schema: Schema, values: Values) -> frozenset[str]:
        return _read_or_written(schema, values)

    @staticmethod
    def _value(step: Step, column: str) -> Any:
        return typed_value("fill_value", step.values["fill_value"], step.schema[column])


class Impute(Transform):
    operator = _OPERATOR
    name = "Impute"
    group = _GROUP
    sentence = "Puts the column's mean, median or most frequent value in the place of missing ones."
    edge_cases = (
        "Missing and infinite values are left out of what is learnt, infinite ones only from means "
        "and medians. Of equally frequent values the smallest is taken. A column without a value "
        "is refused."
    )
    parameter_group = "impute_parameters"
    parameters = (
        Parameter(
            "column_type",
            "choice",
            "Column type",
            "What the columns hold.",
            default="Numeric",
            choices=("Numeric", "Categorical"),
        ),
        Parameter(
            "strategy",
            "choice",
            "Strategy",
            "Which number is put in; the median is exact.",
            path="numeric_parameters.strategy",
            default="Approximate Median",
            choices=("Approximate Median", "Mean"),
            when=("column_type", ("Numeric",)),
        ),
        Parameter(
            "input_column",
            "columns",
            "Columns",
            "Where to impute.",
            required=True,
            types=SCALARS,
        ),
        _OUTPUT,
    )
    learns = True
    words = ("fillna", "median", "mean", "mode")

    def check(self, schema: Schema, values: Values, others: tuple[Schema, ...] = ()) -> None:
        _refuse_several(values)
        if values["column_type"] == "Numeric":
            for column in values["input_column"]:
                if schema.type(column) not in NUMBERS:
                    raise ParameterError(
                        "input_column",
                        f"Columns: {column!r} is {schema.type(column)}, not a number; choose "
                        "Categorical, or parse it as a number first.",
                    )

    def statistics(self, schema: Schema, values: Values) -> Mapping[str, str]:
        if values["column_type"] == "Categorical":
            return {}
        aggregate = "favg" if values["strategy"] == "Mean" else "median"
        return {c: f"{aggregate}({finite(c)})" for c in values["input_column"]}

    def learn(self, schema: Schema, values: Values, found: Mapping[str, Any]) -> State:
        return {"values": {column: learnt(column, value) for column, value in found.items()}}

    def fit(self, table: Table, values: Values) -> State:
        if values["column_type"] == "Numeric":
            return super().fit(table, values)
        return {"values": {c: _most_frequent(table, c) for c in values["input_column"]}}

    def columns(self, step: Step) -> Schema:
        output, numeric = step.values["output_column"], step.values["column_type"] == "Numeric"
        changed = []
        for column in step.values["input_column"]:
            kind = step.schema.type(column)
            whole = numeric and kind == ColumnType.LONG and not self._is_whole(step, column)
            changed.append(Column(output or column, ColumnType.FLOAT if whole else kind))
        return step.schema.with_columns(changed)

    def sql(self, step: Step) -> Rendering:
        output, kinds = step.values["output_column"], self.columns(step)
        return Columns(
            {
                (output or column): f"coalesce({name(column)}, {literal(value)})::"
                f"{kinds.type(output or column).duckdb}"
                for column, value in self._values(step).items()
            }
        )

    def pandas(self, step: Step, code: PandasCode) -> None:
        output, kinds = step.values["output_column"], self.columns(step)
        for column, value in self._values(step).items():
            what = "most frequent"
            if step.values["column_type"] == "Numeric":
                what = "mean" if step.values["strategy"] == "Mean" else "median"
            kind = kinds.type(output or column)
            is_time = kind.is_time
            constant = code.constant(f"{column} {what}", value)
            source = code.column(column)
            if kind != step.schema.type(column):
                source = f'{source}.astype("float64")'
            filled = f"pd.Timestamp({constant})" if is_time else constant
            code.line(f"{code.column(output or column)} = {source}.fillna({filled})")

    def touches(self, schema: Schema, values: Values) -> frozenset[str]:
        return _read_or_written(schema, values)

    def _values(self, step: Step) -> Mapping[str, Any]:
        found = {}
        for column, value in step.state["values"].items():
            kind = step.schema.type(column)
            if kind == ColumnType.LONG and self._is_whole(step, column):
                value = int(value)
            found[column] = float(value) if kind == ColumnType.FLOAT else value
        return found

    @staticmethod
    def _is_whole(step: Step, column: str) -> bool:
        value = step.state["values"][column]
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        return whole and -_LARGEST <= value < _LARGEST


class AddIndicator(Transform):
    operator = _OPERATOR
    name = "Add indicator for missing"
    group = _GROUP
    sentence = "Adds a column that says where values are missing."
    edge_cases = "True where the value is missing; empty text and infinity are not missing."
    parameter_group = "add_indicator_for_missing_parameters"
    parameters = (
        Parameter("input_column", "columns", "Columns", "What is looked at.", required=True),
        Parameter(
            "output_column",
            "new_column",
            "Output column",
            "The new column's name, for one column only; the column's name with _indicator behind "
            "it when empty.",
        ),
    )
    words = ("isna", "isnull", "flag")

    def check(self, schema: Schema, values: Values, others: tuple[Schema, ...] = ()) -> None:
        _refuse_several(values)

    def columns(self, step: Step) -> Schema:
        return step.schema.with_columns(
            Column(new, ColumnType.BOOLEAN) for new in self._names(step).values()
        )

    def sql(self, step: Step) -> Rendering:
        return Columns({new: f"{name(old)} IS NULL" for old, new in self._names(step).items()})

    def pandas(self, step: Step, code: PandasCode) -> None:
        names = self._names(step)
        # A name of an indicator may be that of a column which is looked at only afterwards.
        if names.keys() & names.values():
            found = ", ".join(
                f"{code.literal(new)}: {code.column(old)}.isna()" for old, new in names.items()
            )
            code.line(f"{code.table} = {code.table}.assign(**{{{found}}})")
            return
        for old, new in names.items():
            code.line(f"{code.column(new)} = {code.column(old)}.isna()")

    def touches(self, schema: Schema, values: Values) -> frozenset[str]:
        new = {values["output_column"] or f"{c}_indicator" for c in values["input_column"]}
        return frozenset({*values["input_column"], *(new & set(schema.names))})

    @staticmethod
    def _names(step: Step) -> dict[str, str]:
        output = step.values["output_column"]
        return {c: output or f"{c}_indicator" for c in step.values["input_column"]}


def _read_or_written(schema: Schema, values: Values) -> frozenset[str]:
    return frozenset({*values["input_column"], values["output_column"]} & set(schema.names))


def _refuse_several(values: Values) -> None:
    if values["output_column"] and len(values["input_column"]) > 1:
        raise ParameterError("output_column", "Output column: several columns cannot go into one.")


def _most_frequent(table: Table, column: str) -> Any:
    # Of equally frequent ones the smallest, so that the order of the rows does not matter.
    place = quoted(column)
    found = table.rows(
        f"SELECT {place} FROM {{table}} WHERE {place} IS NOT NULL "
        f"GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1"
    )
    if not found:
        raise DataError(
            f"Column {column!r} has no value to learn from; drop it, or fill it with a value of "
            "your own."
        )
    value = found[0][0]
    if isinstance(value, float) and math.isinf(value):
        return str(value)
    return value.isoformat() if hasattr(value, "isoformat") else value
