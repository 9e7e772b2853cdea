"""Parts of moments, truncation and differences: the engine and the pandas code agree."""

from __future__ import annotations

from math import cos, pi, sin
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.testing.wrangler_case import Bench
from bottega.testing.wrangler_frames import ODD_NAMES, ODD_TEXTS, frames
from bottega.wrangler.columns import ColumnType
from bottega.wrangler.errors import ParameterError
from bottega.wrangler.transforms.registry import transform_of
from bottega.wrangler.transforms.time_series import (
    DatetimeDifference,
    FeaturizeDatetime,
    TruncateDatetime,
)

PARTS = (
    "year",
    "month",
    "day",
    "hour",
    "minute",
    "second",
    "week_of_year",
    "day_of_year",
    "quarter",
)
FRAME = pd.DataFrame(
    {
        "t": pd.to_datetime(
            ["2021-01-03 04:05:06.789", None, "2024-12-31 23:59:59"], format="ISO8601"
        )
    }
)


def only(*parts: str) -> dict[str, bool]:
    return {part: part in parts for part in PARTS}


def test_ordinal_columns(bench: Bench) -> None:
    result = bench.check(FeaturizeDatetime(), {"input_column": "t", "output_column": "d"}, FRAME)
    assert list(result.columns) == ["t", *(f"d_{part}" for part in PARTS)]
    assert result.iloc[0].tolist()[1:] == [2021, 1, 3, 4, 5, 6, 53, 3, 1]
    assert result.iloc[2].tolist()[1:] == [2024, 12, 31, 23, 59, 59, 1, 366, 4]
    assert result.iloc[1].isna().all()


def test_cyclic_columns_and_vectors(bench: Bench) -> None:
    values = {"input_column": "t", "output_mode": "Cyclic", **only("year", "month", "hour")}
    result = bench.check(FeaturizeDatetime(), values, FRAME)
    assert result["t_year"].tolist()[0] == 2021
    assert result["t_month_cos"][2] == pytest.approx(cos(2 * pi * 11 / 12))
    assert result["t_hour_sin"][0] == pytest.approx(sin(2 * pi * 4 / 24))
    vectors = bench.check(FeaturizeDatetime(), {**values, "output_format": "Vector"}, FRAME)
    assert len(vectors["t_features"][0]) == 5
    assert pd.isna(vectors["t_features"][1])


def test_texts(bench: Bench) -> None:
    frame = pd.DataFrame({"s": ["31/12/2024 23:59", "1/2/2023 4:05", "2024-01-01", "", None]})
    values = {
        "input_column": "s",
        "infer_datetime_format": False,
        "date_time_format": "%d/%m/%Y %H:%M",
        **only("day", "month"),
    }
    result = bench.check(FeaturizeDatetime(), values, frame)
    assert result["s_day"].fillna(0).tolist() == [31, 1, 0, 0, 0]
    iso = bench.check(FeaturizeDatetime(), {"input_column": "s"}, frame)
    assert iso["s_year"].fillna(0).tolist() == [0, 0, 2024, 0, 0]


FORMATS = (
    "%Y-%m-%d",
    "%d.%m.%y",
    "%m/%d/%Y %I:%M %p",
    "%b %d, %Y",
    "%d %B %Y %H:%M:%S.%f",
    "%Y%%%m (%d) {x}",
)


