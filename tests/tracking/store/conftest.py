"""Databases of MLflow's with sample runs."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bottega.testing.run_samples import SampleStore
from bottega.tracking import schema


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    database = tmp_path_factory.mktemp("empty") / "mlflow.db"
    with warnings.catch_warnings():
        # What MLflow's own models use of SQLAlchemy is not ours to change.
        warnings.simplefilter("ignore", DeprecationWarning)
        schema.prepare(database)
    return database


@pytest.fixture
def make_store(
    empty_database: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], SampleStore]]:
    """Makes stores, each over a database of its own."""
    made: list[SampleStore] = []

    def make() -> SampleStore:
        database = tmp_path_factory.mktemp("store") / "mlflow.db"
        shutil.copy(empty_database, database)
        made.append(SampleStore(database))
        return made[-1]

    yield make
    for store in made:
        store.readers.close()
        store.store.engine.dispose()


@pytest.fixture
def samples(make_store: Callable[[], SampleStore]) -> SampleStore:
    return make_store()
