"""Target encode and count encode: what was learnt about each category, as a number."""

from __future__ import annotations

import math
from typing import Any

from bottega.wrangler.columns import NUMBERS, Column, ColumnType, Schema
from bottega.wrangler.errors import DataError, ParameterError
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.sql_text import escaped, literal, name
from bottega.wrangler.transform import Rendering, State, Step, Table, Transform, Values
from bottega.wrangler.transforms.encode_categorical.lookup import (
    CATEGORICAL,
    INPUT,
    OUTPUT,
    learnt_categories,
    number_of,
    refuse_one_output_for_many,
    rendered,
    text_of,
)


class TargetEncode(Transform):
    operator = "sagemaker.spark.encode_categorical_0.1"
    name = "Target encode"
    group = "Encode categorical"
    sentence = "Puts the mean of a target in the place of each category, drawn to that of all rows."
    edge_cases = (
        "Missing categories and those not learnt get the mean of all rows. Rows whose target is "
        "missing or infinite teach nothing. The target must be numbers, or have two classes, of "
        "which the alphabetically last counts as 1."
    )
    parameter_group = "target_encode_parameters"
    parameters = (
        INPUT,
        Parameter(
            "target_column",
            "column",
            "Target column",
            "What is predicted: numbers, or two classes.",
            required=True,
            types=CATEGORICAL | NUMBERS,
        ),
        Parameter(
            "smoothing",
            "number",
            "Smoothing",
            "How many rows of the mean of all are added to each category.",
            default=10,
            minimum=0,
            maximum=1e9,
        ),
        OUTPUT,
    )
    learns = True
    words = ("mean encoding", "likelihood", "impact")

    def check(self, schema: Schema, values: Values, others: tuple[Schema, ...] = ()) -> None:
        refuse_one_output_for_many(values)
        if values["target_column"] in values["input_column"]:
            raise ParameterError(
                "target_column",
                f"Target column: {values['target_column']!r} is among the input columns.",
            )

    def fit(self, table: Table, values: Values) -> State:
        y, positive = self._target(table, values["target_column"])
        target = values["target_column"]
        prior = table.row(f"SELECT favg({y}) FROM {{table}}")[0]
        if prior is None:
            raise DataError(f"Target column {target!r} has no value to learn from.")
        encoded, weight = {}, values["smoothing"]
        for column in values["input_column"]:
            x = escaped(name(column))
            rows = table.rows(
                f"SELECT {x}, fsum({y}), count({y}) FROM {{table}} "
                f"WHERE {x} IS NOT NULL AND {y} IS NOT NULL GROUP BY 1 ORDER BY 3 DESC, 1"
            )
            means = [(total + weight * prior) / (count + weight) for _, total, count in rows]
            if not all(map(math.isfinite, [prior, *means])):
                raise DataError(f"The numbers of target column {target!r} are too large to add.")
            encoded[column] = {"categories": [row[0] for row in rows], "means": means}
        return {"prior": prior, "positive": positive, "columns": encoded}

    def _target(self, table: Table, target: str) -> tuple[str, Any]:
        """The expression that is averaged, for a template, and the class that counts as 1."""
        y = escaped(name(target))
        if table.schema.type(target) in NUMBERS:
            return f"CASE WHEN isfinite({y}::DOUBLE) THEN {y}::DOUBLE END", None
        classes = [
            row[0]
            for row in table.rows(
                f"SELECT DISTINCT {y} FROM {{table}} WHERE {y} IS NOT NULL ORDER BY 1 LIMIT 3"
            )
        ]
        if len(classes) > 2:
            raise DataError(
                f"Target column {target!r} has more than two classes; Target encode takes numbers "
                "or two classes."
            )
        if not classes:
            raise DataError(f"Target column {target!r} has no value to learn from.")
        positive = classes[-1]
        return f"({y} = {escaped(literal(positive))})::DOUBLE", positive

    def columns(self, step: Step) -> Schema:
        output = step.values["output_column"]
        return step.schema.with_columns(
            Column(output or column, ColumnType.FLOAT) for column in step.values["input_column"]
        )

    def sql(self, step: Step) -> Rendering:
        output, prior = step.values["output_column"], literal(float(step.state["prior"]))
        learnt = step.state["columns"]
        found = {
            (output or column): "coalesce("
            + number_of(text_of(column), one["categories"], one["means"], "DOUBLE")
            + f", {prior})"
            for column, one in learnt.items()
        }
        return rendered(found, self.columns(step), [one["categories"] for one in learnt.values()])

    def pandas(self, step: Step, code: PandasCode) -> None:
        output = step.values["output_column"]
        prior = code.constant(f"{step.values['target_column']} mean", float(step.state["prior"]))
        for column, learnt in step.state["columns"].items():
            means = code.constant(
                f"{column} means", dict(zip(learnt["categories"], learnt["means"], strict=True))
            )
            code.line(
                f"{code.column(output or column)} = "
                f'{code.column(column)}.map({means}).astype("float64").fillna({prior})'
            )


class CountEncode(Transform):
    operator = "sagemaker.spark.encode_categorical_0.1"
    name = "Count encode"
    group = "Encode categorical"
    sentence = "Puts in the place of each category how often it occurred."
    edge_cases = "Missing values stay missing; categories that were not learnt get 0."
    parameter_group = "count_encode_parameters"
    parameters = (
        INPUT,
        Parameter(
            "style",
            "choice",
            "Style",
            "The number of rows, or their share of those that are not missing, from 0 to 1.",
            default="Count",
            choices=("Count", "Frequency"),
        ),
        OUTPUT,
    )
    learns = True
    words = ("frequency", "popularity")

    def check(self, schema: Schema, values: Values, others: tuple[Schema, ...] = ()) -> None:
        refuse_one_output_for_many(values)

    def fit(self, table: Table, values: Values) -> State:
        found = {}
        for column in values["input_column"]:
            rows = learnt_categories(table, column)
            total = sum(count for _, count in rows)
            share = values["style"] == "Frequency"
            found[column] = {
                "categories": [value for value, _ in rows],
                "numbers": [count / total if share else count for _, count in rows],
            }
        return {"columns": found}

    def columns(self, step: Step) -> Schema:
        output = step.values["output_column"]
        kind = ColumnType.LONG if step.values["style"] == "Count" else ColumnType.FLOAT
        return step.schema.with_columns(
            Column(output or column, kind) for column in step.values["input_column"]
        )

    def sql(self, step: Step) -> Rendering:
        output = step.values["output_column"]
        kind = "BIGINT" if step.values["style"] == "Count" else "DOUBLE"
        learnt = step.state["columns"]
        found = {
            (output or column): f"CASE WHEN {name(column)} IS NOT NULL THEN coalesce("
            + number_of(text_of(column), one["categories"], one["numbers"], kind)
            + f", 0::{kind}) END"
            for column, one in learnt.items()
        }
        return rendered(found, self.columns(step), [one["categories"] for one in learnt.values()])

    def pandas(self, step: Step, code: PandasCode) -> None:
        output = step.values["output_column"]
        kind = "Int64" if step.values["style"] == "Count" else "float64"
        what = "counts" if step.values["style"] == "Count" else "frequencies"
        for column, learnt in step.state["columns"].items():
            constant = code.constant(
                f"{column} {what}", dict(zip(learnt["categories"], learnt["numbers"], strict=True))
            )
            place = code.column(column)
            encoded = f'{place}.map({constant}).astype("{kind}").fillna(0).where({place}.notna())'
            code.line(f"{code.column(output or column)} = {encoded}")
