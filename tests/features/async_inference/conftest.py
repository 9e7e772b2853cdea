"""A working studio with one asynchronous endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bottega.testing.async_inference import AsyncStudio
from bottega.testing.hosting import HostingStudio


@pytest.fixture(scope="package")
def hosting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostingStudio]:
    with HostingStudio.opened(
        tmp_path_factory.mktemp("home") / "h", preload=False, isolation="process"
    ) as opened:
        opened.studio.start()
        yield opened
        opened.delete_all()


@pytest.fixture(scope="package")
def served(hosting: HostingStudio) -> AsyncStudio:
    """An endpoint ``a`` of one instance."""
    made = AsyncStudio(hosting)
    made.deploy("a")
    return made


@pytest.fixture
def events(hosting: HostingStudio) -> Iterator[list[Any]]:
    """What the bus tells while the test runs."""
    heard: list[Any] = []
    unsubscribe = hosting.studio.ports.events.subscribe(heard.append)
    yield heard
    unsubscribe()
