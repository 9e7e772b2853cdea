"""The benchmarks of the algorithms run to their end, on tiny data."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

Benchmark = Callable[..., dict[str, Any]]
FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"
CASES = sorted(path.stem for path in (FOLDER / "algorithm_speed").glob("[!_]*.py"))


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_speed(benchmark: Benchmark, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    monkeypatch.setenv("BOTTEGA_STREAM_MB", "20")
    document = benchmark("algorithms", "--quick", case, result=f"algorithms_{case}")
    (table,) = document["tables"]
    ours = [name for name in table["rows"] if name.startswith("bottega")]
    assert ours
    for row in table["rows"].values():
        assert len(row) == len(table["columns"])
        assert row[-1] > 0
    assert document["command"] == f"benchmarks/algorithms.py {case}"


def test_parity_is_shown_on_the_algorithm_s_page_only(
    tmp_path: Path, measurement: ModuleType
) -> None:
    facts = measurement.machine()
    document = {
        "name": "parity_xgboost",
        "title": "XGBoost beside itself",
        "method": "Both learn the same.",
        "tables": [{"title": "Errors", "columns": ["rmse"], "rows": {"ours": [1.25]}}],
        "ratios": [],
        "notes": [],
        "date": "2026-01-01T00:00:00Z",
        "machine": facts,
        "versions": {"python": "3.11"},
    }
    (tmp_path / "parity_xgboost.json").write_text(json.dumps(document))
    assert "XGBoost" not in measurement.page(tmp_path)
    text = measurement.parity("xgboost", tmp_path)
    assert "| ours | 1.25 |" in text
    assert "`benchmarks/parity_xgboost.py`" in text
    assert not text.startswith("#")
