"""From a flow to its tables: every node checked, learnt and composed into one query."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa

from bottega.wrangler.engine.database import Database
from bottega.wrangler.engine.frames import table_of
from bottega.wrangler.engine.relation import Relation
from bottega.wrangler.errors import FlowError
from bottega.wrangler.flow.document import Flow, Link, Node
from bottega.wrangler.sql_text import name
from bottega.wrangler.transform import InMemory, State, Step, Transform, Values
from bottega.wrangler.transforms.registry import transform_of


class Sources(Protocol):
    """Gives the tables of SOURCE nodes."""

    def relation(self, node: Node) -> Relation:
        """The table of a source.

        Raises:
            FlowError: it cannot be read; says what, where and what to do.
        """

    def fingerprint(self, node: Node) -> str:
        """Changes when the data may have changed."""


@dataclass(frozen=True)
class Applied:
    """A step with everything that was found out about it."""

    node: Node
    transform: Transform
    step: Step

    @property
    def state(self) -> State:
        """What it has learnt."""
        return self.step.state


@dataclass(frozen=True)
class Prepared:
    """The table that a node gives, and how it came about."""

    relation: Relation
    steps: tuple[Applied, ...]
    """Every enabled transform above it, in the order of the flow."""
    key: str
    """Changes when anything that the table depends on changes."""

    @property
    def states(self) -> Mapping[str, State]:
        """What the steps have learnt, by node."""
        return {a.node.id: a.state for a in self.steps if a.transform.learns}


class FlowEngine:
    """Runs flows over one database. What was learnt or computed once is kept, by what it depends
    on, so that an edit of the last step costs that step only.

    Args:
        database: where tables live.
        sources: gives the tables of SOURCE nodes.
        trusted: whether code that comes with a flow may run.
    """

    def __init__(self, database: Database, sources: Sources, *, trusted: bool = True) -> None:
        self.database = database
        self._sources = sources
        self._trusted = trusted
        self._lock = threading.RLock()
        self._prepared: dict[str, Prepared] = {}
        self._states: dict[str, State] = {}

    def prepare(
        self, flow: Flow, node_id: str, output: str = "default", *, fitted: bool = False
    ) -> Prepared:
        """The table of a node's output.

        Args:
            flow: the document.
            node_id: a SOURCE or TRANSFORM; of another type, the table that it takes.
            output: which of the node's outputs.
            fitted: take what nodes have learnt from the flow instead of learning.

        Raises:
            FlowError: a node above it is wrong, or the data are not what it needs; the error names
                the node.
        """
        with self._lock:
            return self._node(flow, flow.node(node_id), output, fitted)

    def _node(self, flow: Flow, node: Node, output: str, fitted: bool) -> Prepared:
        key = self._key(flow, node, output, fitted)
        found = self._prepared.get(key)
        if found is None:
            try:
                found = self._made(flow, node, output, fitted, key)
            except FlowError as error:
                raise error.at(node.id)
            self._prepared[key] = found
        return found

    def _made(self, flow: Flow, node: Node, output: str, fitted: bool, key: str) -> Prepared:
        if node.type == "SOURCE":
            return Prepared(self._sources.relation(node), (), key)
        inputs = [self._linked(flow, link, fitted) for link in node.inputs]
        if not inputs:
            raise FlowError("The node has no input; connect it to a source or to another step.")
        if node.type != "TRANSFORM" or node.disabled:
            return Prepared(inputs[0].relation, inputs[0].steps, key)
        return self._transformed(node, inputs, output, fitted, key)

    def _linked(self, flow: Flow, link: Link, fitted: bool) -> Prepared:
        return self._node(flow, flow.node(link.node_id), link.output_name, fitted)

    def _transformed(
        self, node: Node, inputs: list[Prepared], output: str, fitted: bool, key: str
    ) -> Prepared:
        transform = transform_of(node.operator, node.parameters)
        if len(inputs) != transform.inputs:
            raise FlowError(
                f"{transform.name} takes {transform.inputs} tables and is connected to "
                f"{len(inputs)}."
            )
        if transform.runs_code and not self._trusted:
            raise FlowError(
                f"{transform.name} runs code that came with this flow. Read it, and trust the flow "
                "if you want it to run."
            )
        first, *rest = (prepared.relation for prepared in inputs)
        others = tuple(relation.schema for relation in rest)
        values = checked_values(transform, node, first.schema, others)
        state = self._state(transform, node, first, values, fitted, key)
        step = Step(first.schema, values, state, others, output)
        relation = self._rendered(transform, step, first, rest)
        above = tuple(dict.fromkeys(applied for one in inputs for applied in one.steps))
        return Prepared(relation, (*above, Applied(node, transform, step)), key)

    def _state(
        self,
        transform: Transform,
        node: Node,
        table: Relation,
        values: Values,
        fitted: bool,
        key: str,
    ) -> State:
        if not transform.learns:
            return {}
        if fitted:
            if node.state is None:
                raise FlowError(
                    f"{transform.name} has not learnt anything yet: this flow is not fitted."
                )
            return node.state
        if key not in self._states:
            self._states[key] = transform.fit(table, values)
        return self._states[key]

    def _rendered(
        self, transform: Transform, step: Step, first: Relation, rest: list[Relation]
    ) -> Relation:
        schema, rendering = transform.columns(step), transform.sql(step)
        if not isinstance(rendering, InMemory):
            return first.then(rendering, schema, *rest)
        frames = [relation.frame() for relation in (first, *rest)]
        return stored(self.database, table_of(rendering.function(*frames), schema), schema)

    def _key(self, flow: Flow, node: Node, output: str, fitted: bool) -> str:
        """A digest of everything the node's table depends on."""
        digest = hashlib.sha256()
        for above in flow.upstream(node.id):
            part: list[Any] = [above.id, above.operator, above.parameters, above.disabled]
            part.append([(link.node_id, link.output_name) for link in above.inputs])
            if above.type == "SOURCE":
                part.append(self._sources.fingerprint(above))
            if fitted:
                part.append(above.state)
            digest.update(json.dumps(part, sort_keys=True, default=str).encode())
        return f"{digest.hexdigest()}:{output}"


def checked_values(transform: Transform, node: Node, schema: Any, others: Any) -> Values:
    """A node's parameters, judged.

    Raises:
        FlowError: names the parameter, the column and the value.
    """
    parameters = transform.parameter_set()
    values = parameters.check(parameters.read(node.parameters), schema)
    transform.check(schema, values, others)
    return values


def stored(database: Database, table: pa.Table, schema: Any) -> Relation:
    """A table in the database from one in memory."""
    target = database.free_name("m")
    with database.cursor() as cursor:
        cursor.register("__arriving", table)
        columns = ", ".join(
            f"{name(column.name)}::{column.type.duckdb} AS {name(column.name)}" for column in schema
        )
        cursor.execute(f"CREATE TABLE {name(target)} AS SELECT {columns} FROM __arriving")
        cursor.unregister("__arriving")
    return Relation.stored(database, target, schema)
