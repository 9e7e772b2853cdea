"""Datetime range: moments at equal distances beside the rows."""

from __future__ import annotations

from datetime import datetime

from bottega.wrangler.columns import ROW, Column, ColumnType, Schema
from bottega.wrangler.errors import ParameterError
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.transform import Query, Rendering, Step, Transform, Values
from bottega.wrangler.transforms.query_sql import clash, quoted, quoted_names, text
from bottega.wrangler.transforms.time_series import series
from bottega.wrangler.transforms.time_series.frequency import Frequency, frequency_parameters


class DatetimeRange(Transform):
    operator = series.OPERATOR
    name = "Datetime range"
    group = series.GROUP
    sentence = "Adds a column of moments at equal distances, one for each row."
    edge_cases = (
        "Rows are counted in their order, in each series anew where there is an ID column; a "
        "missing ID is a series, too. A month later than the 31st is the month's last day."
    )
    parameter_group = "Datetime range_parameters"
    parameters = (
        Parameter(
            "start",
            "text",
            "Start",
            "The first moment, as in 2024-02-29 or 2024-02-29T13:45:00.",
            required=True,
        ),
        *frequency_parameters(),
        series.id_parameter(),
        Parameter(
            "output_column", "new_column", "Output column", "Where they go.", default="datetime"
        ),
    )
    serving = "refuse"
    words = ("date_range", "calendar", "generate")

    def check(self, schema: Schema, values: Values, others: tuple[Schema, ...] = ()) -> None:
        _moment(values["start"])
        near = clash(schema, values["output_column"])
        if near is not None:
            raise ParameterError(
                "output_column",
                f"Output column: there is a column {near!r} already; choose another name.",
            )

    def columns(self, step: Step) -> Schema:
        return Schema((*step.schema, Column(step.values["output_column"], ColumnType.DATETIME)))

    def sql(self, step: Step) -> Rendering:
        frequency, key = Frequency.of(step.values), step.values["id_column"]
        partition = f"PARTITION BY {quoted(key)} " if key is not None else ""
        number = f"(row_number() OVER ({partition}ORDER BY {ROW}) - 1)"
        interval = "to_months" if frequency.is_months else "to_microseconds"
        cast = "::INTEGER" if frequency.is_months else ""
        distance = f"{interval}(({number} * {frequency.size}){cast})"
        made = f"{text(_moment(step.values['start']))} + {distance}"
        shown = "".join(f"{column}, " for column in [quoted_names(step.schema.names)] if column)
        return Query(
            f"SELECT {ROW}, {shown}{made} AS {quoted(step.values['output_column'])} FROM {{input}}"
        )

    def pandas(self, step: Step, code: PandasCode) -> None:
        df, key, frequency = code.table, step.values["id_column"], Frequency.of(step.values)
        target = code.column(step.values["output_column"])
        start = f"pd.Timestamp({code.literal(_moment(step.values['start']).isoformat())})"
        if key is None:
            code.line(f'steps = pd.Series(range(len({df})), {df}.index, dtype="int64")')
        else:
            code.line(f"steps = {df}.groupby({code.literal(key)}, dropna=False).cumcount()")
        if frequency.is_months:
            code.line(f"start = {start}")
            code.line(
                f"moments = [start + pd.DateOffset(months=n * {frequency.size}) for n in steps]"
            )
            code.line(f'{target} = pd.Series(moments, {df}.index, dtype="datetime64[us]")')
        else:
            code.line(f"{target} = {start} + steps * {frequency.pandas}")

    def touches(self, schema: Schema, values: Values) -> frozenset[str]:
        return frozenset(schema.names)


def _moment(start: str) -> datetime:
    try:
        return datetime.fromisoformat(start.strip()).replace(tzinfo=None)
    except ValueError:
        raise ParameterError(
            "start",
            f"Start: {start!r} is no moment; write it as in 2024-02-29 or 2024-02-29T13:45:00.",
        ) from None
