"""Manage rows: sort, shuffle, drop duplicates. Filtering is in ``filter_rows``."""

from __future__ import annotations

from bottega.wrangler.columns import ROW, SCALARS, Schema
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.transform import Query, Rendering, Step, Transform
from bottega.wrangler.transforms.query_sql import quoted, quoted_names
from bottega.wrangler.transforms.seeded import pandas_random, random_query, seed_parameter

_OPERATOR = "sagemaker.spark.manage_rows_0.1"
_GROUP = "Manage rows"


class Sort(Transform):
    operator = _OPERATOR
    name = "Sort"
    group = _GROUP
    sentence = "Sorts the rows by columns."
    edge_cases = (
        "Missing values come last in both orders; equal rows keep their order. Text is sorted by "
        "its characters' code points: capitals before small letters."
    )
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
        keys = [f"{quoted(column)} {way} NULLS LAST" for column in step.values["column"]]
        return Query(
            f"SELECT row_number() OVER (ORDER BY {', '.join(keys)}, {ROW}) AS {ROW}, "
            f"{quoted_names(step.schema.names)} FROM {{input}}"
        )

    def pandas(self, step: Step, code: PandasCode) -> None:
        ascending = step.values["order"] == "Ascending"
        arguments = code.literal(step.values["column"])
        code.line(
            f"{code.table} = {code.table}.sort_values({arguments}, "
            f'{"" if ascending else "ascending=False, "}kind="stable")'
        )


class Shuffle(Transform):
    operator = _OPERATOR
    name = "Shuffle"
    group = _GROUP
    sentence = "Puts the rows into a random order."
    edge_cases = "Values do not matter. The same seed gives the same order."
    parameter_group = "shuffle_parameters"
    parameters = (seed_parameter(),)
    serving = "skip"
    words = ("random", "permute")

    def columns(self, step: Step) -> Schema:
        return step.schema

    def sql(self, step: Step) -> Rendering:
        numbered, number = random_query(step.schema, step.values["seed"])
        return Query(
            f"SELECT row_number() OVER (ORDER BY {number}) AS {ROW}, "
            f"{quoted_names(step.schema.names)} FROM ({numbered})"
        )

    def pandas(self, step: Step, code: PandasCode) -> None:
        numbers = pandas_random(code, step.values["seed"])
        code.line(f"{code.table} = {code.table}.iloc[np.argsort({numbers})]")


class DropDuplicates(Transform):
    operator = _OPERATOR
    name = "Drop duplicates"
    group = _GROUP
    sentence = "Keeps the first of the rows that are equal in all or in some columns."
    edge_cases = "Missing values are equal to each other; text is compared exactly."
    parameter_group = "drop_duplicates_parameters"
    parameters = (
        Parameter(
            "columns", "columns", "Columns", "What is compared; all columns when none is named."
        ),
    )
    serving = "skip"
    words = ("distinct", "unique", "drop_duplicates")

    def columns(self, step: Step) -> Schema:
        return step.schema

    def sql(self, step: Step) -> Rendering:
        keys = quoted_names(step.values["columns"] or step.schema.names)
        return Query(
            f"SELECT {quoted_names([ROW, *step.schema.names])} FROM {{input}} "
            f"WHERE {ROW} IN (SELECT min({ROW}) FROM {{input}} GROUP BY {keys})",
            subset=True,
        )

    def pandas(self, step: Step, code: PandasCode) -> None:
        df, chosen = code.table, step.values["columns"]
        lists = [c for c in chosen or step.schema.names if step.schema.type(c) not in SCALARS]
        subset = f"subset={code.literal(chosen)}" if chosen else ""
        if not lists:
            code.line(f"{df} = {df}.drop_duplicates({subset})")
            return
        # Lists cannot be compared there; tuples can.
        code.line(f"compared = {df}.copy()")
        for column in lists:
            place = code.column(column, "compared")
            code.line(f'{place} = {place}.map(tuple, na_action="ignore")')
        code.line(f"{df} = {df}[~compared.duplicated({subset})]")
