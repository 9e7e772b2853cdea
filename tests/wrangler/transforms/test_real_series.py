"""Series, groups, components and joins on real data: the engine and the pandas code agree."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bottega.testing.wrangler_case import Bench
from bottega.wrangler.transform import Step
from bottega.wrangler.transforms.registry import named

SENSORS = [f"sensor_{number}" for number in range(1, 22)]
SERIES = {"sequence_column": "sensor_4", "timestamp_column": "cycle", "id_column": "unit"}


@pytest.fixture(scope="module")
def data() -> Path:
    """The folder of real data sets beside the clone."""
    root = Path(__file__).resolve().parents[3]
    folder = Path(os.environ.get("BOTTEGA_TEST_DATA", root.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"the real data sets are not at {folder}; set BOTTEGA_TEST_DATA")
    return folder


@pytest.fixture(scope="module")
def engines(data: Path) -> pd.DataFrame:
    """100 engines, each a row a cycle until it fails: 20,631 rows."""
    columns = ["unit", "cycle", "setting_1", "setting_2", "setting_3", *SENSORS]
    path = data / "turbofan-fd001" / "train_FD001.txt.gz"
    frame = pd.read_csv(path, sep=r"\s+", header=None, names=columns)
    return frame.sample(frac=1, random_state=1, ignore_index=True)


@pytest.fixture(scope="module")
def market(data: Path) -> pd.DataFrame:
    """Prices and demand every half hour: 45,312 rows."""
    frame = pd.read_csv(data / "electricity" / "elec.csv.gz")
    start = pd.Timestamp("1996-05-07")
    frame["moment"] = start + pd.to_timedelta(range(0, 30 * len(frame), 30), unit="min")
    frame["moment"] = frame["moment"].astype("datetime64[us]")
    return frame


@pytest.mark.parametrize(
    ("group", "name", "values"),
    [
        ("Time series", "Lag features", {**SERIES, "lag": 5, "drop_rows": True}),
        ("Time series", "Rolling window features", {**SERIES, "window_size": 10}),
        ("Time series", "Extract features", {**SERIES, "strategy": "All features"}),
        ("Time series", "Group by", {"id_column": "unit", "timestamp_column": "cycle"}),
        ("Dimensionality reduction", "PCA", {"input_columns": SENSORS}),
    ],
)
def test_engines(
    bench: Bench, engines: pd.DataFrame, group: str, name: str, values: dict[str, Any]
) -> None:
    result = bench.check(named(group, name), values, engines)
    if name == "Lag features":
        assert len(result) == len(engines) - 5 * 100
    if name in ("Extract features", "Group by"):
        assert result["unit"].tolist() == list(range(1, 101))
    if name == "PCA":
        assert 0 < sum(column.startswith("pca_") for column in result.columns) < len(SENSORS)


def test_the_last_cycle_of_each_engine(bench: Bench, engines: pd.DataFrame) -> None:
    values = {
        "group_columns": ["unit"],
        "aggregations": [{"column": "cycle", "function": "max", "output_column": "last"}],
    }
    last = bench.check(named("Group and aggregate", "Group by"), values, engines)
    join = {"left_column": "unit", "right_column": "unit"}
    result = bench.check(named("Join", "Join"), join, engines[["unit", "cycle"]], last)
    assert (result["last"] - result["cycle"]).min() == 0
    assert len(result) == len(engines)


def test_market(bench: Bench, market: pd.DataFrame) -> None:
    values = {"timestamp_column": "moment", "offset_description": "Weekly"}
    weeks = bench.check(named("Time series", "Resample"), values, market)
    assert len(weeks) == 135
    gaps = market.loc[market["class"] == 1, ["moment", "nswprice"]].reset_index(drop=True)
    values = {"timestamp_column": "moment", "offset_description": "Minutely", "quantity": 30}
    result = bench.check(named("Time series", "Resample"), values, gaps)
    assert result["nswprice"].notna().all()
    parts = bench.check(
        named("Featurize date/time", "Featurize datetime"), {"input_column": "moment"}, market
    )
    pivot = {
        "group_columns": ["moment_month"],
        "pivot_column": "moment_hour",
        "value_column": "nswdemand",
    }
    table = bench.check(named("Group and aggregate", "Pivot"), pivot, parts)
    assert table.shape == (12, 25)


def test_queries_keep_the_order_of_steps_before_them(bench: Bench, engines: pd.DataFrame) -> None:
    relation = bench.relation(engines)
    for group, name, values in (
        ("Manage rows", "Sort", {"column": ["sensor_4"], "order": "Descending"}),
        ("Custom code", "SQL (PySpark SQL)", {"code": "SELECT unit, sensor_4 FROM df"}),
        ("Time series", "Lag features", {**SERIES, "timestamp_column": "sensor_4"}),
    ):
        relation = after(relation, group, name, values)
    result = relation.frame()
    expected = engines.sort_values("sensor_4", ascending=False, kind="stable", ignore_index=True)
    assert result["sensor_4"].tolist() == expected["sensor_4"].tolist()
    assert result["unit"].tolist() == expected["unit"].tolist()


def after(relation: Any, group: str, name: str, values: dict[str, Any]) -> Any:
    """One more step on a table of the engine."""
    transform = named(group, name)
    checked = transform.parameter_set().check(values, relation.schema)
    state = transform.fit(relation, checked) if transform.learns else {}
    step = Step(relation.schema, checked, state)
    return relation.then(transform.sql(step), transform.columns(step))
