"""A large database of MLflow's, written straight into its tables; logging the runs takes hours."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from bottega.tracking import schema
from bottega.tracking.store import indexes
from bottega.tracking.store.entities import tables

EXPERIMENT = "1"
START_MS = 1_760_000_000_000
METRICS = 20
DEPTHS = 10
"""How many values the parameter ``depth`` has; a filter for one of them keeps a tenth."""


def fill(database: Path, runs: int) -> str:
    """Make a database with one experiment of ``runs`` runs.

    Each has 20 metrics of one point (``metric_0`` to ``metric_19``, between 0 and 1; one run in
    fifty lacks the last one), 5 parameters and the 3 tags that every mlflow client sets. No index
    and no statistics are added to what MLflow's own migrations leave.

    Returns:
        The id of the first run.
    """
    schema.prepare(database)
    indexes.drop(database)
    tables.drop_triggers(database)
    chance = random.Random(11)
    names = [f"{chance.getrandbits(128):032x}" for _ in range(runs)]
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("PRAGMA cache_size=-500000")
        connection.execute(
            "INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage,"
            " creation_time, last_update_time) VALUES (?, 'grid', 'mlflow-artifacts:/1', 'active',"
            " ?, ?)",
            (int(EXPERIMENT), START_MS, START_MS),
        )
        for table, rows in (
            ("runs", _runs(names)),
            ("latest_metrics", _metrics(names)),
            ("metrics", _metrics(names)),
            ("params", _params(names)),
            ("tags", _tags(names)),
        ):
            _insert(connection, table, rows)
        connection.commit()
    return names[0]


def _insert(connection: sqlite3.Connection, table: str, rows: Iterator[dict[str, object]]) -> None:
    first = next(rows)
    columns, places = ", ".join(first), ", ".join(f":{name}" for name in first)
    statement = f"INSERT INTO {table} ({columns}) VALUES ({places})"
    connection.execute(statement, first)
    connection.executemany(statement, rows)


def _runs(names: list[str]) -> Iterator[dict[str, object]]:
    for number, run in enumerate(names):
        start = START_MS + number * 1000
        yield {
            "run_uuid": run,
            "name": f"run-{number}",
            "source_type": "UNKNOWN",
            "user_id": "ada",
            "status": "FAILED" if number % 20 == 0 else "FINISHED",
            "start_time": start,
            "end_time": start + 500 + number % 700,
            "lifecycle_stage": "active",
            "artifact_uri": f"mlflow-artifacts:/{EXPERIMENT}/{run}/artifacts",
            "experiment_id": int(EXPERIMENT),
            "source_version": "",
            "source_name": "",
            "entry_point_name": "",
        }


def _metrics(names: list[str]) -> Iterator[dict[str, object]]:
    chance = random.Random(12)
    for number, run in enumerate(names):
        for metric in range(METRICS):
            value = chance.random()
            if metric == METRICS - 1 and number % 50 == 49:
                continue
            yield {
                "key": f"metric_{metric}",
                "value": value,
                "timestamp": START_MS + number * 1000,
                "step": 0,
                "is_nan": 0,
                "run_uuid": run,
            }


def _params(names: list[str]) -> Iterator[dict[str, object]]:
    for number, run in enumerate(names):
        values = {
            "depth": number * 7 % DEPTHS,
            "eta": number % 100 / 100,
            "seed": number,
            "objective": ("logistic", "hinge", "squared")[number % 3],
            "sampler": ("uniform", "gradient")[number % 2],
        }
        for key, value in values.items():
            yield {"key": key, "value": str(value), "run_uuid": run}


def _tags(names: list[str]) -> Iterator[dict[str, object]]:
    for number, run in enumerate(names):
        values = {
            "mlflow.runName": f"run-{number}",
            "mlflow.user": "ada",
            "mlflow.source.name": "grid.py",
        }
        for key, value in values.items():
            yield {"key": key, "value": value, "run_uuid": run}
