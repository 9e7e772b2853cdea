"""Trials, of which MLflow has none: rows of ours, each in an experiment of MLflow's."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from bottega.tracking.store.catalogue import Exists, Refusal
from bottega.tracking.store.entities.names import (
    ACTIVE,
    as_json,
    facts_of,
    now,
    the_experiment,
    the_trial,
    trial_of,
)
from bottega.tracking.store.entities.tables import DEFAULT_TRIAL_NAME, experiment_name

_FACTS = ("DisplayName", "MetadataProperties", "CreatedBy", "LastModifiedBy")


def create(connection: sqlite3.Connection, asked: Mapping[str, Any]) -> None:
    """Make a trial of an experiment.

    Args:
        asked: ``name``, ``experiment``; ``document`` with any of DisplayName, MetadataProperties
            and CreatedBy; ``tags``.

    Raises:
        Missing: there is no such experiment.
        Exists: there is a trial of this name.
    """
    name = asked["name"]
    experiment, _ = the_experiment(connection, asked["experiment"])
    insert(connection, name, experiment, asked["document"], asked["tags"])


def insert(
    connection: sqlite3.Connection,
    name: str,
    experiment: int,
    document: Mapping[str, Any],
    tags: Mapping[str, str],
) -> int:
    """Make a trial; returns its number. One of the name of the default trial becomes that.

    Raises:
        Exists: there is a trial of this name.
    """
    if trial_of(connection, name) is not None:
        raise Exists(f"Trial '{name}' already exists.")
    remove(connection, _of_deleted_experiment(connection, name))
    (usual, taken) = connection.execute(
        f"SELECT {DEFAULT_TRIAL_NAME}, EXISTS (SELECT 1 FROM bottega_trials t"
        " WHERE t.experiment_id = e.experiment_id AND t.is_default = 1)"
        " FROM experiments e WHERE e.experiment_id = ?",
        (experiment,),
    ).fetchone()
    is_default = not taken and usual.lower() == name.lower()
    facts = {member: document[member] for member in _FACTS if member in document}
    moment = now()
    cursor = connection.execute(
        "INSERT INTO bottega_trials (name, experiment_id, is_default, created, modified, facts,"
        " tags) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (name, experiment, is_default, moment, moment, as_json(facts), as_json(tags)),
    )
    return int(cursor.lastrowid or 0)


def default_of(connection: sqlite3.Connection, experiment: int) -> int:
    """The trial that an experiment's runs belong to when nothing else is said; made if missing.

    Raises:
        Exists: a trial of another experiment has its name.
    """
    found = connection.execute(
        "SELECT trial_id FROM bottega_trials WHERE experiment_id = ? AND is_default = 1",
        (experiment,),
    ).fetchone()
    if found is not None:
        return int(found[0])
    (name,) = connection.execute(
        f"SELECT {DEFAULT_TRIAL_NAME} FROM experiments e WHERE e.experiment_id = ?", (experiment,)
    ).fetchone()
    return insert(connection, name, experiment, {}, {})


def _of_deleted_experiment(connection: sqlite3.Connection, name: str) -> list[int]:
    return [
        number
        for (number,) in connection.execute(
            "SELECT trial_id FROM bottega_trials WHERE name = ?", (name,)
        )
    ]


def remove(connection: sqlite3.Connection, numbers: Iterable[int]) -> None:
    """Remove trials and who belongs to them."""
    for number in numbers:
        connection.execute("DELETE FROM bottega_members WHERE trial_id = ?", (number,))
        connection.execute("DELETE FROM bottega_trials WHERE trial_id = ?", (number,))


def update(connection: sqlite3.Connection, asked: Mapping[str, Any]) -> None:
    """Change a trial's DisplayName.

    Raises:
        Missing: there is no such trial.
    """
    number, _ = the_trial(connection, asked["name"])
    (facts,) = connection.execute(
        "SELECT facts FROM bottega_trials WHERE trial_id = ?", (number,)
    ).fetchone()
    changed = {
        member: asked["document"][member] for member in _FACTS if member in asked["document"]
    }
    connection.execute(
        "UPDATE bottega_trials SET facts = ?, modified = ? WHERE trial_id = ?",
        (as_json({**facts_of(facts), **changed}), now(), number),
    )


def delete(connection: sqlite3.Connection, asked: Mapping[str, Any]) -> None:
    """Remove a trial that has no components.

    Raises:
        Missing: there is no such trial.
        Refusal: it has components.
    """
    number, name = the_trial(connection, asked["name"])
    components = connection.execute(
        "SELECT c.name FROM bottega_members m JOIN bottega_components c ON c.run_uuid = m.run_uuid"
        " JOIN runs r ON r.run_uuid = m.run_uuid"
        " WHERE m.trial_id = ? AND r.lifecycle_stage = ? ORDER BY c.name LIMIT 3",
        (number, ACTIVE),
    ).fetchall()
    if components:
        raise Refusal(
            f"Trial '{name}' has trial components ({', '.join(each for (each,) in components)}). "
            "Disassociate them first."
        )
    remove(connection, [number])


def documents(connection: sqlite3.Connection, numbers: Iterable[int]) -> list[dict[str, Any]]:
    """Trials as SageMaker shows them, in the order of their numbers given; times in seconds.

    ``Tags`` are a mapping here.
    """
    wanted = list(numbers)
    places = ", ".join("?" * len(wanted))
    found: dict[int, dict[str, Any]] = {}
    for number, name, created, modified, facts, tags, experiment in connection.execute(
        "SELECT t.trial_id, t.name, t.created, t.modified, t.facts, t.tags,"
        f" {experiment_name('e')} FROM bottega_trials t"
        " JOIN experiments e ON e.experiment_id = t.experiment_id"
        f" WHERE t.trial_id IN ({places})",
        wanted,
    ):
        found[number] = {
            "TrialName": name,
            "DisplayName": name,
            "ExperimentName": experiment,
            "CreationTime": created / 1000,
            "LastModifiedTime": modified / 1000,
            **facts_of(facts),
            "Tags": facts_of(tags),
        }
    return [found[number] for number in wanted]
