from __future__ import annotations

from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.testing.wrangler_case import Bench
from bottega.testing.wrangler_frames import frame_of_cells, frames, one_of_each
from bottega.wrangler.columns import ColumnType, Schema
from bottega.wrangler.errors import ParameterError
from bottega.wrangler.transforms.custom_formula.translate import FUNCTIONS
from bottega.wrangler.transforms.registry import named

TYPES = {
    "n": ColumnType.LONG,
    "m": ColumnType.LONG,
    "f": ColumnType.FLOAT,
    "{g} h": ColumnType.FLOAT,
    "b": ColumnType.BOOLEAN,
    "t": ColumnType.STRING,
    "u": ColumnType.STRING,
    "d": ColumnType.DATE,
    "at": ColumnType.DATETIME,
}
ROWS: list[dict[str, Any]] = [
    {
        "n": 7,
        "m": 2,
        "f": 2.5,
        "{g} h": -0.5,
        "b": True,
        "t": "abc abc",
        "u": "b",
        "d": date(2024, 2, 29),
        "at": datetime(2024, 12, 30, 13, 5, 6, 250000),
    },
    {
        "n": -7,
        "m": 0,
        "f": float("inf"),
        "{g} h": 0.0,
        "b": False,
        "t": "",
        "u": "it's",
        "d": date(1969, 12, 31),
        "at": datetime(1969, 12, 31, 23, 59, 59, 999999),
    },
    dict.fromkeys(TYPES),
]


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return frame_of_cells(TYPES, ROWS)


def run(bench: Bench, formula: str, frame: pd.DataFrame, types: Any = None) -> list[Any]:
    """What the formula gives, None where missing."""
    values = {"formula": formula, "output_column": "out {x}"}
    result = bench.check(
        named("Custom formula", "Custom formula"), values, frame, types=types or TYPES
    )["out {x}"]
    return [None if pd.isna(cell) else cell for cell in result.tolist()]


