from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.testing.wrangler_case import Bench
from bottega.testing.wrangler_frames import one_of_each, series, typed_frames, values
from bottega.wrangler.columns import NUMBERS, SCALARS, ColumnType
from bottega.wrangler.errors import DataError, FlowError, ParameterError
from bottega.wrangler.transforms.registry import named

GROUP = "Handle missing"


def check(bench: Bench, name: str, values: dict[str, Any], frame: Any, types: Any = None) -> Any:
    return bench.check(named(GROUP, name), values, frame, types=types)


def test_drop_rows_with_any_missing_value(bench: Bench) -> None:
    frame = pd.DataFrame({"a": ["", None, "x", "y"], "{b}": [1.0, 2.0, np.inf, None]})
    assert check(bench, "Drop missing", {}, frame)["a"].tolist() == ["", "x"]
    left = check(bench, "Drop missing", {"input_column": "{b}"}, frame)
    assert left["{b}"].tolist() == [1.0, 2.0, np.inf]


def test_drop_columns_with_too_many(bench: Bench) -> None:
    frame = pd.DataFrame({"a": [1, 2, 3, 4], "b": [None, None, None, "x"], "c": [1.0, None, 2, 3]})
    values = {"dimension": "Drop Columns", "missing_percentage": 25}
    assert list(check(bench, "Drop missing", values, frame)) == ["a", "c"]
    # A table without rows has no missing value.
    assert list(check(bench, "Drop missing", values, frame[:0])) == ["a", "b", "c"]


def test_drop_columns_keeps_one(bench: Bench) -> None:
    with pytest.raises(DataError, match="no column would be left"):
        check(
            bench,
            "Drop missing",
            {"dimension": "Drop Columns"},
            pd.DataFrame({"a": pd.Series([None, None], dtype="str")}),
        )


def test_rows_are_dropped_for_training_columns_for_serving() -> None:
    transform: Any = named(GROUP, "Drop missing")
    assert transform.serving_of({"dimension": "Drop Rows"}) == "skip"
    assert transform.serving_of({"dimension": "Drop Columns"}) == "apply"


@pytest.mark.parametrize(
    ("kind", "given_", "filled"),
    [
        (ColumnType.LONG, "7", 7),
        (ColumnType.FLOAT, "inf", np.inf),
        (ColumnType.BOOLEAN, "yes", True),
        (ColumnType.STRING, "", ""),
        (ColumnType.STRING, "it's {x}", "it's {x}"),
        (ColumnType.DATE, "2024-02-29", pd.Timestamp("2024-02-29")),
        (ColumnType.DATETIME, "2024-02-29T01:02:03", pd.Timestamp("2024-02-29T01:02:03")),
    ],
)
def test_fill_reads_the_value_as_the_columns_type(
    bench: Bench, kind: ColumnType, given_: str, filled: Any
) -> None:
    frame = pd.DataFrame({"{c}": series(kind, [None, None])})
    values = {"input_column": "{c}", "fill_value": given_}
    result = check(bench, "Fill missing", values, frame, {"{c}": kind})
    assert result["{c}"].tolist() == [filled, filled]
    values["output_column"] = "new"
    result = check(bench, "Fill missing", values, frame, {"{c}": kind})
    assert result["{c}"].isna().all()
    assert result["new"].tolist() == [filled, filled]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"input_column": ["n", "t"], "fill_value": "x"}, "'x' cannot stand in column 'n'"),
        ({"input_column": "v", "fill_value": "1"}, "cannot stand in column 'v'"),
        ({"input_column": ["n", "t"], "fill_value": 1, "output_column": "o"}, "cannot go into one"),
        ({"input_column": "n"}, "Fill value is missing"),
        ({"input_column": [], "fill_value": 1}, "Columns is missing"),
    ],
)
def test_fill_refuses(bench: Bench, values: dict[str, Any], words: str) -> None:
    frame = pd.DataFrame({"n": [1], "t": ["x"], "v": [[1.0]]})
    with pytest.raises(ParameterError, match=words):
        check(bench, "Fill missing", values, frame)