@pytest.mark.parametrize("text_format", FORMATS)
@given(
    cells=st.lists(
        st.one_of(
            st.none(),
            st.datetimes(pd.Timestamp("1970-01-01"), pd.Timestamp("2060-01-01")),
            st.sampled_from([*ODD_TEXTS, "1/1/2024", "30.02.24", "31.12.99", "Feb 30, 2024"]),
        ),
        max_size=6,
    )
)
@settings(max_examples=10)
def test_texts_of_any_format(bench: Bench, text_format: str, cells: list[Any]) -> None:
    texts = [c.strftime(text_format) if hasattr(c, "strftime") else c for c in cells]
    frame = pd.DataFrame({"s": pd.Series(texts, dtype="str")})
    values = {
        "input_column": "s",
        "infer_datetime_format": False,
        "date_time_format": text_format,
    }
    result = bench.check(FeaturizeDatetime(), values, frame, types={"s": ColumnType.STRING})
    read = [hasattr(c, "strftime") for c in cells]
    assert all(result["s_year"].notna()[read])


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (only(), "No part is chosen"),
        ({"infer_datetime_format": False, "date_time_format": "%d/%m"}, "has no year"),
        ({"infer_datetime_format": False, "date_time_format": "%Y %q"}, "has %q, which is not"),
        ({"infer_datetime_format": False, "date_time_format": "%Y %Y"}, "has %Y twice"),
    ],
)
def test_refusals(bench: Bench, values: dict[str, Any], words: str) -> None:
    with pytest.raises(ParameterError, match=words):
        bench.check(FeaturizeDatetime(), {"input_column": "t", **values}, FRAME)


def test_parameters_lie_where_the_file_has_them(bench: Bench) -> None:
    node = {
        "operator": "Featurize datetime",
        "Featurize datetime_parameters": {
            "output_column": "date",
            "output_mode": "Ordinal",
            "output_format": "Columns",
            "infer_datetime_format": False,
            "date_time_format": "",
            **only("year", "quarter"),
            "input_column": "t",
        },
    }
    transform = transform_of("sagemaker.spark.time_series_0.1", node)
    result = bench.check(transform, transform.parameter_set().read(node), FRAME)
    assert list(result.columns) == ["t", "date_year", "date_quarter"]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names(bench: Bench, name: str) -> None:
    frame = FRAME.rename(columns={"t": name})
    bench.check(FeaturizeDatetime(), {"input_column": name}, frame)
    bench.check(FeaturizeDatetime(), {"input_column": name}, frame.astype("str"))
    bench.check(TruncateDatetime(), {"input_column": name}, frame)
    values = {"start_column": name, "end_column": name, "output_column": f"new {name}"}
    bench.check(DatetimeDifference(), values, frame)


TYPES = {"t": ColumnType.DATETIME, "d": ColumnType.DATE}


@given(
    frame=frames(TYPES),
    column=st.sampled_from("td"),
    mode=st.sampled_from(["Ordinal", "Cyclic"]),
    output_format=st.sampled_from(["Columns", "Vector"]),
    unit=st.sampled_from(["second", "minute", "hour", "day", "week", "month", "quarter", "year"]),
    length=st.sampled_from(["seconds", "minutes", "hours", "days", "weeks"]),
)
@settings(max_examples=20)
def test_any_table(
    bench: Bench,
    frame: pd.DataFrame,
    column: str,
    mode: str,
    output_format: str,
    unit: str,
    length: str,
) -> None:
    values = {"input_column": column, "output_mode": mode, "output_format": output_format}
    bench.check(FeaturizeDatetime(), values, frame, types=TYPES)
    values = {"input_column": column, "unit": unit}
    bench.check(TruncateDatetime(), values, frame, types=TYPES)
    values = {"start_column": "t", "end_column": "d", "unit": length, "output_column": "x"}
    bench.check(DatetimeDifference(), values, frame, types=TYPES)


def test_truncation_and_difference(bench: Bench) -> None:
    weeks = bench.check(TruncateDatetime(), {"input_column": "t", "unit": "week"}, FRAME)
    assert weeks["t"].dt.day.fillna(0).tolist() == [28, 0, 30]
    frame = FRAME.assign(u=pd.Timestamp("2021-01-04 04:05:06.789"))
    values = {"start_column": "t", "end_column": "u", "unit": "hours", "output_column": "h"}
    assert bench.check(DatetimeDifference(), values, frame)["h"][0] == 24
    with pytest.raises(ParameterError, match="there is a column 'u' already"):
        bench.check(DatetimeDifference(), {**values, "output_column": "U"}, frame)