EXAMPLES: list[tuple[str, list[Any]]] = [
    ("n + m", [9, -7, None]),
    ("n * 2 - f", [11.5, -np.inf, None]),
    ("n / m", [3.5, None, None]),
    ("f / `{g} h`", [-5.0, None, None]),
    ("f - f", [0.0, None, None]),
    ("n % m", [1, None, None]),
    ("n % 4", [3, -3, None]),
    ("f % 2", [0.5, None, None]),
    ("n div m", [3, None, None]),
    ("n div 2", [3, -3, None]),
    ("-n", [-7, 7, None]),
    ("-5 + 2 * 3", [1, 1, 1]),
    ("1 / 0", [None, None, None]),
    ("1e400", [np.inf, np.inf, np.inf]),
    ("n = 7", [True, False, None]),
    ("n == 7 AND b", [True, False, None]),
    ("b OR true", [True, True, True]),
    ("b AND false", [False, False, False]),
    ("NOT b", [False, True, None]),
    ("n <> 7", [False, True, None]),
    ("f >= 2.5", [True, True, None]),
    ("t < 'b'", [True, True, None]),
    ("n <=> null", [False, False, True]),
    ("n = null", [None, None, None]),
    ("n <=> m", [False, False, True]),
    ("t IS NULL", [False, False, True]),
    ("t is not null", [True, True, False]),
    ("b is true", [True, False, False]),
    ("n IN (7, 8)", [True, False, None]),
    ("u NOT IN ('b', 'it''s')", [False, False, None]),
    ("n BETWEEN -7 AND 0", [False, True, None]),
    ("n NOT BETWEEN -7 AND 0", [True, False, None]),
    ("t LIKE 'a_c%'", [True, False, None]),
    ("u NOT LIKE '%''%'", [True, False, None]),
    ("t RLIKE '[a-c]+'", [True, False, None]),
    ("t || '-' || n", ["abc abc-7", "--7", None]),
    ("CASE WHEN n > 0 THEN 'up' WHEN n < 0 THEN 'down' END", ["up", "down", None]),
    ("CASE n WHEN 7 THEN 1 ELSE 2.5 END", [1.0, 2.5, 2.5]),
    ("if(b, n, m)", [7, 0, None]),
    ("CAST(t AS double)", [None, None, None]),
    ("cast(f as string)", ["2.5", "inf", None]),
    ("CAST(f AS bigint)", [2, None, None]),
    ("cast('2024-02-29' as date) = d", [True, False, None]),
    ("d > '2000-01-01'", [True, False, None]),
    ("at between '2024-01-01' and '2024-12-31'", [True, False, None]),
    ("abs(n)", [7, 7, None]),
    ("sign(`{g} h`)", [-1.0, 0.0, None]),
    ("ceil(f)", [3, None, None]),
    ("floor(`{g} h`)", [-1, 0, None]),
    ("round(f)", [3.0, np.inf, None]),
    ("round(f / 3, 2)", [0.83, np.inf, None]),
    ("round(n)", [7, -7, None]),
    ("sqrt(n)", [7**0.5, None, None]),
    ("ln(m)", [np.log(2), None, None]),
    ("log(2, 8)", [3.0, 3.0, 3.0]),
    ("pow(n, 2)", [49.0, 49.0, None]),
    ("power(m, -1)", [0.5, None, None]),
    ("mod(n, 3)", [1, -1, None]),
    ("greatest(n, m)", [7, 0, None]),
    ("least(n, f, 1)", [1.0, -7.0, 1.0]),
    ("exp(0)", [1.0, 1.0, 1.0]),
    ("acos(2)", [None, None, None]),
    ("upper(u)", ["B", "IT'S", None]),
    ("length(t)", [7, 0, None]),
    ("trim('  x ')", ["x", "x", "x"]),
    ("substring(t, 2, 2)", ["bc", "", None]),
    ("substring(t, -3)", ["abc", "", None]),
    ("substr(t, -3, 2)", ["ab", "", None]),
    ("left(t, 2)", ["ab", "", None]),
    ("right(t, 2)", ["bc", "", None]),
    ("concat(t, n, b)", ["abc abc7true", "-7false", None]),
    ("concat_ws('-', t, n)", ["abc abc-7", "--7", ""]),
    ("replace(t, 'b', 'X')", ["aXc aXc", "", None]),
    ("repeat(u, 2)", ["bb", "it'sit's", None]),
    ("lpad(n, 1, '0')", None),
    ("lpad(u, 3, 'xy')", ["xyb", "it'", None]),
    ("rpad(u, 3, 'xy')", ["bxy", "it'", None]),
    ("contains(t, 'c a')", [True, False, None]),
    ("startswith(u, 'it')", [False, True, None]),
    ('endswith(u, "\'s")', [False, True, None]),
    ("instr(t, 'c')", [3, 0, None]),
    ("locate('c', t)", [3, 0, None]),
    (r"regexp_replace(t, '[ab]+', '\\1')", ["\\1c \\1c", "", None]),
    ("regexp_extract(t, '(b)(c)', 2)", ["c", "", None]),
    ("year(d)", [2024, 1969, None]),
    ("quarter(at)", [4, 4, None]),
    ("dayofweek(d)", [5, 4, None]),
    ("weekday(d)", [3, 2, None]),
    ("weekofyear(at)", [1, 1, None]),
    ("hour(at) + minute(at) + second(at)", [24, 141, None]),
    ("to_date('29.02.2024', 'dd.MM.yyyy') = d", [True, False, None]),
    ("date_format(at, 'yyyy/MM/dd HH:mm')", ["2024/12/30 13:05", "1969/12/31 23:59", None]),
    ("datediff(at, d)", [305, 0, None]),
    ("unix_timestamp(at)", [1735563906, -1, None]),
    ("coalesce(n, m, 0)", [7, -7, 0]),
    ("nvl(t, 'none')", ["abc abc", "", "none"]),
    ("nullif(n, 7)", [None, -7, None]),
    ("nvl2(n, 1, 2)", [1, 1, 2]),
    ("isnull(f)", [False, False, True]),
    ("isnotnull(f)", [True, True, False]),
    ("NULL", [None, None, None]),
    ("'it''s {x}'", ["it's {x}"] * 3),
    ("N + `F`", [9.5, np.inf, None]),
]


