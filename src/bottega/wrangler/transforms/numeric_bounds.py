"""What transforms have in common that keep numbers within bounds."""

from __future__ import annotations

from typing import Any

from bottega.wrangler.columns import NUMBERS, Column, ColumnType, Schema
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.sql_text import literal, name
from bottega.wrangler.transform import (
    Columns,
    Rendering,
    Rows,
    Serving,
    Step,
    Transform,
    Values,
)

OPERATOR = "sagemaker.spark.handle_outliers_0.1"
GROUP = "Handle outliers"
_LARGEST = 1 << 63

COLUMNS = Parameter(
    "input_column",
    "columns",
    "Columns",
    "Where outliers are handled.",
    required=True,
    types=NUMBERS,
)
FIX = Parameter(
    "fix_method",
    "choice",
    "Fix method",
    "Clip puts the nearest bound in an outlier's place, Remove drops its row, Invalidate makes it "
    "missing.",
    default="Clip",
    choices=("Clip", "Remove", "Invalidate"),
)


def quantile_parameter(which: str, default: float, sentence: str) -> Parameter:
    """``lower_quantile`` or ``upper_quantile``."""
    return Parameter(
        f"{which}_quantile",
        "number",
        f"{which.capitalize()} quantile",
        sentence,
        default=default,
        minimum=0,
        maximum=1,
    )


DEVIATIONS = Parameter(
    "standard_deviations",
    "number",
    "Standard deviations",
    "How many of them a value may be away from the middle.",
    default=4,
    minimum=0,
)


class NumericBounds(Transform):
    """Base of such transforms. State: ``bounds``, a pair for each column."""

    operator = OPERATOR
    group = GROUP
    edge_cases = (
        "Missing values stay missing, and their rows stay. Infinite values are outliers; bounds "
        "are learnt from finite values only, and a column without one is refused. Whole numbers "
        "become fractions where they are clipped to a bound that is one."
    )
    learns = True
    words = ("clip", "winsorize", "extreme", "remove")

    def serving_of(self, values: Values) -> Serving:
        """Removing rows is for training; the other methods change every row that is served."""
        return "skip" if values["fix_method"] == "Remove" else "apply"

    def columns(self, step: Step) -> Schema:
        return step.schema.with_columns(
            Column(column, ColumnType.FLOAT)
            for column in step.values["input_column"]
            if self._becomes_fractions(step, column)
        )

    def sql(self, step: Step) -> Rendering:
        bounds = {
            c: tuple(map(literal, self._bounds(step, c))) for c in step.values["input_column"]
        }
        inside = {c: f"{name(c)} BETWEEN {low} AND {high}" for c, (low, high) in bounds.items()}
        match step.values["fix_method"]:
            case "Remove":
                return Rows(" AND ".join(f"coalesce({test}, TRUE)" for test in inside.values()))
            case "Invalidate":
                return Columns({c: f"CASE WHEN {t} THEN {name(c)} END" for c, t in inside.items()})
        schema = self.columns(step)
        return Columns(
            {
                c: f"(CASE WHEN {name(c)} < {low} THEN {low} WHEN {name(c)} > {high} THEN {high} "
                f"ELSE {name(c)} END)::{schema.type(c).duckdb}"
                for c, (low, high) in bounds.items()
            }
        )

    def pandas(self, step: Step, code: PandasCode) -> None:
        for column in step.values["input_column"]:
            lower, upper = self._bounds(step, column)
            place = code.column(column)
            constants = (
                f"{code.constant(f'{column} lower bound', lower)}, "
                f"{code.constant(f'{column} upper bound', upper)}"
            )
            match step.values["fix_method"]:
                case "Clip":
                    fractions = self._becomes_fractions(step, column)
                    number = f'{place}.astype("float64")' if fractions else place
                    code.line(f"{place} = {number}.clip({constants})")
                case "Remove":
                    kept = f"{place}.between({constants}) | {place}.isna()"
                    code.line(f"{code.table} = {code.table}[{kept}]")
                case _:
                    code.line(f"{place} = {place}.where({place}.between({constants}))")

    def _bounds(self, step: Step, column: str) -> tuple[float, float]:
        """The smallest and the largest value that is no outlier, whole where the column can be."""
        lower, upper = map(float, self._limits(step, column))
        if step.schema.type(column) != ColumnType.LONG:
            return lower, upper
        return _whole(lower), _whole(upper)

    def _limits(self, step: Step, column: str) -> tuple[Any, Any]:
        lower, upper = step.state["bounds"][column]
        return lower, upper

    def _becomes_fractions(self, step: Step, column: str) -> bool:
        return (
            step.values["fix_method"] == "Clip"
            and step.schema.type(column) == ColumnType.LONG
            and not all(isinstance(bound, int) for bound in self._bounds(step, column))
        )


def _whole(bound: float) -> float:
    """The same as a whole number where it is one of 64 bits."""
    return int(bound) if bound.is_integer() and -_LARGEST <= bound < _LARGEST else bound
