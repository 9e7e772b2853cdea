"""Joins: the engine and the pandas code agree, and missing keys match nothing."""

from __future__ import annotations

from math import inf, nan

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.testing.wrangler_case import Bench
from bottega.testing.wrangler_frames import ODD_NAMES, frames
from bottega.wrangler.columns import ColumnType
from bottega.wrangler.errors import ParameterError
from bottega.wrangler.transforms.join_tables import JoinMultipleKeys, JoinTables

TYPES = ("inner", "leftouter", "rightouter", "fullouter", "leftsemi", "leftanti", "cross")
LEFT = pd.DataFrame({"k": ["b", "a", None, "b", "z"], "v": [1, 2, 3, 4, 5]})
RIGHT = pd.DataFrame({"k": ["a", None, "b", "b", "q"], "w": [10.0, 20.0, 30.0, 40.0, nan]})


def rows(frame: pd.DataFrame) -> list[list[object]]:
    return [
        [None if pd.isna(cell) else cell for cell in row] for row in frame.astype(object).values
    ]


MATCHED = [["b", 1, "b", 30], ["b", 1, "b", 40], ["a", 2, "a", 10]]
MATCHED_LATER = [["b", 4, "b", 30], ["b", 4, "b", 40]]
ALL_LEFT = [*MATCHED, [None, 3, None, None], *MATCHED_LATER, ["z", 5, None, None]]
ALL_RIGHT = [
    ["a", 2, "a", 10],
    [None, None, None, 20],
    ["b", 1, "b", 30],
    ["b", 4, "b", 30],
    ["b", 1, "b", 40],
    ["b", 4, "b", 40],
    [None, None, "q", None],
]


@pytest.mark.parametrize(
    ("join_type", "expected"),
    [
        ("inner", [*MATCHED, *MATCHED_LATER]),
        ("leftouter", ALL_LEFT),
        ("rightouter", ALL_RIGHT),
        ("fullouter", [*ALL_LEFT, [None, None, None, 20], [None, None, "q", None]]),
        ("leftsemi", [["b", 1], ["a", 2], ["b", 4]]),
        ("leftanti", [[None, 3], ["z", 5]]),
    ],
)
def test_rows_and_their_order(bench: Bench, join_type: str, expected: list[list[object]]) -> None:
    values = {"left_column": "k", "right_column": "k", "join_type": join_type}
    result = bench.check(JoinTables(), values, LEFT, RIGHT)
    assert rows(result) == expected
    if "left" not in join_type or join_type == "leftouter":
        assert list(result.columns) == ["k_0", "v", "k_1", "w"]


def test_cross(bench: Bench) -> None:
    result = bench.check(JoinTables(), {"join_type": "cross"}, LEFT[:2], RIGHT[:3])
    assert result["v"].tolist() == [1, 1, 1, 2, 2, 2]
    assert result["w"].tolist() == [10, 20, 30, 10, 20, 30]


def test_suffixes_give_way_to_names_that_are_there(bench: Bench) -> None:
    left = pd.DataFrame({"A": [1], "A_0": [2], "x": [3]})
    right = pd.DataFrame({"a": [1], "A_1": [5], "X_0": [6]})
    values = {"left_column": "A", "right_column": "a"}
    result = bench.check(JoinTables(), values, left, right)
    assert list(result.columns) == ["A_0_2", "A_0", "x", "a_1_2", "A_1", "X_0"]


@pytest.mark.parametrize("join_type", TYPES)
def test_numbers_of_both_kinds_and_infinities(bench: Bench, join_type: str) -> None:
    left = pd.DataFrame({"k": pd.Series([1, None, 3], dtype="Int64"), "x": [inf, 0.5, -inf]})
    right = pd.DataFrame({"k": [1.0, nan, 2.5], "y": [-inf, 0.5, inf]})
    by_one = {"left_column": "k", "right_column": "k", "join_type": join_type}
    bench.check(JoinTables(), by_one, left, right)
    pairs = {"join_keys": [{"left": "x", "right": "y"}], "join_type": join_type}
    bench.check(JoinMultipleKeys(), pairs, left, right)


@pytest.mark.parametrize("join_type", ["leftouter", "fullouter", "leftsemi"])
@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names(bench: Bench, name: str, join_type: str) -> None:
    left = pd.DataFrame({name: ["a", "b"], f"l{name}": [1, 2]})
    right = pd.DataFrame({name: ["a"], f"r{name}": [True]})
    bench.check(JoinTables(), {"left_column": name, "join_type": join_type}, left, right)


@pytest.mark.parametrize("join_type", TYPES)
def test_empty_tables(bench: Bench, join_type: str) -> None:
    types = {"k": ColumnType.STRING, "v": ColumnType.LONG, "w": ColumnType.FLOAT}
    values = {"left_column": "k", "join_type": join_type}
    for left, right in ((LEFT[:0], RIGHT), (LEFT, RIGHT[:0]), (LEFT[:0], RIGHT[:0])):
        bench.check(JoinTables(), values, left, right, types=types)


def test_refusals(bench: Bench) -> None:
    with pytest.raises(ParameterError, match="inner needs a column of each table"):
        bench.check(JoinTables(), {}, LEFT, RIGHT)
    with pytest.raises(ParameterError, match="in the second table: There is no column 'v'"):
        bench.check(JoinTables(), {"left_column": "v"}, LEFT, RIGHT)
    pairs = {"join_keys": [{"left": "k", "right": "x"}]}
    with pytest.raises(
        ParameterError, match="in the second table: There is no column 'x'"
    ) as found:
        bench.check(JoinMultipleKeys(), pairs, LEFT, RIGHT)
    assert found.value.parameter == "join_keys"
    with pytest.raises(ParameterError, match="It has 'w'; capitals matter"):
        bench.check(JoinTables(), {"left_column": "v", "right_column": "W"}, LEFT, RIGHT)
    with pytest.raises(ParameterError, match="Left column 'v' is long and right column 'k' is str"):
        bench.check(JoinTables(), {"left_column": "v", "right_column": "k"}, LEFT, RIGHT)


LEFT_TYPES = {
    "k": ColumnType.STRING,
    "n": ColumnType.LONG,
    "day": ColumnType.DATE,
    "{v}": ColumnType.VECTOR,
}
RIGHT_TYPES = {
    "k": ColumnType.STRING,
    "m": ColumnType.FLOAT,
    "flag": ColumnType.BOOLEAN,
    "n": ColumnType.LONG,
}
CELLS = {"k": st.sampled_from("abc"), "n": st.integers(0, 2), "m": st.sampled_from([0.0, 1.0, 1.5])}


@given(
    left=frames(LEFT_TYPES, max_rows=7, cells=CELLS),
    right=frames(RIGHT_TYPES, max_rows=7, cells=CELLS),
    join_type=st.sampled_from(TYPES),
    keys=st.sampled_from(
        [[("k", "k")], [("n", "n")], [("k", "k"), ("n", "m")], [("n", "n"), ("n", "m")]]
    ),
)
@settings(max_examples=50)
def test_any_tables(
    bench: Bench,
    left: pd.DataFrame,
    right: pd.DataFrame,
    join_type: str,
    keys: list[tuple[str, str]],
) -> None:
    values = {
        "join_keys": [{"left": one, "right": other} for one, other in keys],
        "join_type": join_type,
    }
    types = LEFT_TYPES | RIGHT_TYPES
    result = bench.check(JoinMultipleKeys(), values, left, right, types=types)
    if join_type == "cross":
        assert len(result) == len(left) * len(right)
    if join_type == "leftouter":
        assert len(result) >= len(left)
