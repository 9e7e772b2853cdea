"""The Debugger's benchmark runs to its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.mark.slow
def test_debugger(benchmark: Callable[..., dict[str, Any]]) -> None:
    document = benchmark("debugger", "--quick")
    assert len(document["tables"]) == len(document["ratios"]) == 2
    for table in document["tables"]:
        assert list(table["rows"]) == ["without", "hook", "profiler", "hook and profiler"]
        for wall, cpu, _, _ in table["rows"].values():
            assert min(wall, cpu) > 0
