"""Which properties entities have by names that their users chose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from bottega.tracking.store.connections import Reader
from bottega.tracking.store.entities.experiments import is_users

MOST = 100

_TABLES: Mapping[str, Mapping[str, str]] = {
    "TrialComponent": {"Metrics": "latest_metrics", "Parameters": "params", "Tags": "tags"},
    "Experiment": {"Tags": "experiment_tags"},
}
"""By the property's head, the table with its names."""


def property_names(reader: Reader, asked: Mapping[str, Any]) -> list[str]:
    """Names of properties that begin with a hint.

    Args:
        asked: ``kind`` and ``hint``.
    """
    kind, hint = asked["kind"], asked["hint"]
    if kind == "Trial":
        rows = reader.connection.execute(
            "SELECT DISTINCT x.key FROM bottega_trials t, json_each(t.tags) x ORDER BY x.key"
        )
        found = (f"Tags.{key}" for (key,) in rows)
        return list(islice((name for name in found if name.startswith(hint)), MOST))
    return sorted(
        name
        for head, table in _TABLES[kind].items()
        for name in islice(_named(reader, f"{head}.", table, hint), MOST)
    )[:MOST]


def _named(reader: Reader, head: str, table: str, hint: str) -> Iterator[str]:
    """Jump from name to name through the table's index, beginning at the hint."""
    if not (head.startswith(hint) or hint.startswith(head)):
        return
    beginning = hint.removeprefix(head) if hint.startswith(head) else ""
    key, step = beginning, ">="
    while True:
        (found,) = reader.connection.execute(
            f"SELECT min(key) FROM {table} WHERE key {step} ?", (key,)
        ).fetchone()
        if found is None or not found.startswith(beginning):
            return
        if table in ("params", "latest_metrics") or is_users(found):
            yield f"{head}{found}"
        key, step = found, ">"
