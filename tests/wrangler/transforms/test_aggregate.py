"""Group by, pivot and unpivot: the engine and the pandas code agree."""

from __future__ import annotations

from math import inf, nan

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.testing.wrangler_case import Bench
from bottega.testing.wrangler_frames import ODD_NAMES, frames, one_of_each
from bottega.wrangler.columns import SCALARS, ColumnType
from bottega.wrangler.errors import DataError, ParameterError
from bottega.wrangler.transforms.aggregate import GroupBy, Pivot, Unpivot
from bottega.wrangler.transforms.aggregations import AGGREGATIONS

KEYS = st.sampled_from(["a", "B", "é", ""])
TYPES = {
    "key": ColumnType.STRING,
    "{second} key": ColumnType.LONG,
    "x": ColumnType.FLOAT,
    "n": ColumnType.LONG,
    "day": ColumnType.DATE,
    "flag": ColumnType.BOOLEAN,
    "text": ColumnType.STRING,
}

# pandas says so where infinities meet, and gives the NaN that is wanted.
pytestmark = pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")


def aggregated(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    return [{"column": column, "function": function} for column, function in pairs]


def test_groups_are_sorted_and_missing_keys_come_last(bench: Bench) -> None:
    frame = pd.DataFrame({"city": ["b", None, "a", "b"], "x": [1.0, 2.0, 4.0, nan]})
    values = {
        "group_columns": ["city"],
        "aggregations": aggregated(("x", "sum"), ("x", "count"), ("x", "mean")),
    }
    result = bench.check(GroupBy(), values, frame)
    assert result["city"].fillna("?").tolist() == ["a", "b", "?"]
    assert result["x_sum"].tolist() == [4, 1, 2]
    assert result["x_count"].tolist() == [1, 1, 1]


def test_what_is_made_of_no_values(bench: Bench) -> None:
    frame = pd.DataFrame({"k": ["a"], "x": [nan], "s": pd.Series([None], dtype="str")})
    pairs = [("x", f) for f in AGGREGATIONS] + [("s", "most common"), ("s", "min")]
    values = {"group_columns": ["k"], "aggregations": aggregated(*pairs)}
    (row,) = bench.check(GroupBy(), values, frame).to_dict("records")
    assert (row["x_count"], row["x_sum"], row["x_count_distinct"]) == (0, 0, 0)
    assert pd.isna(row["x_mean"])
    assert pd.isna(row["s_most_common"])


def test_infinite_values(bench: Bench) -> None:
    frame = pd.DataFrame({"k": [1, 1, 2, 2, 2], "x": [inf, -inf, inf, 1.0, 2.0]})
    pairs = [("x", function) for function in AGGREGATIONS]
    values = {"group_columns": ["k"], "aggregations": aggregated(*pairs)}
    result = bench.check(GroupBy(), values, frame)
    assert pd.isna(result["x_mean"][0])
    assert result["x_mean"][1] == inf
    assert pd.isna(result["x_stddev"][1])


def test_first_last_and_most_common(bench: Bench) -> None:
    frame = pd.DataFrame({"k": [1, 1, 1, 1, 1], "s": [None, "b", "a", "a", "b"]})
    values = {
        "group_columns": ["k"],
        "aggregations": aggregated(("s", "first"), ("s", "last"), ("s", "most common")),
    }
    result = bench.check(GroupBy(), values, frame)
    assert result.iloc[0].tolist() == [1, "b", "b", "a"]


def test_a_result_may_be_called_like_its_column(bench: Bench) -> None:
    frame = pd.DataFrame({"k": [1, 1], "x": [1.0, 5.0]})
    values = {
        "group_columns": ["k"],
        "aggregations": [
            {"column": "x", "function": "mean", "output_column": "x"},
            {"column": "x", "function": "max", "output_column": "most"},
        ],
    }
    assert bench.check(GroupBy(), values, frame).iloc[0].tolist() == [1, 3, 5]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_and_one_row(bench: Bench, name: str) -> None:
    frame = pd.DataFrame({name: ["a"], f"{name}2": [1.5]})
    values = {
        "group_columns": [name],
        "aggregations": [{"column": f"{name}2", "function": "sum", "output_column": f"new {name}"}],
    }
    assert len(bench.check(GroupBy(), values, frame)) == 1
    pivot = {"group_columns": [name], "pivot_column": f"{name}2", "value_column": f"{name}2"}
    assert len(bench.check(Pivot(), pivot, frame)) == 1
    unpivot = {"value_columns": [f"{name}2"], "name_column": f"new {name}"}
    assert len(bench.check(Unpivot(), unpivot, frame)) == 1


def test_refusals(bench: Bench) -> None:
    frame = pd.DataFrame({"k": ["a"], "x": [1.0]})
    with pytest.raises(ParameterError, match="mean takes float or long, and column 'k' is string"):
        bench.check(
            GroupBy(), {"group_columns": ["x"], "aggregations": aggregated(("k", "mean"))}, frame
        )
    twice = aggregated(("x", "mean"), ("x", "mean"))
    with pytest.raises(ParameterError, match="two columns would be called 'x_mean'"):
        bench.check(GroupBy(), {"group_columns": ["k"], "aggregations": twice}, frame)
    with pytest.raises(ParameterError, match="'k' is string, 'x' is float"):
        bench.check(Unpivot(), {"value_columns": ["k", "x"]}, frame)
    with pytest.raises(ParameterError, match="is among the rows already"):
        bench.check(
            Pivot(), {"group_columns": ["k"], "pivot_column": "k", "value_column": "x"}, frame
        )
    with pytest.raises(ParameterError, match="There is a column 'k' already"):
        bench.check(Unpivot(), {"value_columns": ["x"], "value_column": "k"}, frame)


@given(
    frame=frames(TYPES, largest=1e6, cells={"key": KEYS, "{second} key": st.integers(0, 2)}),
    keys=st.sampled_from([["key"], ["key", "{second} key"], ["flag"], ["day"], ["x"]]),
    function=st.sampled_from(sorted(AGGREGATIONS)),
)
@settings(max_examples=30)
def test_groups_of_any_table(
    bench: Bench, frame: pd.DataFrame, keys: list[str], function: str
) -> None:
    takes = AGGREGATIONS[function].takes
    pairs = [(c, function) for c, kind in TYPES.items() if kind in takes]
    values = {"group_columns": keys, "aggregations": aggregated(*pairs)}
    result = bench.check(GroupBy(), values, frame, types=TYPES)
    assert len(result) == len(frame[keys].drop_duplicates())


def test_pivot(bench: Bench) -> None:
    frame = pd.DataFrame(
        {
            "city": ["Rome", "Rome", "Bari", None, "Bari"],
            "year": pd.Series([2020, 2021, 2021, 2020, None], dtype="Int64"),
            "sales": [1.0, 2.0, 3.0, 4.0, 5.0],
        }
    )
    values = {"group_columns": ["city"], "pivot_column": "year", "value_column": "sales"}
    result = bench.check(Pivot(), values, frame)
    assert list(result.columns) == ["city", "2020", "2021"]
    assert result.astype(object).fillna("?").values.tolist() == [
        ["Bari", "?", 3],
        ["Rome", 1, 2],
        ["?", 4, "?"],
    ]


def test_pivot_keeps_names_apart_that_the_engine_would_not(bench: Bench) -> None:
    frame = pd.DataFrame({"K": ["r"] * 4, "p": ["k", "x", "X", " "], "v": [1, 2, 3, 4]})
    values = {"group_columns": ["K"], "pivot_column": "p", "value_column": "v", "function": "sum"}
    result = bench.check(Pivot(), values, frame)
    assert list(result.columns) == ["K", "value", "X", "k_2", "x_2"]
    assert result.iloc[0].tolist() == ["r", 4, 3, 1, 2]


def test_pivot_of_too_many_values(bench: Bench) -> None:
    frame = pd.DataFrame({"k": ["a"] * 1001, "p": range(1001), "v": range(1001)})
    with pytest.raises(DataError, match="Column 'p' has more than 1000 values"):
        bench.check(
            Pivot(), {"group_columns": ["k"], "pivot_column": "p", "value_column": "v"}, frame
        )


@given(
    frame=frames(TYPES, largest=1e6, cells={"key": KEYS, "{second} key": st.integers(0, 2)}),
    pivoted=st.sampled_from(["{second} key", "x", "day", "flag", "text"]),
    function=st.sampled_from(sorted(AGGREGATIONS)),
)
@settings(max_examples=20)
def test_pivots_of_any_table(
    bench: Bench, frame: pd.DataFrame, pivoted: str, function: str
) -> None:
    values = {
        "group_columns": ["key"],
        "pivot_column": pivoted,
        "value_column": "n",
        "function": function,
    }
    bench.check(Pivot(), values, frame, types=TYPES)


def test_unpivot(bench: Bench) -> None:
    frame = pd.DataFrame({"id": ["a", "b"], "x": [1, 2], "y": [0.5, nan]})
    result = bench.check(Unpivot(), {"value_columns": ["x", "y"]}, frame)
    assert list(result.columns) == ["id", "variable", "value"]
    assert result.astype(object).fillna("?").values.tolist() == [
        ["a", "x", 1],
        ["b", "x", 2],
        ["a", "y", 0.5],
        ["b", "y", "?"],
    ]


@pytest.mark.parametrize("made", [("x", "y"), ("x", "other"), ("other", "x"), ("new", "OTHER")])
def test_unpivot_into_names_of_columns_that_go(bench: Bench, made: tuple[str, str]) -> None:
    frame = pd.DataFrame({"id": ["a", "b"], "x": [1, 2], "y": [3, 4], "other": [[1.0], []]})
    values = {"value_columns": ["x", "y"], "id_columns": ["id"]}
    values |= {"name_column": made[0], "value_column": made[1]}
    result = bench.check(Unpivot(), values, frame)
    assert list(result.columns) == ["id", *made]
    assert result[made[1]].tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize("column", sorted(one_of_each()[1]))
def test_unpivot_of_every_type(bench: Bench, column: str) -> None:
    frame, types = one_of_each()
    if types[column] in SCALARS:
        bench.check(Unpivot(), {"value_columns": [column]}, frame, types=types)
    else:
        with pytest.raises(ParameterError, match="parse it as another type first"):
            bench.check(Unpivot(), {"value_columns": [column]}, frame, types=types)


@given(frame=frames(TYPES), columns=st.sampled_from([["x", "n"], ["key", "text"], ["day"]]))
@settings(max_examples=15)
def test_unpivot_of_any_table(bench: Bench, frame: pd.DataFrame, columns: list[str]) -> None:
    result = bench.check(Unpivot(), {"value_columns": columns}, frame, types=TYPES)
    assert len(result) == len(frame) * len(columns)
