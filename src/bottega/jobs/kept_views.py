"""What was made of the documents of all jobs of a kind, kept for as long as it holds."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from bottega.storage.metadata import MetadataStore, Outline, Resource

View = TypeVar("View")


class KeptViews(Generic[View]):
    """A view of each job, made once for each version.

    Sorting by what only the documents say needs all of them, some of it by rules that a database
    does not know. So the documents are read once, and what was made of them is kept as long as the
    job's version stays. Each list asks the store for all versions, which takes some milliseconds
    for ten thousand jobs, and so is right whatever events are still on their way and whoever else
    writes to the store. Safe to use from any thread.

    Args:
        kind: of the jobs, in the store.
        make: the view of a document.
    """

    def __init__(self, store: MetadataStore, kind: str, make: Callable[[Resource], View]) -> None:
        self._store = store
        self._kind = kind
        self._make = make
        self._lock = threading.Lock()
        self._known: dict[str, tuple[tuple[int, float], View]] = {}

    def of(self, outlines: Iterable[Outline]) -> dict[str, View]:
        """The views of these jobs by name, without those deleted since."""
        with self._lock:
            known, wanted = self._known, {one.name: _state(one) for one in outlines}
            stale = [
                name
                for name, state in wanted.items()
                if (held := known.get(name)) is None or held[0] != state
            ]
            for name in stale:
                known.pop(name, None)
            for name, job in self._store.get_many(self._kind, stale).items():
                known[name] = _state(job), self._make(job)
            return {name: known[name][1] for name in wanted if name in known}

    def keep_only(self, outlines: Iterable[Outline]) -> None:
        """Forget the jobs that are not among these, which are all there are."""
        present = {outline.name for outline in outlines}
        with self._lock:
            if len(self._known) > len(present):
                self._known = {n: view for n, view in self._known.items() if n in present}


def _state(job: Outline | Resource) -> tuple[int, float]:
    """What tells a version of a job from every other, also of a later job of its name."""
    return job.version, job.created
