"""Chance that two languages agree on.

A row's number is mixed with a seed into 32 bits that look random. The mixing is one to one, so that
the rows of a table get numbers without repeats, and the same rows get the same numbers in the
engine, in pandas and on every run. Rows are numbered from 0 in the order of the table.
"""

from __future__ import annotations

from bottega.wrangler.columns import ROW, Schema
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.transforms.query_sql import quoted, quoted_names

_BITS = 0xFFFFFFFF
_FIRST, _SECOND = 0x7FEB352D, 0x846CA68B


def seed_parameter(
    name: str = "seed", path: str = "", when: tuple[str, tuple[str, ...]] | None = None
) -> Parameter:
    """The seed of a step."""
    return Parameter(
        name,
        "integer",
        "Random seed",
        "The same seed gives the same rows.",
        path=path,
        default=42,
        minimum=0,
        maximum=2**31 - 1,
        when=when,
    )


RANDOM_NUMBERS = """
def random_numbers(rows, seed):
    \"\"\"A number of 32 bits for each row, no two equal; a seed always gives the same.\"\"\"
    mixed = np.arange(rows, dtype="uint64") ^ (seed * 2654435769 % 2**32)
    mixed = ((mixed ^ (mixed >> 16)) * 0x7FEB352D) % 2**32
    mixed = mixed ^ ((seed + 1) * 2246822519 % 2**32)
    mixed = ((mixed ^ (mixed >> 15)) * 0x846CA68B) % 2**32
    return mixed ^ (mixed >> 16)
"""


def random_query(schema: Schema, seed: int, table: str = "{input}") -> tuple[str, str]:
    """A query, for use inside a :class:`~bottega.wrangler.transform.Query`, that gives a table with
    one more column: each row's random number.

    Returns:
        The query, and the quoted name of the column.
    """
    column = quoted(schema.free_name("__random"))
    first, second = seed * 2654435769 & _BITS, (seed + 1) * 2246822519 & _BITS
    shown = quoted_names([ROW, *schema.names])
    number = f"(row_number() OVER (ORDER BY {ROW}) - 1)::UBIGINT & {_BITS}"
    sql = f"SELECT {shown}, xor({number}, {first}::UBIGINT) AS {column} FROM {table}"
    for step in (
        f"xor((xor({column}, {column} >> 16) * {_FIRST}) & {_BITS}, {second}::UBIGINT)",
        f"(xor({column}, {column} >> 15) * {_SECOND}) & {_BITS}",
        f"xor({column}, {column} >> 16)",
    ):
        sql = f"SELECT {shown}, {step} AS {column} FROM ({sql})"
    return sql, column


def pandas_random(code: PandasCode, seed: int, rows: str = "") -> str:
    """The same as an expression of pandas code: an array of numpy's."""
    code.require("import numpy as np")
    function = code.function("random_numbers", RANDOM_NUMBERS)
    return f"{function}({rows or f'len({code.table})'}, seed={seed})"
