"""A Jupyter server with the extension, which lets nobody in without a token."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def bottega_home(tmp_path: Path) -> Path:
    return tmp_path / "bottega-home"


@pytest.fixture
def jp_server_config(bottega_home: Path) -> dict[str, Any]:
    return {
        "ServerApp": {
            "jpserver_extensions": {"bottega_jupyter": True},
            "allow_unauthenticated_access": False,
        },
        "BottegaApp": {"home": str(bottega_home)},
    }
