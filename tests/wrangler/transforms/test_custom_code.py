"""Custom code in Python: engine and exported code agree, and errors show the user's lines."""

from __future__ import annotations

from datetime import datetime
from math import inf

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.testing.wrangler_case import Bench
from bottega.testing.wrangler_frames import ODD_NAMES, frames, one_of_each
from bottega.wrangler.columns import ColumnType
from bottega.wrangler.errors import DataError, ParameterError
from bottega.wrangler.transforms.custom_code import (
    OldPandasOnTable,
    OldPySparkCode,
    PandasOnTable,
    PySparkCode,
    UserDefinedFunction,
)

FRAME = pd.DataFrame({"n": pd.Series([3, None, 1], dtype="Int64"), "s": ["x", "", None]})


def test_code_on_the_table(bench: Bench) -> None:
    code = """
# sort, and add
import math

def half(value):
    return value / 2

df = df.sort_values("n")
df["half"] = df["n"].map(half)
df['text'] = '''two
  lines'''
df["root"] = [math.sqrt(4)] * len(df)
"""
    for transform in (PandasOnTable(), OldPandasOnTable()):
        result = bench.check(transform, {"code": code}, FRAME)
        assert list(result.columns) == ["n", "s", "half", "text", "root"]
        assert result["half"].tolist()[:2] == [0.5, 1.5]
        assert result["text"].tolist() == ["two\n  lines"] * 3


def test_groups_reset_index_and_new_types(bench: Bench) -> None:
    code = 'df = df.groupby("s", dropna=False).size().to_frame("count").reset_index()'
    result = bench.check(PandasOnTable(), {"code": code}, FRAME)
    assert result["count"].tolist() == [1, 1, 1]
    code = 'df = pd.DataFrame({"c": pd.Categorical(["a", "b"]), "l": [[1, 2], [3]], "o": [1, "x"]})'
    result = bench.check(PandasOnTable(), {"code": code}, FRAME)
    assert result["l"].tolist() == [[1, 2], [3]]


def test_every_type_passes_through(bench: Bench) -> None:
    frame, types = one_of_each()
    result = bench.check(PandasOnTable(), {"code": "pass"}, frame, types=types)
    assert list(result.columns) == list(types)
    relation = bench.relation(frame, types)
    state = PandasOnTable().fit(relation, {"code": "pass"})
    assert dict(state["columns"]) == {name: kind.value for name, kind in types.items()}
    bench.check(PandasOnTable(), {"code": "pass"}, frame[:0], types=types)


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names(bench: Bench, name: str) -> None:
    frame = pd.DataFrame({name: ["a"]})
    code = f"df[{'new ' + name!r}] = df[{name!r}]"
    assert bench.check(PandasOnTable(), {"code": code}, frame).iloc[0].tolist() == ["a", "a"]
    values = {
        "input_col": name,
        "output_col": f"new {name}",
        "python_code": "def custom_func(value):\n    return value",
        "udf_mode": "Python",
    }
    assert bench.check(UserDefinedFunction(), values, frame).iloc[0].tolist() == ["a", "a"]