@pytest.mark.parametrize(("formula", "expected"), EXAMPLES)
def test_examples(
    bench: Bench, table: pd.DataFrame, formula: str, expected: list[Any] | None
) -> None:
    if expected is None:  # a number is no text
        with pytest.raises(ParameterError, match="long where string is needed; use cast"):
            run(bench, formula, table)
        return
    found = run(bench, formula, table)
    assert found == [
        pytest.approx(value) if isinstance(value, float) else value for value in expected
    ]


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("date_add(d, 1)", ["2024-03-01", "1970-01-01", None]),
        ("date_sub(at, 30)", ["2024-11-30", "1969-12-01", None]),
        ("last_day(d)", ["2024-02-29", "1969-12-31", None]),
        ("date_trunc('year', at)", ["2024-01-01", "1969-01-01", None]),
        ("date_trunc('quarter', at)", ["2024-10-01", "1969-10-01", None]),
        ("date_trunc('month', d)", ["2024-02-01", "1969-12-01", None]),
        ("date_trunc('week', at)", ["2024-12-30", "1969-12-29", None]),
        ("date_trunc('hour', at)", ["2024-12-30 13:00", "1969-12-31 23:00", None]),
        ("to_timestamp('2024-01-02 03:04')", ["2024-01-02 03:04"] * 3),
    ],
)
def test_times(bench: Bench, table: pd.DataFrame, formula: str, expected: list[str | None]) -> None:
    assert run(bench, formula, table) == [e and pd.Timestamp(e) for e in expected]


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("nn + 1", "no column 'nn'; did you mean 'n'"),
        ("upperr(t)", "no function 'upperr'; did you mean 'upper'"),
        ("sum(n)", "sum looks at many rows.*Group by"),
        ("rank() over (order by n)", "no windows"),
        ("n in (select 1)", "no subqueries"),
        ("exists(select 1)", "no subqueries"),
        ("select n", "no subqueries"),
        ("now()", "now gives something else each time"),
        ("current_date", "current_date gives something else each time"),
        ("n +", "character"),
        ("n + t", "long and string cannot be mixed; use cast"),
        ("t + u", "needs numbers, not string; concat joins texts"),
        ("d - at", "datediff, date_add"),
        ("n AND b", "a condition is long"),
        ("upper(n)", "long where string is needed; use cast"),
        ("upper(t, u)", r"upper has 2 arguments; it is used as upper\(text\)"),
        ("round(f, n)", "must be a whole number from -15 to 15"),
        ("replace(t, u, 'x')", "What is replaced must be a text in quotes"),
        ("t rlike '['", "'\\['"),
        ("regexp_replace(t, 'a*', '')", "matches empty text"),
        ("date_trunc('mont', d)", "'mont' is none of year.*did you mean 'month'"),
        ("to_date(t, 'QQ')", "QQ, which is none of"),
        ("d > 'soon'", "'soon' is no date"),
        ("cast(t as binary)", "cast as BINARY is not known"),
        ("cast(d as bigint)", "date cannot be cast as long"),
        ("n as m", "leave out AS m"),
        ("d + interval 1 day", "there are no intervals"),
        ("substring(t, 0)", "the first character is 1"),
        ("vector = vector", "vector cannot be compared"),
        ("n; n", "Block is not known here"),
        ("", "Formula is missing"),
        ("(" * 3000 + "n" + ")" * 3000, "Formula"),
        ("ln(" * 60 + "f" + ")" * 60, "nested too deeply"),
        ("n" * 20000, "at most 10000"),
    ],
)
def test_refusals(bench: Bench, table: pd.DataFrame, formula: str, words: str) -> None:
    frame = table.assign(vector=pd.Series([[1.0], None, [2.0]], dtype=object))
    types = {**TYPES, "vector": ColumnType.VECTOR}
    with pytest.raises(ParameterError, match=words) as caught:
        run(bench, formula, frame, types)
    assert caught.value.parameter == "formula"


CALLS = [
    *(
        f"{name}(f)"
        for name in ("signum", "ceiling", "cbrt", "log2", "log10", "sin", "cos", "tan", "asin")
    ),
    *(f"{name}(`{{g}} h`)" for name in ("atan", "degrees", "radians", "exp", "acos", "log")),
    *(f"{name}(t)" for name in ("ucase", "lower", "lcase", "ltrim", "rtrim", "upper")),
    *(f"{name}(t)" for name in ("char_length", "character_length", "len", "to_timestamp")),
    *(
        f"{name}(at)"
        for name in ("month", "day", "dayofmonth", "dayofyear", "weekofyear", "unix_timestamp")
    ),
    *(f"{name}(d)" for name in ("quarter", "last_day", "dayofweek", "weekday", "to_date")),
    *(f"date_trunc('{unit}', at)" for unit in ("year", "month", "day", "minute", "second")),
    "atan2(f, n)",
    "pow(f, n)",
    "pow(`{g} h`, 0.5)",
    "pow(0, f)",
    "rlike(t, '^a|b$')",
    "ifnull(f, n)",
    "date_add(at, -400)",
    "date_sub(d, 7)",
    "date_format(d, '%d.%m.%y')",
    "date_trunc('hour', d)",
    "regexp_extract(t, '[ab]')",
    "regexp_replace(t, ' +', '')",
    "locate('b', t)",
    "cast(t as bigint)",
    "cast(t as boolean)",
    "cast(t as timestamp)",
    "cast(at as string)",
    "cast(n as double)",
    "round(f, -1)",
    "n div m",
    "f % `{g} h`",
    "u IN ('a', '', 'b')",
    "f IN (1, 2.5)",
    "d IN ('2024-02-29')",
]


def test_there_are_about_eighty_functions_and_each_is_tested() -> None:
    written = " ".join([*CALLS, *(formula for formula, _ in EXAMPLES)])
    assert len(FUNCTIONS) > 60
    assert [name for name in FUNCTIONS if f"{name}(" not in written] == []


@settings(max_examples=80, deadline=None)
@given(frame=frames(TYPES, max_rows=6), formula=st.sampled_from(CALLS))
def test_any_values(bench: Bench, frame: pd.DataFrame, formula: str) -> None:
    run(bench, formula, frame)


