"""SQL and Python as text: what is written is what is read back."""

from __future__ import annotations

import ast
import math
from datetime import date, datetime
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bottega.wrangler.columns import Column, ColumnType
from bottega.wrangler.errors import ParameterError
from bottega.wrangler.pandas_code import PandasCode, python_literal
from bottega.wrangler.sql_text import literal, name
from bottega.wrangler.typed_values import typed_value

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)))
LONGS = st.integers(-(2**63), 2**63 - 1)
SCALARS = st.none() | st.booleans() | LONGS | st.floats(allow_nan=False) | TEXTS


@pytest.fixture(scope="module")
def connection() -> Any:
    return duckdb.connect(":memory:")


@given(value=SCALARS | st.datetimes() | st.dates())
def test_the_engine_reads_a_literal_as_the_value(connection: Any, value: Any) -> None:
    (found,) = connection.execute(f"SELECT {literal(value)}").fetchone()
    assert found == value
    assert found is None or type(found) is type(value)


@given(text=TEXTS.filter(bool))
def test_the_engine_reads_a_name_as_the_name(connection: Any, text: str) -> None:
    assert connection.execute(f"SELECT 1 AS {name(text)}").description[0][0] == text


def test_not_a_number_is_null() -> None:
    assert literal(math.nan) == "NULL"
    with pytest.raises(TypeError):
        literal(object())


VALUES = st.recursive(
    SCALARS.filter(lambda value: not isinstance(value, float) or math.isfinite(value)),
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner) | st.tuples(inner),
    max_leaves=8,
)


@given(VALUES)
def test_python_reads_a_literal_as_the_value(value: Any) -> None:
    assert ast.literal_eval(python_literal(value)) == value


def test_texts_are_in_double_quotes_and_infinity_is_imported() -> None:
    code = PandasCode()
    assert code.literal("it's") == '"it\'s"'
    assert code.literal('say "hi"') == '"say \\"hi\\""'
    assert code.literal({"a": [math.inf]}) == '{"a": [inf]}'
    assert code.imports == ["import pandas as pd", "from math import inf"]
    assert code.column("a b") == 'df["a b"]'


def test_constants_are_named_after_what_they_are() -> None:
    code = PandasCode()
    assert code.constant("Total charges: median", 1.5) == "TOTAL_CHARGES_MEDIAN"
    assert code.constant("Total charges: median", 1.5) == "TOTAL_CHARGES_MEDIAN"
    assert code.constant("total charges median", 2.5) == "TOTAL_CHARGES_MEDIAN_2"
    assert code.constant("1st", 0) == "_1ST"
    assert code.constant("ö", 0) == "VALUE"
    assert next(iter(code.constants.items())) == ("TOTAL_CHARGES_MEDIAN", "1.5")


def test_a_function_is_written_once() -> None:
    code = PandasCode()
    source = "\ndef f(x):\n    return x\n"
    assert code.function("f", source) == code.function("f", source) == "f"
    assert code.functions == {"f": source.strip()}
    with pytest.raises(ValueError, match="two functions"):
        code.function("f", "def f(): pass")


def test_lines_are_taken_once() -> None:
    code = PandasCode()
    code.line("if x:\n    y()")
    assert code.take() == ["if x:", "    y()"]
    assert code.lines == []


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("long", "7", 7),
        ("long", 2**62 + 1, 2**62 + 1),
        ("float", "1e3", 1000.0),
        ("float", "-inf", -math.inf),
        ("boolean", "Yes", True),
        ("boolean", 0, False),
        ("string", 5, "5"),
        ("string", " x ", " x "),
        ("string", True, "true"),
        ("date", "2024-02-29", date(2024, 2, 29)),
        ("datetime", "2024-02-29T01:02:03", datetime(2024, 2, 29, 1, 2, 3)),
    ],
)
def test_a_value_is_read_as_the_columns_type(kind: str, value: Any, expected: Any) -> None:
    found = typed_value("fill_value", value, Column("c", ColumnType(kind)))
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("long", "7.5"),
        ("long", 2**63),
        ("float", "nan"),
        ("float", "x"),
        ("boolean", "maybe"),
        ("date", "2023-02-29"),
        ("vector", "[1]"),
    ],
)
def test_a_value_that_cannot_be_is_refused(kind: str, value: Any) -> None:
    with pytest.raises(ParameterError, match=f"cannot stand in column 'c', which is {kind}") as it:
        typed_value("fill_value", value, Column("c", ColumnType(kind)))
    assert it.value.parameter == "fill_value"
