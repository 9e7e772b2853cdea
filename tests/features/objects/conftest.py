"""A bench with a bucket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bottega.clock import ManualClock
from bottega.testing.object_bench import ObjectBench, object_bench


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def bench(tmp_path: Path, clock: ManualClock) -> Iterator[ObjectBench]:
    with object_bench(tmp_path, clock) as made:
        made.call("CreateBucket", Bucket="bucket")
        yield made
