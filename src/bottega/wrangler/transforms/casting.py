"""From one type to another, value by value, in both languages.

What a text must look like is in ``text_values`` and ``text_times``, how values become text in
``as_text``. A number is true when it is not zero; decimals are cut off where whole numbers are
wanted; a day is its midnight.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bottega.wrangler.columns import ColumnType
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.transforms.as_text import text_pandas, text_sql
from bottega.wrangler.transforms.text_times import Formats, time_formats, times_pandas, times_sql
from bottega.wrangler.transforms.text_values import (
    PLAIN,
    NumberStyle,
    boolean_pandas,
    boolean_sql,
    float_pandas,
    float_sql,
    long_pandas,
    long_sql,
    stripped_sql,
)

_COUNTABLE = frozenset({ColumnType.LONG, ColumnType.FLOAT, ColumnType.BOOLEAN})
_TIMES = frozenset({ColumnType.DATE, ColumnType.DATETIME})


def can_cast(source: ColumnType, target: ColumnType) -> bool:
    """Whether values of one type can be read as another at all."""
    if source in (ColumnType.VECTOR, ColumnType.ARRAY):
        return False
    if ColumnType.STRING in (source, target) or source == target:
        return True
    return any({source, target} <= kinds for kinds in (_COUNTABLE, _TIMES))


def cast_sql(
    expression: str,
    source: ColumnType,
    target: ColumnType,
    formats: Formats,
    style: NumberStyle = PLAIN,
) -> str:
    """An expression of one type as another; missing where the value cannot be."""
    if source == target:
        return expression
    if target == ColumnType.STRING:
        return text_sql(expression, source)
    if source == ColumnType.STRING:
        match target:
            case ColumnType.LONG:
                return long_sql(expression, style)
            case ColumnType.FLOAT:
                return float_sql(expression, style)
            case ColumnType.BOOLEAN:
                return boolean_sql(expression)
        return f"({times_sql(expression, formats)})::{target.duckdb}"
    if target == ColumnType.BOOLEAN:
        return f"({expression} <> 0)"
    if (source, target) == (ColumnType.FLOAT, ColumnType.LONG):
        return f"TRY_CAST(trunc({expression}) AS BIGINT)"
    return f"({expression})::{target.duckdb}"


def cast_pandas(
    expression: str,
    source: ColumnType,
    target: ColumnType,
    formats: Formats,
    code: PandasCode,
    style: NumberStyle = PLAIN,
) -> str:
    """The same as pandas code."""
    if source == target:
        return expression
    if target == ColumnType.STRING:
        return text_pandas(expression, source, code)
    if source == ColumnType.STRING:
        match target:
            case ColumnType.LONG:
                return long_pandas(expression, code, style)
            case ColumnType.FLOAT:
                return float_pandas(expression, code, style)
            case ColumnType.BOOLEAN:
                return boolean_pandas(expression, code)
        times = times_pandas(expression, formats, code)
        return f"{times}.dt.normalize()" if target == ColumnType.DATE else times
    if target == ColumnType.BOOLEAN:
        return f'(({expression} != 0).astype("boolean").where({expression}.notna()))'
    if (source, target) == (ColumnType.FLOAT, ColumnType.LONG):
        code.require("import numpy as np")
        return f"{code.function('whole_numbers', WHOLE_NUMBERS)}({expression})"
    if target == ColumnType.DATE:
        return f"{expression}.dt.normalize()"
    if target == ColumnType.DATETIME:
        return expression
    return f'{expression}.astype("{target.pandas}")'


WHOLE_NUMBERS = '''
def whole_numbers(numbers):
    """Numbers without their decimals; what does not fit into 64 bits is missing."""
    fits = numbers.between(-(2.0**63), 2.0**63, inclusive="left")
    return np.trunc(numbers.where(fits)).astype("Int64")
'''


def is_blank_sql(expression: str) -> str:
    """Whether a text is empty but for white space."""
    return f"({stripped_sql(expression)} = '')"


def guessing(expression: str) -> Mapping[str, str]:
    """Aggregates over a column of text from which :func:`guess` finds its type."""
    text = stripped_sql(expression)
    times = times_sql(expression, time_formats("", None))
    return {
        "values": f"count(nullif({text}, ''))",
        "zeros": f"count_if(regexp_matches({text}, '^[+-]?0[0-9]'))",
        "words": f"count_if(lower({text}) IN ('true', 'false', 'yes', 'no'))",
        "whole": f"count_if(regexp_full_match({text}, '[+-]?[0-9]+') "
        f"AND {long_sql(expression)} IS NOT NULL)",
        "numbers": f"count({float_sql(expression)})",
        "times": f"count({times})",
        "days": f"count_if({times} = date_trunc('day', {times}) AND NOT contains({text}, ':'))",
    }


def guess(counts: Mapping[str, Any]) -> ColumnType:
    """The type that all texts of a column have."""
    found = counts["values"]
    if not found:
        return ColumnType.STRING
    for kind, name in (
        (ColumnType.BOOLEAN, "words"),
        (ColumnType.LONG, "whole"),
        (ColumnType.FLOAT, "numbers"),
        (ColumnType.DATE, "days"),
        (ColumnType.DATETIME, "times"),
    ):
        if counts[name] == found and not (kind.is_number and counts["zeros"]):
            return kind
    return ColumnType.STRING
