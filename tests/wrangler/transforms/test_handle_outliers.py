from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.testing.wrangler_case import Bench
from bottega.testing.wrangler_frames import frames, series
from bottega.wrangler.columns import ColumnType
from bottega.wrangler.errors import DataError, FlowError
from bottega.wrangler.transforms.registry import named

GROUP = "Handle outliers"
NUMERIC = (
    "Standard deviation numeric outliers",
    "Robust standard deviation numeric outliers",
    "Quantile numeric outliers",
    "Min-max numeric outliers",
)


def check(bench: Bench, name: str, values: dict[str, Any], frame: Any, types: Any = None) -> Any:
    return bench.check(named(GROUP, name), values, frame, types=types)


@pytest.fixture
def numbers() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "{f}": [1.0, 2.0, 3.0, np.nan, np.inf, -np.inf, 100.0],
            "n": series(ColumnType.LONG, [1, 2, 3, None, 4, 5, 1000]),
        }
    )


@pytest.mark.parametrize(
    ("method", "floats", "rows"),
    [
        ("Clip", [1.0, 2.0, 3.0, None, 3.5, 0.0, 3.5], 7),
        ("Invalidate", [1.0, 2.0, 3.0, None, None, None, None], 7),
        ("Remove", [1.0, 2.0, 3.0, None], 4),
    ],
)
def test_min_max(
    bench: Bench, numbers: pd.DataFrame, method: str, floats: list[float | None], rows: int
) -> None:
    values = {
        "input_column": "{f}",
        "lower_threshold": 0,
        "upper_threshold": 3.5,
        "fix_method": method,
    }
    result = check(bench, "Min-max numeric outliers", values, numbers)
    assert len(result) == rows
    assert [None if np.isnan(v) else v for v in result["{f}"]] == floats


def test_whole_numbers_become_fractions_only_where_they_must(
    bench: Bench, numbers: pd.DataFrame
) -> None:
    values = {"input_column": "n", "lower_threshold": 2, "upper_threshold": 4}
    result = check(bench, "Min-max numeric outliers", values, numbers)
    assert str(result["n"].dtype) == "Int64"
    assert result["n"].dropna().tolist() == [2, 2, 3, 4, 4, 4]
    values["upper_threshold"] = 4.5
    result = check(bench, "Min-max numeric outliers", values, numbers)
    assert result["n"].dropna().tolist() == [2, 2, 3, 4, 4.5, 4.5]


def test_standard_deviations_are_of_finite_values(bench: Bench, numbers: pd.DataFrame) -> None:
    finite = pd.Series([1.0, 2.0, 3.0, 100.0])
    values = {"input_column": "{f}", "standard_deviations": 1}
    result = check(bench, "Standard deviation numeric outliers", values, numbers)
    assert result["{f}"].max() == pytest.approx(finite.mean() + finite.std())


def test_robust_standard_deviations(bench: Bench) -> None:
    frame = pd.DataFrame({"x": [*map(float, range(101)), 1e6]})
    values = {"input_column": "x", "standard_deviations": 1}
    result = check(bench, "Robust standard deviation numeric outliers", values, frame)
    inner = frame["x"][frame["x"].between(*frame["x"].quantile([0.05, 0.95]))]
    assert result["x"].max() == pytest.approx(frame["x"].median() + inner.std())


def test_quantiles(bench: Bench) -> None:
    frame = pd.DataFrame({"x": map(float, range(101))})
    values = {"input_column": "x", "lower_quantile": 0.1, "fix_method": "Remove"}
    result = check(bench, "Quantile numeric outliers", values, frame)
    assert result["x"].tolist() == list(map(float, range(10, 100)))


def test_bounds_that_were_learnt_are_applied_to_other_rows(bench: Bench) -> None:
    # The step's state, not the table at hand, says what an outlier is.
    transform = named(GROUP, "Quantile numeric outliers")
    table = bench.relation(pd.DataFrame({"x": [0.0, 10.0]}))
    values = transform.parameter_set().check({"input_column": "x"}, table.schema)
    state = transform.fit(table, values)
    assert state == {"bounds": {"x": [pytest.approx(0.1), pytest.approx(9.9)]}}


