"""Databases as sources."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from bottega.wrangler.columns import Schema
from bottega.wrangler.errors import DataError, FlowError, ParameterError
from bottega.wrangler.flow.document import Node
from bottega.wrangler.sources.files import FileSources
from bottega.wrangler.sources.nodes import Source
from bottega.wrangler.sources.queries import check_query, shown_url


def node(query: str, url: str = "sqlite:///shop.db", **options: Any) -> Node:
    given = {"Kind": "sql", "Uri": url, "Query": query, "Options": options}
    return Node(Source.given(given).node("source"))


@pytest.fixture
def shop(folder: Path) -> Path:
    path = folder / "shop.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE sales (id INTEGER, price, what TEXT, late)")
    rows = [(n, n if n < 20_000 else n + 0.5, f"it's {n}", None if n < 15_000 else "x")
            for n in range(25_000)]  # fmt: skip
    connection.executemany("INSERT INTO sales VALUES (?, ?, ?, ?)", rows)
    connection.commit()
    connection.close()
    return path


def test_rows_come_in_order_and_columns_get_wider(shop: Path, sources: FileSources):
    query = "SELECT * FROM sales ORDER BY id"
    some = sources.sample(node(query), 10)
    assert some.schema == Schema.of(id="long", price="long", what="string", late="string")
    relation = sources.relation(node(query))
    assert relation.schema == Schema.of(id="long", price="float", what="string", late="string")
    frame = relation.frame()
    assert frame["id"].tolist() == list(range(25_000))
    assert frame["price"].tolist()[-1] == 24_999.5
    assert frame["late"].isna().sum() == 15_000


def test_types_that_are_told(shop: Path, sources: FileSources):
    relation = sources.relation(node("SELECT id, what FROM sales", Types={"id": "string"}))
    assert relation.schema == Schema.of(id="string", what="string")


def test_colons_and_names(shop: Path, sources: FileSources):
    frame = sources.relation(node("SELECT ':a' AS x, 1 AS x, '10:30' AS t LIMIT 1")).frame()
    assert frame.to_dict("list") == {"x": [":a"], "x_1": [1], "t": ["10:30"]}


def test_an_answer_without_rows(shop: Path, sources: FileSources):
    relation = sources.relation(node("SELECT id, what FROM sales WHERE id < 0"))
    assert relation.schema.names == ["id", "what"]
    assert relation.count() == 0


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("DELETE FROM sales", "no DELETE"),
        ("SELECT 1; DROP TABLE sales", "not 2 statements"),
        ("WITH gone AS (DELETE FROM sales RETURNING *) SELECT * FROM gone", "no DELETE"),
        ("CREATE TABLE x (a INT)", "no CREATE"),
        ("SELECT * INTO x FROM sales", "no INTO"),
        ("PRAGMA query_only = OFF", "only reads"),
        ("SELEC 1", "Query|only reads|understood"),
        ("SELECT (", "understood"),
        (";", "0 statements"),
    ],
)
def test_queries_that_do_more_than_read(shop: Path, sources: FileSources, query: str, words: str):
    with pytest.raises(ParameterError, match=words):
        sources.relation(node(query))


def test_the_database_is_not_changed_whatever_the_query_says(shop: Path, sources: FileSources):
    before = shop.read_bytes()
    sources.relation(node("SELECT count(*) AS n FROM sales"))
    assert shop.read_bytes() == before


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("sqlite:///nothing.db", "no SQLite file"),
        ("sqlite://", "no SQLite file"),
        ("not a url", "none of SQLAlchemy's"),
        ("nodb://user:secret@host/x", "unknown here"),
        ("postgresql+psycopg://me:secret@127.0.0.1:1/x", "refuses"),
    ],
)
def test_databases_that_are_not_there(folder: Path, sources: FileSources, url: str, words: str):
    with pytest.raises(FlowError, match=words) as caught:
        sources.relation(node("SELECT 1", url))
    assert "secret" not in caught.value.message
    assert not (folder / "nothing.db").exists()


def test_what_the_database_refuses(shop: Path, sources: FileSources):
    with pytest.raises(DataError, match="no such table: nowhere"):
        sources.relation(node("SELECT * FROM nowhere"))


def test_passwords_are_not_shown():
    assert shown_url("postgresql://me:secret@host/db") == "postgresql://me:***@host/db"
    assert "secret" not in shown_url("::secret::")


def test_reading_is_allowed():
    for query in ("SELECT 1", "WITH a AS (SELECT 1) SELECT * FROM a", "SELECT 1 UNION SELECT 2",
                  "SELECT 'DELETE FROM x'", "(SELECT 1)"):  # fmt: skip
        check_query(query, "postgresql")
