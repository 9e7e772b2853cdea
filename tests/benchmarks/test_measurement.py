"""What the benchmarks have in common."""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

TIMES = st.lists(st.floats(0, 1e6, allow_nan=False), min_size=1, max_size=50)


def result(measurement: ModuleType, **changes: Any) -> Any:
    values = {
        "name": "sample",
        "title": "A sample",
        "method": "It was measured.",
        "tables": [measurement.Table("Times", ["p50 ms"], {"ours": [1.234], "theirs": [None]})],
        "ratios": [measurement.Ratio("theirs beside ours", 12.345)],
        "packages": ["boto3", "no-such-distribution"],
    }
    return measurement.Result(**values | changes)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=TIMES)
def test_the_middle_is_the_median(measurement: ModuleType, values: list[float]) -> None:
    assert measurement.percentile(values, 50) == pytest.approx(statistics.median(values))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=TIMES, percents=st.lists(st.floats(0, 100), min_size=2, max_size=5))
def test_percentiles_rise_from_least_to_most(
    measurement: ModuleType, values: list[float], percents: list[float]
) -> None:
    found = [measurement.percentile(values, percent) for percent in sorted(percents)]
    assert found == pytest.approx(sorted(found))
    assert measurement.percentile(values, 0) == min(values)
    assert measurement.percentile(values, 100) == max(values)


def test_nothing_has_no_percentile(measurement: ModuleType) -> None:
    with pytest.raises(ValueError, match="nothing"):
        measurement.percentile([], 50)


def test_a_result_is_written_whole_and_shown(
    measurement: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = measurement.finish(result(measurement), tmp_path / "results")
    document = json.loads(file.read_text())
    assert document["tables"][0]["rows"] == {"ours": [1.234], "theirs": [None]}
    assert document["machine"]["usable_cores"] >= 1
    assert {"python", "bottega", "boto3"} == document["versions"].keys()
    shown = capsys.readouterr().out
    assert "| ours | 1.23 |" in shown
    assert "| theirs |  |" in shown
    assert "- **12.3×** theirs beside ours" in shown
    assert [path.name for path in file.parent.iterdir()] == ["sample.json"]


def test_the_page_depends_on_the_files_alone(measurement: ModuleType, tmp_path: Path) -> None:
    for name in ("second", "first"):
        measurement.finish(result(measurement, name=name, title=name.title()), tmp_path)
    page = measurement.page(tmp_path)
    assert page == measurement.page(tmp_path)
    assert page.index("## First") < page.index("## Second")


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0"), (0.01234, "0.0123"), (1.5, "1.50"), (99.94, "99.9"), (1234.5, "1,234")],
)
def test_three_digits_that_count(measurement: ModuleType, value: float, shown: str) -> None:
    table = measurement.Table("T", ["n"], {"row": [value]})
    document = {
        **{"name": "n", "title": "t", "method": "m", "notes": [], "ratios": []},
        **{"date": "d", "machine": measurement.machine(), "versions": {}},
        "tables": [{"title": table.title, "columns": table.columns, "rows": table.rows}],
    }
    assert f"| row | {shown} |" in measurement.section(document)
