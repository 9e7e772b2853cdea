"""What the operations on time series share: entities, order, and the parameters for them."""

from __future__ import annotations

from bottega.wrangler.columns import NUMBERS, ROW, SCALARS, TIMES, ColumnType
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.transform import Values
from bottega.wrangler.transforms.query_sql import quoted

OPERATOR = "sagemaker.spark.time_series_0.1"
GROUP = "Time series"
ORDER = (
    "Each value of the ID column is a series of its own, the missing one too; without an ID column "
    "all rows are one. A series is ordered by its timestamps, equal ones by the order of the rows, "
    "missing ones last."
)


def timestamp_parameter(path: str = "", *, times_only: bool = False) -> Parameter:
    """The column that orders a series."""
    return Parameter(
        "timestamp_column",
        "column",
        "Timestamp column",
        "What orders a series.",
        path=path,
        required=True,
        types=TIMES if times_only else TIMES | NUMBERS,
    )


def id_parameter(path: str = "", *, required: bool = False) -> Parameter:
    """The column that tells series apart."""
    return Parameter(
        "id_column",
        "column",
        "ID column",
        "Tells the series apart." if required else "Tells the series apart; one series when empty.",
        path=path,
        required=required,
        types=SCALARS,
    )


def sequence_parameter(path: str = "", types: frozenset[ColumnType] | None = SCALARS) -> Parameter:
    """The column with a series' values."""
    return Parameter(
        "sequence_column",
        "column",
        "Sequence column",
        "The values of the series.",
        path=path,
        required=True,
        types=types,
    )


def window(values: Values) -> str:
    """The inside of an OVER, for a query: a series in its order."""
    partition = ""
    if values["id_column"] is not None:
        partition = f"PARTITION BY {quoted(values['id_column'])} "
    return f"{partition}ORDER BY {quoted(values['timestamp_column'])} ASC NULLS LAST, {ROW}"


def write_ordered(code: PandasCode, values: Values, source: str = "") -> None:
    """Write ``ordered``, the table with every series in its order."""
    column = code.literal(values["timestamp_column"])
    code.line(f'ordered = {source or code.table}.sort_values({column}, kind="stable")')


def grouped(code: PandasCode, values: Values) -> str:
    """The sequence of ``ordered``, one group a series, as source; shift, ffill and the like of it
    stay within a series.
    """
    sequence = code.literal(values["sequence_column"])
    if values["id_column"] is None:
        return f"ordered[{sequence}]"
    return f"ordered.groupby({code.literal(values['id_column'])}, dropna=False)[{sequence}]"
