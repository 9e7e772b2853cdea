"""Lags, rolling windows and features of series: the engine and the pandas code agree."""

from __future__ import annotations

from math import inf, nan

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.testing.wrangler_case import Bench
from bottega.testing.wrangler_frames import ODD_NAMES, frames
from bottega.wrangler.columns import ColumnType
from bottega.wrangler.errors import ParameterError
from bottega.wrangler.transforms.registry import transform_of
from bottega.wrangler.transforms.time_series import (
    ExtractFeatures,
    LagFeatures,
    RollingWindowFeatures,
)
from bottega.wrangler.transforms.time_series.features import FEATURES

# pandas says so where infinities meet, and gives the NaN that is wanted.
pytestmark = pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")

COLUMNS = {"sequence_column": "x", "timestamp_column": "t", "id_column": "k"}
FRAME = pd.DataFrame(
    {
        "k": ["a", "b", "a", "a", None, "b", None],
        "t": pd.to_datetime(["2024-01-03", "2024-01-01", "2024-01-01"] * 2 + [None]),
        "x": [1.0, 2.0, 3.0, nan, 5.0, inf, 7.0],
    }
)


def test_lags_follow_the_series(bench: Bench) -> None:
    result = bench.check(LagFeatures(), {**COLUMNS, "lag": 1}, FRAME)
    # Series a is 3 (1 January), 1 (3 January), missing (3 January, later row).
    assert result["x_lag_1"].fillna(-1).tolist() == [3, -1, -1, 1, -1, 2, 5]


def test_the_entire_window(bench: Bench) -> None:
    values = {**COLUMNS, "lag": 2, "entire_window": True}
    flat = bench.check(LagFeatures(), values, FRAME)
    assert list(flat.columns)[-2:] == ["x_lag_1", "x_lag_2"]
    vectors = bench.check(LagFeatures(), {**values, "flatten": False}, FRAME)
    assert vectors["x_lags"][3] == [1.0, 3.0]
    texts = {**values, "flatten": False, "sequence_column": "k", "id_column": None}
    assert bench.check(LagFeatures(), texts, FRAME)["k_lags"].map(len).tolist() == [2] * 7


@pytest.mark.parametrize("id_column", ["k", None])
def test_rows_without_history_go(bench: Bench, id_column: str | None) -> None:
    values = {**COLUMNS, "id_column": id_column, "lag": 2, "drop_rows": True}
    assert len(bench.check(LagFeatures(), values, FRAME)) == (1 if id_column else 5)


def test_a_vector_of_times_is_refused(bench: Bench) -> None:
    values = {**COLUMNS, "sequence_column": "t", "entire_window": True, "flatten": False}
    with pytest.raises(ParameterError, match="column 't' is datetime, which no vector can hold"):
        bench.check(LagFeatures(), values, FRAME)


def test_rolling_windows(bench: Bench) -> None:
    values = {**COLUMNS, "window_size": 2}
    result = bench.check(RollingWindowFeatures(), values, FRAME)
    assert result["x_window_2_sum_values"].fillna(-1).tolist() == [4, 2, 3, 1, 5, 2, 12]
    assert result["x_window_2_length"].tolist() == [2, 1, 1, 1, 1, 1, 2]


def test_features_against_numbers_known(bench: Bench) -> None:
    frame = pd.DataFrame({"k": 1, "t": range(6), "x": [2.0, -1.0, 4.0, 4.0, 0.5, 1.0]})
    values = {**COLUMNS, "strategy": "All features"}
    row = bench.check(ExtractFeatures(), values, frame).iloc[0]
    expected = {
        "sum_values": 10.5,
        "median": 1.5,
        "length": 6,
        "variance": np.var(frame["x"]),
        "absolute_sum_of_changes": 3 + 5 + 0 + 3.5 + 0.5,
        "mean_change": -0.2,
        "first_location_of_maximum": 2 / 6,
        "number_of_peaks": 0,
        "number_of_sign_changes": 2,
        "linear_trend_slope": np.polyfit(range(6), frame["x"], 1)[0],
        "ratio_of_distinct_values": 5 / 6,
    }
    for key, value in expected.items():
        assert row[f"x_{key}"] == pytest.approx(value), key


def test_one_row_for_each_series(bench: Bench) -> None:
    result = bench.check(ExtractFeatures(), COLUMNS, FRAME)
    assert result["k"].fillna("?").tolist() == ["a", "b", "?"]
    assert result["x_length"].tolist() == [2, 1, 2]
    values = {**COLUMNS, "flatten": False}
    assert bench.check(ExtractFeatures(), values, FRAME)["x_features"].map(len).tolist() == [8] * 3
    assert bench.check(ExtractFeatures(), COLUMNS, FRAME[:1])["x_variance"].tolist() == [0]


def test_features_of_vectors(bench: Bench) -> None:
    cells = [[1.0, nan, inf, 3.0], None, [], [2.0], [5.0, 5.0]]
    frame = pd.DataFrame({"v": cells, "m": range(5)})
    values = {"sequence_column": "v", "strategy": "All features"}
    result = bench.check(ExtractFeatures(), values, frame)
    assert result["v_length"].tolist() == [2, 0, 0, 1, 2]
    bench.check(ExtractFeatures(), {**values, "flatten": False}, frame)


