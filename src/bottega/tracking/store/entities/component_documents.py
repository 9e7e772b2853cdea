"""Trial components as SageMaker shows them, read from MLflow's tables."""

from __future__ import annotations

import math
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from bottega.tracking.experiments import ARN_TAG, KIND_TAG
from bottega.tracking.store.catalogue import place_of
from bottega.tracking.store.entities.components import parents
from bottega.tracking.store.entities.members import (
    ARTIFACT_PREFIXES,
    USER_TAG,
    from_tags,
    parameter,
    status,
)
from bottega.tracking.store.entities.names import facts_of
from bottega.tracking.store.entities.tables import experiment_name

_FAILURE_TAG = "bottega.failure"
"""Why a job failed, by its tracker."""
_LONGEST_MESSAGE = 1024
_SHORT_TAGS = (ARN_TAG, KIND_TAG, USER_TAG, _FAILURE_TAG)
_SHORT = ("Source",)


def documents(
    connection: sqlite3.Connection, runs: Sequence[str], *, whole: bool
) -> list[dict[str, Any]]:
    """Components in the order of their runs; times in seconds.

    ``Tags`` are a mapping here, and ``Parents`` and ``RunId`` are there beside what Describe shows.

    Args:
        whole: also parameters, artifacts, metrics and tags; else what a List shows.
    """
    found = {run: (document, facts) for run, document, facts in _heads(connection, runs)}
    tags: dict[str, dict[str, str]] = defaultdict(dict)
    keys = "" if whole else f" AND +key IN ({', '.join('?' * len(_SHORT_TAGS))})"
    for run, key, value in connection.execute(
        f"SELECT run_uuid, key, value FROM tags WHERE run_uuid IN ({_places(runs)}){keys}"
        " ORDER BY key",
        (*runs, *(() if whole else _SHORT_TAGS)),
    ):
        tags[run][key] = value or ""
    for run, (document, facts) in found.items():
        if (user := tags[run].get(USER_TAG)) and "CreatedBy" not in document:
            document["CreatedBy"] = {"UserProfileName": user}
        shown = document.get("Status", {})
        if shown.get("PrimaryStatus") == "Failed" and (reason := tags[run].get(_FAILURE_TAG)):
            shown.setdefault("Message", reason[:_LONGEST_MESSAGE])
        members = from_tags(tags[run], facts)
        document |= members if whole else {k: members[k] for k in _SHORT if k in members}
    if whole:
        _add_parameters(connection, runs, found)
        _add_logged(connection, runs, found)
        for run, metric in summaries(connection, runs):
            found[run][0]["Metrics"].append(metric)
        _add_parents(connection, runs, found)
    return [found[run][0] for run in runs]


def _places(runs: Sequence[str]) -> str:
    return ", ".join("?" * len(runs))


Found = dict[str, tuple[dict[str, Any], dict[str, Any]]]
"""Document and facts by run."""


def _heads(
    connection: sqlite3.Connection, runs: Sequence[str]
) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    for run, name, display, run_status, start, end, created, modified, text in connection.execute(
        "SELECT c.run_uuid, c.name, r.name, r.status, r.start_time, r.end_time,"
        " c.created, c.modified, c.facts"
        " FROM bottega_components c JOIN runs r ON r.run_uuid = c.run_uuid"
        f" WHERE c.run_uuid IN ({_places(runs)})",
        runs,
    ):
        facts = facts_of(text)
        document: dict[str, Any] = {
            "TrialComponentName": name,
            "RunId": run,
            "DisplayName": display or name,
            "CreationTime": created / 1000,
            "LastModifiedTime": modified / 1000,
        }
        if shown := status(run_status or "", facts):
            document["Status"] = shown
        if start is not None and not facts.get("unstarted"):
            document["StartTime"] = start / 1000
        if end is not None:
            document["EndTime"] = end / 1000
        for fact, member in (("created_by", "CreatedBy"), ("modified_by", "LastModifiedBy")):
            if fact in facts:
                document[member] = facts[fact]
        yield run, document, facts


