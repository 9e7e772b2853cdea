"""Calculating with moments: truncate them, and measure the time between two."""

from __future__ import annotations

from bottega.wrangler.columns import TIMES, Column, ColumnType, Schema
from bottega.wrangler.errors import ParameterError
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.sql_text import name
from bottega.wrangler.transform import Columns, Rendering, Step, Transform, Values
from bottega.wrangler.transforms.query_sql import clash
from bottega.wrangler.transforms.time_series.featurize import GROUP

_OPERATOR = "bottega.date_time_0.1"
_LENGTHS = {
    "seconds": 1,
    "minutes": 60,
    "hours": 3600,
    "days": 86_400,
    "weeks": 7 * 86_400,
}
_FIXED = {"second": "s", "minute": "min", "hour": "h", "day": "D"}
_PERIODS = {"week": "W", "month": "M", "quarter": "Q", "year": "Y"}


class TruncateDatetime(Transform):
    operator = _OPERATOR
    name = "Truncate datetime"
    group = GROUP
    sentence = "Puts a moment at the beginning of its hour, day, month or another unit."
    edge_cases = "A missing moment stays missing. A week begins on Monday."
    parameter_group = "truncate_datetime_parameters"
    parameters = (
        Parameter(
            "input_column", "column", "Input column", "The moments.", required=True, types=TIMES
        ),
        Parameter(
            "unit",
            "choice",
            "Unit",
            "At whose beginning it is put.",
            default="day",
            choices=(*_FIXED, *_PERIODS),
        ),
        Parameter(
            "output_column",
            "new_column",
            "Output column",
            "Where the result goes; in the input column's place when empty.",
        ),
    )
    words = ("floor", "round", "date_trunc", "month start")

    def check(self, schema: Schema, values: Values, others: tuple[Schema, ...] = ()) -> None:
        _refuse_taken(schema, values["output_column"], values["input_column"])

    def columns(self, step: Step) -> Schema:
        column = step.schema[step.values["input_column"]]
        output = step.values["output_column"] or column.name
        return step.schema.with_columns([Column(output, column.type)])

    def sql(self, step: Step) -> Rendering:
        column = step.schema[step.values["input_column"]]
        output = step.values["output_column"] or column.name
        unit = step.values["unit"]
        return Columns({output: f"date_trunc('{unit}', {name(column.name)})::{column.type.duckdb}"})

    def pandas(self, step: Step, code: PandasCode) -> None:
        source = code.column(step.values["input_column"])
        target = code.column(step.values["output_column"] or step.values["input_column"])
        unit = step.values["unit"]
        if unit in _FIXED:
            code.line(f'{target} = {source}.dt.floor("{_FIXED[unit]}")')
        elif unit == "week":
            code.line(f'days = pd.to_timedelta({source}.dt.day_of_week, unit="D")')
            code.line(f"{target} = {source}.dt.normalize() - days")
        else:
            period = f'{source}.dt.to_period("{_PERIODS[unit]}")'
            code.line(f'{target} = {period}.dt.start_time.astype("datetime64[us]")')


class DatetimeDifference(Transform):
    operator = _OPERATOR
    name = "Datetime difference"
    group = GROUP
    sentence = "Measures the time from one moment to another."
    edge_cases = (
        "Missing where either moment is; negative where the end lies before the start. A date is "
        "its midnight."
    )
    parameter_group = "datetime_difference_parameters"
    parameters = (
        Parameter(
            "start_column", "column", "Start column", "From when.", required=True, types=TIMES
        ),
        Parameter("end_column", "column", "End column", "Until when.", required=True, types=TIMES),
        Parameter(
            "unit",
            "choice",
            "Unit",
            "In what it is measured; fractions stay.",
            default="days",
            choices=tuple(_LENGTHS),
        ),
        Parameter(
            "output_column",
            "new_column",
            "Output column",
            "Where the result goes.",
            required=True,
        ),
    )
    words = ("duration", "age", "elapsed", "datediff", "between")

    def check(self, schema: Schema, values: Values, others: tuple[Schema, ...] = ()) -> None:
        _refuse_taken(schema, values["output_column"], None)

    def columns(self, step: Step) -> Schema:
        return Schema((*step.schema, Column(step.values["output_column"], ColumnType.FLOAT)))

    def sql(self, step: Step) -> Rendering:
        end, start = (
            f"epoch_us({name(step.values[key])}::TIMESTAMP)"
            for key in ("end_column", "start_column")
        )
        length = _LENGTHS[step.values["unit"]] * 1_000_000
        return Columns({step.values["output_column"]: f"({end} - {start})::DOUBLE / {length}"})

    def pandas(self, step: Step, code: PandasCode) -> None:
        end, start = (
            code.column(step.values["end_column"]),
            code.column(step.values["start_column"]),
        )
        code.line(
            f"{code.column(step.values['output_column'])} = ({end} - {start}) / "
            f"pd.Timedelta({step.values['unit']}=1)"
        )


def _refuse_taken(schema: Schema, output: str | None, own: str | None) -> None:
    near = clash(schema, output) if output is not None else None
    if near is not None and output != own:
        raise ParameterError(
            "output_column",
            f"Output column: there is a column {near!r} already; choose another name.",
        )
