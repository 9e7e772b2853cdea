"""The port to SageMaker's entities, on the tracking server."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import urllib3

from bottega.tracking.experiments import (
    Association,
    Document,
    EntityKind,
    EntityPage,
    EntityQuestion,
    ExperimentStore,
    NewEntity,
)
from bottega.tracking.rest import TrackingServer

PATIENCE_SECONDS = 15.0
"""How long a call waits for a tracker that is starting."""
TIMEOUT = urllib3.Timeout(connect=5, read=30)


class TrackingServerExperiments(ExperimentStore):
    """Entities in the tracking server that listens on a Unix socket.

    Args:
        socket: the tracker's own socket.
        changed: told whenever something was changed.
        patience: seconds that a call waits for a tracker that is starting.
    """

    def __init__(
        self,
        socket: Path,
        *,
        changed: Callable[[str], None] = lambda experiment: None,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._server = TrackingServer(socket)
        self._changed = changed
        self._patience = patience

    def close(self) -> None:
        """Close the connections."""
        self._server.close()

    def create(self, entity: NewEntity) -> None:
        self._change("create", asdict(entity))

    def describe(self, kind: EntityKind, name: str) -> Document:
        found: Document = self._ask("describe", {"kind": kind, "name": name})
        return found

    def update(self, kind: EntityKind, name: str, changes: Document) -> None:
        self._change("update", {"kind": kind, "name": name, "document": changes})

    def delete(self, kind: EntityKind, name: str) -> None:
        self._change("delete", {"kind": kind, "name": name})

    def associate(self, component: str, trial: str) -> Association:
        return Association(**self._change("associate", {"component": component, "trial": trial}))

    def disassociate(self, component: str, trial: str) -> Association:
        asked = {"component": component, "trial": trial}
        return Association(**self._change("disassociate", asked))

    def find(self, question: EntityQuestion) -> EntityPage:
        return EntityPage(**self._ask("find", asdict(question)))

    def property_names(self, kind: EntityKind, hint: str) -> Sequence[str]:
        found: Sequence[str] = self._ask("property-names", {"kind": kind, "hint": hint})
        return found

    def tags(self, kind: EntityKind, name: str) -> Mapping[str, str]:
        found: Mapping[str, str] = self._ask("tags", {"kind": kind, "name": name})
        return found

    def set_tags(
        self, kind: EntityKind, name: str, tags: Mapping[str, str], *, limit: int
    ) -> Mapping[str, str]:
        asked = {"kind": kind, "name": name, "tags": tags, "limit": limit}
        present: Mapping[str, str] = self._change("set-tags", asked)
        return present

    def remove_tags(self, kind: EntityKind, name: str, keys: Sequence[str]) -> None:
        self._change("remove-tags", {"kind": kind, "name": name, "keys": list(keys)})

    def _change(self, change: str, asked: Mapping[str, Any]) -> Any:
        answer = self._ask(change, asked)
        self._changed("")
        return answer

    def _ask(self, question: str, asked: Mapping[str, Any]) -> Any:
        return self._server.ask_when_ready(
            f"entities/{question}", asked, timeout=TIMEOUT, patience=self._patience
        )
