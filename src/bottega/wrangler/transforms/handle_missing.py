"""Handle missing: drop, fill and impute missing values, or mark them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bottega.wrangler.columns import NUMBERS, Column, ColumnType, Schema
from bottega.wrangler.errors import DataError, ParameterError
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.sql_text import literal, name
from bottega.wrangler.transform import (
    Columns,
    Rendering,
    Rows,
    State,
    Step,
    Transform,
    Values,
)
from bottega.wrangler.typed_values import typed_value

_OPERATOR = "sagemaker.spark.handle_missing_0.1"
_GROUP = "Handle missing"


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

    def statistics(self, schema: Schema, values: Values) -> Mapping[str, str]:
        if values["dimension"] == "Drop Rows":
            return {}
        found = {f"missing {i}": f"count(*) - count({name(c)})" for i, c in enumerate(schema.names)}
        return {"rows": "count(*)", **found}

    def learn(self, schema: Schema, values: Values, found: Mapping[str, Any]) -> State:
        limit = found["rows"] * values["missing_percentage"] / 100
        return {"dropped": [c for i, c in enumerate(schema.names) if found[f"missing {i}"] > limit]}

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
    )
    words = ("fillna", "replace", "constant")

    def check(self, schema: Schema, values: Values, others: tuple[Schema, ...] = ()) -> None:
        for column in values["input_column"]:
            typed_value("fill_value", values["fill_value"], schema[column])

    def columns(self, step: Step) -> Schema:
        return step.schema

    def sql(self, step: Step) -> Rendering:
        return Columns(
            {
                column: f"coalesce({name(column)}, {literal(self._value(step, column))})"
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
            place = code.column(column)
            code.line(f"{place} = {place}.fillna({text})")

    @staticmethod
    def _value(step: Step, column: str) -> Any:
        return typed_value("fill_value", step.values["fill_value"], step.schema[column])


class Impute(Transform):
    operator = _OPERATOR
    name = "Impute"
    group = _GROUP
    sentence = "Puts the column's mean, median or most frequent value in the place of missing ones."
    edge_cases = (
        "Missing values are left out of what is learnt; an infinite value makes a mean infinite. "
        "Of equally frequent values the smallest is taken. A column without a value is refused."
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
        Parameter("input_column", "columns", "Columns", "Where to impute.", required=True),
        Parameter(
            "output_column",
            "new_column",
            "Output column",
            "Where the result goes when it shall not replace the column; for one column only.",
        ),
    )
    learns = True
    words = ("fillna", "median", "mean", "mode")

    def check(self, schema: Schema, values: Values, others: tuple[Schema, ...] = ()) -> None:
        if values["output_column"] and len(values["input_column"]) > 1:
            raise ParameterError(
                "output_column", "Output column: several columns cannot go into one."
            )
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
            return {c: _most_frequent(c) for c in values["input_column"]}
        aggregate = "avg" if values["strategy"] == "Mean" else "median"
        return {c: f"{aggregate}({name(c)}::DOUBLE)" for c in values["input_column"]}

    def learn(self, schema: Schema, values: Values, found: Mapping[str, Any]) -> State:
        for column, value in found.items():
            if value is None:
                raise DataError(
                    f"Column {column!r} has no value to learn from; drop it, or fill it with a "
                    "value of your own."
                )
        return {"values": {c: _plain(value) for c, value in found.items()}}

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

    def _values(self, step: Step) -> Mapping[str, Any]:
        return {
            column: int(value)
            if step.schema.type(column) == ColumnType.LONG and self._is_whole(step, column)
            else value
            for column, value in step.state["values"].items()
        }

    @staticmethod
    def _is_whole(step: Step, column: str) -> bool:
        value = step.state["values"][column]
        return isinstance(value, int) or (isinstance(value, float) and value.is_integer())


def _most_frequent(column: str) -> str:
    # Of equally frequent ones the smallest, so that the order of the rows does not matter.
    counts = f"histogram({name(column)})"
    return (
        f"list_sort(list_filter(map_entries({counts}), lambda e: e.value = "
        f"list_max(map_values({counts}))))[1].key"
    )


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
