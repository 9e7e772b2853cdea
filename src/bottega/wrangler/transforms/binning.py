"""Bins: numbers of intervals instead of numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bottega.wrangler.columns import ColumnType, Schema
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.sql_text import literal
from bottega.wrangler.transform import State, Step, Values
from bottega.wrangler.transforms.learnt import finite, learnt
from bottega.wrangler.transforms.numeric_columns import NumericColumns, output_parameters


class BinValues(NumericColumns):
    name = "Bin values"
    sentence = "Replaces numbers by the number of the bin they fall into, counted from 0."
    edge_cases = (
        "Missing values stay missing. Bins are learnt from finite values; smaller ones fall into "
        "the first and larger ones into the last bin, infinite ones too. A bin holds its lower "
        "bound. Equal quantiles make one bin, so that there may be fewer."
    )
    parameter_group = "bin_values_parameters"
    parameters = (
        *output_parameters("What is put into bins."),
        Parameter(
            "method",
            "choice",
            "Method",
            "Bins of equal width, or with equally many values.",
            default="Equal width",
            choices=("Equal width", "Quantile"),
        ),
        Parameter(
            "bins",
            "integer",
            "Bins",
            "How many.",
            default=10,
            minimum=2,
            maximum=1000,
        ),
    )
    learns = True
    words = ("cut", "qcut", "discretize", "bucket", "histogram")

    def statistics(self, schema: Schema, values: Values) -> Mapping[str, str]:
        found = {}
        for column in values["input_column"]:
            number, bins = finite(column), values["bins"]
            if values["method"] == "Equal width":
                found[column] = f"[min({number}), max({number})]"
            else:
                wanted = literal([place / bins for place in range(1, bins)])
                found[column] = f"quantile_cont({number}, {wanted})"
        return found

    def learn(self, schema: Schema, values: Values, found: Mapping[str, Any]) -> State:
        """For each column the bounds between its bins, ascending, without repeats."""
        bounds = {}
        for column, result in found.items():
            numbers = [learnt(column, number) for number in result or [None]]
            if values["method"] == "Equal width":
                low, high = numbers
                width = learnt(column, high - low)
                numbers = [
                    low + width * (place / values["bins"]) for place in range(1, values["bins"])
                ]
            bounds[column] = sorted(set(numbers))
        return {"bounds": bounds}

    def result_type(self, step: Step, kind: ColumnType) -> ColumnType:
        return ColumnType.LONG

    def expression(self, step: Step, column: str, number: str) -> str:
        bounds = [float(bound) for bound in step.state["bounds"][column]]
        return f"(CASE WHEN {number} IS NOT NULL THEN {_place(number, bounds, 0)} END)::BIGINT"

    def program(self, step: Step, column: str, number: str, code: PandasCode) -> str:
        code.require("import numpy as np")
        bounds = list(map(float, step.state["bounds"][column]))
        constant = code.constant(f"{column} bounds", bounds)
        place, source = f'np.searchsorted({constant}, {number}, side="right")', code.column(column)
        return f'pd.Series({place}, {code.table}.index, "Int64").where({source}.notna())'


def _place(number: str, bounds: list[float], first: int) -> str:
    """How many bounds are not above a number, found by halving: few comparisons for many bins."""
    if not bounds:
        return str(first)
    middle = len(bounds) // 2
    below = _place(number, bounds[:middle], first)
    above = _place(number, bounds[middle + 1 :], first + middle + 1)
    return f"CASE WHEN {number} < {literal(bounds[middle])} THEN {below} ELSE {above} END"