def test_refusals(bench: Bench) -> None:
    values = {**COLUMNS, "strategy": "Manual subset"}
    with pytest.raises(ParameterError, match="'meen' is no feature; did you mean mean"):
        bench.check(ExtractFeatures(), {**values, "features": ["meen"]}, FRAME)
    with pytest.raises(ParameterError, match="Features: choose at least one"):
        bench.check(ExtractFeatures(), {**values, "features": []}, FRAME)
    with pytest.raises(ParameterError, match="ID column is missing"):
        bench.check(ExtractFeatures(), {"sequence_column": "x"}, FRAME)
    with pytest.raises(ParameterError, match="'k' is string"):
        bench.check(RollingWindowFeatures(), {**COLUMNS, "sequence_column": "k"}, FRAME)


def test_columns_called_like_those_inside(bench: Bench) -> None:
    frame = FRAME.rename(columns={"k": "v", "t": "d", "x": "m"}).assign(x=1.0, i="i")
    columns = {"sequence_column": "m", "timestamp_column": "d", "id_column": "v"}
    values = {**columns, "strategy": "All features", "window_size": 3}
    bench.check(RollingWindowFeatures(), values, frame)
    bench.check(ExtractFeatures(), {**columns, "strategy": "All features"}, frame)


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names(bench: Bench, name: str) -> None:
    columns = {
        "sequence_column": name,
        "timestamp_column": f"t {name}",
        "id_column": f"k {name}",
    }
    frame = pd.DataFrame({f"k {name}": ["a"], f"t {name}": [1], name: [2.0]})
    bench.check(LagFeatures(), columns, frame)
    manual = {"strategy": "Manual subset", "features": ["mean", "mean_change"]}
    bench.check(RollingWindowFeatures(), {**columns, **manual}, frame)
    bench.check(ExtractFeatures(), {**columns, **manual}, frame)


def test_parameters_lie_where_the_file_has_them(bench: Bench) -> None:
    node = {
        "operator": "Lag features",
        "Lag features_parameters": {
            "lag": 8,
            "entire_window": True,
            "drop_rows": False,
            "entire_window_True_parameters": {"flatten": False},
            "sequence_column": "x",
            "id_column": "k",
            "timestamp_column": "t",
        },
    }
    transform = transform_of("sagemaker.spark.time_series_0.1", node)
    read = transform.parameter_set().read(node)
    assert (read["lag"], read["flatten"], read["sequence_column"]) == (8, False, "x")
    result = bench.check(transform, read, FRAME)
    assert result["x_lags"].map(len).tolist() == [8] * 7


TYPES = {
    "k": ColumnType.STRING,
    "t": ColumnType.DATETIME,
    "x": ColumnType.FLOAT,
    "n": ColumnType.LONG,
    "s": ColumnType.STRING,
    "b": ColumnType.BOOLEAN,
}
CELLS = {
    "k": st.sampled_from("ab"),
    "t": st.datetimes(pd.Timestamp("2024-01-01"), pd.Timestamp("2024-01-02")).map(
        lambda t: t.replace(hour=t.hour // 8, minute=0, second=0, microsecond=0)
    ),
    "x": st.sampled_from([0.0, 1.0, -2.5, 1e6, 0.1, inf, -inf]),
    "n": st.integers(-5, 5),
}


@given(
    frame=frames(TYPES, cells=CELLS, max_rows=10),
    sequence=st.sampled_from(["x", "n", "s", "b", "t"]),
    id_column=st.sampled_from(["k", "b", None]),
    lag=st.integers(1, 4),
    drop_rows=st.booleans(),
    entire_window=st.booleans(),
)
@settings(max_examples=25)
def test_lags_of_any_table(
    bench: Bench,
    frame: pd.DataFrame,
    sequence: str,
    id_column: str | None,
    lag: int,
    drop_rows: bool,
    entire_window: bool,
) -> None:
    values = {
        "sequence_column": sequence,
        "timestamp_column": "t",
        "id_column": id_column,
        "lag": lag,
        "drop_rows": drop_rows,
        "entire_window": entire_window,
        "flatten": sequence in ("b", "t"),
    }
    bench.check(LagFeatures(), values, frame, types=TYPES)


@given(
    frame=frames(TYPES, cells=CELLS, max_rows=10),
    sequence=st.sampled_from(["x", "n"]),
    id_column=st.sampled_from(["k", None]),
    size=st.integers(1, 5),
    features=st.lists(st.sampled_from(sorted(FEATURES)), min_size=1, max_size=8),
    flatten=st.booleans(),
)
@settings(max_examples=25)
def test_features_of_any_table(
    bench: Bench,
    frame: pd.DataFrame,
    sequence: str,
    id_column: str | None,
    size: int,
    features: list[str],
    flatten: bool,
) -> None:
    values = {
        "sequence_column": sequence,
        "timestamp_column": "t",
        "id_column": id_column,
        "strategy": "Manual subset",
        "features": features,
        "flatten": flatten,
    }
    bench.check(RollingWindowFeatures(), {**values, "window_size": size}, frame, types=TYPES)
    values["id_column"] = id_column or "b"
    bench.check(ExtractFeatures(), values, frame, types=TYPES)
