"""What the daemon asks about experiments, trials and trial components, and has changed in them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

from bottega.tracking.store.connections import Reader
from bottega.tracking.store.entities import components, experiments, job_runs, tagging, trials
from bottega.tracking.store.entities.finding import documents, find
from bottega.tracking.store.entities.names import owner_of
from bottega.tracking.store.entities.suggestions import property_names

Arguments = Mapping[str, Any]
Change = Callable[[sqlite3.Connection, Arguments], Any]

_MODULES = {"Experiment": experiments, "Trial": trials, "TrialComponent": components}


def _describe(reader: Reader, asked: Arguments) -> Any:
    kind = asked["kind"]
    owner = owner_of(reader.connection, kind, asked["name"])
    return documents(reader, kind, [owner], whole=True)[0]


def _tags(reader: Reader, asked: Arguments) -> Any:
    return tagging.tags(reader.connection, asked["kind"], asked["name"])


def _of_its_kind(change: str) -> Change:
    def changed(connection: sqlite3.Connection, asked: Arguments) -> Any:
        return getattr(_MODULES[asked["kind"]], change)(connection, asked)

    return changed


READS: Mapping[str, Callable[[Reader, Arguments], Any]] = {
    "entities/describe": _describe,
    "entities/find": find,
    "entities/property-names": property_names,
    "entities/tags": _tags,
}
CHANGES: Mapping[str, Change] = {
    "entities/create": _of_its_kind("create"),
    "entities/update": _of_its_kind("update"),
    "entities/delete": _of_its_kind("delete"),
    "entities/associate": components.associate,
    "entities/disassociate": components.disassociate,
    "entities/set-tags": tagging.set_tags,
    "entities/remove-tags": tagging.remove_tags,
    "entities/open-run": job_runs.open_run,
}
