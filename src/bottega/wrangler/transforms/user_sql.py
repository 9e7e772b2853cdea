"""Judging SQL that came with a flow, with the engine's own parser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from bottega.wrangler.columns import ColumnType
from bottega.wrangler.errors import DataError, ParameterError

TABLE = "df"
_TABLE_FUNCTIONS = frozenset({"unnest", "range", "generate_series"})
_REFUSED_FUNCTIONS = frozenset(
    {
        "current_query",
        "current_setting",
        "getenv",
        "getvariable",
        "pg_sleep",
        "sleep_ms",
        "write_log",
    }
)
_SOURCES = frozenset(
    {"BASE_TABLE", "TABLE_FUNCTION", "SUBQUERY", "JOIN", "EMPTY", "EXPRESSION_LIST", "PIVOT"}
)
_TYPES = {
    "BOOLEAN": ColumnType.BOOLEAN,
    "DATE": ColumnType.DATE,
    "FLOAT": ColumnType.FLOAT,
    "DOUBLE": ColumnType.FLOAT,
    "HUGEINT": ColumnType.FLOAT,
    "UHUGEINT": ColumnType.FLOAT,
    "BIGNUM": ColumnType.FLOAT,
    "UBIGINT": ColumnType.FLOAT,
    **dict.fromkeys(
        ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"),
        ColumnType.LONG,
    ),
    **dict.fromkeys(("VARCHAR", "UUID", "TIME", "JSON", '"NULL"', "NULL"), ColumnType.STRING),
}


@dataclass(frozen=True)
class UserQuery:
    """A query that may run, and what is known of the order of its rows."""

    text: str
    """Without a semicolon at its end."""
    is_ordered: bool
    """Whether its rows come in an order that it says, or in that of the table."""

    @property
    def sorted_text(self) -> str:
        """The query with rows in an order that is the same each time."""
        # Around it, so that columns of one name are kept apart in the same way each time.
        whole = f"SELECT * FROM (\n{self.text}\n)"
        return whole if self.is_ordered else f"{whole} ORDER BY ALL"


@lru_cache(maxsize=128)
def check_sql(parameter: str, code: str) -> UserQuery:
    """Check that code is one query about the table ``df`` alone.

    Raises:
        ParameterError: it is something else: no SQL, no query, several statements, or it reads a
            file or another table; says which.
    """
    import duckdb

    text = code.strip()
    if not text:
        raise ParameterError(parameter, f"The query is empty; write SELECT … FROM {TABLE}.")
    with duckdb.connect(config={"enable_external_access": False}) as connection:
        (answer,) = connection.execute("SELECT json_serialize_sql(?)", [text]).fetchall()[0]
    found = json.loads(answer)
    if found.get("error"):
        raise ParameterError(
            parameter, f"The query cannot be read: {str(found.get('error_message')).rstrip('.')}."
        )
    statements = found["statements"]
    if len(statements) != 1:
        raise ParameterError(
            parameter, f"There are {len(statements)} statements; write one query, SELECT …."
        )
    node = statements[0]["node"]
    _check_sources(parameter, node)
    return UserQuery(_without_semicolon(text), _is_ordered(node))


def type_of(column: str, engine_type: str) -> ColumnType:
    """The type that a column of a result becomes.

    Raises:
        DataError: it cannot stand in a table here; names column and type.
    """
    base = engine_type.split("(")[0]
    if engine_type.endswith("[]"):
        inner = type_of(column, engine_type[:-2])
        if inner in (ColumnType.LONG, ColumnType.FLOAT, ColumnType.BOOLEAN):
            return ColumnType.VECTOR
        return ColumnType.ARRAY
    if base == "DECIMAL":
        return ColumnType.FLOAT
    if base.startswith("TIMESTAMP"):
        return ColumnType.DATETIME
    if base == "ENUM":
        return ColumnType.STRING
    if base not in _TYPES:
        raise DataError(
            f"Column {column!r} of the result is {engine_type}, which a table cannot hold; cast it "
            "to another type, as in CAST(x AS VARCHAR)."
        )
    return _TYPES[base]


def _check_sources(parameter: str, node: Any) -> None:
    known = {TABLE, *_own_names(node)}
    for part in _parts(node):
        kind = part.get("type")
        if kind == "BASE_TABLE":
            table = ".".join(
                str(part[key])
                for key in ("catalog_name", "schema_name", "table_name")
                if part.get(key)
            )
            if table.lower() not in known:
                raise ParameterError(
                    parameter,
                    f"The query reads {table!r}. It can only read the table {TABLE}; add other "
                    "data as a source of the flow and join it.",
                )
        elif kind == "TABLE_FUNCTION":
            function = str(part["function"].get("function_name")).lower()
            if function not in _TABLE_FUNCTIONS:
                raise ParameterError(
                    parameter,
                    f"The query calls {function}(), which reads something other than the table "
                    f"{TABLE}; add other data as a source of the flow and join it.",
                )
        elif str(part.get("function_name")).lower() in _REFUSED_FUNCTIONS:
            raise ParameterError(
                parameter,
                f"The query calls {part['function_name']}(), which is not about the table {TABLE}; "
                "leave it out.",
            )
        elif "sample" in part and "alias" in part and kind not in _SOURCES:
            raise ParameterError(
                parameter, f"The query reads from {kind}; it can only read the table {TABLE}."
            )


def _own_names(node: Any) -> Iterator[str]:
    for part in _parts(node):
        table = part.get("cte_map")
        for entry in table.get("map") or () if isinstance(table, dict) else ():
            yield str(entry["key"]).lower()


def _parts(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from _parts(value)
    elif isinstance(node, list):
        for value in node:
            yield from _parts(value)


def _is_ordered(node: Any) -> bool:
    modifiers = {modifier.get("type") for modifier in node.get("modifiers") or ()}
    if "ORDER_MODIFIER" in modifiers:
        return True
    source = node.get("from_table") or {}
    return (
        node.get("type") == "SELECT_NODE"
        and source.get("type") == "BASE_TABLE"
        and str(source.get("table_name")).lower() == TABLE
        and not source.get("sample")
        and not node.get("group_expressions")
        and not node.get("sample")
        and "DISTINCT_MODIFIER" not in modifiers
        and TABLE not in set(_own_names(node))
        and not _moves_rows(node)
    )


def _moves_rows(node: Any) -> bool:
    """Whether there is a window or a subquery: the engine hashes and joins rows for them."""
    return any(part.get("class") in ("WINDOW", "SUBQUERY") for part in _parts(node))


def _without_semicolon(text: str) -> str:
    # The parser has seen one statement, so that what follows a last semicolon is no more of it.
    return text[:-1].rstrip() if text.endswith(";") else text
