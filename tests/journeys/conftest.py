"""A daemon for a module of journeys, and what they all need to ask of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bottega.testing.daemon import TestDaemon, running_daemon


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestDaemon]:
    with running_daemon(tmp_path_factory.mktemp("home") / "h") as started:
        yield started


@pytest.fixture(scope="module")
def plain_daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestDaemon]:
    """Without MLflow, for journeys that have nothing to do with it."""
    with running_daemon(tmp_path_factory.mktemp("home") / "h", tracking=False) as started:
        yield started


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data sets beside the clone."""
    root = Path(__file__).resolve().parents[2]
    folder = Path(os.environ.get("BOTTEGA_TEST_DATA", root.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"the real data sets are not at {folder}; set BOTTEGA_TEST_DATA")
    return folder
