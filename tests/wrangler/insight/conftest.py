"""One database for the tests of a module, and the real data sets."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from bottega.testing.wrangler_case import Bench
from bottega.wrangler.engine.relation import Relation


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    """Makes tables of frames."""
    bench = Bench()
    yield bench
    bench.close()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data sets beside the clone."""
    root = Path(__file__).resolve().parents[3]
    folder = Path(os.environ.get("BOTTEGA_TEST_DATA", root.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"the real data sets are not at {folder}; set BOTTEGA_TEST_DATA")
    return folder


@pytest.fixture(scope="module")
def telco(bench: Bench, shared_data: Path) -> Relation:
    """7,043 customers; TotalCharges is text, blank for 11 new ones."""
    return bench.relation(pd.read_csv(shared_data / "telco-churn" / "Telco-Customer-Churn.csv"))


@pytest.fixture(scope="module")
def beers(bench: Bench, shared_data: Path) -> Relation:
    """2,410 beers, dirty, all columns but three as text."""
    path = shared_data / "messy-beers-books" / "beers_dirty.csv"
    return bench.relation(pd.read_csv(path, keep_default_na=False))
