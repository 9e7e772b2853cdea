"""How many metric points a second eight writers bring into a tracker, and whether all are there."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

WRITERS = 8
WRITER = Path(__file__).with_name("tracking_writer.py")
PER_LOG_BATCH = 20
"""Points a call: what `mlflow.log_metrics` sends for a step of a training with twenty metrics."""
PER_PUT = 10
"""The most that BatchPutMetrics takes."""

Way = Literal["mlflow", "put"]


@dataclass(frozen=True)
class Ingestion:
    """What eight writers brought in."""

    points: int
    """That were acknowledged."""
    lost: int
    """Of those, how many are not in the database; negative for such that are there twice."""
    rate: float
    """Points a second, all writers together."""
    calls: float
    """Calls a second."""
    client_cpu: float
    """Processor seconds that the writers themselves took for each second."""


def ingest(
    way: Way, environment: Mapping[str, str], runs: Sequence[str], database: Path, seconds: float
) -> Ingestion:
    """Have writers write, each to a run of its own that has no metrics yet.

    Args:
        way: by the mlflow client, or by BatchPutMetrics.
        environment: what leads clients to the service.
        runs: one for each writer; a run's id is also the name of its trial component.
        database: of MLflow's, where the points are counted afterwards.
        seconds: how long.
    """
    per_call = PER_LOG_BATCH if way == "mlflow" else PER_PUT
    writers = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", WRITER, way, run, str(per_call), str(seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )
        for run in runs
    ]
    try:
        for writer in writers:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "ready\n"
        for writer in writers:
            assert writer.stdin is not None
            writer.stdin.write("\n")
            writer.stdin.flush()
        outputs = [writer.communicate()[0] for writer in writers]
    finally:
        for writer in writers:
            writer.kill()
            writer.wait()
    results = [json.loads(output) for output in outputs]
    points = sum(result["points"] for result in results)
    took = max(result["seconds"] for result in results)
    return Ingestion(
        points=points,
        lost=points - _stored(database, runs),
        rate=points / took,
        calls=points / took / per_call,
        client_cpu=sum(result["cpu"] for result in results) / took,
    )


def _stored(database: Path, runs: Sequence[str]) -> int:
    places = ", ".join("?" * len(runs))
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        (count,) = connection.execute(
            f"SELECT count(*) FROM metrics WHERE run_uuid IN ({places})", tuple(runs)
        ).fetchone()
    return int(count)
