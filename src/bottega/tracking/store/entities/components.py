"""Making and changing trial components: runs of MLflow's, and what is beside them."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from bottega.tracking.store.catalogue import Exists, Refusal
from bottega.tracking.store.components import run_of
from bottega.tracking.store.entities import trials
from bottega.tracking.store.entities.experiments import ARTIFACTS, home_without_trial
from bottega.tracking.store.entities.members import (
    ARTIFACT_PREFIXES,
    METADATA_TAGS,
    RUN_STATUS,
    as_param,
    status,
    status_facts,
)
from bottega.tracking.store.entities.names import (
    as_json,
    facts_of,
    now,
    put_tags,
    the_run,
    the_trial,
    trial_of,
)
from bottega.tracking.store.query import RUN_NAME_TAG

_NAME_LENGTH = 250
REMOVALS: Mapping[str, str] = {
    "ParametersToRemove": "Parameters",
    "InputArtifactsToRemove": "InputArtifacts",
    "OutputArtifactsToRemove": "OutputArtifacts",
}
"""Members of UpdateTrialComponent, and from which member they remove."""


def create(connection: sqlite3.Connection, asked: Mapping[str, Any]) -> None:
    """Make a component that belongs to no trial yet.

    Args:
        asked: ``name``; ``document`` with any members of CreateTrialComponent, and CreatedBy;
            ``tags``; ``user``, who the run is of.

    Raises:
        Exists: there is one of this name.
    """
    name, document = asked["name"], asked["document"]
    if run_of(connection, name) is not None:
        raise Exists(f"TrialComponent '{name}' already exists.")
    started = document.get("StartTime")
    facts = {} if started is not None else {"unstarted": True}
    if "CreatedBy" in document:
        facts["created_by"] = document["CreatedBy"]
    run = insert(
        connection,
        name=name,
        experiment=home_without_trial(connection),
        display=document.get("DisplayName", name),
        started=now() if started is None else milliseconds(started),
        user=asked["user"],
        facts=facts,
    )
    put_tags(connection, "tags", "run_uuid", run, asked["tags"])
    change(connection, run, document)


def insert(
    connection: sqlite3.Connection,
    *,
    name: str,
    experiment: int,
    display: str,
    started: int,
    user: str,
    facts: Mapping[str, Any],
) -> str:
    """Make the run of a component; returns its id, which is also the name where none is given.

    Whoever had the name loses it and is called by its run's id: a run that was deleted in MLflow,
    or that of an earlier job of the same name.
    """
    run = uuid.uuid4().hex
    moment = now()
    connection.execute("UPDATE bottega_components SET name = run_uuid WHERE name = ?", (name,))
    # First, so that the trigger on runs finds it and leaves it out of the default trial.
    connection.execute(
        "INSERT INTO bottega_components (run_uuid, name, created, modified, facts)"
        " VALUES (?, ?, ?, ?, ?)",
        (run, name or run, moment, moment, as_json(facts)),
    )
    (location,) = connection.execute(
        "SELECT artifact_location FROM experiments WHERE experiment_id = ?", (experiment,)
    ).fetchone()
    folder = location or f"{ARTIFACTS}{experiment}"
    connection.execute(
        "INSERT INTO runs (run_uuid, name, source_type, source_name, entry_point_name, user_id,"
        " status, start_time, source_version, lifecycle_stage, artifact_uri, experiment_id)"
        " VALUES (?, ?, 'UNKNOWN', '', '', ?, 'SCHEDULED', ?, '', 'active', ?, ?)",
        (run, display[:_NAME_LENGTH], user, started, f"{folder}/{run}/artifacts", experiment),
    )
    put_tags(connection, "tags", "run_uuid", run, {RUN_NAME_TAG: display[:_NAME_LENGTH]})
    return run


def update(connection: sqlite3.Connection, asked: Mapping[str, Any]) -> None:
    """Change what UpdateTrialComponent changes: maps are merged, and keys removed from them.

    Args:
        asked: ``name``, and ``document`` with the request's members and LastModifiedBy.

    Raises:
        Missing: there is no such component.
    """
    change(connection, the_run(connection, asked["name"]), asked["document"])


def change(connection: sqlite3.Connection, run: str, document: Mapping[str, Any]) -> None:
    """Write members of a component over what is there; what is to be removed goes first."""
    known = _facts(connection, run)
    changes: dict[str, Any] = {}
    if "DisplayName" in document:
        changes["name"] = document["DisplayName"][:_NAME_LENGTH]
        put_tags(connection, "tags", "run_uuid", run, {RUN_NAME_TAG: changes["name"]})
    facts: dict[str, Any] = {}
    if "Status" in document:
        given = document["Status"]
        if "PrimaryStatus" in given:
            changes["status"] = RUN_STATUS[given["PrimaryStatus"]]
        else:  # AWS's clients may send a message alone, which is about the status that is there
            given = {**_status(connection, run, known), **given}
        facts |= status_facts(given)
    if "StartTime" in document:
        changes["start_time"] = milliseconds(document["StartTime"])
        facts["unstarted"] = None
    if "EndTime" in document:
        changes["end_time"] = milliseconds(document["EndTime"])
    if "LastModifiedBy" in document:
        facts["modified_by"] = document["LastModifiedBy"]
    if changes:
        columns = ", ".join(f"{column} = ?" for column in changes)
        connection.execute(
            f"UPDATE runs SET {columns} WHERE run_uuid = ?", (*changes.values(), run)
        )
    tags = {
        METADATA_TAGS[name]: value for name, value in document.get("MetadataProperties", {}).items()
    }
    put_tags(connection, "tags", "run_uuid", run, tags)
    _remove(connection, run, document, known)
    put_parameters(connection, run, document.get("Parameters", {}), known)
    _put_artifacts(connection, run, document, known)
    keep(connection, run, {**known, **facts})


def milliseconds(seconds: float) -> int:
    """A moment as MLflow keeps it."""
    return round(seconds * 1000)


def _facts(connection: sqlite3.Connection, run: str) -> dict[str, Any]:
    (text,) = connection.execute(
        "SELECT facts FROM bottega_components WHERE run_uuid = ?", (run,)
    ).fetchone()
    return facts_of(text)


def _status(connection: sqlite3.Connection, run: str, facts: Mapping[str, Any]) -> dict[str, str]:
    """The PrimaryStatus of a component that has one."""
    (present,) = connection.execute("SELECT status FROM runs WHERE run_uuid = ?", (run,)).fetchone()
    shown = status(present or "", facts)
    return {"PrimaryStatus": shown["PrimaryStatus"]} if shown else {}


def keep(connection: sqlite3.Connection, run: str, facts: Mapping[str, Any]) -> None:
    """Keep a component's facts, as changed now; those that are None or empty are forgotten."""
    kept = {name: value for name, value in facts.items() if value not in (None, [], {})}
    connection.execute(
        "UPDATE bottega_components SET facts = ?, modified = ? WHERE run_uuid = ?",
        (as_json(kept), now(), run),
    )


