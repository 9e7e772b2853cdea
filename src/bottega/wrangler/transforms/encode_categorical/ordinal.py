"""Ordinal encode: the place of a category among those learnt."""

from __future__ import annotations

from bottega.wrangler.columns import Column, ColumnType, Schema
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.transform import Rendering, State, Step, Table, Transform, Values
from bottega.wrangler.transforms.encode_categorical.lookup import (
    INPUT,
    OUTPUT,
    code_of,
    learnt_categories,
    refuse_one_output_for_many,
    refuse_unknown,
    rendered,
    text_of,
    unknown_error,
)


class OrdinalEncode(Transform):
    operator = "sagemaker.spark.encode_categorical_0.1"
    name = "Ordinal encode"
    group = "Encode categorical"
    sentence = "Puts whole numbers from 0 in the place of categories, the most frequent first."
    edge_cases = (
        "Missing values and those not learnt are invalid; empty text is a category. Of equally "
        "frequent categories the alphabetically first comes first."
    )
    parameter_group = "ordinal_encode_parameters"
    parameters = (
        INPUT,
        Parameter(
            "invalid_handling_strategy",
            "choice",
            "Invalid handling strategy",
            "What becomes of invalid values: the row is dropped (Skip), they are one more category "
            "(Keep), the step fails (Error), or they are missing (Replace with NaN).",
            default="Replace with NaN",
            choices=("Skip", "Keep", "Error", "Replace with NaN"),
        ),
        OUTPUT,
    )
    learns = True
    words = ("label encoder", "codes", "string indexer")

    def check(self, schema: Schema, values: Values, others: tuple[Schema, ...] = ()) -> None:
        refuse_one_output_for_many(values)

    def fit(self, table: Table, values: Values) -> State:
        return {
            "categories": {
                column: [value for value, _ in learnt_categories(table, column)]
                for column in values["input_column"]
            }
        }

    def columns(self, step: Step) -> Schema:
        output = step.values["output_column"]
        return step.schema.with_columns(
            Column(output or column, ColumnType.LONG) for column in step.values["input_column"]
        )

    def sql(self, step: Step) -> Rendering:
        output, strategy = step.values["output_column"], step.values["invalid_handling_strategy"]
        found, valid = {}, []
        for column, categories in step.state["categories"].items():
            known = code_of(text_of(column), categories)
            valid.append(f"{known} IS NOT NULL")
            if strategy == "Keep":
                known = f"coalesce({known}, {len(categories)})"
            elif strategy == "Error":
                known = f"coalesce({known}, {unknown_error(column)}::BIGINT)"
            found[output or column] = known
        where = " AND ".join(valid) if strategy == "Skip" else ""
        return rendered(found, self.columns(step), step.state["categories"].values(), where=where)

    def pandas(self, step: Step, code: PandasCode) -> None:
        output, strategy = step.values["output_column"], step.values["invalid_handling_strategy"]
        table = code.table
        learnt = {
            column: code.constant(f"{column} codes", {c: i for i, c in enumerate(categories)})
            for column, categories in step.state["categories"].items()
        }
        if strategy == "Skip":
            for column, codes in learnt.items():
                code.line(f"{table} = {table}[{code.column(column)}.isin(list({codes}))]")
        for column, codes in learnt.items():
            place = code.column(column)
            if strategy == "Error":
                refuse_unknown(code, column, f"list({codes})")
            keep = f".fillna(len({codes}))" if strategy == "Keep" else ""
            code.line(
                f'{code.column(output or column)} = {place}.map({codes}).astype("Int64"){keep}'
            )
