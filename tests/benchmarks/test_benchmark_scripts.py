"""Every benchmark runs to its end and says what it promises; how fast is nobody's business here."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import pytest

Benchmark = Callable[..., dict[str, Any]]


@pytest.mark.slow
def test_start_latency(benchmark: Benchmark) -> None:
    document = benchmark("start_latency", "--rounds", "2", "--cold-rounds", "1")
    since, phases = document["tables"]
    assert len(since["rows"]) == 4
    for values in since["rows"].values():
        line, printed = values[0], values[2]
        assert 0 < printed <= line
    # Nobody waits for the answer to the call before the job goes on, so that may come at any time.
    steps = [row for name, row in phases["rows"].items() if name != "the call is answered"]
    for way in range(len(phases["columns"])):
        times = [row[way] for row in steps]
        assert times == sorted(times)


@pytest.mark.slow
def test_control_plane(benchmark: Benchmark) -> None:
    if find_spec("moto") is None:
        pytest.skip("moto is not installed: pip install 'moto[server]'")
    document = benchmark(
        "control_plane",
        *("--seconds", "0.2", "--turns", "1", "--models", "12", "--clients", "1", "3"),
    )
    assert [table["title"] for table in document["tables"]] == ["One client", "3 clients at once"]
    for table in document["tables"]:
        assert len(table["rows"]) == 6
        assert all(value >= 0 for values in table["rows"].values() for value in values)
    assert len(document["ratios"]) == 6


@pytest.mark.slow
def test_serving(benchmark: Benchmark) -> None:
    document = benchmark("serving", "--quick")
    *loads, overload = document["tables"]
    assert len(loads) == 6
    for table in loads:
        for rate, p50, p99 in table["rows"].values():
            assert rate > 0
            assert 0 < p50 <= p99
    assert [values[4] for values in overload["rows"].values()] == [0, 0, 0]  # none was broken


@pytest.mark.slow
def test_tracking(benchmark: Benchmark) -> None:
    document = benchmark("tracking", "--runs", "400", "--rounds", "2", "--seconds", "1")
    pages, points = document["tables"]
    assert len(pages["rows"]) == 12
    assert len(points["rows"]) == 3
    for median, high, first, calls in pages["rows"].values():
        assert 0 < median <= high
        assert first > 0
        assert calls == 2
    assert len(document["ratios"]) == 4


@pytest.mark.slow
def test_studio(benchmark: Benchmark) -> None:
    if find_spec("playwright") is None:
        pytest.skip("playwright is not installed: pip install playwright")
    document = benchmark("studio", "--rounds", "1", "--jobs", "150", "--runs", "200")
    titles = [table["title"] for table in document["tables"]]
    assert titles[0] == "Start of JupyterLab"
    (big,) = [table for table in document["tables"] if table["title"] == "Big tables"]
    for _, _, _, seen, missing in big["rows"].values():
        assert seen > 0
        assert missing == 0


@pytest.mark.slow
def test_wrangler(benchmark: Benchmark) -> None:
    document = benchmark("wrangler", "--rows", "20000", "--rounds", "1")
    contest, waiting = document["tables"]
    assert {"bottega", "DuckDB SQL by hand", "pandas"} <= contest["rows"].keys()
    assert len(waiting["rows"]) == 16
    for values in (*contest["rows"].values(), *waiting["rows"].values()):
        assert all(value > 0 for value in values)


@pytest.mark.slow
def test_deployment(benchmark: Benchmark) -> None:
    (table,) = benchmark("deployment", "--rounds", "2")["tables"]
    deployed, cold, warm, peer = (middle for middle, _ in table["rows"].values())
    assert min(deployed, cold, warm, peer) > 0


@pytest.mark.slow
def test_debugger(benchmark: Benchmark) -> None:
    document = benchmark("debugger", "--quick")
    for table in document["tables"]:
        assert len(table["rows"]) == 5
        for wall, cpu, *_ in table["rows"].values():
            assert min(wall, cpu) > 0
    assert len(document["ratios"]) == 2


@pytest.mark.slow
def test_debugger_stop(benchmark: Benchmark) -> None:
    (table,) = benchmark("debugger_stop", "--rounds", "1")["tables"]
    (stopping, *_), (found, *_), (ended, *_) = table["rows"].values()
    assert 0 < stopping <= ended
    assert found > 0


@pytest.mark.slow
def test_tuning_overhead(benchmark: Benchmark) -> None:
    (table,) = benchmark("tuning_overhead", "--seconds", "0.5", "--trials", "3")["tables"]
    assert len(table["rows"]) == 2
    for asleep, trials, took, *_ in table["rows"].values():
        assert asleep == 1.0
        assert trials > 0.75  # three trials of half a second, two at a time
        assert took > asleep  # the clock cannot run backwards