def test_removing_is_for_training_only() -> None:
    transform: Any = named(GROUP, NUMERIC[0])
    assert transform.serving_of({"fix_method": "Remove"}) == "skip"
    assert transform.serving_of({"fix_method": "Clip"}) == "apply"


@pytest.mark.parametrize(
    ("name", "values", "frame", "words"),
    [
        (NUMERIC[0], {"input_column": "t"}, {"t": ["x"]}, "takes float or long"),
        (NUMERIC[0], {"input_column": "x"}, {"x": [np.inf]}, "'x' has no finite value"),
        (NUMERIC[1], {"input_column": "x"}, {"x": [np.nan]}, "'x' has no finite value"),
        (NUMERIC[2], {"input_column": "x"}, {"x": [np.nan]}, "'x' has no finite value"),
        (NUMERIC[2], {"input_column": "x", "lower_quantile": 2}, {"x": [1]}, "between 0 and 1"),
        (
            NUMERIC[2],
            {"input_column": "x", "lower_quantile": 0.9, "upper_quantile": 0.1},
            {"x": [1]},
            "0.9 is above the upper quantile, 0.1",
        ),
        (NUMERIC[3], {"input_column": "x"}, {"x": [1]}, "Lower threshold is missing"),
        (NUMERIC[0], {"input_column": "x", "fix_method": "Drop"}, {"x": [1]}, "none of Clip"),
    ],
)
def test_refusals(
    bench: Bench, name: str, values: dict[str, Any], frame: dict[str, Any], words: str
) -> None:
    with pytest.raises(FlowError, match=words):
        check(bench, name, values, pd.DataFrame(frame))


@pytest.mark.parametrize(
    ("more", "kept"),
    [
        ({}, {"a", "b", ""}),
        ({"absolute_threshold": 2}, {"a"}),
        ({"absolute_threshold": 0}, {"a", "b", "", "it's"}),
        ({"fraction_threshold": 0.3}, {"a"}),
        ({"max_common_categories": 2}, {"a", ""}),
    ],
)
def test_rare_texts(bench: Bench, more: dict[str, Any], kept: set[str]) -> None:
    frame = pd.DataFrame({"{t}": ["a"] * 3 + ["b"] * 2 + [""] * 2 + ["it's", None]})
    values = {"input_column": "{t}", "replacement_string": "{rare}", **more}
    result = check(bench, "Replace rare values", values, frame)
    texts = ["a"] * 3 + ["b"] * 2 + [""] * 2 + ["it's"]
    expected = [text if text in kept else "{rare}" for text in texts]
    assert result["{t}"].tolist()[:-1] == expected
    assert result["{t}"].isna().tolist() == [False] * 8 + [True]


def test_every_text_is_rare_in_a_table_without_rows(bench: Bench) -> None:
    frame = pd.DataFrame({"t": pd.Series([], dtype="str")})
    assert len(check(bench, "Replace rare values", {"input_column": "t"}, frame)) == 0


@settings(max_examples=60, deadline=None)
@given(
    frame=frames({"{f}": ColumnType.FLOAT, "n": ColumnType.LONG}, largest=1e12),
    name=st.sampled_from(NUMERIC),
    method=st.sampled_from(["Clip", "Remove", "Invalidate"]),
    deviations=st.sampled_from([0, 0.5, 3]),
)
def test_any_numbers(
    bench: Bench, frame: pd.DataFrame, name: str, method: str, deviations: float
) -> None:
    values: dict[str, Any] = {"input_column": ["{f}", "n"], "fix_method": method}
    if name == "Min-max numeric outliers":
        values |= {"lower_threshold": -2.5, "upper_threshold": 7}
    elif "deviation" in name:
        values["standard_deviations"] = deviations
    types = {"{f}": ColumnType.FLOAT, "n": ColumnType.LONG}
    try:
        check(bench, name, values, frame, types)
    except DataError as error:
        if "no finite value" not in error.message:
            raise


@settings(max_examples=30, deadline=None)
@given(frame=frames({"t": ColumnType.STRING}))
def test_any_texts(bench: Bench, frame: pd.DataFrame) -> None:
    values = {"input_column": "t", "max_common_categories": 3, "replacement_string": ""}
    check(bench, "Replace rare values", values, frame, {"t": ColumnType.STRING})
