"""Finding an entity by its name. Names are told apart without regard to case, as in SageMaker."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from bottega.tracking.store.catalogue import Missing
from bottega.tracking.store.components import run_of
from bottega.tracking.store.entities.tables import experiment_name

ACTIVE = "active"


class Named(NamedTuple):
    """An experiment or a trial in our tables."""

    number: int
    name: str


def now() -> int:
    """Milliseconds since the epoch."""
    return round(time.time() * 1000)


def as_json(value: Any) -> str:
    """JSON that is as short as it can be."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def facts_of(text: str | None) -> dict[str, Any]:
    """What one of our columns keeps as JSON; nothing where there is nothing."""
    found: dict[str, Any] = json.loads(text or "{}")
    return found


def experiment_of(connection: sqlite3.Connection, name: str) -> Named | None:
    """The experiment that is not deleted and has this name for SageMaker.

    MLflow tells names apart by case: of several that differ in nothing else, the one that is
    written so, or else the oldest.
    """
    shown = experiment_name("e")
    found = connection.execute(
        f"SELECT e.experiment_id, {shown} FROM experiments e"
        f" WHERE e.lifecycle_stage = ? AND {shown} = ? COLLATE NOCASE"
        f" ORDER BY {shown} = ? DESC, e.experiment_id LIMIT 1",
        (ACTIVE, name, name),
    ).fetchone()
    return None if found is None else Named(*found)


def trial_of(connection: sqlite3.Connection, name: str) -> Named | None:
    """The trial of this name whose experiment is not deleted."""
    found = connection.execute(
        "SELECT t.trial_id, t.name FROM bottega_trials t"
        " JOIN experiments e ON e.experiment_id = t.experiment_id"
        " WHERE t.name = ? AND e.lifecycle_stage = ?",
        (name, ACTIVE),
    ).fetchone()
    return None if found is None else Named(*found)


def the_experiment(connection: sqlite3.Connection, name: str) -> Named:
    """:func:`experiment_of`.

    Raises:
        Missing: there is none.
    """
    if (found := experiment_of(connection, name)) is None:
        raise Missing(f"Experiment '{name}' does not exist.")
    return found


def the_trial(connection: sqlite3.Connection, name: str) -> Named:
    """:func:`trial_of`.

    Raises:
        Missing: there is none.
    """
    if (found := trial_of(connection, name)) is None:
        raise Missing(f"Trial '{name}' does not exist.")
    return found


def the_run(connection: sqlite3.Connection, name: str) -> str:
    """The run of a component.

    Raises:
        Missing: there is no such component.
    """
    if (found := run_of(connection, name)) is None:
        raise Missing(f"TrialComponent '{name}' does not exist.")
    return found


def owner_of(connection: sqlite3.Connection, kind: str, name: str) -> Any:
    """The key of an entity of any kind in the tables.

    Raises:
        Missing: there is none.
    """
    if kind == "TrialComponent":
        return the_run(connection, name)
    return (the_experiment if kind == "Experiment" else the_trial)(connection, name).number


def put_tags(
    connection: sqlite3.Connection, table: str, key: str, owner: Any, tags: Mapping[str, str]
) -> None:
    """Set tags of an experiment or a run, over those of the same names.

    Args:
        table: ``tags`` or ``experiment_tags``.
        key: its column that says whose they are.
        owner: the value of that column.
    """
    connection.executemany(
        f"INSERT INTO {table} (key, value, {key}) VALUES (?, ?, ?)"
        f" ON CONFLICT (key, {key}) DO UPDATE SET value = excluded.value",
        [(name, value, owner) for name, value in tags.items()],
    )