def put_parameters(
    connection: sqlite3.Connection,
    run: str,
    parameters: Mapping[str, Mapping[str, Any]],
    facts: dict[str, Any],
) -> None:
    """Set parameters of a component, in MLflow and in ``facts``."""
    texts = set(facts.get("text", []))
    rows = []
    for key, value in parameters.items():
        text, is_text = as_param(value)
        (texts.add if is_text else texts.discard)(key)
        rows.append((key, text, run))
    put_params(connection, rows)
    facts["text"] = sorted(texts)


def put_params(connection: sqlite3.Connection, rows: Iterable[tuple[str, str, str]]) -> None:
    """Set params: name, value and run of each. MLflow itself refuses to change one."""
    connection.executemany(
        "INSERT INTO params (key, value, run_uuid) VALUES (?, ?, ?)"
        " ON CONFLICT (key, run_uuid) DO UPDATE SET value = excluded.value",
        rows,
    )


def _put_artifacts(
    connection: sqlite3.Connection, run: str, document: Mapping[str, Any], facts: dict[str, Any]
) -> None:
    media = dict(facts.get("media", {}))
    tags: dict[str, str] = {}
    for member, prefix in ARTIFACT_PREFIXES.items():
        for name, artifact in document.get(member, {}).items():
            key = f"{prefix}{name}"
            tags[key] = artifact["Value"]
            media.pop(key, None)
            if "MediaType" in artifact:
                media[key] = artifact["MediaType"]
    put_tags(connection, "tags", "run_uuid", run, tags)
    facts["media"] = media


def _remove(
    connection: sqlite3.Connection, run: str, document: Mapping[str, Any], facts: dict[str, Any]
) -> None:
    for removal, member in REMOVALS.items():
        prefix = ARTIFACT_PREFIXES.get(member, "")
        keys = [f"{prefix}{key}" for key in document.get(removal, [])]
        if prefix:
            table = "tags"
            facts["media"] = {k: v for k, v in facts.get("media", {}).items() if k not in keys}
        else:
            table = "params"
            facts["text"] = [key for key in facts.get("text", []) if key not in keys]
        connection.executemany(
            f"DELETE FROM {table} WHERE run_uuid = ? AND key = ?", [(run, key) for key in keys]
        )


