"""The graph of where models come from and where they went."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from bottega.features.registry.facts import Facts

Node = tuple[str, str]
"""The kind and the name of a resource; ``Data`` and a URI; ``Run`` and its id."""


class Edge(NamedTuple):
    """``target`` uses ``source`` or was made of it."""

    source: Node
    target: Node
    label: str


@dataclass
class Graph:
    """A part of the lineage around one resource."""

    focus: Node
    nodes: list[Node] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    truncated: bool = False


class Lineage:
    """Every connection between the resources there are.

    Data that one resource writes and another reads are the same where one URI is the other's or
    lies below it: a job writes a folder and a channel names one file of it, or the other way round.
    """

    def __init__(self, facts: Iterable[Facts]) -> None:
        self.facts: Mapping[Node, Facts] = {(item.kind, item.name): item for item in facts}
        self._readers = _Uris()
        self._writers = _Uris()
        self._users: dict[Node, list[tuple[Node, str]]] = {}
        for node, item in self.facts.items():
            for link in item.reads:
                self._readers.add(link.uri, node, link.label)
            for link in item.writes:
                self._writers.add(link.uri, node, link.label)
            for use in item.uses:
                self._users.setdefault((use.kind, use.name), []).append((node, use.label))

    def sources(self, node: Node) -> Iterator[Edge]:
        """The edges that lead to a node."""
        kind, name = node
        if kind == "Data":
            for _, writer, label in self._writers.related(name):
                yield Edge(writer, node, label)
            return
        item = self.facts.get(node)
        if item is None:
            return
        for link in item.reads:
            yield Edge(("Data", link.uri), node, link.label)
        for use in item.uses:
            yield Edge((use.kind, use.name), node, use.label)

    def results(self, node: Node) -> Iterator[Edge]:
        """The edges that lead on from a node."""
        kind, name = node
        if kind == "Data":
            for uri, reader, label in self._readers.related(name):
                if uri == name:
                    yield Edge(node, reader, label)
            return
        item = self.facts.get(node)
        for link in item.writes if item else ():
            # What is read is shown, as it is more exact than what is written as a whole.
            read = dict.fromkeys(uri for uri, _, _ in self._readers.related(link.uri))
            for uri in read or (link.uri,):
                yield Edge(node, ("Data", uri), link.label)
        if item and item.run:
            yield Edge(node, ("Run", item.run), "run")
        for user, label in self._users.get(node, ()):
            yield Edge(node, user, label)

    def around(self, focus: Node, most: int) -> Graph:
        """All a resource was made of, and all that was made of it.

        Args:
            most: so many nodes at most; those next to the focus come first.
        """
        graph = Graph(focus, [focus])
        every: dict[Edge, None] = {}
        for follow, forward in ((self.sources, False), (self.results, True)):
            for edge in self._walk(focus, follow, forward, graph, most):
                every[edge] = None
        for node in list(graph.nodes):  # the runs of the jobs that are in the graph
            item = self.facts.get(node)
            if item and item.run:
                run = ("Run", item.run)
                if run not in graph.nodes:
                    graph.nodes.append(run)
                every[Edge(node, run, "run")] = None
        graph.edges = list(every)
        return graph

    def _walk(
        self,
        focus: Node,
        follow: Callable[[Node], Iterator[Edge]],
        forward: bool,
        graph: Graph,
        most: int,
    ) -> Iterator[Edge]:
        known = set(graph.nodes)
        seen = {focus}
        queue = deque([focus])
        while queue:
            for edge in follow(queue.popleft()):
                node = edge.target if forward else edge.source
                if node not in known:
                    if len(known) >= most:
                        graph.truncated = True
                        continue
                    known.add(node)
                    graph.nodes.append(node)
                yield edge
                if node not in seen:
                    seen.add(node)
                    queue.append(node)

    def made_of(self, node: Node, kinds: Iterable[str]) -> list[Facts]:
        """The resources of some kinds that were made of a node, and of those in turn."""
        return self._reached(node, self.results, True, frozenset(kinds))

    def origin(self, node: Node, kind: str) -> list[Facts]:
        """The resources of a kind that wrote what a node reads, nearest first."""
        return [
            self.facts[writer.source]
            for edge in self.sources(node)
            for writer in self.sources(edge.source)
            if writer.source[0] == kind
        ]

    def _reached(
        self,
        focus: Node,
        follow: Callable[[Node], Iterator[Edge]],
        forward: bool,
        kinds: frozenset[str],
    ) -> list[Facts]:
        graph = Graph(focus, [focus])
        for _ in self._walk(focus, follow, forward, graph, 10_000):
            pass
        return [
            self.facts[node]
            for node in graph.nodes
            if node[0] in kinds and node != focus and node in self.facts
        ]


class _Uris:
    """URIs with who reads or writes them."""

    def __init__(self) -> None:
        self._exact: dict[str, list[tuple[Node, str]]] = {}
        self._sorted: list[str] | None = None

    def add(self, uri: str, node: Node, label: str) -> None:
        self._exact.setdefault(uri, []).append((node, label))
        self._sorted = None

    def related(self, uri: str) -> Iterator[tuple[str, Node, str]]:
        """What is kept of a URI, of those above it and of those below it."""
        for known in (*self._above(uri), uri, *self._below(uri)):
            for node, label in self._exact.get(known, ()):
                yield known, node, label

    def _above(self, uri: str) -> Iterator[str]:
        while (uri := uri.rpartition("/")[0]) and uri.count("/") >= 2:  # s3://bucket
            yield uri

    def _below(self, uri: str) -> Iterator[str]:
        if self._sorted is None:
            self._sorted = sorted(self._exact)
        prefix = f"{uri}/"
        for index in range(bisect_left(self._sorted, prefix), len(self._sorted)):
            if not self._sorted[index].startswith(prefix):
                return
            yield self._sorted[index]
