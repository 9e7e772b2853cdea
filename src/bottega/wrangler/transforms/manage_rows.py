"""Manage rows: sort, shuffle, filter, drop duplicates."""

from __future__ import annotations

from bottega.wrangler.columns import ROW, SCALARS, Schema
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.sql_text import name, names
from bottega.wrangler.transform import Query, Rendering, Step, Transform

_OPERATOR = "sagemaker.spark.manage_rows_0.1"
_GROUP = "Manage rows"


class Sort(Transform):
    operator = _OPERATOR
    name = "Sort"
    group = _GROUP
    sentence = "Sorts the rows by columns."
    edge_cases = "Missing values come last in both orders; equal rows keep their order."
    parameter_group = "sort_parameters"
    parameters = (
        Parameter(
            "column", "columns", "Columns", "The first decides first.", required=True, types=SCALARS
        ),
        Parameter(
            "order",
            "choice",
            "Order",
            "Of all of them.",
            default="Ascending",
            choices=("Ascending", "Descending"),
        ),
    )
    serving = "skip"
    words = ("order by", "sort_values")

    def columns(self, step: Step) -> Schema:
        return step.schema

    def sql(self, step: Step) -> Rendering:
        way = "ASC" if step.values["order"] == "Ascending" else "DESC"
        keys = [f"{name(column)} {way} NULLS LAST" for column in step.values["column"]]
        return Query(
            f"SELECT row_number() OVER (ORDER BY {', '.join(keys)}, {ROW}) AS {ROW}, "
            f"{names(step.schema.names)} FROM {{input}}"
        )

    def pandas(self, step: Step, code: PandasCode) -> None:
        ascending = step.values["order"] == "Ascending"
        arguments = code.literal(step.values["column"])
        code.line(
            f"{code.table} = {code.table}.sort_values({arguments}, "
            f'{"" if ascending else "ascending=False, "}kind="stable")'
        )
