"""Filter rows by the values of one column."""

from __future__ import annotations

from typing import Any

from bottega.wrangler.columns import NUMBERS, Column, ColumnType, Schema
from bottega.wrangler.errors import ParameterError
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.sql_text import literal, name
from bottega.wrangler.transform import Rendering, Rows, Step, Transform, Values
from bottega.wrangler.typed_values import typed_value

_COMPARISONS = {
    "Is equal to": ("=", "=="),
    "Is not equal to": ("<>", "!="),
    "Is less than": ("<", "<"),
    "Is at most": ("<=", "<="),
    "Is greater than": (">", ">"),
    "Is at least": (">=", ">="),
}
_TEXTS = {
    "Contains": ("contains", "contains"),
    "Does not contain": ("contains", "contains"),
    "Starts with": ("starts_with", "startswith"),
    "Ends with": ("ends_with", "endswith"),
}
_LISTS = ("Is one of", "Is not one of")
_RANGE = "Is between"
_MISSING = ("Is missing", "Is not missing")


class FilterRows(Transform):
    operator = "sagemaker.spark.manage_rows_0.1"
    name = "Filter"
    group = "Manage rows"
    sentence = "Keeps the rows in which a column fulfils a condition."
    edge_cases = (
        "A missing value fulfils no condition but Is missing, not even Is not equal to. Empty text "
        "and infinity are values like others. Text is compared exactly, capitals too."
    )
    parameter_group = "filter_parameters"
    parameters = (
        Parameter("column", "column", "Column", "What is looked at.", required=True),
        Parameter(
            "condition",
            "choice",
            "Condition",
            "Which rows stay.",
            default="Is equal to",
            choices=(*_COMPARISONS, _RANGE, *_LISTS, *_TEXTS, *_MISSING),
        ),
        Parameter(
            "value",
            "value",
            "Value",
            "What the column is compared with; it must be readable as the column's type.",
            required=True,
            when=("condition", (*_COMPARISONS, *_TEXTS)),
        ),
        Parameter(
            "values",
            "texts",
            "Values",
            "Each must be readable as the column's type.",
            required=True,
            when=("condition", _LISTS),
        ),
        Parameter(
            "lower",
            "value",
            "Lower bound",
            "The smallest value that stays.",
            required=True,
            when=("condition", (_RANGE,)),
        ),
        Parameter(
            "upper",
            "value",
            "Upper bound",
            "The largest value that stays.",
            required=True,
            when=("condition", (_RANGE,)),
        ),
    )
    serving = "skip"
    words = ("where", "query", "keep", "remove")

    def check(self, schema: Schema, values: Values, others: tuple[Schema, ...] = ()) -> None:
        column, condition = schema[values["column"]], values["condition"]
        if condition in _TEXTS and column.type != ColumnType.STRING:
            raise ParameterError(
                "condition",
                f"Condition: {condition!r} looks at text, and column {column.name!r} is "
                f"{column.type}.",
            )
        if condition in _TEXTS and not isinstance(values["value"], str):
            raise ParameterError("value", f"Value: {values['value']!r} is no text.")
        for parameter in ("value", "lower", "upper"):
            if values[parameter] is not None:
                _typed(parameter, values[parameter], column)
        for value in values["values"] or ():
            _typed("values", value, column)

    def columns(self, step: Step) -> Schema:
        return step.schema

    def sql(self, step: Step) -> Rendering:
        column = step.schema[step.values["column"]]
        place, condition, values = name(column.name), step.values["condition"], step.values

        def text(parameter: str) -> str:
            return literal(_typed(parameter, values[parameter], column))

        if condition in _COMPARISONS:
            return Rows(f"{place} {_COMPARISONS[condition][0]} {text('value')}")
        if condition in _TEXTS:
            test = f"{_TEXTS[condition][0]}({place}, {text('value')})"
            return Rows(f"NOT {test}" if condition == "Does not contain" else test)
        if condition == _RANGE:
            return Rows(f"{place} BETWEEN {text('lower')} AND {text('upper')}")
        if condition in _LISTS:
            listed = ", ".join(literal(_typed("values", v, column)) for v in values["values"])
            if not listed:
                return Rows("FALSE" if condition == "Is one of" else f"{place} IS NOT NULL")
            return Rows(f"{place} {'IN' if condition == 'Is one of' else 'NOT IN'} ({listed})")
        return Rows(f"{place} IS {'' if condition == 'Is missing' else 'NOT '}NULL")

    def pandas(self, step: Step, code: PandasCode) -> None:
        column = step.schema[step.values["column"]]
        place, condition, values = code.column(column.name), step.values["condition"], step.values

        def text(parameter: str) -> str:
            return _python(_typed(parameter, values[parameter], column), code)

        if condition in _COMPARISONS:
            test = f"{place} {_COMPARISONS[condition][1]} {text('value')}"
            if condition == "Is not equal to":
                test = f"{place}.notna() & ({test})"
        elif condition in _TEXTS:
            method = _TEXTS[condition][1]
            regex = ", regex=False" if method == "contains" else ""
            test = f"{place}.str.{method}({text('value')}{regex})"
            if condition == "Does not contain":
                test = f"{place}.notna() & ~{test}"
        elif condition == _RANGE:
            test = f"{place}.between({text('lower')}, {text('upper')})"
        elif condition in _LISTS:
            listed = ", ".join(_python(_typed("values", v, column), code) for v in values["values"])
            test = f"{place}.isin([{listed}])"
            if condition == "Is not one of":
                test = f"{place}.notna() & ~{test}"
        else:
            test = f"{place}.{'isna' if condition == 'Is missing' else 'notna'}()"
        code.line(f"{code.table} = {code.table}[{test}]")


def _typed(parameter: str, value: Any, column: Column) -> Any:
    """A value to compare with: a whole column can be compared with a fraction, too."""
    if column.type in NUMBERS:
        try:
            return typed_value(parameter, value, Column(column.name, ColumnType.LONG))
        except ParameterError:
            return typed_value(parameter, value, Column(column.name, ColumnType.FLOAT))
    return typed_value(parameter, value, column)


def _python(value: Any, code: PandasCode) -> str:
    if hasattr(value, "isoformat"):
        return f"pd.Timestamp({code.literal(value.isoformat())})"
    return code.literal(value)
