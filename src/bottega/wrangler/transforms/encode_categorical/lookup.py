"""From categories to numbers in one SQL expression, for three categories as for 100,000.

A few are a list that is searched. Many are a table that is joined: a subquery for one value, of
which the engine makes a single hash join, and whose contents are one text of JSON, as the parser
is slow with a hundred thousand literals. A join does not keep the order of the rows, so that
:func:`rendered` makes such a step a query to be sorted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bottega.wrangler.columns import ROW, ColumnType, Schema
from bottega.wrangler.errors import ParameterError
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.sql_text import escaped, literal, name
from bottega.wrangler.transform import Columns, Query, Rendering, Table, Values

CATEGORICAL = frozenset({ColumnType.STRING, ColumnType.LONG, ColumnType.BOOLEAN})
"""What can be a category. Numbers with a point cannot: bin them first."""
FEW = 200
"""As many categories as a list is searched for as fast as a table is joined and sorted."""
INPUT = Parameter(
    "input_column",
    "columns",
    "Input columns",
    "The columns of categories.",
    required=True,
    types=CATEGORICAL,
)
OUTPUT = Parameter(
    "output_column",
    "new_column",
    "Output column",
    "Where the result goes when it shall not replace the column; for one column only.",
)


def refuse_one_output_for_many(values: Values) -> None:
    """Refuse an output column where there are several input columns.

    Raises:
        ParameterError: it is so.
    """
    if values["output_column"] and len(values["input_column"]) > 1:
        raise ParameterError(
            "output_column",
            "Output column: several columns cannot go into one; leave it empty to replace them, or "
            "choose one input column.",
        )


def learnt_categories(table: Table, column: str) -> list[tuple[Any, int]]:
    """The categories of a column and how often each occurs: frequent ones first, of equally
    frequent ones the smaller; missing ones are left out.
    """
    x = escaped(name(column))
    return [
        (value, count)
        for value, count in table.rows(
            f"SELECT {x}, count(*) FROM {{table}} WHERE {x} IS NOT NULL GROUP BY 1 "
            "ORDER BY 2 DESC, 1"
        )
    ]


def text_of(column: str) -> str:
    """A column as the text of its category."""
    return f"{name(column)}::VARCHAR"


def texts_of(categories: Sequence[Any]) -> list[str]:
    """The same for learnt categories."""
    return [str(c).lower() if isinstance(c, bool) else str(c) for c in categories]


def code_of(x: str, categories: Sequence[Any]) -> str:
    """The place of a text among categories, from 0; NULL where it is none of them."""
    texts = texts_of(categories)
    if len(texts) <= FEW:
        return f"(nullif(list_position({_list(texts)}, {x}), 0) - 1)::BIGINT"
    return _joined(x, texts, list(range(len(texts))), "BIGINT")


def number_of(x: str, categories: Sequence[Any], numbers: Sequence[float], kind: str) -> str:
    """The number of a text among categories; NULL where it is none of them.

    Args:
        kind: the engine's type of the numbers, ``DOUBLE`` or ``BIGINT``.
    """
    texts = texts_of(categories)
    if len(texts) <= FEW:
        listed = f"[{', '.join(map(literal, numbers))}]::{kind}[]"
        return f"({listed})[nullif(list_position({_list(texts)}, {x}), 0)]"
    return _joined(x, texts, list(numbers), kind)


def rendered(
    found: Mapping[str, str],
    result: Schema,
    learnt: Iterable[Sequence[Any]],
    *,
    drop: Sequence[str] = (),
    where: str = "",
) -> Rendering:
    """A step that computes columns, with expressions of this module.

    Args:
        found: the expressions by the column that they make.
        result: the columns that come out.
        learnt: the categories of each of the input columns.
        drop: columns that go.
        where: a condition for rows to stay.
    """
    if not where and all(len(categories) <= FEW for categories in learnt):
        return Columns(found, drop=drop)
    shown = "".join(f", {found.get(c, name(c))} AS {name(c)}" for c in result.names)
    condition = f" WHERE {where}" if where else ""
    return Query(escaped(f"SELECT {ROW}{shown} FROM ") + "{input}" + escaped(condition))


def _list(texts: list[str]) -> str:
    return f"[{', '.join(map(literal, texts))}]::VARCHAR[]"


def _joined(x: str, texts: list[str], numbers: list[Any], kind: str) -> str:
    # The names are ones that no column of the user's has, as they would hide it.
    listed = literal(json.dumps(texts, ensure_ascii=False))
    given = literal(json.dumps(numbers))
    return (
        '(SELECT "__bottega to" FROM (SELECT '
        f"""unnest(from_json({listed}, '["VARCHAR"]')) AS "__bottega from", """
        f"""unnest(from_json({given}, '["{kind}"]')) AS "__bottega to") """
        f'WHERE "__bottega from" = {x})'
    )


def unknown_error(column: str) -> str:
    """An expression that fails, naming the value of a column that was not learnt."""
    text = literal(f"Column {column!r} has a value that was not learnt: ")
    return f"error({text} || coalesce({text_of(column)}, 'a missing one') || '.')"


def refuse_unknown(code: PandasCode, column: str, known: str) -> None:
    """The same in pandas, as statements.

    Args:
        code: takes them.
        column: of the categories.
        known: an expression that gives a list of those learnt.
    """
    place = code.column(column)
    message = code.literal(f"Column {column!r} has a value that was not learnt.")
    code.line(f"if not {place}.isin({known}).all():\n    raise ValueError({message})")
