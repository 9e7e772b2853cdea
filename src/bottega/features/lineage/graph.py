"""The whole graph of a studio: what clients made and what follows from resources."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from bottega.config import Config
from bottega.context import Context
from bottega.features.lineage.derived import ENDPOINT_CONFIG, KINDS, MODEL, Piece, piece_of
from bottega.features.lineage.entities import Edge, Entity
from bottega.ports import Ports
from bottega.storage.metadata import MetadataStore, Resource, ResourceMissing, ResourceQuery

ARTIFACT, ACTION, CONTEXT, ASSOCIATION = "Artifact", "Action", "Context", "Association"
STORED = (ARTIFACT, ACTION, CONTEXT, ASSOCIATION)
_LOOKED_UP = (ENDPOINT_CONFIG, MODEL)


class Graph:
    """Entities by ARN and the edges between them."""

    def __init__(self, pieces: Iterable[Piece]) -> None:
        self.entities: dict[str, Entity] = {}
        edges: dict[tuple[str, str, str], Edge] = {}
        for piece in pieces:
            for entity in piece.entities:
                present = self.entities.get(entity.arn)
                if present is None or _is_better(entity, present):
                    self.entities[entity.arn] = entity
            for edge in piece.edges:
                key = (edge.source, edge.destination, edge.association)
                if key not in edges or edge.stored:
                    edges[key] = edge
        self.outgoing: defaultdict[str, list[Edge]] = defaultdict(list)
        self.incoming: defaultdict[str, list[Edge]] = defaultdict(list)
        for edge in edges.values():
            self.outgoing[edge.source].append(edge)
            self.incoming[edge.destination].append(edge)

    def edges(self) -> Iterable[Edge]:
        """Every edge."""
        for edges in self.outgoing.values():
            yield from edges


def _is_better(entity: Entity, present: Entity) -> bool:
    """Whether one of two entities of the same ARN is shown: a client's own, else the older one."""
    if bool(entity.maker) is not bool(present.maker):
        return not entity.maker
    return entity.created < present.created


class GraphKeeper:
    """The graph of one studio, made anew from pieces that are kept for as long as they hold."""

    def __init__(self, store: MetadataStore, config: Config) -> None:
        self._store = store
        self._config = config
        self._lock = threading.Lock()
        self._numbers: dict[str, int] = {}
        self._pieces: dict[str, dict[str, Piece]] = defaultdict(dict)
        self._graph: Graph | None = None

    def graph(self) -> Graph:
        """The graph as it is now."""
        with self._lock:
            try:
                return self._refreshed()
            except BaseException:
                self._numbers.clear()  # what was told as changed was perhaps not read
                raise

    def _refreshed(self) -> Graph:
        changed = False
        # What an endpoint follows from may have been made or deleted after it.
        everything = [self._changes(kind) for kind in _LOOKED_UP]
        again = any(names is None or names for names in everything)
        for kind in (*KINDS, *STORED):
            names = self._changes(kind)
            if again and kind in ("Endpoint", "TransformJob"):
                names = None
            changed = self._read(kind, names) or changed
        if changed or self._graph is None:
            self._graph = Graph(
                piece for pieces in self._pieces.values() for piece in pieces.values()
            )
        return self._graph

    def _changes(self, kind: str) -> frozenset[str] | None:
        number, names = self._store.changes(kind, self._numbers.get(kind, 0))
        self._numbers[kind] = number
        return names

    def _read(self, kind: str, names: frozenset[str] | None) -> bool:
        pieces = self._pieces[kind]
        if names is None:
            pieces.clear()
            for resource in self._store.each(ResourceQuery(kind, sort_by="name")):
                pieces[resource.name] = self._piece(resource)
            return True
        found = self._store.get_many(kind, names)
        for name in names:
            pieces.pop(name, None)
            if name in found:
                pieces[name] = self._piece(found[name])
        return bool(names)

    def _piece(self, resource: Resource) -> Piece:
        if resource.kind == ASSOCIATION:
            return Piece(edges=[stored_edge(resource)])
        if resource.kind in STORED:
            return Piece(entities=[stored_entity(resource)])
        return piece_of(self._config, resource, self._find)

    def _find(self, kind: str, name: str) -> Resource | None:
        try:
            return self._store.get(kind, name)
        except ResourceMissing:
            return None


def graph_of(context: Context) -> Graph:
    """The studio's graph as it is now."""
    ports: Ports = context.ports
    return ports.memory.of(GraphKeeper, lambda: GraphKeeper(ports.store, ports.config)).graph()


def stored_entity(resource: Resource) -> Entity:
    """What a client made, as an entity."""
    body: Mapping[str, Any] = {
        **resource.body,
        "CreationTime": resource.created,
        "LastModifiedTime": resource.modified,
    }
    kind: Any = resource.kind
    return Entity(
        lineage=kind,
        arn=resource.arn,
        type=body[f"{kind}Type"],
        name=body.get(f"{kind}Name", ""),
        uri=body["Source"]["SourceUri"],
        created=resource.created,
        modified=resource.modified,
        document=body,
    )


def stored_edge(resource: Resource) -> Edge:
    """What a client added, as an edge."""
    body = resource.body
    return Edge(
        body["SourceArn"],
        body["DestinationArn"],
        body["AssociationType"],
        resource.created,
        created_by=body["CreatedBy"],
        stored=True,
    )
