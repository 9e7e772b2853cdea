"""Custom code in SQL: engine and exported code agree; nothing else can be read."""

from __future__ import annotations

from math import inf

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.testing.wrangler_case import Bench
from bottega.testing.wrangler_frames import ODD_NAMES, frames, one_of_each
from bottega.wrangler.columns import ColumnType
from bottega.wrangler.errors import DataError, ParameterError
from bottega.wrangler.transforms.custom_sql import SqlCode

FRAME = pd.DataFrame(
    {"n": pd.Series([3, None, 1], dtype="Int64"), "s": ["x", "", None], "x": [inf, 0.5, None]}
)


def test_rows_keep_their_order(bench: Bench) -> None:
    result = bench.check(SqlCode(), {"code": "SELECT n + 1 AS m, s FROM df;"}, FRAME)
    assert result["m"].fillna(-1).tolist() == [4, -1, 2]
    frame = pd.DataFrame({"n": range(300_000)})
    result = bench.check(SqlCode(), {"code": "SELECT n FROM df WHERE n % 2 = 0"}, frame)
    assert result["n"].is_monotonic_increasing


def test_an_order_of_its_own(bench: Bench) -> None:
    code = "SELECT * FROM df ORDER BY n DESC NULLS FIRST -- the largest first"
    assert bench.check(SqlCode(), {"code": code}, FRAME)["n"].fillna(-1).tolist() == [-1, 3, 1]
    frame = pd.DataFrame({"n": range(300_000)})
    result = bench.check(SqlCode(), {"code": "SELECT n FROM df ORDER BY n DESC"}, frame)
    assert result["n"].is_monotonic_decreasing


def test_groups_are_sorted(bench: Bench) -> None:
    frame = pd.DataFrame({"k": ["b", "a", "b", None], "x": [1.0, 2.0, 3.0, 4.0]})
    code = "WITH big AS (SELECT * FROM df WHERE x > 1) SELECT k, sum(x) AS t FROM big GROUP BY k"
    result = bench.check(SqlCode(), {"code": code}, frame)
    assert result["t"].tolist() == [2, 3, 4]


@pytest.mark.parametrize(
    "code",
    [
        "SELECT x, sum(x) OVER (PARTITION BY k) AS t FROM df",
        "SELECT x FROM df QUALIFY row_number() OVER (PARTITION BY k ORDER BY x) < 9",
        "SELECT x FROM df WHERE k IN (SELECT k FROM df WHERE x > 1)",
    ],
)
def test_windows_and_subqueries_have_no_order_of_their_own(bench: Bench, code: str) -> None:
    frame = pd.DataFrame({"k": ["b", "a", "b", "c"], "x": [4.0, 3.0, 2.0, 1.5]})
    assert bench.check(SqlCode(), {"code": code}, frame)["x"].tolist() == [1.5, 2, 3, 4]


def test_braces_and_types_of_results(bench: Bench) -> None:
    code = (
        "SELECT {'a': n}['a'] AS n, 1.5::DECIMAL(4, 1) AS d, n::INTEGER AS i, [1, 2] AS v, "
        "['x', NULL] AS a, TIMESTAMP '2020-01-01' AS t, DATE '2020-01-02' AS day, "
        "'nan'::DOUBLE AS missing, NULL AS nothing FROM df"
    )
    result = bench.check(SqlCode(), {"code": code}, FRAME)
    assert result["missing"].isna().all()
    assert result["v"][0] == [1, 2]
    with pytest.raises(DataError, match="Column 'm' of the result is MAP"):
        bench.check(SqlCode(), {"code": "SELECT MAP {'a': 1} AS m FROM df"}, FRAME)


def test_every_type_passes_through(bench: Bench) -> None:
    frame, types = one_of_each()
    for one in (frame, frame[:0]):
        bench.check(SqlCode(), {"code": "SELECT * FROM df"}, one, types=types)


def test_names_that_differ_in_capitals_only_are_kept_apart(bench: Bench) -> None:
    result = bench.check(SqlCode(), {"code": "SELECT n AS a, s AS A FROM df"}, FRAME)
    assert list(result.columns) == ["a", "A_1"]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names(bench: Bench, name: str) -> None:
    frame = pd.DataFrame({name: ["a"]})
    assert list(bench.check(SqlCode(), {"code": "FROM df"}, frame).columns) == [name]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("SELEC 1", "cannot be read: .*syntax error"),
        ("", "is missing"),
        ("  ", "is empty"),
        ("DROP TABLE df", "cannot be read"),
        ("COPY df TO 'x.csv'", "cannot be read"),
        ("SELECT 1; SELECT 2", "2 statements"),
        ("SELECT * FROM other", "reads 'other'"),
        ("SELECT * FROM df JOIN 'x.csv' ON true", "reads 'x.csv'"),
        ("SELECT (SELECT count(*) FROM '/etc/passwd') FROM df", "reads '/etc/passwd'"),
        ("SELECT * FROM main.df", "reads 'main.df'"),
        ("SELECT * FROM information_schema.tables", "reads 'information_schema.tables'"),
        ("SELECT * FROM read_csv('x.csv')", r"calls read_csv\(\)"),
        ("SELECT * FROM glob('*')", r"calls glob\(\)"),
        ("SELECT * FROM query('SELECT 1')", r"calls query\(\)"),
        ("SELECT * FROM duckdb_settings()", r"calls duckdb_settings\(\)"),
        ("SELECT * FROM (SUMMARIZE df)", "reads from SHOW_REF"),
        ("SELECT current_setting('temp_directory') FROM df", r"calls current_setting\(\)"),
        ("SELECT * FROM __t0", "reads '__t0'"),
        ("SELECT * FROM df WHERE n IN (SELECT content FROM read_text('x'))", "calls read_text"),
    ],
)
def test_what_is_refused(bench: Bench, code: str, words: str) -> None:
    with pytest.raises(ParameterError, match=words):
        bench.check(SqlCode(), {"code": code}, FRAME)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("SELECT nothing FROM df", "The query cannot run: .*nothing"),
        ("SELECT n AS __row FROM df", "'__row', which cannot be a name"),
        ("SELECT (s || 'x')::BIGINT AS x FROM df", "Could not convert"),
    ],
)
def test_queries_that_fail(bench: Bench, code: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        bench.check(SqlCode(), {"code": code}, FRAME)


TYPES = {
    "k": ColumnType.STRING,
    "x": ColumnType.FLOAT,
    "n": ColumnType.LONG,
    "d": ColumnType.DATE,
    "t": ColumnType.DATETIME,
    "b": ColumnType.BOOLEAN,
}
QUERIES = (
    "SELECT k, count(*) AS c, max(x) AS most, min(d) AS first FROM df GROUP BY k",
    "SELECT DISTINCT k, b FROM df",
    "SELECT *, row_number() OVER (PARTITION BY k ORDER BY x, n, d, t, b) AS i FROM df",
    "SELECT * FROM df WHERE n < (SELECT max(n) FROM df)",
    "SELECT a.k, b.n FROM df a JOIN df b ON a.k = b.k",
    "SELECT d + 1 AS d, t::DATE AS t, NOT b AS b FROM df",
    "SELECT k FROM df UNION ALL SELECT 'z' FROM df",
)


@given(frame=frames(TYPES, cells={"k": st.sampled_from("ab")}), query=st.sampled_from(QUERIES))
@settings(max_examples=20)
def test_queries_of_any_table(bench: Bench, frame: pd.DataFrame, query: str) -> None:
    bench.check(SqlCode(), {"code": query}, frame, types=TYPES)
