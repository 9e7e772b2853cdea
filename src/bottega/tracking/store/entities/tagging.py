"""SageMaker's tags of experiments, trials and components: those of MLflow that are users' own."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from bottega.tracking.store.catalogue import Refusal
from bottega.tracking.store.entities.experiments import is_users
from bottega.tracking.store.entities.names import as_json, facts_of, owner_of, put_tags

_TABLES = {
    "Experiment": ("experiment_tags", "experiment_id"),
    "TrialComponent": ("tags", "run_uuid"),
}


def tags(connection: sqlite3.Connection, kind: str, name: str) -> dict[str, str]:
    """The tags of an entity, by key.

    Raises:
        Missing: it is not there.
    """
    return _tags(connection, kind, owner_of(connection, kind, name))


def _tags(connection: sqlite3.Connection, kind: str, owner: Any) -> dict[str, str]:
    if kind == "Trial":
        (text,) = connection.execute(
            "SELECT tags FROM bottega_trials WHERE trial_id = ?", (owner,)
        ).fetchone()
        return dict(sorted(facts_of(text).items()))
    table, column = _TABLES[kind]
    rows = connection.execute(
        f"SELECT key, value FROM {table} WHERE {column} = ? ORDER BY key", (owner,)
    )
    return {key: value or "" for key, value in rows if is_users(key)}


def set_tags(connection: sqlite3.Connection, asked: Mapping[str, Any]) -> dict[str, str]:
    """Add tags to an entity or give those it has another value; returns all it has then.

    Args:
        asked: ``kind``, ``name``, ``tags``, and ``limit``, how many it may have.

    Raises:
        Missing: it is not there.
        Refusal: it would have too many, or one is of the tracker's own.
    """
    kind, wanted = asked["kind"], asked["tags"]
    owner = owner_of(connection, kind, asked["name"])
    for key in wanted:
        if not is_users(key):
            raise Refusal(
                f"The tag key {key!r} is of the tracker's own, whose keys begin with 'mlflow.' or "
                "'bottega.'. Choose another one."
            )
    after = {**_tags(connection, kind, owner), **wanted}
    if len(after) > asked["limit"]:
        raise Refusal(f"{kind} '{asked['name']}' would have more than {asked['limit']} tags.")
    if kind == "Trial":
        _put_of_trial(connection, owner, after)
    else:
        put_tags(connection, *_TABLES[kind], owner, wanted)
    return dict(sorted(after.items()))


def _put_of_trial(connection: sqlite3.Connection, trial: int, tags: Mapping[str, str]) -> None:
    connection.execute(
        "UPDATE bottega_trials SET tags = ? WHERE trial_id = ?", (as_json(tags), trial)
    )


def remove_tags(connection: sqlite3.Connection, asked: Mapping[str, Any]) -> None:
    """Remove tags of an entity; keys it does not have are passed over.

    Args:
        asked: ``kind``, ``name`` and ``keys``.

    Raises:
        Missing: it is not there.
    """
    kind = asked["kind"]
    owner = owner_of(connection, kind, asked["name"])
    keys = [key for key in asked["keys"] if is_users(key)]
    if kind == "Trial":
        after = {k: v for k, v in _tags(connection, kind, owner).items() if k not in keys}
        _put_of_trial(connection, owner, after)
        return
    table, column = _TABLES[kind]
    connection.executemany(
        f"DELETE FROM {table} WHERE {column} = ? AND key = ?", [(owner, key) for key in keys]
    )
