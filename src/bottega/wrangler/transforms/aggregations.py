"""The functions that make one value of many, for groups and pivots."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bottega.wrangler.columns import NUMBERS, ROW, SCALARS, Column, ColumnType
from bottega.wrangler.errors import ParameterError
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.transforms.query_sql import no_nan

_MOST_COMMON = '''
def most_common(values):
    """The most frequent value, of equally frequent ones the smallest."""
    return values.mode().get(0, pd.NA)
'''


@dataclass(frozen=True)
class Aggregation:
    """One function. Missing values are left out; of no values the result is missing, but a count
    and a sum are 0.
    """

    sql: Callable[[str, str], str]
    """From an expression, and one for the order of rows, to an aggregate."""
    pandas: str
    """What ``agg`` is told; the name of a function of ours where it is none of pandas'."""
    takes: frozenset[ColumnType]
    gives: ColumnType | None = None
    """None: as the column."""

    def type(self, column: Column) -> ColumnType:
        """What comes out for a column."""
        return self.gives or column.type


AGGREGATIONS: Mapping[str, Aggregation] = {
    "count": Aggregation(lambda x, _: f"count({x})", "count", SCALARS, ColumnType.LONG),
    "count distinct": Aggregation(
        lambda x, _: f"count(DISTINCT {x})", "nunique", SCALARS, ColumnType.LONG
    ),
    "sum": Aggregation(lambda x, _: f"coalesce(sum({x}), 0)", "sum", NUMBERS),
    "mean": Aggregation(lambda x, _: f"avg({x})", "mean", NUMBERS, ColumnType.FLOAT),
    "median": Aggregation(lambda x, _: f"median({x}::DOUBLE)", "median", NUMBERS, ColumnType.FLOAT),
    "min": Aggregation(lambda x, _: f"min({x})", "min", SCALARS),
    "max": Aggregation(lambda x, _: f"max({x})", "max", SCALARS),
    "stddev": Aggregation(
        lambda x, _: f"stddev_samp({x}::DOUBLE)", "std", NUMBERS, ColumnType.FLOAT
    ),
    "variance": Aggregation(
        lambda x, _: f"var_samp({x}::DOUBLE)", "var", NUMBERS, ColumnType.FLOAT
    ),
    "first": Aggregation(lambda x, row: f"arg_min({x}, {row})", "first", SCALARS),
    "last": Aggregation(lambda x, row: f"arg_max({x}, {row})", "last", SCALARS),
    "most common": Aggregation(lambda x, _: f"mode({x} ORDER BY {x})", "most_common", SCALARS),
}
FUNCTIONS = tuple(AGGREGATIONS)


def aggregate_sql(function: str, expression: str, column: Column, row: str = ROW) -> str:
    """The aggregate of an expression that has the type of a column."""
    found = AGGREGATIONS[function]
    kind = found.type(column)
    sql = found.sql(expression, row)
    return f"{no_nan(sql) if kind is ColumnType.FLOAT else sql}::{kind.duckdb}"


def aggregate_pandas(function: str, code: PandasCode) -> str:
    """What ``agg`` is told, as source."""
    found = AGGREGATIONS[function].pandas
    if found == "most_common":
        return code.function("most_common", _MOST_COMMON)
    return code.literal(found)


def refuse_type(parameter: str, function: str, column: Column) -> None:
    """Check that a function takes a column.

    Raises:
        ParameterError: it does not; names both.
    """
    takes = AGGREGATIONS[function].takes
    if column.type not in takes:
        allowed = " or ".join(sorted(takes))
        raise ParameterError(
            parameter,
            f"{function} takes {allowed}, and column {column.name!r} is {column.type}; parse it as "
            "another type first, or choose another function.",
        )


def result_name(record: Mapping[str, Any]) -> str:
    """What an aggregated column is called when nobody says: ``total_mean``."""
    return record["output_column"] or f"{record['column']}_{record['function'].replace(' ', '_')}"
