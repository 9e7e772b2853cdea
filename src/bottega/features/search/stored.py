"""Pages of results from the metadata store, by an index of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bottega.context import Context
from bottega.features.search.comparing import Condition
from bottega.features.search.expressions import Combination, Match
from bottega.features.search.index import Index
from bottega.features.search.kinds import Candidate, Searchable
from bottega.features.search.properties import OWNED, Property
from bottega.storage.metadata import MetadataStore

TRIES = 4
"""How often a page is made anew because resources on it have changed meanwhile."""


@dataclass(frozen=True)
class Page:
    """Some results."""

    candidates: Sequence[Candidate]
    total: int
    """How many match, on all pages."""
    position: Mapping[str, Any] | None
    """What the next page goes on behind; None on the last one."""


class Indexes:
    """The indexes of one studio, by kind."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._indexes: dict[str, Index] = {}

    def of(self, store: MetadataStore, searchable: Searchable) -> Index:
        """The index of a kind; empty until it is refreshed."""
        with self._lock:
            found = self._indexes.get(searchable.kind)
            if found is None:
                found = self._indexes[searchable.kind] = Index(store, searchable)
            return found


def page(
    context: Context,
    searchable: Searchable,
    match: Match,
    sort_by: Property,
    *,
    descending: bool,
    position: Mapping[str, Any] | None,
    limit: int,
) -> Page:
    """The results after a position, in the order of a property and the name.

    What changes while the page is read does not stand on it as something that it is no more.
    """
    store = context.ports.store
    index = index_of(context, searchable)
    properties = [sort_by, *asked_for(match)]
    for _ in range(TRIES):
        with index.lock:
            index.refresh(properties)
            found = index.checked(index.matching(match), match)
            rows = index.select(found, sort_by, position, descending=descending, limit=limit)
            names = [index.name(row) for row in rows]
        resources = store.get_many(searchable.kind, names)
        tags = store.all_tags(searchable.kind, names)
        candidates = [
            candidate
            for name in names
            if name in resources
            and match(
                candidate := Candidate(searchable, resources[name], store, tags.get(name, {}))
            )
        ]
        if len(candidates) == len(names):
            break
    return Page(candidates, len(found), rows.position)


def vocabulary(context: Context, searchable: Searchable) -> set[str]:
    """Names of properties that owners chose and that some resource has."""
    index = index_of(context, searchable)
    with index.lock:
        index.refresh([], heads=OWNED)
        return index.vocabulary()


def index_of(context: Context, searchable: Searchable) -> Index:
    """The studio's index of a kind."""
    ports = context.ports
    return ports.memory.of(Indexes, Indexes).of(ports.store, searchable)


def asked_for(match: Match) -> Iterator[Property]:
    """The properties that an expression asks for, nested ones aside."""
    if isinstance(match, Condition):
        yield match.property
    elif isinstance(match, Combination):
        for part in match.parts:
            yield from asked_for(part)