def _add_parameters(connection: sqlite3.Connection, runs: Sequence[str], found: Found) -> None:
    for document, _ in found.values():
        document["Parameters"] = {}
        document["Metrics"] = []
    for run, key, value in connection.execute(
        f"SELECT run_uuid, key, value FROM params WHERE run_uuid IN ({_places(runs)}) ORDER BY key",
        runs,
    ):
        document, facts = found[run]
        is_text = key in facts.get("text", ())
        document["Parameters"][key] = parameter(value, is_text=is_text)


def _add_logged(connection: sqlite3.Connection, runs: Sequence[str], found: Found) -> None:
    """What plain mlflow clients log as inputs and as models, as artifacts."""
    inputs, outputs = ARTIFACT_PREFIXES
    for run, name, source in connection.execute(
        "SELECT i.destination_id, d.name, d.dataset_source FROM inputs i"
        " JOIN datasets d ON d.dataset_uuid = i.source_id"
        f" WHERE i.destination_type = 'RUN' AND i.destination_id IN ({_places(runs)})",
        runs,
    ):
        found[run][0][inputs].setdefault(name, {"Value": place_of(source)})
    for run, name, location in connection.execute(
        "SELECT source_run_id, name, artifact_location FROM logged_models"
        f" WHERE lifecycle_stage = 'active' AND source_run_id IN ({_places(runs)})"
        " ORDER BY creation_timestamp_ms DESC",
        runs,
    ):
        found[run][0][outputs].setdefault(name, {"Value": location})


def _add_parents(connection: sqlite3.Connection, runs: Sequence[str], found: Found) -> None:
    names = dict(
        connection.execute(
            f"SELECT e.experiment_id, {experiment_name('e')} FROM experiments e"
            " WHERE e.experiment_id IN (SELECT t.experiment_id FROM bottega_trials t"
            "  JOIN bottega_members m ON m.trial_id = t.trial_id"
            f"  WHERE m.run_uuid IN ({_places(runs)}))",
            runs,
        )
    )
    for run, trials in parents(connection, runs).items():
        found[run][0]["Parents"] = [
            {"TrialName": trial, "ExperimentName": names[experiment]}
            for trial, experiment in trials
        ]


_SUMMARY = (
    "WITH s AS (SELECT run_uuid, key, max(timestamp) AS time, count(*) AS points,"
    " max(value) AS most, min(value) AS least, avg(value) AS mean"
    " FROM metrics WHERE run_uuid IN ({}) AND is_nan = 0 GROUP BY run_uuid, key)"
    " SELECT s.*,"
    # A second pass over the points: a mean far from 0 leaves nothing of a variance in one.
    " CASE WHEN s.most = s.least THEN 0.0 ELSE (SELECT avg((m.value - s.mean) * (m.value - s.mean))"
    "  FROM metrics m WHERE m.run_uuid = s.run_uuid AND m.key = s.key AND m.is_nan = 0) END,"
    " (SELECT CASE WHEN l.is_nan THEN NULL ELSE l.value END FROM latest_metrics l"
    "  WHERE l.run_uuid = s.run_uuid AND l.key = s.key)"
    " FROM s ORDER BY s.run_uuid, s.key"
)


def summaries(
    connection: sqlite3.Connection, runs: Sequence[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The statistics of each metric of each run; what is not a number is left out of them.

    StdDev is that of the points as a population.
    """
    for run, key, time, points, most, least, mean, variance, last in connection.execute(
        _SUMMARY.format(_places(runs)), runs
    ):
        summary = {
            "MetricName": key,
            "TimeStamp": time / 1000,
            "Max": most,
            "Min": least,
            "Last": last,
            "Count": points,
            "Avg": mean,
            "StdDev": None if variance is None else math.sqrt(variance),
        }
        yield run, {name: value for name, value in summary.items() if _is_sayable(value)}


def _is_sayable(value: Any) -> bool:
    """Whether there is such a value, and JSON has a word for it: the sum of the greatest numbers
    there are has none."""
    return value is not None and (not isinstance(value, float) or math.isfinite(value))
