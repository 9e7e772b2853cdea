"""A studio that runs transform jobs, and short calls."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bottega.testing.transform import TransformStudio


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TransformStudio]:
    with TransformStudio.opened(tmp_path_factory.mktemp("h")) as opened:
        yield opened