def test_an_error_shows_the_lines_that_led_there(bench: Bench) -> None:
    code = "def add(frame):\n    return frame['nothing']\n\ndf['x'] = add(df)\n"
    with pytest.raises(DataError) as caught:
        bench.check(PandasOnTable(), {"code": code}, FRAME)
    assert caught.value.message.splitlines() == [
        "The code failed. Line 4: df['x'] = add(df)",
        "Line 2: return frame['nothing']",
        "KeyError: 'nothing'",
    ]
    with pytest.raises(DataError, match="SystemExit"):
        bench.check(PandasOnTable(), {"code": "raise SystemExit"}, FRAME)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("df = (", "not Python. Line 1: '\\(' was never closed"),
        ("a = 1\n\tb = 2", "not Python. Line 2: unexpected indent"),
        ("from math import *", "not Python. .*import"),
        (" \n", "is empty|is missing"),
    ],
)
def test_code_that_is_not_python(bench: Bench, code: str, words: str) -> None:
    with pytest.raises(ParameterError, match=words):
        bench.check(PandasOnTable(), {"code": code}, FRAME)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("df = df['n']", "At the end of the code df is a Series"),
        ("df['N'] = 1", "would be called 'n' and 'N'"),
        ("df['__row'] = 1", "__row"),
        ("df[1] = 1", "names are texts"),
        ("df.columns = ['a', 'a']", "Two columns are called 'a'"),
    ],
)
def test_results_that_are_no_tables(bench: Bench, code: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        bench.check(PandasOnTable(), {"code": code}, FRAME)


@pytest.mark.parametrize("transform", [PySparkCode(), OldPySparkCode()])
def test_spark_is_refused_with_what_to_write(bench: Bench, transform: PySparkCode) -> None:
    with pytest.raises(ParameterError, match="Replace it by Python \\(Pandas\\)"):
        bench.check(transform, {"code": "df = df.filter(df.a > 0)"}, FRAME)


def test_a_function_of_values(bench: Bench) -> None:
    code = "import re\n\ndef custom_func(value):\n    return None if value is None else value * 2\n"
    values = {"udf_mode": "Python", "input_col": "n", "return_type": "long", "python_code": code}
    result = bench.check(UserDefinedFunction(), {**values, "output_col": "twice"}, FRAME)
    assert result["twice"].fillna(-1).tolist() == [6, -1, 2]
    assert bench.check(UserDefinedFunction(), values, FRAME)["n"].fillna(-1).tolist() == [6, -1, 2]


def test_a_function_of_a_series(bench: Bench) -> None:
    code = "def up(s):\n    return s.str.upper()\n\ndef custom_func(series):\n    return up(series)"
    values = {"input_col": "s", "output_col": "upper", "pandas_code": code}
    assert bench.check(UserDefinedFunction(), values, FRAME)["upper"].fillna("?").tolist() == [
        "X",
        "",
        "?",
    ]


@pytest.mark.parametrize(
    ("mode", "code", "kind", "words"),
    [
        ("Python", "x = 1", "string", "defines 0 functions"),
        ("Python", "def custom_func(v):\n    return v.upper()", "string", "Line 2: return v.upper"),
        ("Python", "def custom_func(v):\n    return 'x'", "long", "'s' cannot be made long"),
        (
            "Pandas",
            "def custom_func(s):\n    return s[:1]",
            "string",
            "got 3 values and returned 1",
        ),
    ],
)
def test_functions_that_fail(bench: Bench, mode: str, code: str, kind: str, words: str) -> None:
    values = {"udf_mode": mode, "input_col": "s", "return_type": kind}
    values[f"{mode.lower()}_code"] = code
    with pytest.raises((DataError, ParameterError), match=words):
        bench.check(UserDefinedFunction(), values, FRAME)


def test_a_name_that_differs_in_capitals_only(bench: Bench) -> None:
    values = {"input_col": "s", "output_col": "N", "pandas_code": "def f(s):\n    return s"}
    with pytest.raises(ParameterError, match="there is a column 'n'"):
        bench.check(UserDefinedFunction(), values, FRAME)


TYPES = {
    "x": ColumnType.FLOAT,
    "n": ColumnType.LONG,
    "s": ColumnType.STRING,
    "d": ColumnType.DATE,
    "t": ColumnType.DATETIME,
    "b": ColumnType.BOOLEAN,
    "v": ColumnType.VECTOR,
    "a": ColumnType.ARRAY,
}
SAME = {
    "Python": "def custom_func(value):\n    return value",
    "Pandas": "def custom_func(series):\n    return series",
}


@given(
    frame=frames(TYPES, max_rows=6),
    column=st.sampled_from(sorted(TYPES)),
    mode=st.sampled_from(["Python", "Pandas"]),
)
@settings(max_examples=30)
def test_functions_of_any_column(bench: Bench, frame: pd.DataFrame, column: str, mode: str) -> None:
    values = {
        "udf_mode": mode,
        "input_col": column,
        "output_col": "out",
        "return_type": TYPES[column].value,
        f"{mode.lower()}_code": SAME[mode],
    }
    result = bench.check(UserDefinedFunction(), values, frame, types=TYPES)
    assert result["out"].isna().tolist() == frame[column].isna().tolist()


@pytest.mark.parametrize("mode", ["Python", "Pandas"])
def test_a_date_has_no_hours_whatever_the_function_returns(bench: Bench, mode: str) -> None:
    values = {"udf_mode": mode, "input_col": "t", "return_type": "date"}
    values[f"{mode.lower()}_code"] = SAME[mode]
    frame = pd.DataFrame({"t": [datetime(2024, 2, 29, 12, 30), datetime(1969, 12, 31, 23, 59)]})
    result = bench.check(
        UserDefinedFunction(), {**values, f"{mode.lower()}_code": SAME[mode]}, frame
    )
    assert result["t"].tolist() == [datetime(2024, 2, 29), datetime(1969, 12, 31)]


@pytest.mark.parametrize("mode", ["Python", "Pandas"])
@pytest.mark.parametrize(("column", "kind"), [("v", "array"), ("a", "vector")])
def test_lists_become_lists_of_the_type_that_is_returned(
    bench: Bench, mode: str, column: str, kind: str
) -> None:
    values = {"udf_mode": mode, "input_col": column, "output_col": "out", "return_type": kind}
    values[f"{mode.lower()}_code"] = SAME[mode]
    frame = pd.DataFrame({"v": [[1.5, 2.5], None, []], "a": [["1.5", "2.5"], None, []]})
    result = bench.check(UserDefinedFunction(), values, frame)
    assert result["out"].tolist() == frame["va".replace(column, "")].tolist()


def test_infinity_is_a_value(bench: Bench) -> None:
    frame = pd.DataFrame({"x": [inf, -inf, None]})
    values = {
        "udf_mode": "Python",
        "input_col": "x",
        "return_type": "boolean",
        "python_code": "def custom_func(v):\n    return None if v is None else v > 0",
    }
    assert bench.check(UserDefinedFunction(), values, frame)["x"].tolist()[:2] == [True, False]
