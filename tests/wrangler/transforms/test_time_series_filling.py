"""Missing values of series, and resampling: the engine and the pandas code agree."""

from __future__ import annotations

from math import inf, nan
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.testing.wrangler_case import Bench
from bottega.testing.wrangler_frames import ODD_NAMES, frames
from bottega.wrangler.columns import ColumnType
from bottega.wrangler.errors import DataError, ParameterError
from bottega.wrangler.transforms.registry import transform_of
from bottega.wrangler.transforms.time_series import HandleMissing, Resample

# pandas says so where infinities meet, and gives the NaN that is wanted.
pytestmark = pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")

ALONG = {"sequence_column": "x", "timestamp_column": "t", "id_column": "k"}
FRAME = pd.DataFrame(
    {
        "k": ["a", "a", "a", "a", "b", "b", None],
        "t": [4, 1, 2, 3, 1, 2, 1],
        "x": [4.0, nan, 1.0, nan, nan, 5.0, nan],
    }
)


@pytest.mark.parametrize(
    ("strategy", "left", "fed"),
    [
        ("Forward fill", [4, -1, 1, 1, -1, 5, -1], [4, 1, 1, 1, 5, 5, -1]),
        ("Backward fill", [4, 1, 1, 4, 5, 5, -1], [4, 1, 1, 4, 5, 5, -1]),
        ("Interpolate", [4, -1, 1, 2.5, -1, 5, -1], [4, 1, 1, 2.5, 5, 5, -1]),
        ("Most Common Value", [4, 1, 1, 1, 5, 5, -1], [4, 1, 1, 1, 5, 5, -1]),
        ("Constant Value", [4, 9, 1, 9, 9, 5, 9], [4, 9, 1, 9, 9, 5, 9]),
    ],
)
def test_strategies_along_a_column(
    bench: Bench, strategy: str, left: list[float], fed: list[float]
) -> None:
    values = {**ALONG, "strategy": strategy, "custom_value": "9.0", "output_column": "filled"}
    result = bench.check(HandleMissing(), values, FRAME)
    assert result["filled"].fillna(-1).tolist() == fed
    values["leftover"] = "Leave missing"
    result = bench.check(HandleMissing(), values, FRAME)
    assert result["filled"].fillna(-1).tolist() == left


def test_interpolation_beside_infinities(bench: Bench) -> None:
    cells = [1.0, nan, inf, nan, 2.0, nan, -inf, nan, inf, nan, inf]
    frame = pd.DataFrame({"x": cells, "t": range(len(cells)), "n": [1, None] * 5 + [3]})
    values = {"sequence_column": "x", "timestamp_column": "t", "strategy": "Interpolate"}
    values["leftover"] = "Leave missing"
    result = bench.check(HandleMissing(), values, frame)
    assert result["x"].fillna(0).tolist() == [1, inf, inf, inf, 2, -inf, -inf, 0, inf, inf, inf]
    result = bench.check(
        HandleMissing(), {**values, "sequence_column": "n"}, frame.astype({"n": "Int64"})
    )
    assert result["n"].tolist()[-2] == 2.0


@pytest.mark.parametrize(
    "strategy",
    ["Constant Value", "Most Common Value", "Forward fill", "Backward fill", "Interpolate"],
)
def test_strategies_in_a_cell(bench: Bench, strategy: str) -> None:
    frame = pd.DataFrame({"v": [[nan, 1.0, nan, 1.0, 4.0, nan], [], None, [nan]], "w": range(4)})
    types = {"v": ColumnType.VECTOR}
    values = {
        "hm_input_type": "Cell",
        "cell_column": "v",
        "cell_strategy": strategy,
        "cell_value": 9,
        "cell_output": "out",
    }
    result = bench.check(HandleMissing(), values, frame, types=types)
    assert not any(pd.isna(x) for x in result["out"][0])
    values["cell_leftover"] = "Leave missing"
    bench.check(HandleMissing(), values, frame, types=types)


