"""Resample: series with moments at equal distances."""

from __future__ import annotations

from bottega.wrangler.columns import NUMBERS, ROW, SCALARS, Column, ColumnType, Schema
from bottega.wrangler.errors import ParameterError
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.transform import Query, Rendering, Step, Transform, Values
from bottega.wrangler.transforms.aggregations import aggregate_pandas, aggregate_sql
from bottega.wrangler.transforms.query_sql import quoted
from bottega.wrangler.transforms.time_series import series
from bottega.wrangler.transforms.time_series.frequency import Frequency, frequency_parameters
from bottega.wrangler.transforms.time_series.interpolation import between

_MOST_ROWS = 1_000_000_000
_BEFORE = "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"
_AFTER = "ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING"


class Resample(Transform):
    operator = series.OPERATOR
    name = "Resample"
    group = series.GROUP
    sentence = "Gives series one row for each step of time, from their first to their last."
    edge_cases = (
        "Each value of the ID column is a series of its own, the missing one too; without an ID "
        "column all rows are one. Rows without a timestamp are left out. A step begins at a whole "
        "multiple of its length since 1970. Several rows of a step become one, their missing "
        "values left out; steps without a value are filled from the others, and what lies before "
        "the first value or, interpolated, after the last one stays missing. Between a finite and "
        "an infinite value lies infinity. Whole numbers become floats. Rows come sorted by ID, a "
        "missing one last, and time."
    )
    parameter_group = "Resample_parameters"
    parameters = (
        series.timestamp_parameter(times_only=True),
        series.id_parameter(),
        *frequency_parameters(),
        Parameter(
            "downsample_numeric",
            "choice",
            "Numbers, several in a step",
            "What becomes of several numbers of a step.",
            path="downsample.numeric",
            default="mean",
            choices=("mean", "median", "min", "max", "sum", "stddev", "first", "last"),
        ),
        Parameter(
            "downsample_other",
            "choice",
            "Others, several in a step",
            "What becomes of several other values of a step.",
            path="downsample.non_numeric",
            default="most common",
            choices=("most common", "first", "last", "min", "max"),
        ),
        Parameter(
            "upsample_numeric",
            "choice",
            "Numbers, none in a step",
            "How numbers of empty steps are filled.",
            path="upsample.numeric",
            default="linear",
            choices=("linear", "ffill", "bfill", "none"),
        ),
        Parameter(
            "upsample_other",
            "choice",
            "Others, none in a step",
            "How other values of empty steps are filled.",
            path="upsample.non_numeric",
            default="ffill",
            choices=("ffill", "bfill", "none"),
        ),
    )
    serving = "refuse"
    words = ("frequency", "interval", "downsample", "upsample", "regular")

    def check(self, schema: Schema, values: Values, others: tuple[Schema, ...] = ()) -> None:
        for column in schema:
            if column.type not in SCALARS:
                raise ParameterError(
                    "timestamp_column",
                    f"Column {column.name!r} is {column.type}, which cannot be resampled; drop or "
                    "flatten it first.",
                )
        if values["id_column"] == values["timestamp_column"]:
            raise ParameterError(
                "id_column", f"ID column: {values['id_column']!r} is the timestamp column."
            )

    def columns(self, step: Step) -> Schema:
        time = step.values["timestamp_column"]
        return Schema(
            Column(c.name, ColumnType.DATETIME)
            if c.name == time
            else Column(c.name, ColumnType.FLOAT)
            if c.type in NUMBERS and c.name != step.values["id_column"]
            else c
            for c in step.schema
        )

    def sql(self, step: Step) -> Rendering:
        frequency, key = Frequency.of(step.values), step.values["id_column"]
        time = f"{quoted(step.values['timestamp_column'])}::TIMESTAMP"
        keys = [quoted(key)] if key is not None else []
        measured, place = self._measured(step), f"row({time}, {ROW})"
        aggregates = [
            f"{aggregate_sql(self._function(step, c), quoted(c.name), c, place)} "
            f"AS {quoted(c.name)}"
            for c in measured
        ]
        partition = f"PARTITION BY {', '.join(keys)} " if keys else ""
        on = "".join(f" AND __g.{k} IS NOT DISTINCT FROM __d.{k}" for k in keys)
        grid_keys = [f"__g.{k}" for k in keys]
        windows = []
        for number, column in enumerate(measured):
            x = quoted(column.name)
            filled = f"CASE WHEN {x} IS NOT NULL THEN __step END"
            windows += [
                f"last_value({x} IGNORE NULLS) OVER (__w {_BEFORE}) AS __before_{number}",
                f"first_value({x} IGNORE NULLS) OVER (__w {_AFTER}) AS __after_{number}",
                f"last_value({filled} IGNORE NULLS) OVER (__w {_BEFORE}) AS __first_{number}",
                f"first_value({filled} IGNORE NULLS) OVER (__w {_AFTER}) AS __last_{number}",
            ]
        order = ", ".join([*(f"{k} ASC NULLS LAST" for k in keys), "__step"])
        grouping = ", ".join([*keys, "__step"])
        selected = ", ".join(["*", *windows])
        message = "Resampling would give more than 1,000,000,000 rows; choose a longer frequency"
        return Query(
            f"WITH __rows AS (SELECT *, {frequency.step_of(f'({time})')} AS __step FROM {{input}} "
            f"WHERE {time} IS NOT NULL), "
            f"__down AS (SELECT {', '.join([*keys, '__step', *aggregates])} FROM __rows "
            f"GROUP BY {grouping}), "
            f"__spans AS (SELECT {', '.join([*keys, 'min(__step) AS __lo', 'max(__step) AS __hi'])}"
            f" FROM __down {'GROUP BY ' + ', '.join(keys) if keys else 'HAVING count(*) > 0'}), "
            f"__size AS (SELECT sum(__hi - __lo + 1) > {_MOST_ROWS} AS __large FROM __spans), "
            f"__grid AS (SELECT {', '.join([*keys, ''])}unnest(range(__lo, CASE WHEN __large "
            f"THEN error('{message}')::BIGINT ELSE __hi + 1 END)) AS __step "
            "FROM __spans, __size), "
            f"__wide AS (SELECT {', '.join([*grid_keys, '__g.__step'])}"
            f"{''.join(f', __d.{quoted(c.name)}' for c in measured)} FROM __grid AS __g "
            f"LEFT JOIN __down AS __d ON __g.__step = __d.__step{on}) "
            f"SELECT row_number() OVER (ORDER BY {order}) AS {ROW}, {self._shown(step, frequency)} "
            f"FROM (SELECT {selected} FROM __wide WINDOW __w AS ({partition}ORDER BY __step))"
        )

    def _shown(self, step: Step, frequency: Frequency) -> str:
        items, measured = [], [column.name for column in self._measured(step)]
        for column in self.columns(step):
            x = quoted(column.name)
            if column.name == step.values["timestamp_column"]:
                items.append(f"{frequency.start_of('__step')} AS {x}")
            elif column.name == step.values["id_column"]:
                items.append(x)
            else:
                number = measured.index(column.name)
                is_number = step.schema.type(column.name) in NUMBERS
                way = step.values["upsample_numeric" if is_number else "upsample_other"]
                value = {
                    "ffill": f"coalesce({x}, __before_{number})",
                    "bfill": f"coalesce({x}, __after_{number})",
                    "none": x,
                }.get(way)
                if value is None:
                    before, after, first, last = (
                        f"__{word}_{number}" for word in ("before", "after", "first", "last")
                    )
                    value = f"coalesce({x}, {between(before, after, '__step', first, last)})"
                items.append(f"({value})::{column.type.duckdb} AS {x}")
        return ", ".join(items)

    def pandas(self, step: Step, code: PandasCode) -> None:
        df, key, time = code.table, step.values["id_column"], step.values["timestamp_column"]
        frequency, measured = Frequency.of(step.values), self._measured(step)
        names = code.literal(step.schema.names)
        keys = code.literal([*([key] if key is not None else []), time])
        code.line(f"{df} = {df}.dropna(subset={code.literal([time])})")
        code.line(f'{df} = {df}.sort_values({code.literal(time)}, kind="stable")')
        for line in frequency.write_starts(code.column(time)):
            code.line(line)
        if measured:
            code.line(f"{df} = {df}.groupby({keys}, dropna=False).agg(")
            code.line("    **{")
            for column in measured:
                function = aggregate_pandas(self._function(step, column), code)
                label = code.literal(column.name)
                code.line(f"        {label}: ({label}, {function}),")
            code.line("    }")
            code.line(").reset_index()")
        else:
            code.line(f"{df} = {df}[{keys}].drop_duplicates().sort_values({keys})")
        numbers = [c.name for c in measured if c.type in NUMBERS]
        rest = [c.name for c in measured if c.type not in NUMBERS]
        if numbers:
            code.line(f"{df} = {df}.astype({code.literal(dict.fromkeys(numbers, 'float64'))})")
        code.line("parts = []")
        source = f"[(None, {df})] if len({df}) else []"
        if key is not None:
            source = f"{df}.groupby({code.literal(key)}, dropna=False)"
        code.line(f"for _, part in {source}:")
        code.line(f"    part = part.set_index({code.literal(time)})")
        code.line("    moments = pd.date_range(")
        code.line(f'        part.index[0], part.index[-1], freq={frequency.pandas}, unit="us"')
        code.line("    )")
        code.line("    part = part.reindex(moments)")
        if key is not None:
            place = code.column(key, "part")
            code.line(f"    {place} = {place}.ffill()")
        for chosen, way in (
            (numbers, step.values["upsample_numeric"]),
            (rest, step.values["upsample_other"]),
        ):
            call = 'interpolate(limit_area="inside")' if way == "linear" else f"{way}()"
            if chosen and way != "none":
                place = f"part[{code.literal(chosen)}]"
                code.line(f"    {place} = {place}.{call}")
        code.line(f"    parts.append(part.rename_axis({code.literal(time)}).reset_index())")
        code.line(f"{df} = (pd.concat(parts, ignore_index=True) if parts else {df})[{names}]")

    def touches(self, schema: Schema, values: Values) -> frozenset[str]:
        return frozenset(schema.names)

    @staticmethod
    def _measured(step: Step) -> list[Column]:
        keys = (step.values["id_column"], step.values["timestamp_column"])
        return [column for column in step.schema if column.name not in keys]

    @staticmethod
    def _function(step: Step, column: Column) -> str:
        is_number = column.type in NUMBERS
        return str(step.values["downsample_numeric" if is_number else "downsample_other"])
