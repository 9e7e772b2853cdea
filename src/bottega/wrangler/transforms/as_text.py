"""How values read as text, in both languages.

Whole numbers in digits; numbers in the fewest digits that give them back (``1.0``, ``1e+16``,
``inf``); ``true`` and ``false``; ``2024-02-29``; ``2024-02-29 13:05:00``, with six digits of the
second's fraction when there is one.
"""

from __future__ import annotations

from bottega.wrangler.columns import ColumnType
from bottega.wrangler.pandas_code import PandasCode


def text_sql(expression: str, kind: ColumnType) -> str:
    """An expression of a scalar type as text."""
    match kind:
        case ColumnType.STRING:
            return expression
        case ColumnType.DATETIME:
            # Written twice: engines have no format with a fraction only where there is one.
            return (
                f"(strftime({expression}, '%Y-%m-%d %H:%M:%S') || "
                f"CASE WHEN microsecond({expression}) % 1000000 = 0 THEN '' "
                f"ELSE strftime({expression}, '.%f') END)"
            )
        case ColumnType.DATE:
            return f"strftime({expression}, '%Y-%m-%d')"
    return f"({expression})::VARCHAR"


def text_pandas(expression: str, kind: ColumnType, code: PandasCode) -> str:
    """A series of a scalar type as a series of text."""
    match kind:
        case ColumnType.STRING:
            return expression
        case ColumnType.LONG:
            return f'{expression}.astype("str")'
        case ColumnType.BOOLEAN:
            return f'{expression}.map({{True: "true", False: "false"}}).astype("str")'
        case ColumnType.DATE:
            return f'{expression}.dt.strftime("%Y-%m-%d").astype("str")'
    return f'{expression}.map(str, na_action="ignore").astype("str")'


JOIN_TEXTS = '''
def join_texts(columns, delimiter):
    """The texts of each row with a delimiter between them; missing ones are left out."""
    rows = zip(*columns)
    joined = [delimiter.join(text for text in row if isinstance(text, str)) for row in rows]
    return pd.Series(joined, index=columns[0].index, dtype="str")
'''
"""``join_texts(columns, delimiter)`` of an exported program."""