def test_refusals(bench: Bench) -> None:
    frame = FRAME.assign(s="x")
    values = {**ALONG, "sequence_column": "s", "strategy": "Interpolate"}
    with pytest.raises(ParameterError, match="only numbers can be interpolated"):
        bench.check(HandleMissing(), values, frame)
    values = {**ALONG, "strategy": "Constant Value", "custom_value": "abc"}
    with pytest.raises(ParameterError, match="'abc' cannot stand in column 'x'"):
        bench.check(HandleMissing(), values, frame)
    with pytest.raises(ParameterError, match="there is a column 't' already"):
        bench.check(HandleMissing(), {**ALONG, "output_column": "T"}, frame)


def test_parameters_lie_where_the_file_has_them(bench: Bench) -> None:
    node = {
        "operator": "Handle missing",
        "Handle missing_parameters": {
            "hm_input_type": "Along column",
            "hm_input_type_Along column_parameters": {
                "hmac_output_column": "",
                "hmac_id_column": "k",
                "hmac_strategy": "Constant Value",
                "hmac_leftovernans": "Fill with Forward/Backward feed",
                "hmac_strategy_Constant Value_parameters": {"hmac_custom_value": "0.0"},
                "hmac_sequence_column": "x",
                "hmac_timestamp_column": "t",
            },
        },
    }
    transform = transform_of("sagemaker.spark.time_series_0.1", node)
    result = bench.check(transform, transform.parameter_set().read(node), FRAME)
    assert result["x"].tolist() == [4, 0, 1, 0, 0, 5, 0]
    node = {
        "operator": "Resample",
        "Resample_parameters": {
            "frequency": {"quantity": 1, "offset_description": "Hourly"},
            "downsample": {"non_numeric": "most common", "numeric": "mean"},
            "upsample": {"non_numeric": "ffill", "numeric": "linear"},
            "timestamp_column": "t",
            "id_column": "k",
        },
    }
    transform = transform_of("sagemaker.spark.time_series_0.1", node)
    frame = hours([0, 0, 3], [1.0, 3.0, 5.0])
    result = bench.check(transform, transform.parameter_set().read(node), frame)
    assert result["x"].tolist() == [2, 3, 4, 5]


def hours(numbers: list[int | None], cells: list[float]) -> pd.DataFrame:
    start = pd.Timestamp("2024-02-28 22:30")
    times = [pd.NaT if n is None else start + pd.Timedelta(hours=n) for n in numbers]
    times_column = pd.Series(times, dtype="datetime64[us]")
    return pd.DataFrame({"t": times_column, "k": "a", "x": cells, "s": list("cbcab")[: len(cells)]})


def test_resampling(bench: Bench) -> None:
    frame = hours([0, 0, 3, None], [1.0, 3.0, 5.0, 9.0])
    values = {"timestamp_column": "t", "offset_description": "Hourly"}
    result = bench.check(Resample(), values, frame)
    assert result["t"].dt.hour.tolist() == [22, 23, 0, 1]
    assert result["x"].tolist() == [2, 3, 4, 5]
    assert result["s"].tolist() == ["b", "b", "b", "c"]
    assert result["k"].tolist() == ["a"] * 4


@pytest.mark.parametrize("unit", ["Weekly", "Monthly", "Quarterly", "Yearly", "Daily", "Secondly"])
@pytest.mark.parametrize("quantity", [1, 5])
def test_units(bench: Bench, unit: str, quantity: int) -> None:
    times = pd.to_datetime(["1969-11-30 12:00:02", "1969-11-30 12:00:07"])
    if unit != "Secondly":
        times = pd.to_datetime(["1969-11-30", "1970-03-05", "1971-01-04"])
    frame = pd.DataFrame({"t": times.astype("datetime64[us]"), "x": range(len(times))})
    values = {"timestamp_column": "t", "offset_description": unit, "quantity": quantity}
    result = bench.check(Resample(), values, frame)
    if unit == "Weekly" and quantity == 1:
        assert (result["t"].dt.day_of_week == 0).all()
    if unit == "Monthly":
        assert (result["t"].dt.day == 1).all()
    assert result["t"].iloc[0] <= times[0]


def test_too_many_rows_are_refused(bench: Bench) -> None:
    times = pd.to_datetime(["1700-01-01", "2024-01-01"]).astype("datetime64[us]")
    frame = pd.DataFrame({"t": times, "x": [1.0, 2.0]})
    values = {"timestamp_column": "t", "offset_description": "Secondly"}
    with pytest.raises(DataError, match="choose a longer frequency"):
        bench.check(Resample(), values, frame)


