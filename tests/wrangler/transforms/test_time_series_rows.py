"""Timestamps validated and generated, series as vectors: the engine and the pandas code agree."""

from __future__ import annotations

from math import inf, nan

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.testing.wrangler_case import Bench
from bottega.testing.wrangler_frames import ODD_NAMES, ODD_TEXTS, frames
from bottega.wrangler.columns import ColumnType
from bottega.wrangler.errors import DataError, ParameterError
from bottega.wrangler.transforms.time_series import (
    DatetimeRange,
    GroupSeries,
    StandardizeLength,
    ValidateTimestamps,
)

VALID = [
    "2024-02-29",
    "2024-02-29 23:59",
    "2024-02-29T13:45:00",
    "0001-01-01",
    "9999-12-31 23:59:59.999999",
    "2024-01-01T00:00:00.5",
]
INVALID = [
    "2023-02-29",
    "2024-13-01",
    "2024-1-1",
    "0000-01-01",
    "24:00",
    "2024-01-01 24:00",
    "2024-01-01 12:60",
    "2024-01-01T",
    " 2024-01-01",
    "2024-01-01Z",
    "2024-01-01 12:00+01:00",
    "",
    "infinity",
    "epoch",
    "today",
    "29/02/2024",
    None,
]


def test_texts_that_are_moments(bench: Bench) -> None:
    frame = pd.DataFrame({"t": [*VALID, *INVALID]})
    assert (
        bench.check(ValidateTimestamps(), {"timestamp_column": "t"}, frame)["t"].tolist() == VALID
    )
    marked = bench.check(
        ValidateTimestamps(), {"timestamp_column": "t", "policy": "indicate"}, frame
    )
    assert marked["t_is_valid"].tolist() == [True] * len(VALID) + [False] * len(INVALID)


def test_invalid_timestamps_stop_the_flow(bench: Bench) -> None:
    values = {"timestamp_column": "t", "policy": "error"}
    bench.check(ValidateTimestamps(), values, pd.DataFrame({"t": VALID}))
    with pytest.raises(DataError, match="2 rows have an invalid timestamp in column 't': such as"):
        bench.check(ValidateTimestamps(), values, pd.DataFrame({"t": ["x", None, *VALID]}))
    times = pd.DataFrame({"t": pd.to_datetime(["2024-01-01", None])})
    with pytest.raises(DataError, match="1 rows have an invalid timestamp in column 't': missing"):
        bench.check(ValidateTimestamps(), values, times)


@pytest.mark.parametrize("policy", ["drop", "indicate"])
@given(
    cells=st.lists(
        st.one_of(
            st.none(),
            st.sampled_from(ODD_TEXTS),
            st.datetimes().map(str),
            st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}( [0-9]{2}:[0-9]{2})?", fullmatch=True),
        ),
        max_size=8,
    )
)
@settings(max_examples=20)
def test_any_texts(bench: Bench, policy: str, cells: list[str | None]) -> None:
    frame = pd.DataFrame({"t": pd.Series(cells, dtype="str")})
    values = {"timestamp_column": "t", "policy": policy}
    bench.check(ValidateTimestamps(), values, frame, types={"t": ColumnType.STRING})


def test_series_become_vectors(bench: Bench) -> None:
    frame = pd.DataFrame(
        {
            "k": ["b", "a", "b", None],
            "t": pd.to_datetime(["2024-01-02", "2024-01-01", "2024-01-01", None]),
            "x": [1.0, 2.0, nan, inf],
            "s": ["x", None, "", "z"],
        }
    )
    result = bench.check(GroupSeries(), {"id_column": "k", "timestamp_column": "t"}, frame)
    assert result["k"].fillna("?").tolist() == ["a", "b", "?"]
    assert result["s"].tolist() == [[None], ["", "x"], ["z"]]
    assert result["t"][1] == ["2024-01-01T00:00:00.000000", "2024-01-02T00:00:00.000000"]
    values = {"id_column": "k", "timestamp_column": "t", "columns": ["k"]}
    with pytest.raises(ParameterError, match="'k' is the ID column already"):
        bench.check(GroupSeries(), values, frame)


