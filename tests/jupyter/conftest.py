"""A Jupyter server with the extension, which lets nobody in without a token, and its daemon."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bottega.testing.daemon import TestDaemon, running_daemon

QUICK = "tracking = false\npreload = false\n"
"""For the daemons that the extension starts itself."""


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestDaemon]:
    """One daemon for all tests that only ask; tests name what they make after themselves."""
    home = tmp_path_factory.mktemp("studio") / "home"
    home.mkdir()
    (home / "config.toml").write_text(QUICK)
    with running_daemon(home, tracking=False, preload=False) as daemon:
        yield daemon


@pytest.fixture
def bottega_home(studio: TestDaemon) -> Path:
    return studio.home


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[TestDaemon]:
    """A home of the test's own whose daemon does not run yet."""
    home = tmp_path / "bottega-home"
    home.mkdir()
    (home / "config.toml").write_text(QUICK)
    daemon = TestDaemon(home)
    yield daemon
    daemon.clean_up()


@pytest.fixture
def jp_server_config(bottega_home: Path) -> dict[str, Any]:
    return {
        "ServerApp": {
            "jpserver_extensions": {"bottega_jupyter": True},
            "allow_unauthenticated_access": False,
        },
        "BottegaApp": {"home": str(bottega_home)},
    }
