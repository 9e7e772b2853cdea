"""A database of MLflow's with runs written straight into it, for tests."""

from __future__ import annotations

import itertools
import sqlite3
import warnings
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from bottega.tracking.store.connections import Readers


@dataclass(frozen=True)
class SampleRun:
    """One run as its rows; None and NaN are metrics that are missing and that are NaN."""

    experiment: int = 1
    stage: str = "active"
    status: str = "FINISHED"
    name: str = "run"
    start: int = 1000
    end: int | None = 2000
    metrics: Mapping[str, float] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str | None] = field(default_factory=dict)
    datasets: tuple[str, ...] = ()


class SampleStore:
    """A database, our store over it, and what writes runs into it."""

    def __init__(self, database: Path) -> None:
        self.database = database
        with warnings.catch_warnings():
            # What MLflow's own models use of SQLAlchemy is not ours to change.
            warnings.simplefilter("ignore", DeprecationWarning)
            from bottega.tracking.store.indexed_store import IndexedStore
        self.store = IndexedStore(f"sqlite:///{database}", "mlflow-artifacts:/")
        self.readers: Readers = self.store.readers
        self._numbers = itertools.count()

    def add(self, *runs: SampleRun) -> list[str]:
        """Write runs; returns their ids."""
        with closing(sqlite3.connect(self.database)) as connection, connection:
            return [self._add(connection, run) for run in runs]

    def _add(self, connection: sqlite3.Connection, run: SampleRun) -> str:
        number = next(self._numbers)
        # Neither upwards nor downwards, as real ids are.
        run_id = f"{(number * 2654435761) % 2**32:08x}{number:024x}"
        connection.execute(
            "INSERT OR IGNORE INTO experiments (experiment_id, name, lifecycle_stage, workspace)"
            " VALUES (?, ?, 'active', 'default')",
            (run.experiment, f"experiment {run.experiment}"),
        )
        connection.execute(
            "INSERT INTO runs (run_uuid, name, user_id, status, start_time, end_time,"
            " lifecycle_stage, artifact_uri, experiment_id, source_name)"
            " VALUES (?, ?, 'ada', ?, ?, ?, ?, ?, ?, '')",
            (
                *(run_id, run.name, run.status, run.start, run.end, run.stage),
                *(f"mlflow-artifacts:/{run.experiment}/{run_id}/artifacts", run.experiment),
            ),
        )
        for key, value in run.metrics.items():
            point = (key, 0.0 if value != value else value, value != value, run_id)
            connection.execute(
                "INSERT INTO latest_metrics (key, value, is_nan, run_uuid, timestamp, step)"
                " VALUES (?, ?, ?, ?, 1, 0)",
                point,
            )
        for table, pairs in (
            ("params", run.params),
            ("tags", {"mlflow.runName": run.name, **run.tags}),
        ):
            connection.executemany(
                f"INSERT INTO {table} (key, value, run_uuid) VALUES (?, ?, ?)",
                [(key, value, run_id) for key, value in pairs.items()],
            )
        for name in run.datasets:
            self._use(connection, run, run_id, name)
        return run_id

    def _use(self, connection: sqlite3.Connection, run: SampleRun, run_id: str, name: str) -> None:
        dataset = f"{run.experiment}-{name}"
        connection.execute(
            "INSERT OR IGNORE INTO datasets (dataset_uuid, experiment_id, name, digest,"
            " dataset_source_type, dataset_source) VALUES (?, ?, ?, 'd1', 'http', ?)",
            (dataset, run.experiment, name, '{"url": "https://example.org/data.csv"}'),
        )
        connection.execute(
            "INSERT INTO inputs (input_uuid, source_type, source_id, destination_type,"
            " destination_id) VALUES (?, 'DATASET', ?, 'RUN', ?)",
            (f"{run_id[:8]}-{name}", dataset, run_id),
        )
        connection.execute(
            "INSERT INTO input_tags (input_uuid, name, value)"
            " VALUES (?, 'mlflow.data.context', 'training')",
            (f"{run_id[:8]}-{name}",),
        )