@pytest.mark.parametrize("flatten", [True, False])
def test_one_length(bench: Bench, flatten: bool) -> None:
    frame = pd.DataFrame({"v": [[1.0, 2.0, 3.0], [4.0], None, [], [nan, 5.0]], "s": "x"})
    values = {"sequence_column": "v", "cutoff_quantile": 0.75, "flatten": flatten}
    result = bench.check(StandardizeLength(), values, frame, types={"v": ColumnType.VECTOR})
    if flatten:
        assert list(result.columns) == ["s", "v_0", "v_1"]
    else:
        assert result["v"][1][0] == 4.0
        assert [len(cell) for cell in result["v"].dropna()] == [2, 2, 2, 2]
    texts = pd.DataFrame({"v": [["a", None], ["b"], None]})
    bench.check(StandardizeLength(), {**values, "output_column": "w"}, texts)


def test_no_length_to_learn(bench: Bench) -> None:
    frame = pd.DataFrame({"v": pd.Series([None], dtype=object)})
    types = {"v": ColumnType.VECTOR}
    with pytest.raises(DataError, match="Column 'v' has no vector"):
        bench.check(StandardizeLength(), {"sequence_column": "v"}, frame, types=types)


def test_a_range_of_moments(bench: Bench) -> None:
    frame = pd.DataFrame({"k": ["a", "b", "a", None, None]})
    values = {"start": "2024-01-31", "offset_description": "Monthly"}
    result = bench.check(DatetimeRange(), values, frame)
    assert result["datetime"].dt.day.tolist() == [31, 29, 31, 30, 31]
    values = {"start": "2024-01-31T06:00", "offset_description": "Hourly", "quantity": 6}
    result = bench.check(DatetimeRange(), {**values, "id_column": "k"}, frame)
    assert result["datetime"].dt.hour.tolist() == [6, 6, 12, 6, 12]
    bench.check(DatetimeRange(), values, frame[:0], types={"k": ColumnType.STRING})
    with pytest.raises(ParameterError, match="Start: 'soon' is no moment"):
        bench.check(DatetimeRange(), {**values, "start": "soon"}, frame)
    with pytest.raises(ParameterError, match="there is a column 'k' already"):
        bench.check(DatetimeRange(), {**values, "output_column": "K"}, frame)


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names(bench: Bench, name: str) -> None:
    key, time = f"k {name}", f"t {name}"
    frame = pd.DataFrame({key: ["a"], time: ["2024-01-01"], name: [1.0]})
    bench.check(ValidateTimestamps(), {"timestamp_column": time}, frame)
    mark = {"timestamp_column": time, "policy": "indicate"}
    bench.check(ValidateTimestamps(), mark, frame)
    values = {"start": "2024-01-01", "id_column": key, "output_column": f"new {name}"}
    bench.check(DatetimeRange(), values, frame)
    grouped = bench.check(GroupSeries(), {"id_column": key, "timestamp_column": name}, frame)
    for flatten in (True, False):
        values = {"sequence_column": name, "flatten": flatten}
        bench.check(StandardizeLength(), values, grouped)


TYPES = {
    "k": ColumnType.STRING,
    "t": ColumnType.DATETIME,
    "x": ColumnType.FLOAT,
    "n": ColumnType.LONG,
    "s": ColumnType.STRING,
    "b": ColumnType.BOOLEAN,
    "d": ColumnType.DATE,
}
CELLS = {"k": st.sampled_from("ab"), "n": st.integers(-5, 5)}


@given(
    frame=frames(TYPES, cells=CELLS),
    id_column=st.sampled_from(["k", "b", "n"]),
    time=st.sampled_from(["t", "d", "x"]),
)
@settings(max_examples=20)
def test_vectors_of_any_table(bench: Bench, frame: pd.DataFrame, id_column: str, time: str) -> None:
    values = {"id_column": id_column, "timestamp_column": time}
    result = bench.check(GroupSeries(), values, frame, types=TYPES)
    assert sum(map(len, result["s"])) == len(frame)


@given(
    frame=frames({"v": ColumnType.VECTOR, "a": ColumnType.ARRAY}, min_rows=1),
    column=st.sampled_from("va"),
    flatten=st.booleans(),
    quantile=st.sampled_from([0.0, 0.5, 1.0]),
)
@settings(max_examples=20)
def test_lengths_of_any_vectors(
    bench: Bench, frame: pd.DataFrame, column: str, flatten: bool, quantile: float
) -> None:
    values = {"sequence_column": column, "flatten": flatten, "cutoff_quantile": quantile}
    types = {"v": ColumnType.VECTOR, "a": ColumnType.ARRAY}
    if frame[column].isna().all():
        with pytest.raises(DataError):
            bench.check(StandardizeLength(), values, frame, types=types)
    else:
        bench.check(StandardizeLength(), values, frame, types=types)