def test_what_a_formula_touches() -> None:
    transform = named("Custom formula", "Custom formula")
    schema = Schema.of(a="long", b="long", c="long")
    assert transform.touches(schema, {"formula": "a + 1", "output_column": "b"}) == {"a", "b"}
    assert transform.touches(schema, {"formula": "a + c", "output_column": "new"}) == {"a", "c"}


def test_a_formula_on_the_column_it_replaces(bench: Bench) -> None:
    frame, types = one_of_each()
    values = {"formula": "`{long}` / 2", "output_column": "{long}"}
    result = bench.check(named("Custom formula", "Custom formula"), values, frame, types=types)
    assert list(result) == list(frame)
    assert result["{long}"].tolist()[0] == 1.5


NUMBERS = st.deferred(
    lambda: st.one_of(
        st.sampled_from(["n", "m", "f", "`{g} h`", "2", "-3", "0", "0.5", "null"]),
        st.tuples(NUMBERS, st.sampled_from("+-*/%"), NUMBERS).map(lambda p: f"({' '.join(p)})"),
        st.tuples(
            st.sampled_from(
                [
                    "abs",
                    "sign",
                    "ceil",
                    "floor",
                    "round",
                    "sqrt",
                    "cbrt",
                    "ln",
                    "log2",
                    "log10",
                    "sin",
                    "cos",
                    "atan",
                    "degrees",
                    "radians",
                    "-",
                ]
            ),
            NUMBERS,
        ).map(lambda p: f"{p[0]}({p[1]})"),
        st.tuples(
            st.sampled_from(["greatest", "least", "coalesce", "nullif", "atan2", "mod"]),
            NUMBERS,
            NUMBERS,
        ).map(lambda p: f"{p[0]}({p[1]}, {p[2]})"),
        st.tuples(CONDITIONS, NUMBERS, NUMBERS).map(
            lambda p: f"CASE WHEN {p[0]} THEN {p[1]} ELSE {p[2]} END"
        ),
        TEXTS.map(lambda text: f"length({text})"),
        TIMES.map(lambda time: f"month({time})"),
    )
)
CONDITIONS = st.deferred(
    lambda: st.one_of(
        st.sampled_from(["b", "true", "null"]),
        st.tuples(NUMBERS, st.sampled_from(["=", "<>", "<", ">=", "<=>"]), NUMBERS).map(" ".join),
        st.tuples(TEXTS, st.sampled_from(["=", "<", "<=>"]), TEXTS).map(" ".join),
        st.tuples(CONDITIONS, st.sampled_from(["AND", "OR"]), CONDITIONS).map(
            lambda p: f"({' '.join(p)})"
        ),
        CONDITIONS.map(lambda one: f"(NOT {one})"),
        st.one_of(NUMBERS, TEXTS, TIMES).map(lambda one: f"({one} IS NULL)"),
        TEXTS.map(lambda text: f"({text} LIKE '%a_')"),
        TIMES.map(lambda time: f"({time} > '2000-01-01')"),
    )
)
TEXTS = st.deferred(
    lambda: st.one_of(
        st.sampled_from(["t", "u", "'a'", "''"]),
        st.tuples(TEXTS, TEXTS).map(lambda p: f"({p[0]} || {p[1]})"),
        TEXTS.map(lambda text: f"lower({text})"),
        TEXTS.map(lambda text: f"trim({text})"),
        TEXTS.map(lambda text: f"substring({text}, 2, 2)"),
        TEXTS.map(lambda text: f"right({text}, 2)"),
        TEXTS.map(lambda text: f"rpad({text}, 4, '{{x}}')"),
        st.tuples(CONDITIONS, TEXTS).map(lambda p: f"if({p[0]}, {p[1]}, t)"),
        st.sampled_from(["n", "b", "d", "at"]).map(lambda one: f"cast({one} as string)"),
    )
)
TIMES = st.deferred(
    lambda: st.one_of(
        st.sampled_from(["d", "at"]),
        TIMES.map(lambda time: f"date_add({time}, 40)"),
        TIMES.map(lambda time: f"date_trunc('quarter', {time})"),
        TIMES.map(lambda time: f"date_trunc('week', {time})"),
        st.tuples(CONDITIONS, TIMES, TIMES).map(lambda p: f"if({p[0]}, {p[1]}, {p[2]})"),
    )
)


@settings(max_examples=80, deadline=None)
@given(
    frame=frames(TYPES, max_rows=6, largest=1e3),
    formula=st.one_of(NUMBERS, CONDITIONS, TEXTS, TIMES),
)
def test_any_formula(bench: Bench, frame: pd.DataFrame, formula: str) -> None:
    run(bench, formula, frame)
