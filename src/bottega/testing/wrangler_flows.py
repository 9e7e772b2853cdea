"""Flows over frames, for tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from bottega.wrangler.engine.database import Database
from bottega.wrangler.engine.frames import schema_of, table_of
from bottega.wrangler.engine.in_memory import stored
from bottega.wrangler.engine.relation import Relation
from bottega.wrangler.engine.run import FlowEngine
from bottega.wrangler.flow.document import Flow, Node
from bottega.wrangler.transforms.registry import named


class FlowBench:
    """An engine over frames, which are the tables of the sources of these ids.

    It is the engine's :class:`~bottega.wrangler.engine.run.Sources` itself.
    """

    def __init__(self, frames: Mapping[str, pd.DataFrame]) -> None:
        self.database = Database(threads=2, memory=1 << 30)
        self._relations = {
            name: stored(self.database, table_of(frame, schema_of(frame)), schema_of(frame))
            for name, frame in frames.items()
        }
        self.engine = FlowEngine(self.database, self)

    def relation(self, node: Node) -> Relation:
        """The table of a source."""
        return self._relations[node.id]

    def fingerprint(self, node: Node) -> str:
        """Frames do not change."""
        return node.id

    def flow(self, *nodes: Mapping[str, Any]) -> Flow:
        """A flow of the sources and these nodes."""
        sources = [
            {"node_id": name, "type": "SOURCE", "operator": "frame", "parameters": {}, "inputs": []}
            for name in self._relations
        ]
        return Flow({"metadata": {"version": 1}, "nodes": [*sources, *nodes]})

    def count_queries(self) -> list[str]:
        """A list that gets every query that is asked from now on."""
        asked: list[str] = []
        ask = self.database.rows

        def rows(sql: str) -> list[tuple[Any, ...]]:
            asked.append(sql)
            return ask(sql)

        self.database.rows = rows  # type: ignore[method-assign]
        return asked

    def close(self) -> None:
        """Remove the database."""
        self.database.close()


def step_node(
    node_id: str, above: str | tuple[str, ...], group: str, name: str, values: Mapping[str, Any]
) -> dict[str, Any]:
    """A node for a transform, as a file has it.

    Args:
        node_id: its id.
        above: the node, or nodes, whose default output it takes; ``id.output`` for another one.
        group: of the palette.
        name: of the operation.
        values: its parameters, flat.
    """
    transform = named(group, name)
    own = {} if transform.is_only else {"operator": transform.name}
    inputs = []
    for link in (above,) if isinstance(above, str) else above:
        other, _, output = link.partition(".")
        inputs.append({"name": "df", "node_id": other, "output_name": output or "default"})
    return {
        "node_id": node_id,
        "type": "TRANSFORM",
        "operator": transform.operator,
        "parameters": transform.parameter_set().write(values, own),
        "inputs": inputs,
        "outputs": [{"name": "default"}],
    }
