"""Experiments: MLflow's own, with the members of SageMaker's that MLflow lacks in their tags."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from bottega.tracking.store.catalogue import Exists, Refusal
from bottega.tracking.store.entities.names import (
    ACTIVE,
    as_json,
    experiment_of,
    now,
    put_tags,
    the_experiment,
)
from bottega.tracking.store.entities.tables import experiment_name

NOTE = "mlflow.note.content"
"""The tag that MLflow's pages show as the description."""
DISPLAY = "bottega.displayName"
CREATED_BY, MODIFIED_BY = "bottega.createdBy", "bottega.modifiedBy"
_RESERVED = ("mlflow.", "bottega.")
ARTIFACTS = "mlflow-artifacts:/"
WITHOUT_TRIAL = 0
"""MLflow's own ``Default``: where components are that belong to no trial."""


def is_users(key: str) -> bool:
    """Whether a tag of MLflow's is one that SageMaker shows."""
    return not key.startswith(_RESERVED)


def create(connection: sqlite3.Connection, asked: Mapping[str, Any]) -> None:
    """Make an experiment.

    Args:
        asked: ``name``; ``document`` with any of DisplayName, Description and CreatedBy; ``tags``.

    Raises:
        Exists: there is one of this name.
    """
    name, document = asked["name"], asked["document"]
    if experiment_of(connection, name) is not None:
        raise Exists(f"Experiment '{name}' already exists.")
    number = insert(connection, name)
    tags = {**asked["tags"], **_as_tags(document, CREATED_BY, "CreatedBy")}
    put_tags(connection, "experiment_tags", "experiment_id", number, tags)


def insert(connection: sqlite3.Connection, name: str) -> int:
    """Make an experiment of MLflow's, whose name no other one has that is not deleted."""
    # A deleted one keeps its name in MLflow until it is removed for good.
    connection.execute(
        "UPDATE experiments SET name = substr(name, 1, 200) || ' (deleted ' || experiment_id || ')'"
        " WHERE name = ? AND lifecycle_stage <> ?",
        (name, ACTIVE),
    )
    moment = now()
    cursor = connection.execute(
        "INSERT INTO experiments (name, lifecycle_stage, creation_time, last_update_time)"
        " VALUES (?, ?, ?, ?)",
        (name, ACTIVE, moment, moment),
    )
    number = int(cursor.lastrowid or 0)
    connection.execute(
        "UPDATE experiments SET artifact_location = ? WHERE experiment_id = ?",
        (f"{ARTIFACTS}{number}", number),
    )
    return number


def update(connection: sqlite3.Connection, asked: Mapping[str, Any]) -> None:
    """Change DisplayName or Description.

    Raises:
        Missing: there is no such experiment.
    """
    number, _ = the_experiment(connection, asked["name"])
    tags = _as_tags(asked["document"], MODIFIED_BY, "LastModifiedBy")
    put_tags(connection, "experiment_tags", "experiment_id", number, tags)
    connection.execute(
        "UPDATE experiments SET last_update_time = ? WHERE experiment_id = ?", (now(), number)
    )


def _as_tags(document: Mapping[str, Any], by: str, member: str) -> dict[str, str]:
    tags = {
        tag: document[name]
        for name, tag in (("DisplayName", DISPLAY), ("Description", NOTE))
        if name in document
    }
    if member in document:
        tags[by] = as_json(document[member])
    return tags


def delete(connection: sqlite3.Connection, asked: Mapping[str, Any]) -> None:
    """Delete an experiment as MLflow does: it is marked so. Runs in it that belong to trials of
    others, or to none, are kept.

    Raises:
        Missing: there is no such experiment.
        Refusal: it has trials.
    """
    number, name = the_experiment(connection, asked["name"])
    trials = connection.execute(
        "SELECT name FROM bottega_trials WHERE experiment_id = ? ORDER BY name LIMIT 3", (number,)
    ).fetchall()
    if trials:
        raise Refusal(
            f"Experiment '{name}' has trials ({', '.join(trial for (trial,) in trials)}). Delete "
            "them first, after disassociating their trial components."
        )
    connection.execute(
        "UPDATE runs SET experiment_id = coalesce((SELECT t.experiment_id FROM bottega_members m"
        "  JOIN bottega_trials t ON t.trial_id = m.trial_id WHERE m.run_uuid = runs.run_uuid"
        "  ORDER BY t.trial_id LIMIT 1), ?) WHERE experiment_id = ? AND lifecycle_stage = ?",
        (home_without_trial(connection), number, ACTIVE),
    )
    connection.execute(
        "UPDATE experiments SET lifecycle_stage = 'deleted', last_update_time = ?"
        " WHERE experiment_id = ?",
        (now(), number),
    )


def home_without_trial(connection: sqlite3.Connection) -> int:
    """The experiment for components that belong to no trial; brought back if it was deleted."""
    connection.execute(
        "INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage,"
        " creation_time, last_update_time) VALUES (?, 'Default', ?, ?, ?, ?)"
        " ON CONFLICT (experiment_id) DO UPDATE SET lifecycle_stage = excluded.lifecycle_stage"
        " WHERE lifecycle_stage <> excluded.lifecycle_stage",
        (WITHOUT_TRIAL, f"{ARTIFACTS}{WITHOUT_TRIAL}", ACTIVE, now(), now()),
    )
    return WITHOUT_TRIAL


def documents(connection: sqlite3.Connection, numbers: Iterable[int]) -> list[dict[str, Any]]:
    """Experiments as SageMaker shows them, in the order of their numbers given; times in seconds.

    ``Tags`` are a mapping here.
    """
    wanted = list(numbers)
    places = ", ".join("?" * len(wanted))
    found: dict[int, dict[str, Any]] = {}
    for number, name, own, created, modified in connection.execute(
        f"SELECT e.experiment_id, {experiment_name('e')}, e.name,"
        " coalesce(e.creation_time, 0), coalesce(e.last_update_time, e.creation_time, 0)"
        f" FROM experiments e WHERE e.experiment_id IN ({places})",
        wanted,
    ):
        found[number] = {
            "ExperimentName": name,
            "DisplayName": own,
            "CreationTime": created / 1000,
            "LastModifiedTime": modified / 1000,
            "Tags": {},
        }
    for number, key, value in connection.execute(
        "SELECT experiment_id, key, value FROM experiment_tags"
        f" WHERE experiment_id IN ({places}) ORDER BY key",
        wanted,
    ):
        _tell(found[number], key, value or "")
    return [found[number] for number in wanted]


def _tell(document: dict[str, Any], key: str, value: str) -> None:
    members = {DISPLAY: "DisplayName", NOTE: "Description"}
    contexts = {CREATED_BY: "CreatedBy", MODIFIED_BY: "LastModifiedBy"}
    if key in members:
        document[members[key]] = value
    elif key in contexts:
        document[contexts[key]] = json.loads(value)
    elif is_users(key):
        document["Tags"][key] = value
