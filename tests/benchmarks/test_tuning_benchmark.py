"""The benchmark of tuning runs to its end; what it finds is nobody's business here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.mark.slow
@pytest.mark.skipif(not (DATA / "abalone").is_dir(), reason=f"there are no data sets in {DATA}")
def test_tuning(benchmark: Callable[..., dict[str, Any]]) -> None:
    document = benchmark("tuning", "--quick")
    courses, halving = document["tables"]
    assert len(courses["rows"]) == 3
    for errors in courses["rows"].values():
        assert errors == sorted(errors, reverse=True)  # the best so far, of errors
    (found,) = halving["rows"].values()
    assert 50 <= found[4] < 60  # of the rounds
    assert len(document["ratios"]) == 4
