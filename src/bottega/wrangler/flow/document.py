"""A ``.flow`` document, as SageMaker writes it, with everything in it kept.

A document is never changed: an edit gives a new one (:mod:`bottega.wrangler.flow.edits`), so that
undo is holding on to the old one. What is not understood stays where it was. What bottega adds to a
node lies under its key ``bottega``; SageMaker ignores it:

=============  =====================================================================================
``disabled``   true: the node passes its first input on
``state``      what the step has learnt, in a fitted flow
=============  =====================================================================================

SageMaker's own ``trained_parameters`` hold zipped models of Spark. They are kept and never opened.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from typing import Any

from bottega.nearest import ending
from bottega.wrangler.errors import FlowError

KINDS = ("SOURCE", "TRANSFORM", "VISUALIZATION", "DESTINATION", "DATASET")
VERSION = 1
_LARGEST = 64 << 20


@dataclass(frozen=True)
class Link:
    """One input of a node."""

    name: str
    node_id: str
    output_name: str


class Node:
    """One node; a view on its JSON."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.raw = raw

    @property
    def id(self) -> str:
        """Unique in the flow."""
        return str(self.raw["node_id"])

    @property
    def type(self) -> str:
        """One of ``KINDS``; the early DATASET is a SOURCE."""
        kind = str(self.raw["type"])
        return "SOURCE" if kind == "DATASET" else kind

    @property
    def operator(self) -> str:
        """The id of the operator."""
        return str(self.raw.get("operator", ""))

    @property
    def parameters(self) -> Mapping[str, Any]:
        """As they stand in the file."""
        found = self.raw.get("parameters")
        return found if isinstance(found, Mapping) else {}

    @property
    def told(self) -> Mapping[str, Any]:
        """The parameters, and with them what SageMaker has learnt: the types of columns are among
        it."""
        trained = self.raw.get("trained_parameters")
        return {**self.parameters, **({"trained_parameters": trained} if trained else {})}

    @property
    def inputs(self) -> tuple[Link, ...]:
        """Where the tables come from, in their order."""
        return tuple(
            Link(
                str(entry.get("name", "df")),
                str(entry["node_id"]),
                str(entry.get("output_name", "default")),
            )
            for entry in self.raw.get("inputs") or ()
        )

    @property
    def disabled(self) -> bool:
        """Whether the step is switched off."""
        return self._own.get("disabled") is True

    @property
    def state(self) -> Mapping[str, Any] | None:
        """What the step has learnt, in a fitted flow."""
        found = self._own.get("state")
        return found if isinstance(found, Mapping) else None

    @property
    def _own(self) -> Mapping[str, Any]:
        found = self.raw.get("bottega")
        return found if isinstance(found, Mapping) else {}


class Flow:
    """A whole document.

    Args:
        raw: the parsed JSON. It is kept, not copied; nobody changes it afterwards.

    Raises:
        FlowError: it is no flow: a node has no id or an unknown type, an id is used twice, an input
            comes from nowhere, or nodes form a circle.
    """

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.raw = raw
        _check(raw)

    @classmethod
    def parse(cls, text: str | bytes) -> Flow:
        """Read a file's content. Empty text is an empty flow.

        Raises:
            FlowError: it is no JSON, or no flow.
        """
        if len(text) > _LARGEST:
            raise FlowError(f"The flow has {len(text)} bytes; a flow has at most {_LARGEST}.")
        if not text.strip():
            return cls.empty()
        try:
            return cls(json.loads(text))
        except (ValueError, RecursionError) as error:
            raise FlowError(f"The flow is no JSON: {error}.") from error

    @classmethod
    def empty(cls) -> Flow:
        """A flow without nodes."""
        return cls({"metadata": {"version": VERSION}, "parameters": [], "nodes": []})

    def text(self) -> str:
        """As a file's content: indented, so that a version control shows what changed."""
        return json.dumps(self.raw, indent=2, ensure_ascii=False) + "\n"

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """All nodes, in the order of the file."""
        return tuple(map(Node, self.raw["nodes"]))

    @cached_property
    def _by_id(self) -> Mapping[str, Node]:
        return {node.id: node for node in self.nodes}

    def __contains__(self, node_id: object) -> bool:
        return node_id in self._by_id

    def node(self, node_id: str) -> Node:
        """The node of an id.

        Raises:
            FlowError: there is none.
        """
        try:
            return self._by_id[node_id]
        except KeyError:
            hint = ending(node_id, self._by_id)
            raise FlowError(f"The flow has no node {node_id!r}{hint}") from None

    def upstream(self, node_id: str) -> list[Node]:
        """A node and all that it depends on, each after what it depends on."""
        order: dict[str, Node] = {}
        stack: list[tuple[str, bool]] = [(node_id, False)]
        while stack:
            current, entered = stack.pop()
            if entered:
                order.setdefault(current, self.node(current))
            elif current not in order:
                stack.append((current, True))
                stack.extend((link.node_id, False) for link in reversed(self.node(current).inputs))
        return list(order.values())

    def consumers(self, node_id: str) -> list[Node]:
        """The nodes that take what a node gives, in the order of the file."""
        return [node for node in self.nodes if any(link.node_id == node_id for link in node.inputs)]

    def of_type(self, kind: str) -> Iterator[Node]:
        """The nodes of a type."""
        return (node for node in self.nodes if node.type == kind)

    def ends(self) -> list[Node]:
        """The tables nobody transforms further: what one would look at first."""
        tables = [node for node in self.nodes if node.type in ("SOURCE", "TRANSFORM")]
        taken = {link.node_id for node in tables for link in node.inputs}
        return [node for node in tables if node.id not in taken]

    def with_states(self, states: Mapping[str, Mapping[str, Any]]) -> Flow:
        """The fitted flow: every node of the mapping keeps what it has learnt."""
        raw = copy.deepcopy(dict(self.raw))
        for node in raw["nodes"]:
            if node["node_id"] in states:
                node.setdefault("bottega", {})["state"] = states[node["node_id"]]
        return Flow(raw)


def _check(raw: Any) -> None:
    if not isinstance(raw, Mapping) or not isinstance(raw.get("nodes"), list):
        raise FlowError('This is no flow: it has no list "nodes".')
    ids: set[str] = set()
    for number, node in enumerate(raw["nodes"], 1):
        if not isinstance(node, Mapping) or not isinstance(node.get("node_id"), str):
            raise FlowError(f"Node {number} of the flow has no node_id.")
        node_id = node["node_id"]
        if node_id in ids:
            raise FlowError("Two nodes of the flow have this id.", node=node_id)
        ids.add(node_id)
        if node.get("type") not in KINDS:
            raise FlowError(
                f"The node's type {node.get('type')!r} is none of {', '.join(KINDS)}.", node=node_id
            )
        for link in node.get("inputs") or ():
            if not isinstance(link, Mapping) or not isinstance(link.get("node_id"), str):
                raise FlowError("An input of the node says no node_id.", node=node_id)
    by_id = {node["node_id"]: node for node in raw["nodes"]}
    for node in raw["nodes"]:
        for link in node.get("inputs") or ():
            if link["node_id"] not in by_id:
                raise FlowError(
                    f"The node takes its input from {link['node_id']!r}, which is not in the flow.",
                    node=node["node_id"],
                )
    _refuse_circles(by_id)


def _refuse_circles(by_id: Mapping[str, Mapping[str, Any]]) -> None:
    needs = {
        node_id: [link["node_id"] for link in node.get("inputs") or ()]
        for node_id, node in by_id.items()
    }
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        raise FlowError("The nodes of the flow form a circle.", node=circle[0]) from None
