from __future__ import annotations

from collections.abc import Iterator

import pytest

from bottega.testing.wrangler_case import Bench


@pytest.fixture(scope="session")
def bench() -> Iterator[Bench]:
    """One database for all checks of a run."""
    found = Bench()
    yield found
    found.close()
