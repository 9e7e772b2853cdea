from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bottega.testing.wrangler_case import Bench
from bottega.wrangler.errors import DataError, ParameterError
from bottega.wrangler.insight.analyses.time_series import AnomalyDetection, SeasonalTrend
from bottega.wrangler.insight.decomposition import decomposed, guessed_period

VALUES = {"timestamp_column": "t", "value_column": "v"}


def series(n: int = 24 * 20, freq: str = "h", period: int = 24) -> pd.DataFrame:
    steps = np.arange(n)
    noise = np.random.default_rng(3).normal(0, 0.1, n)
    values = 0.01 * steps + 5 * np.sin(2 * np.pi * steps / period) + noise
    return pd.DataFrame({"t": pd.date_range("2024-01-01", periods=n, freq=freq), "v": values})


@pytest.mark.parametrize(
    ("freq", "period"),
    [
        ("s", 60),
        ("min", 60),
        ("15min", 96),
        ("30min", 48),
        ("h", 24),
        ("D", 7),
        ("W", 52),
        ("MS", 12),
        ("QS", 4),
        ("YS", 2),
    ],
)
def test_seasons_are_guessed(freq: str, period: int):
    assert guessed_period(pd.Series(pd.date_range("2000-01-03", periods=30, freq=freq))) == period


def test_parts_add_up_and_the_season_is_found():
    frame = series().rename(columns={"t": "time", "v": "value"})
    parts = decomposed(frame, None)
    assert parts.period == 24
    assert np.allclose(parts.trend + parts.season + parts.rest, frame["value"])
    assert np.ptp(parts.season) == pytest.approx(10, abs=0.5)
    assert parts.trend[-50] - parts.trend[50] == pytest.approx(0.01 * (len(frame) - 100), abs=0.3)


def test_an_anomaly_is_found_where_it_is(bench: Bench):
    frame = series()
    frame.loc[100, "v"] += 9
    (section,) = AnomalyDetection().run(bench.relation(frame), VALUES).sections
    assert section.text.startswith("1 of 480 values")
    assert section.table is not None
    assert section.table.rows[0][0] == frame["t"][100].isoformat()
    assert section.figure is not None
    assert section.figure["data"][1]["x"] == [frame["t"][100].isoformat()]


def test_missing_values_and_repeated_timestamps_are_told(bench: Bench):
    frame = series()
    frame.loc[7, "v"] = np.nan
    frame.loc[8, "v"] = np.inf
    doubled = pd.concat([frame, frame.iloc[[20]].assign(v=99.0)])
    result = SeasonalTrend().run(bench.relation(doubled.reset_index(drop=True)), VALUES)
    text = result.sections[0].text
    assert "2 missing values" in text
    assert "1 timestamps occur more than once" in text
    assert result.rows == 481


def test_series_by_entity(bench: Bench):
    both = pd.concat([series().assign(who="a"), series().iloc[:100].assign(who="b {x}")])
    values = {**VALUES, "id_column": "who"}
    result = SeasonalTrend().run(bench.relation(both.reset_index(drop=True)), values)
    assert [section.title for section in result.sections] == ["v of a", "v of b {x}"]
    assert len(result.sections[1].figure["data"][0]["x"]) == 100  # type: ignore[index]


def test_too_short_a_series_is_refused(bench: Bench):
    relation = bench.relation(series(30))
    with pytest.raises(DataError, match="There are 30 values, and a season has 24"):
        SeasonalTrend().run(relation, VALUES)
    assert SeasonalTrend().run(relation, {**VALUES, "period": 6}).rows == 30


def test_columns_of_another_type_are_refused(bench: Bench):
    with pytest.raises(ParameterError, match="column 'v' is float, and this takes date"):
        SeasonalTrend().run(bench.relation(series(30)), {**VALUES, "timestamp_column": "v"})


def test_electricity_demand_has_a_day(bench: Bench, shared_data: Path):
    frame = pd.read_csv(shared_data / "electricity" / "elec.csv.gz").iloc[:4800]
    frame["t"] = pd.date_range("1996-05-07", periods=len(frame), freq="30min")
    values = {**VALUES, "value_column": "nswdemand"}
    parts = decomposed(frame.assign(time=frame["t"], value=frame["nswdemand"], number=1), None)
    assert parts.period == 48
    explained = 1 - parts.rest.var() / (parts.rest + parts.season).var()
    assert explained > 0.7
    low, high = parts.season[48:96].argmin(), parts.season[48:96].argmax()
    assert 6 <= low <= 10  # three to five at night
    assert 34 <= high <= 40  # five to eight in the evening
    result = AnomalyDetection().run(bench.relation(frame), values)
    assert result.rows == 4800
