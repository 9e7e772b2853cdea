"""What the grid asks of the runs, answered in SQL as plain dictionaries. Times are milliseconds."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from bottega.tracking.store import search
from bottega.tracking.store.connections import Reader
from bottega.tracking.store.query import (
    DURATION,
    RUN_NAME_TAG,
    Kind,
    RunQuery,
    SortKey,
    numbers,
    parse_conditions,
)
from bottega.tracking.store.statements import TABLES, Sql, is_member

ACTIVE = ("active",)
_EXAMPLE = "An example: metrics.auc > 0.8 and params.max_depth = '6'"
SORTABLE = ("start_time", "end_time", DURATION, "status", "run_name", "run_id", "user_id")
SCANNED_RUNS = 2000
"""Up to so many runs it is quicker to look at what they have than at what there is at all."""

_KINDS: Mapping[str, Kind] = {
    "attributes": "attribute",
    "metrics": "metric",
    "params": "param",
    "tags": "tag",
}
_TAGS = ("mlflow.source.name", "mlflow.user", "bottega.job", RUN_NAME_TAG)
"""Tags that are shown as members of their own."""


class Refusal(Exception):
    """The question is wrong; the message says how."""


class Missing(Exception):
    """What was asked for is not there."""


class Exists(Exception):
    """What was to be made is there."""


def run_query(
    experiment_ids: Sequence[str],
    text: str = "",
    sort_by: str = "",
    ascending: bool = False,
) -> RunQuery:
    """A search as the grid asks for it.

    Args:
        experiment_ids: which experiments' runs are meant.
        text: a filter in MLflow's language.
        sort_by: ``metrics.auc`` and its like; the start when empty.
        ascending: of the order.

    Raises:
        Refusal: the order cannot be had.
        MlflowException: the filter is wrong, or an id is.
    """
    from mlflow.exceptions import MlflowException

    try:
        conditions = parse_conditions(text)
    except MlflowException as error:
        raise Refusal(f"The filter {text!r} cannot be read: {error.message} {_EXAMPLE}") from error
    if conditions is None:
        raise Refusal(f"The filter {text!r} asks for what runs are not searched by. {_EXAMPLE}")
    return RunQuery(numbers(experiment_ids), ACTIVE, conditions, (_sort_key(sort_by, ascending),))


def _sort_key(text: str, ascending: bool) -> SortKey:
    prefix, _, name = (text or "attributes.start_time").partition(".")
    name = name.strip('`"')
    if prefix not in _KINDS or not name or (prefix == "attributes" and name not in SORTABLE):
        raise Refusal(
            f"There is no order by {text!r}. Say metrics.NAME, params.NAME, tags.NAME, or one of "
            + ", ".join(f"attributes.{key}" for key in SORTABLE)
        )
    return SortKey(_KINDS[prefix], name, ascending)


def experiments(reader: Reader, text: str, offset: int, limit: int) -> dict[str, Any]:
    """One window of the experiments whose names have all the words, the last used first."""
    words = text.casefold().split()
    rows = reader.connection.execute(
        "SELECT e.experiment_id, e.name, e.creation_time, e.last_update_time,"
        " (SELECT max(r.start_time) FROM runs r WHERE r.experiment_id = e.experiment_id"
        "  AND r.lifecycle_stage = 'active')"
        " FROM experiments e WHERE e.lifecycle_stage = 'active'"
    )
    found = [
        (max(newest or 0, changed or 0, created or 0), number, name, created)
        for number, name, created, changed, newest in rows
        if all(word in name.casefold() for word in words)
    ]
    found.sort(key=lambda row: (-row[0], row[1]))
    return {
        "total": len(found),
        "experiments": [
            {
                "experiment_id": str(number),
                "name": name,
                "runs": search.count(reader, RunQuery((number,), ACTIVE)),
                "created": created,
                "updated": used or None,
            }
            for used, number, name, created in found[offset : offset + limit]
        ],
    }


def columns(reader: Reader, experiment_ids: Sequence[str]) -> dict[str, list[str]]:
    """The names of the metrics, parameters and tags of the runs, in order of the alphabet."""
    query = RunQuery(numbers(experiment_ids), ACTIVE)
    few = search.count(reader, query) <= SCANNED_RUNS
    return {
        f"{kind}s": (_keys_of_runs if few else _keys_in_use)(reader, query, table)
        for kind, table in TABLES.items()
    }


def _keys_of_runs(reader: Reader, query: RunQuery, table: str) -> list[str]:
    statement = (
        Sql(
            f"SELECT DISTINCT x.key FROM runs r CROSS JOIN {table} x"
            " ON x.run_uuid = r.run_uuid WHERE "
        )
        + is_member(query)
        + " ORDER BY x.key"
    )
    return [key for (key,) in reader.connection.execute(statement.text, statement.values)]


def _keys_in_use(reader: Reader, query: RunQuery, table: str) -> list[str]:
    """Jump from name to name through the index, and look for one run of each."""
    statement = (
        Sql(
            "WITH RECURSIVE keys(key) AS ("
            f" SELECT min(key) FROM {table} UNION ALL"
            f" SELECT (SELECT min(x.key) FROM {table} x WHERE x.key > keys.key)"
            " FROM keys WHERE keys.key IS NOT NULL)"
            f" SELECT key FROM keys WHERE key IS NOT NULL AND EXISTS (SELECT 1 FROM {table} x"
            " CROSS JOIN runs r ON r.run_uuid = x.run_uuid WHERE x.key = keys.key AND "
        )
        + is_member(query)
        + ")"
    )
    return [key for (key,) in reader.connection.execute(statement.text, statement.values)]


def window(
    reader: Reader,
    query: RunQuery,
    offset: int,
    limit: int,
    wanted: Mapping[str, Collection[str] | None],
) -> dict[str, Any]:
    """One window of the runs that match, and how many do.

    Args:
        wanted: for ``metrics``, ``params`` and ``tags`` which names to answer; None answers all.
    """
    ids, total = search.page_and_total(reader, query, offset, limit)
    return {"runs": overviews(reader, ids, wanted), "total": total}


def overviews(
    reader: Reader, ids: Sequence[str], wanted: Mapping[str, Collection[str] | None]
) -> list[dict[str, Any]]:
    """What the grid shows of runs, in the order of their ids."""
    places = ", ".join("?" * len(ids))
    found: dict[str, dict[str, Any]] = {}
    for run, name, experiment, user, status, start, end, source in reader.connection.execute(
        "SELECT run_uuid, name, experiment_id, user_id, status, start_time, end_time, source_name"
        f" FROM runs WHERE run_uuid IN ({places})",
        tuple(ids),
    ):
        found[run] = {
            "run_id": run,
            "run_name": name or "",
            "experiment_id": str(experiment),
            "status": status or "SCHEDULED",
            "started": start,
            "ended": end,
            "user": user or "",
            "source": source or "",
            "job": "",
            "metrics": {},
            "params": {},
            "tags": {},
        }
    for run, key, value, is_nan in _values(reader, "metric", ids, wanted["metrics"], ", x.is_nan"):
        found[run]["metrics"][key] = float("nan") if is_nan else value
    for run, key, value in _values(reader, "param", ids, wanted["params"]):
        found[run]["params"][key] = value
    shown = wanted["tags"]
    names = None if shown is None else {*shown, *_TAGS}
    for run, key, value in _values(reader, "tag", ids, names):
        overview = found[run]
        if shown is None or key in shown:
            overview["tags"][key] = value or ""
        if key == "bottega.job":
            overview["job"] = value or ""
        elif key == "mlflow.source.name":
            overview["source"] = overview["source"] or value or ""
        elif key == "mlflow.user":
            overview["user"] = overview["user"] or value or ""
        elif key == RUN_NAME_TAG:
            overview["run_name"] = overview["run_name"] or value or ""
    return [found[run] for run in ids]


def _values(
    reader: Reader, kind: str, ids: Sequence[str], names: Iterable[str] | None, more: str = ""
) -> Iterator[Any]:
    chosen = None if names is None else sorted(set(names))
    if chosen == [] or not ids:
        return iter(())
    places = ", ".join("?" * len(ids))
    # The plus keeps SQLite from going by the name, which is that of every run's.
    keys = "" if chosen is None else f" AND +x.key IN ({', '.join('?' * len(chosen))})"
    return reader.connection.execute(
        f"SELECT x.run_uuid, x.key, x.value{more} FROM {TABLES[kind]} x"
        f" WHERE x.run_uuid IN ({places}){keys}",
        (*ids, *(chosen or ())),
    )


def run(reader: Reader, run_id: str) -> dict[str, Any]:
    """Everything the database knows of a run.

    Raises:
        Missing: there is no such run.
    """
    row = reader.connection.execute(
        "SELECT r.artifact_uri, e.name FROM runs r JOIN experiments e"
        " ON e.experiment_id = r.experiment_id WHERE r.run_uuid = ?",
        (run_id,),
    ).fetchone()
    if row is None:
        raise Missing(f"There is no run {run_id!r} in the tracking store.")
    everything = {"metrics": None, "params": None, "tags": None}
    return {
        "run": overviews(reader, [run_id], everything)[0],
        "artifact_uri": row[0] or "",
        "experiment_name": row[1],
        "inputs": _inputs(reader, run_id),
        "models": _models(reader, run_id),
    }


def _inputs(reader: Reader, run_id: str) -> list[dict[str, str]]:
    rows = reader.connection.execute(
        "SELECT d.name, d.digest, d.dataset_source,"
        " (SELECT t.value FROM input_tags t WHERE t.input_uuid = i.input_uuid"
        "  AND t.name = 'mlflow.data.context')"
        " FROM inputs i JOIN datasets d ON d.dataset_uuid = i.source_id"
        " WHERE i.destination_type = 'RUN' AND i.destination_id = ? ORDER BY d.name, d.digest",
        (run_id,),
    )
    return [
        {"name": name, "digest": digest, "source": place_of(source), "context": context or ""}
        for name, digest, source, context in rows
    ]


def place_of(source: str) -> str:
    """Where a data set came from, out of MLflow's JSON about it."""
    try:
        facts = json.loads(source)
    except (ValueError, RecursionError):
        return source
    if isinstance(facts, dict):
        for key in ("uri", "url", "path", "table_name"):
            if isinstance(facts.get(key), str):
                return str(facts[key])
    return source


def _models(reader: Reader, run_id: str) -> list[dict[str, str]]:
    """The models that the run logged as models; the newest of each name."""
    rows = reader.connection.execute(
        "SELECT DISTINCT m.name, m.model_id, m.artifact_location, m.creation_timestamp_ms"
        " FROM logged_models m WHERE m.lifecycle_stage = 'active' AND m.model_id IN ("
        "  SELECT model_id FROM logged_models WHERE source_run_id = ? UNION"
        "  SELECT destination_id FROM inputs WHERE source_type = 'RUN_OUTPUT' AND source_id = ?"
        "  AND destination_type = 'MODEL_OUTPUT')"
        " ORDER BY m.creation_timestamp_ms, m.model_id",
        (run_id, run_id),
    )
    newest = {
        name: {"name": name, "model_id": model, "location": location}
        for name, model, location, _ in rows
    }
    return list(newest.values())