def delete(connection: sqlite3.Connection, asked: Mapping[str, Any]) -> None:
    """Delete a component that belongs to no trial: its run is marked as MLflow marks it.

    Raises:
        Missing: there is no such component.
        Refusal: it belongs to a trial.
    """
    name = asked["name"]
    run = the_run(connection, name)
    of_trials = [trial for trial, _ in parents(connection, [run]).get(run, [])]
    if of_trials:
        raise Refusal(
            f"TrialComponent '{name}' belongs to {', '.join(of_trials[:3])}. Disassociate it first."
        )
    connection.execute(
        "UPDATE runs SET lifecycle_stage = 'deleted', deleted_time = ? WHERE run_uuid = ?",
        (now(), run),
    )
    connection.execute("DELETE FROM bottega_members WHERE run_uuid = ?", (run,))
    connection.execute("DELETE FROM bottega_components WHERE run_uuid = ?", (run,))


def parents(
    connection: sqlite3.Connection, runs: Iterable[str]
) -> dict[str, list[tuple[str, int]]]:
    """The trials of each run that has some: their names and experiments' numbers."""
    wanted = list(runs)
    found: dict[str, list[tuple[str, int]]] = {}
    for run, trial, experiment in connection.execute(
        "SELECT m.run_uuid, t.name, t.experiment_id FROM bottega_members m"
        " JOIN bottega_trials t ON t.trial_id = m.trial_id"
        " JOIN experiments e ON e.experiment_id = t.experiment_id"
        f" WHERE m.run_uuid IN ({', '.join('?' * len(wanted))}) AND e.lifecycle_stage = 'active'"
        " ORDER BY t.trial_id",
        wanted,
    ):
        found.setdefault(run, []).append((trial, experiment))
    return found


def associate(connection: sqlite3.Connection, asked: Mapping[str, Any]) -> dict[str, str]:
    """Make a component belong to a trial, beside those that it belongs to already.

    Returns:
        The names of both, as they are written.

    Raises:
        Missing: one of them is not there.
    """
    run = the_run(connection, asked["component"])
    trial, _ = the_trial(connection, asked["trial"])
    join(connection, run, trial)
    return _names(connection, run, trial)


def join(connection: sqlite3.Connection, run: str, trial: int) -> None:
    """Make a run belong to a trial. With its first trial it moves to the trial's experiment."""
    connection.execute(
        "UPDATE runs SET experiment_id ="
        " (SELECT experiment_id FROM bottega_trials WHERE trial_id = ?) WHERE run_uuid = ?"
        " AND NOT EXISTS (SELECT 1 FROM bottega_members m WHERE m.run_uuid = runs.run_uuid)",
        (trial, run),
    )
    connection.execute(
        "INSERT INTO bottega_members (trial_id, run_uuid) VALUES (?, ?) ON CONFLICT DO NOTHING",
        (trial, run),
    )
    connection.execute(
        "UPDATE bottega_components SET modified = ? WHERE run_uuid = ?", (now(), run)
    )


def disassociate(connection: sqlite3.Connection, asked: Mapping[str, Any]) -> dict[str, str]:
    """Make a component belong to a trial no more; one that it does not belong to is passed over.

    Returns, raises: as :func:`associate`.
    """
    run = the_run(connection, asked["component"])
    trial, _ = the_trial(connection, asked["trial"])
    connection.execute(
        "DELETE FROM bottega_members WHERE trial_id = ? AND run_uuid = ?", (trial, run)
    )
    connection.execute(
        "UPDATE bottega_components SET modified = ? WHERE run_uuid = ?", (now(), run)
    )
    return _names(connection, run, trial)


def _names(connection: sqlite3.Connection, run: str, trial: int) -> dict[str, str]:
    component, of_trial = connection.execute(
        "SELECT (SELECT name FROM bottega_components WHERE run_uuid = ?),"
        " (SELECT name FROM bottega_trials WHERE trial_id = ?)",
        (run, trial),
    ).fetchone()
    return {"component": component, "trial": of_trial}


def trial_for(connection: sqlite3.Connection, experiment: int, name: str) -> int:
    """The trial of a job's ExperimentConfig, made in the experiment where there is none.

    Args:
        name: empty for the experiment's default trial.
    """
    if not name:
        return trials.default_of(connection, experiment)
    found = trial_of(connection, name)
    return trials.insert(connection, name, experiment, {}, {}) if found is None else found.number
