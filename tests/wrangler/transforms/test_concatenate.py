"""Concatenation: the engine and the pandas code agree."""

from __future__ import annotations

from math import inf, nan

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.testing.wrangler_case import Bench
from bottega.testing.wrangler_frames import ODD_NAMES, frames, one_of_each
from bottega.wrangler.columns import ColumnType
from bottega.wrangler.errors import ParameterError
from bottega.wrangler.transforms.concatenate import Concatenate


def test_columns_by_name(bench: Bench) -> None:
    first = pd.DataFrame({"a": [1, 2], "b": ["x", None]})
    second = pd.DataFrame({"c": [True], "a": [0.5]})
    result = bench.check(Concatenate(), {"source_column": "from {x}"}, first, second)
    assert list(result.columns) == ["a", "b", "c", "from {x}"]
    assert result["a"].tolist() == [1, 2, 0.5]
    assert result["c"].isna().tolist() == [True, True, False]
    assert result["from {x}"].tolist() == [0, 0, 1]


def test_duplicates_come_once(bench: Bench) -> None:
    first = pd.DataFrame({"a": [1.0, nan, 1.0, inf], "b": ["x", None, "x", "y"]})
    second = pd.DataFrame({"a": [nan, inf, 2.0], "b": [None, "y", "x"]})
    values = {"remove_duplicates": True, "source_column": "source"}
    result = bench.check(Concatenate(), values, first, second)
    assert result["source"].tolist() == [0, 0, 0, 1]
    assert result["a"].fillna(-1).tolist() == [1, -1, inf, 2]


def test_every_type_beside_a_table_without_it(bench: Bench) -> None:
    frame, types = one_of_each()
    other = pd.DataFrame({"other": ["x", "y"]})
    bench.check(Concatenate(), {}, frame, other, types=types)
    bench.check(Concatenate(), {}, other, frame, types=types)
    bench.check(Concatenate(), {}, frame, frame, types=types)
    bench.check(Concatenate(), {}, frame[:0], frame, types=types)


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_and_one_row(bench: Bench, name: str) -> None:
    first, second = pd.DataFrame({name: ["a"]}), pd.DataFrame({name: ["a"], f"x{name}": [1.0]})
    values = {"remove_duplicates": True, "source_column": f"new {name}"}
    assert len(bench.check(Concatenate(), values, first, second)) == 2


def test_refusals(bench: Bench) -> None:
    numbers, texts = pd.DataFrame({"a": [1]}), pd.DataFrame({"a": ["x"]})
    with pytest.raises(ParameterError, match="'a' is long in the first table and string in the"):
        bench.check(Concatenate(), {}, numbers, texts)
    with pytest.raises(ParameterError, match="differ in capitals only"):
        bench.check(Concatenate(), {}, numbers, pd.DataFrame({"A": [1]}))
    with pytest.raises(ParameterError, match="there is a column 'A' already"):
        bench.check(Concatenate(), {"source_column": "A"}, numbers, numbers)
    lists = pd.DataFrame({"a": [[1.0]]})
    with pytest.raises(ParameterError, match="flatten or drop the column first"):
        bench.check(Concatenate(), {"remove_duplicates": True}, lists, lists)


FIRST = {"k": ColumnType.STRING, "x": ColumnType.FLOAT, "d": ColumnType.DATE}
SECOND = {"x": ColumnType.FLOAT, "k": ColumnType.STRING, "flag": ColumnType.BOOLEAN}
CELLS = {"k": st.sampled_from("ab"), "x": st.sampled_from([1.0, 2.5, inf])}


@given(
    first=frames(FIRST, max_rows=7, cells=CELLS),
    second=frames(SECOND, max_rows=7, cells=CELLS),
    remove_duplicates=st.booleans(),
)
@settings(max_examples=40)
def test_any_tables(
    bench: Bench, first: pd.DataFrame, second: pd.DataFrame, remove_duplicates: bool
) -> None:
    values = {"remove_duplicates": remove_duplicates, "source_column": "s"}
    result = bench.check(Concatenate(), values, first, second, types=FIRST | SECOND)
    assert remove_duplicates or len(result) == len(first) + len(second)