def test_impute_the_median_and_the_mean(bench: Bench) -> None:
    frame = pd.DataFrame(
        {"n": series(ColumnType.LONG, [1, None, 4, 4]), "f": [1.0, None, np.inf, 4.0]}
    )
    chosen = {"input_column": ["n", "f"]}
    result = check(bench, "Impute", chosen, frame)
    assert result["n"].tolist() == [1, 4, 4, 4]
    assert result["f"].tolist() == [1.0, 2.5, np.inf, 4.0]
    result = check(bench, "Impute", {**chosen, "strategy": "Mean"}, frame)
    assert result["n"].tolist() == [1, 3, 4, 4]
    frame["n"] = series(ColumnType.LONG, [1, None, 4, 2])
    result = check(bench, "Impute", {**chosen, "strategy": "Mean"}, frame)
    assert result["n"].tolist() == pytest.approx([1, 7 / 3, 4, 2])


def test_impute_the_most_frequent_value_of_every_type(bench: Bench) -> None:
    frame, types = one_of_each()
    scalars = [name for name, kind in types.items() if kind in SCALARS]
    values = {"column_type": "Categorical", "input_column": scalars}
    result = check(bench, "Impute", values, frame, types)
    assert not result[scalars].isna().any(axis=None)
    assert result["{long}"].tolist()[1] == 3
    # Equally frequent ones: the smallest.
    assert result['the "float"'].tolist()[2] == -np.inf
    assert result["it's boolean"].tolist()[1] is True
    assert result["string 🐈"].tolist()[1] == ""
    assert result["date"].tolist()[1] == pd.Timestamp(date(1970, 1, 1))


@pytest.mark.parametrize(
    ("values", "frame", "words"),
    [
        ({"input_column": "t"}, {"t": ["x"]}, "'t' is string, not a number"),
        ({"input_column": "n"}, {"n": [np.nan, np.inf]}, "Column 'n' has no finite value"),
        (
            {"input_column": "t", "column_type": "Categorical"},
            {"t": pd.Series([None], dtype="str")},
            "Column 't' has no value to learn from",
        ),
        ({"input_column": "n", "strategy": "Mean"}, {"n": [1e308, 1.7e308]}, "are too large"),
    ],
)
def test_impute_refuses(
    bench: Bench, values: dict[str, Any], frame: dict[str, Any], words: str
) -> None:
    with pytest.raises(FlowError, match=words):
        check(bench, "Impute", values, pd.DataFrame(frame))


def test_impute_reads_sagemakers_nodes() -> None:
    node = {
        "operator": "Impute",
        "impute_parameters": {
            "column_type": "Numeric",
            "numeric_parameters": {"strategy": "Mean", "input_column": "ignored"},
            "input_column": "age",
        },
    }
    read = named(GROUP, "Impute").parameter_set().read(node)
    assert read == {"column_type": "Numeric", "strategy": "Mean", "input_column": "age"}


def test_indicator(bench: Bench) -> None:
    frame = pd.DataFrame({"a": ["", None], "a_indicator": [None, 1.0]})
    result = check(bench, "Add indicator for missing", {"input_column": "a"}, frame)
    assert result["a_indicator"].tolist() == [False, True]
    result = check(
        bench, "Add indicator for missing", {"input_column": ["a", "a_indicator"]}, frame
    )
    assert result["a_indicator"].tolist() == [False, True]
    assert result["a_indicator_indicator"].tolist() == [True, False]


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_frame(bench: Bench, data: st.DataObject) -> None:
    frame, types = data.draw(typed_frames(largest=1e9))
    scalars = [name for name, kind in types.items() if kind in SCALARS]
    numbers = [name for name in scalars if types[name] in NUMBERS]
    steps: list[tuple[str, dict[str, Any]]] = [
        ("Drop missing", {}),
        ("Drop missing", {"dimension": "Drop Columns", "missing_percentage": 30}),
        ("Add indicator for missing", {"input_column": list(types)}),
    ]
    if scalars:
        fill = data.draw(values(types[scalars[0]], largest=1e9))
        fill = fill.isoformat() if hasattr(fill, "isoformat") else fill
        steps += [
            ("Fill missing", {"input_column": scalars[0], "fill_value": fill}),
            ("Impute", {"input_column": scalars, "column_type": "Categorical"}),
        ]
    if numbers:
        strategy = data.draw(st.sampled_from(["Mean", "Approximate Median"]))
        steps.append(("Impute", {"input_column": numbers, "strategy": strategy}))
    name, chosen = data.draw(st.sampled_from(steps))
    try:
        check(bench, name, chosen, frame, types)
    except DataError as error:  # a column without a value
        if not any(words in error.message for words in ("learn from", "no column would be left")):
            raise
