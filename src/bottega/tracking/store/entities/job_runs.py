"""The run of a job, which is its trial component."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from bottega.tracking.experiments import ARN_TAG
from bottega.tracking.store.components import run_of
from bottega.tracking.store.entities import components, experiments
from bottega.tracking.store.entities.names import ACTIVE, experiment_of, now, put_tags


def open_run(connection: sqlite3.Connection, asked: Mapping[str, Any]) -> dict[str, str]:
    """Make sure that a job has a run, which is running. Asked again, the same run is found.

    Args:
        asked: ``experiment``, MLflow's or SageMaker's name of it, made or brought back when it is
            not there; ``name``, the run's; ``arn``, the job's; ``started``, in milliseconds;
            ``tags`` and ``parameters``, texts by name; ``component``, its name, empty for the run's
            id; ``reused``, whether the component of this name is the job's, if there is one;
            ``trial``, which it belongs to, empty for the experiment's default one, None for none.

    Returns:
        ``run_id`` and ``experiment_id``.
    """
    name = asked["component"]
    run = run_of(connection, name) if asked["reused"] else _found(connection, asked)
    experiment = _experiment(connection, asked["experiment"])
    if run is None:
        run = components.insert(
            connection,
            name=name,
            experiment=experiment,
            display=asked["name"],
            started=asked["started"],
            user=asked["tags"].get("mlflow.user", ""),
            facts={},
        )
    connection.execute(
        "UPDATE runs SET status = 'RUNNING', end_time = NULL"
        " WHERE run_uuid = ? AND status <> 'RUNNING'",
        (run,),
    )
    put_tags(connection, "tags", "run_uuid", run, {**asked["tags"], ARN_TAG: asked["arn"]})
    components.put_params(
        connection, [(key, value, run) for key, value in asked["parameters"].items()]
    )
    if asked["trial"] is not None:
        components.join(
            connection, run, components.trial_for(connection, experiment, asked["trial"])
        )
    (experiment,) = connection.execute(
        "SELECT experiment_id FROM runs WHERE run_uuid = ?", (run,)
    ).fetchone()
    return {"run_id": run, "experiment_id": str(experiment)}


def _found(connection: sqlite3.Connection, asked: Mapping[str, Any]) -> str | None:
    """The run of this job; the time tells it from an earlier one of its name."""
    found = connection.execute(
        "SELECT r.run_uuid FROM tags t CROSS JOIN runs r ON r.run_uuid = t.run_uuid"
        " WHERE t.key = ? AND t.value = ? AND r.start_time = ? AND r.lifecycle_stage = ?",
        (ARN_TAG, asked["arn"], asked["started"], ACTIVE),
    ).fetchone()
    return None if found is None else str(found[0])


def _experiment(connection: sqlite3.Connection, name: str) -> int:
    found = connection.execute(
        "SELECT experiment_id, lifecycle_stage FROM experiments WHERE name = ?", (name,)
    ).fetchone()
    if found is None:
        named = experiment_of(connection, name)
        return experiments.insert(connection, name) if named is None else named.number
    number, stage = found
    if stage != ACTIVE:  # as MLflow does it
        connection.execute(
            "UPDATE experiments SET lifecycle_stage = ?, last_update_time = ?"
            " WHERE experiment_id = ?",
            (ACTIVE, now(), number),
        )
        connection.execute(
            "UPDATE runs SET lifecycle_stage = ?, deleted_time = NULL WHERE experiment_id = ?",
            (ACTIVE, number),
        )
    return int(number)