def test_vectors_are_refused(bench: Bench) -> None:
    frame = hours([0], [1.0]).assign(v=[[1.0]])
    with pytest.raises(ParameterError, match="Column 'v' is vector, which cannot be resampled"):
        bench.check(Resample(), {"timestamp_column": "t"}, frame)


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names(bench: Bench, name: str) -> None:
    times = pd.to_datetime(["2024-01-01", "2024-01-03"]).astype("datetime64[us]")
    frame = pd.DataFrame({f"k {name}": ["a", "a"], f"t {name}": times, name: [1.0, 3.0]})
    values: dict[str, Any] = {"timestamp_column": f"t {name}", "id_column": f"k {name}"}
    assert bench.check(Resample(), values, frame)[name].tolist() == [1, 2, 3]
    values |= {"sequence_column": name, "output_column": f"new {name}"}
    bench.check(HandleMissing(), values, frame)


def test_a_table_of_times_alone(bench: Bench) -> None:
    frame = hours([0, 0, 2], [1.0, 2.0, 3.0])[["t"]]
    values = {"timestamp_column": "t", "offset_description": "Hourly"}
    assert len(bench.check(Resample(), values, frame)) == 3


TYPES = {
    "k": ColumnType.STRING,
    "t": ColumnType.DATETIME,
    "x": ColumnType.FLOAT,
    "n": ColumnType.LONG,
    "s": ColumnType.STRING,
    "b": ColumnType.BOOLEAN,
    "d": ColumnType.DATE,
}
CELLS = {
    "k": st.sampled_from("ab"),
    "t": st.datetimes(pd.Timestamp("1969-12-30"), pd.Timestamp("1970-01-03")),
    "x": st.sampled_from([0.0, 1.0, -2.5, 1e6, 0.1, inf, -inf]),
    "n": st.integers(-5, 5),
    "s": st.sampled_from(["", "a", "{x}"]),
    "d": st.dates(pd.Timestamp("2024-01-01").date(), pd.Timestamp("2024-01-03").date()),
}


@given(
    frame=frames(TYPES, cells=CELLS, max_rows=10),
    sequence=st.sampled_from(["x", "n", "s", "b", "d"]),
    id_column=st.sampled_from(["k", None]),
    strategy=st.sampled_from(["Most Common Value", "Forward fill", "Backward fill", "Interpolate"]),
    leftover=st.sampled_from(["Fill with Forward/Backward feed", "Leave missing"]),
)
@settings(max_examples=30)
def test_filling_any_table(
    bench: Bench,
    frame: pd.DataFrame,
    sequence: str,
    id_column: str | None,
    strategy: str,
    leftover: str,
) -> None:
    values = {
        "sequence_column": sequence,
        "timestamp_column": "t",
        "id_column": id_column,
        "strategy": strategy,
        "leftover": leftover,
    }
    if strategy == "Interpolate" and sequence not in ("x", "n"):
        with pytest.raises(ParameterError):
            bench.check(HandleMissing(), values, frame, types=TYPES)
    else:
        bench.check(HandleMissing(), values, frame, types=TYPES)


@given(
    frame=frames(TYPES, cells=CELLS, max_rows=8),
    id_column=st.sampled_from(["k", "b", None]),
    time=st.sampled_from(["t", "d"]),
    unit=st.sampled_from(["Hourly", "Daily", "Weekly", "Monthly"]),
    quantity=st.integers(1, 3),
    numeric=st.sampled_from(["mean", "median", "min", "max", "sum", "stddev", "first", "last"]),
    other=st.sampled_from(["most common", "first", "last", "min", "max"]),
    up=st.sampled_from(["linear", "ffill", "bfill", "none"]),
)
@settings(max_examples=25)
def test_resampling_any_table(
    bench: Bench,
    frame: pd.DataFrame,
    id_column: str | None,
    time: str,
    unit: str,
    quantity: int,
    numeric: str,
    other: str,
    up: str,
) -> None:
    values = {
        "timestamp_column": time,
        "id_column": id_column,
        "offset_description": unit,
        "quantity": quantity,
        "downsample_numeric": numeric,
        "downsample_other": other,
        "upsample_numeric": up,
        "upsample_other": "ffill" if up == "linear" else up,
    }
    bench.check(Resample(), values, frame, types=TYPES)
