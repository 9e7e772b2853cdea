"""Handle outliers: numbers beyond learnt or given bounds, and rare texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bottega.wrangler.columns import ColumnType, Schema
from bottega.wrangler.errors import ParameterError
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.sql_text import escaped, literal, name
from bottega.wrangler.transform import Columns, Rendering, State, Step, Table, Transform, Values
from bottega.wrangler.transforms.learnt import as_json, deviation, finite, learnt
from bottega.wrangler.transforms.numeric_bounds import (
    COLUMNS,
    DEVIATIONS,
    FIX,
    GROUP,
    OPERATOR,
    NumericBounds,
    quantile_parameter,
)
from bottega.wrangler.transforms.query_sql import quoted


class StandardDeviationOutliers(NumericBounds):
    name = "Standard deviation numeric outliers"
    sentence = "Finds numbers that are many standard deviations away from the mean."
    parameter_group = "standard_deviation_numeric_outliers_parameters"
    parameters = (COLUMNS, FIX, DEVIATIONS)

    def statistics(self, schema: Schema, values: Values) -> Mapping[str, str]:
        found = {}
        for column in values["input_column"]:
            found[f"mean {column}"] = f"favg({finite(column)})"
            found[f"deviation {column}"] = deviation(finite(column))
        return found

    def learn(self, schema: Schema, values: Values, found: Mapping[str, Any]) -> State:
        bounds = {}
        for column in values["input_column"]:
            mean = learnt(column, found[f"mean {column}"])
            spread = learnt(column, found[f"deviation {column}"])
            bounds[column] = _around(mean, values["standard_deviations"] * spread)
        return {"bounds": bounds}


class RobustStandardDeviationOutliers(NumericBounds):
    name = "Robust standard deviation numeric outliers"
    sentence = (
        "Finds numbers that are many standard deviations away from the median; the deviation is "
        "that of the values between two quantiles."
    )
    parameter_group = "robust_standard_deviation_numeric_outliers_parameters"
    parameters = (
        COLUMNS,
        FIX,
        DEVIATIONS,
        quantile_parameter("lower", 0.05, "Smaller values do not count for the deviation."),
        quantile_parameter("upper", 0.95, "Larger values do not count for the deviation."),
    )

    def check(self, schema: Schema, values: Values, others: tuple[Schema, ...] = ()) -> None:
        _refuse_crossed(values, "lower_quantile", "upper_quantile")

    def fit(self, table: Table, values: Values) -> State:
        chosen = values["input_column"]
        wanted = literal([float(values["lower_quantile"]), 0.5, float(values["upper_quantile"])])
        asked = ", ".join(f"quantile_cont({finite(column)}, {wanted})" for column in chosen)
        found = table.row(f"SELECT {escaped(asked)} FROM {{table}}")
        middle, spreads = {}, []
        for column, quantiles in zip(chosen, found, strict=True):
            low, middle[column], high = (learnt(column, v) for v in quantiles or [None] * 3)
            inner = f"{name(column)} BETWEEN {literal(low)} AND {literal(high)}"
            spreads.append(deviation(f"CASE WHEN {inner} THEN {finite(column)} END"))
        found = table.row(f"SELECT {escaped(', '.join(spreads))} FROM {{table}}")
        return {
            "bounds": {
                # Two quantiles may have no value between them.
                column: _around(
                    middle[column],
                    values["standard_deviations"] * (learnt(column, spread) if spread else 0.0),
                )
                for column, spread in zip(chosen, found, strict=True)
            }
        }


class QuantileOutliers(NumericBounds):
    name = "Quantile numeric outliers"
    sentence = "Finds numbers below one quantile or above another."
    parameter_group = "quantile_numeric_outliers_parameters"
    parameters = (
        COLUMNS,
        FIX,
        quantile_parameter("lower", 0.01, "Smaller values are outliers; quantiles are exact."),
        quantile_parameter("upper", 0.99, "Larger values are outliers."),
    )

    def check(self, schema: Schema, values: Values, others: tuple[Schema, ...] = ()) -> None:
        _refuse_crossed(values, "lower_quantile", "upper_quantile")

    def statistics(self, schema: Schema, values: Values) -> Mapping[str, str]:
        wanted = literal([float(values["lower_quantile"]), float(values["upper_quantile"])])
        return {c: f"quantile_cont({finite(c)}, {wanted})" for c in values["input_column"]}

    def learn(self, schema: Schema, values: Values, found: Mapping[str, Any]) -> State:
        return {
            "bounds": {
                column: [learnt(column, value) for value in quantiles or (None,)]
                for column, quantiles in found.items()
            }
        }


class MinMaxOutliers(NumericBounds):
    name = "Min-max numeric outliers"
    sentence = "Finds numbers below a lower threshold or above an upper one."
    parameter_group = "min_max_numeric_outliers_parameters"
    parameters = (
        COLUMNS,
        FIX,
        Parameter(
            "lower_threshold",
            "number",
            "Lower threshold",
            "Smaller values are outliers.",
            required=True,
        ),
        Parameter(
            "upper_threshold",
            "number",
            "Upper threshold",
            "Larger values are outliers.",
            required=True,
        ),
    )
    learns = False

    def check(self, schema: Schema, values: Values, others: tuple[Schema, ...] = ()) -> None:
        _refuse_crossed(values, "lower_threshold", "upper_threshold")

    def _limits(self, step: Step, column: str) -> tuple[Any, Any]:
        return step.values["lower_threshold"], step.values["upper_threshold"]


class ReplaceRare(Transform):
    operator = OPERATOR
    name = "Replace rare values"
    group = GROUP
    sentence = "Puts one text in the place of texts that are rare."
    edge_cases = (
        "Missing values stay missing and are not counted; empty text counts as a text. A text that "
        "was not there when the step learnt is rare."
    )
    parameter_group = "replace_rare_values_parameters"
    parameters = (
        Parameter(
            "input_column",
            "columns",
            "Columns",
            "Where rare texts are replaced.",
            required=True,
            types=frozenset({ColumnType.STRING}),
        ),
        Parameter(
            "replacement_string",
            "text",
            "Replacement string",
            "What is put in their place.",
            default="Other",
        ),
        Parameter(
            "absolute_threshold",
            "integer",
            "Absolute threshold",
            "A text that occurs this often or less is rare.",
            default=1,
            minimum=0,
        ),
        Parameter(
            "fraction_threshold",
            "number",
            "Fraction threshold",
            "A text in this share of the rows or less is rare; missing values are no rows here.",
            default=0,
            minimum=0,
            maximum=1,
        ),
        Parameter(
            "max_common_categories",
            "integer",
            "Max common categories",
            "Only so many of the most frequent texts stay; 0 means any number.",
            default=0,
            minimum=0,
        ),
    )
    learns = True
    words = ("rare", "category", "other", "long tail")

    def fit(self, table: Table, values: Values) -> State:
        common = {}
        for column in values["input_column"]:
            place, most = quoted(column), values["max_common_categories"]
            rows = table.rows(
                f"SELECT {place} FROM (SELECT {place}, count(*) AS n, "
                f"sum(count(*)) OVER () AS total FROM {{table}} "
                f"WHERE {place} IS NOT NULL GROUP BY 1) "
                f"WHERE n > {values['absolute_threshold']} "
                f"AND n > total * {literal(float(values['fraction_threshold']))} "
                f"ORDER BY n DESC, 1{f' LIMIT {most}' if most else ''}"
            )
            common[column] = [text for (text,) in rows]
        return {"common": common}

    def columns(self, step: Step) -> Schema:
        return step.schema

    def sql(self, step: Step) -> Rendering:
        rare = literal(step.values["replacement_string"])
        found = {}
        for column, common in step.state["common"].items():
            known = f"{name(column)} IN ({', '.join(map(literal, common))})" if common else "FALSE"
            found[column] = (
                f"CASE WHEN {name(column)} IS NULL OR {known} THEN {name(column)} ELSE {rare} END"
            )
        return Columns(found)

    def pandas(self, step: Step, code: PandasCode) -> None:
        rare = code.literal(step.values["replacement_string"])
        for column, common in step.state["common"].items():
            place = code.column(column)
            known = code.constant(f"{column} common values", common)
            kept = f"{place}.isin({known}) | {place}.isna()"
            code.line(f"{place} = {place}.where({kept}, {rare})")


def _around(middle: float, width: float) -> list[float | str]:
    return [as_json(middle - width), as_json(middle + width)]


def _refuse_crossed(values: Values, lower: str, upper: str) -> None:
    if values[lower] > values[upper]:
        raise ParameterError(
            lower,
            f"{lower.replace('_', ' ').capitalize()}: {values[lower]:g} is above the "
            f"{upper.replace('_', ' ')}, {values[upper]:g}.",
        )
