"""A studio in which a test says how training jobs go."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bottega.storage.metadata import ResourceQuery
from bottega.studio import Studio
from bottega.testing.tuning import TuningBench


@pytest.fixture(scope="module")
def module_studio() -> Iterator[Studio]:
    studio = Studio.temporary(isolation="process", preload=False)
    yield studio
    studio.close()


@pytest.fixture
def bench(module_studio: Studio) -> Iterator[TuningBench]:
    bench = TuningBench(module_studio)
    yield bench
    store = bench.ports.store
    for kind in ("HyperParameterTuningJob", "TuningTrial", "TrainingJob"):
        for outline in store.outlines(ResourceQuery(kind)):
            store.delete(kind, outline.name)
