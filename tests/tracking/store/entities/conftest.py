"""Entities in a database of MLflow's."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bottega.testing.entities import Entities
from bottega.testing.run_samples import SampleStore


@pytest.fixture
def entities(make_store: Callable[[], SampleStore]) -> Entities:
    return Entities(make_store())
