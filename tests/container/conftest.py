"""What tests of requirements install."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bottega.testing.wheels import write_wheel


@pytest.fixture
def make_wheel(tmp_path: Path) -> Callable[[str, str, str], Path]:
    """Makes a wheel with one module, as pip takes it."""

    def make(name: str, version: str, source: str) -> Path:
        return write_wheel(tmp_path / "wheels", name, version, source)

    return make
