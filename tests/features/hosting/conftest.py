"""Studios for hosting: one whose controllers stand still, and one that works."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bottega.testing.hosting import HostingStudio


@pytest.fixture
def still(tmp_path: Path) -> Iterator[HostingStudio]:
    """Nothing is made so: endpoints stay in the status that an operation gave them."""
    with HostingStudio.opened(tmp_path / "h", preload=False) as opened:
        yield opened


@pytest.fixture(scope="package")
def hosting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostingStudio]:
    """A working studio, with a fork server that is warm."""
    with HostingStudio.opened(tmp_path_factory.mktemp("home") / "h") as opened:
        opened.studio.start()
        yield opened
        opened.delete_all()
