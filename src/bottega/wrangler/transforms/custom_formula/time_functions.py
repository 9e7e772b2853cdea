"""Functions of dates and times."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bottega.wrangler.columns import ColumnType
from bottega.wrangler.sql_text import literal
from bottega.wrangler.transforms.casting import cast_pandas, cast_sql
from bottega.wrangler.transforms.custom_formula.terms import Context, Term, meant, refuse
from bottega.wrangler.transforms.text_times import strftime_format, time_formats

Build = Callable[[Context, Sequence[Term]], Term]
_LONG, _DATE, _DATETIME = ColumnType.LONG, ColumnType.DATE, ColumnType.DATETIME
_UNITS = {
    "year": "Y",
    "quarter": "Q",
    "month": "M",
    "week": "W",
    "day": "D",
    "hour": "h",
    "minute": "m",
    "second": "s",
}
_MOST_DAYS = 1_000_000


def _field(sql: str, pandas: str) -> Build:
    """A part of a time as a whole number; ``{}`` stands for the time."""

    def build(context: Context, args: Sequence[Term]) -> Term:
        time = context.time(args[0])
        python = f'({pandas.format(context.series(time, _DATETIME))}).astype("Int64")'
        return Term(_LONG, f"({sql.format(time.sql)})::BIGINT", python)

    return build


def _parsed(kind: ColumnType) -> Build:
    def build(context: Context, args: Sequence[Term]) -> Term:
        (value, *rest) = args
        if value.type is not None and value.type.is_time:
            return context.as_type(value, kind)
        value = context.text(value)
        wanted = context.fixed_text(rest[0], "The format") if rest else None
        formats = time_formats("formula", wanted)
        series = context.series(value, ColumnType.STRING)
        python = cast_pandas(series, ColumnType.STRING, kind, formats, context.code)
        return Term(kind, cast_sql(value.sql, ColumnType.STRING, kind, formats), python)

    return build


def _date_format(context: Context, args: Sequence[Term]) -> Term:
    time = context.time(args[0])
    wanted = strftime_format("formula", context.fixed_text(args[1], "The format of date_format"))
    series = context.series(time, _DATETIME)
    python = f'{series}.dt.strftime({context.code.literal(wanted)}).astype("str")'
    return Term(ColumnType.STRING, f"strftime({time.sql}, {literal(wanted)})", python)


def _datediff(context: Context, args: Sequence[Term]) -> Term:
    end, start = (context.as_type(context.time(arg), _DATE) for arg in args)
    days = " - ".join(context.series(day, _DATE) for day in (end, start))
    python = f'({days}).dt.days.astype("Int64")'
    return Term(_LONG, f"datediff('day', {start.sql}, {end.sql})", python)


def _shifted(sign: int) -> Build:
    def build(context: Context, args: Sequence[Term]) -> Term:
        day = context.as_type(context.time(args[0]), _DATE)
        days = sign * context.fixed_whole(args[1], "The days", -_MOST_DAYS, _MOST_DAYS)
        python = f"({context.series(day, _DATE)} + pd.Timedelta(days={days}))"
        return Term(_DATE, f"({day.sql} + ({days})::INTEGER)", python)

    return build


def _last_day(context: Context, args: Sequence[Term]) -> Term:
    day = context.as_type(context.time(args[0]), _DATE)
    python = f"({context.series(day, _DATE)} + pd.offsets.MonthEnd(0))"
    return Term(_DATE, f"last_day({day.sql})", python)


def _date_trunc(context: Context, args: Sequence[Term]) -> Term:
    unit = context.fixed_text(args[0], "The unit of date_trunc").lower()
    if unit not in _UNITS:
        raise refuse(f"{unit!r} is none of {', '.join(_UNITS)}{meant(unit, _UNITS)}.")
    time = context.as_type(context.time(args[1]), _DATETIME)
    context.code.require("import numpy as np")
    function = context.code.function("truncated", _TRUNCATED)
    python = f'{function}({context.series(time, _DATETIME)}, "{_UNITS[unit]}")'
    return Term(_DATETIME, f"date_trunc('{unit}', {time.sql})", python)


_TRUNCATED = '''
def truncated(times, unit):
    """Moments cut down to the beginning of a year (Y), quarter (Q), month (M), week (W), ..."""
    values = times.to_numpy("datetime64[us]")
    if unit == "Q":
        months = values.astype("datetime64[M]")
        cut = months - np.where(np.isnat(months), 0, months.astype("int64") % 3)
    elif unit == "W":
        days = values.astype("datetime64[D]")
        # Day 0 was a Thursday; weeks begin on Monday.
        cut = days - np.where(np.isnat(days), 0, (days.astype("int64") + 3) % 7)
    else:
        cut = values.astype(f"datetime64[{unit}]")
    return pd.Series(cut.astype("datetime64[us]"), times.index)
'''


def _unix_timestamp(context: Context, args: Sequence[Term]) -> Term:
    time = context.as_type(context.time(args[0]), _DATETIME)
    series = context.series(time, _DATETIME)
    python = f'(({series} - pd.Timestamp("1970-01-01")) // pd.Timedelta(seconds=1)).astype("Int64")'
    text = f"(epoch_us(date_trunc('second', {time.sql})) // 1000000)"
    return Term(_LONG, text, python)


TIME_FUNCTIONS: dict[str, tuple[str, int, int, Build]] = {
    "year": ("year(time)", 1, 1, _field("year({})", "{}.dt.year")),
    "quarter": ("quarter(time)", 1, 1, _field("quarter({})", "{}.dt.quarter")),
    "month": ("month(time)", 1, 1, _field("month({})", "{}.dt.month")),
    "day": ("day(time)", 1, 1, _field("day({})", "{}.dt.day")),
    "dayofmonth": ("dayofmonth(time)", 1, 1, _field("day({})", "{}.dt.day")),
    "dayofyear": ("dayofyear(time)", 1, 1, _field("dayofyear({})", "{}.dt.day_of_year")),
    "weekofyear": ("weekofyear(time)", 1, 1, _field("week({})", "{}.dt.isocalendar().week")),
    # Sunday is 1 in the one, Monday is 0 in the other, as in Spark.
    "dayofweek": (
        "dayofweek(time)",
        1,
        1,
        _field("dayofweek({}) + 1", "({}.dt.day_of_week + 1) % 7 + 1"),
    ),
    "weekday": ("weekday(time)", 1, 1, _field("isodow({}) - 1", "{}.dt.day_of_week")),
    "hour": ("hour(time)", 1, 1, _field("hour(({})::TIMESTAMP)", "{}.dt.hour")),
    "minute": ("minute(time)", 1, 1, _field("minute(({})::TIMESTAMP)", "{}.dt.minute")),
    "second": ("second(time)", 1, 1, _field("second(({})::TIMESTAMP)", "{}.dt.second")),
    "to_date": ("to_date(text, format)", 1, 2, _parsed(_DATE)),
    "to_timestamp": ("to_timestamp(text, format)", 1, 2, _parsed(_DATETIME)),
    "date_format": ("date_format(time, format)", 2, 2, _date_format),
    "datediff": ("datediff(end, start)", 2, 2, _datediff),
    "date_add": ("date_add(time, days)", 2, 2, _shifted(1)),
    "date_sub": ("date_sub(time, days)", 2, 2, _shifted(-1)),
    "last_day": ("last_day(time)", 1, 1, _last_day),
    "date_trunc": ("date_trunc(unit, time)", 2, 2, _date_trunc),
    "unix_timestamp": ("unix_timestamp(time)", 1, 1, _unix_timestamp),
}
"""By name: how it is called, the fewest and the most arguments, and its translation."""
