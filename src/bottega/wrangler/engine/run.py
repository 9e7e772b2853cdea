"""From a flow to its tables: every node checked, learnt and composed into one query."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from bottega.wrangler.columns import Schema
from bottega.wrangler.engine.database import Database
from bottega.wrangler.engine.learning import Foreseen, enabled, foresee
from bottega.wrangler.engine.relation import Relation
from bottega.wrangler.errors import FlowError, at_node, refuse_untrusted
from bottega.wrangler.flow.document import Flow, Node
from bottega.wrangler.transform import InMemory, Rendering, State, Step, Transform, Values
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
    rendering: Rendering

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


MOST_TABLES = 24
"""Tables and files that an engine keeps of its own making: of steps that only a library does, and
of those that were materialised."""


class _Remembered(OrderedDict[str, Prepared]):
    """What was prepared, by its key. Of the tables that had to be kept for it only the last stay;
    what has gone is prepared anew when it is wanted."""

    def __setitem__(self, key: str, prepared: Prepared) -> None:
        super().__setitem__(key, prepared)
        if not prepared.relation.kept:
            return
        kept = [kept for one in self.values() for kept in one.relation.kept]
        leaving = set(list(dict.fromkeys(kept))[:-MOST_TABLES])
        leaving -= set(prepared.relation.kept)
        for other in [k for k, one in self.items() if leaving & set(one.relation.kept)]:
            del self[other]


class FlowEngine:
    """Runs flows over one database. What was learnt or computed once is kept, by what it depends
    on, so that an edit of the last step costs that step only. May be used from several threads,
    which wait for one another.

    Args:
        database: where tables live.
        sources: gives the tables of SOURCE nodes.
        part: what part of the data these are, so that keys of several engines differ.
    """

    def __init__(self, database: Database, sources: Sources, *, part: str = "") -> None:
        self.database = database
        self.sources = sources
        self.part = part
        self._lock = threading.RLock()
        self._prepared = _Remembered()
        self._states: dict[str, State] = {}

    def prepare(
        self,
        flow: Flow,
        node_id: str,
        output: str = "default",
        *,
        fitted: bool = False,
        trusted: bool = True,
    ) -> Prepared:
        """The table of a node's output.

        Args:
            flow: the document.
            node_id: a SOURCE or TRANSFORM; of another type, the table that it takes.
            output: which of the node's outputs.
            fitted: take what nodes have learnt from the flow instead of learning.
            trusted: whether code that comes with the flow may run.

        Raises:
            FlowError: a node above it is wrong, or the data are not what it needs; the error names
                the node.
        """
        with self._lock:
            run = _Run(self, self._prepared, self._states, flow, node_id, fitted, trusted)
            return run.table(node_id, output)

    def is_prepared(self, flow: Flow, node_id: str, output: str = "default") -> bool:
        """Whether nothing has to be read or learnt any more for the table of a node's output."""
        return f"{self._digests(flow, node_id)[node_id]}:{output}" in self._prepared

    def materialise(self, prepared: Prepared) -> Prepared:
        """The same, with the table computed and kept; what comes after it starts from there."""
        with self._lock:
            if not prepared.relation.dense:
                prepared = replace(prepared, relation=prepared.relation.store("q"))
                self._prepared[prepared.key] = prepared
            return prepared

    def _digests(self, flow: Flow, node_id: str) -> dict[str, str]:
        return digests(flow, node_id, self.sources, fitted=False, part=self.part)


def digests(
    flow: Flow, node_id: str, sources: Sources, *, fitted: bool, part: str
) -> dict[str, str]:
    """For a node and each above it, a digest of everything its table depends on."""
    found: dict[str, str] = {}
    for node in flow.upstream(node_id):
        own: list[Any] = [part, node.id, node.operator, node.told, node.disabled]
        own.append([(found[link.node_id], link.output_name) for link in node.inputs])
        if node.type == "SOURCE":
            with at_node(node.id):
                own.append(sources.fingerprint(node))
        if fitted:
            own.append(node.state)
        text = json.dumps(own, sort_keys=True, default=str)
        found[node.id] = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return found


class _Run:
    """The way to one node's table, from its sources down."""

    def __init__(
        self,
        engine: FlowEngine,
        prepared: _Remembered,
        states: dict[str, State],
        flow: Flow,
        node_id: str,
        fitted: bool,
        trusted: bool,
    ) -> None:
        self._engine = engine
        self._prepared = prepared
        self._states = states
        self._flow = flow
        self._fitted = fitted
        self._trusted = trusted
        self._digests = digests(flow, node_id, engine.sources, fitted=fitted, part=engine.part)
        self._foreseen: dict[str, Foreseen] = {}

    def table(self, node_id: str, output: str) -> Prepared:
        """The table of an output, everything above it first."""
        flow = self._flow
        for node in flow.upstream(node_id):
            for link in node.inputs:
                self._one(flow.node(link.node_id), link.output_name)
        return self._one(flow.node(node_id), output)

    def _one(self, node: Node, output: str) -> Prepared:
        """The table of an output; those above it are known, or none of them needs anybody's."""
        key = f"{self._digests[node.id]}:{output}"
        found = self._prepared.get(key)
        with at_node(node.id):
            if found is not None:
                self._refuse_untrusted(*(applied.transform for applied in found.steps))
                return found
            found = self._made(node, output, key)
        self._prepared[key] = found
        return found

    def _made(self, node: Node, output: str, key: str) -> Prepared:
        if node.type == "SOURCE":
            return Prepared(self._engine.sources.relation(node), (), key)
        inputs = [self._one(self._flow.node(i.node_id), i.output_name) for i in node.inputs]
        if not inputs:
            raise FlowError("The node has no input; connect it to a source or to another step.")
        if node.type != "TRANSFORM" or node.disabled:
            return Prepared(inputs[0].relation, inputs[0].steps, key)
        return self._transformed(node, inputs, output, key)

    def _transformed(
        self, node: Node, inputs: Sequence[Prepared], output: str, key: str
    ) -> Prepared:
        transform = transform_of(node.operator, node.parameters)
        if len(inputs) != transform.inputs:
            raise FlowError(
                f"{transform.name} takes {transform.inputs} tables and is connected to "
                f"{len(inputs)}."
            )
        self._refuse_untrusted(transform)
        first, *rest = (prepared.relation for prepared in inputs)
        others = tuple(relation.schema for relation in rest)
        values = checked_values(transform, node, first.schema, others)
        above = {applied.node.id: applied for one in inputs for applied in one.steps}
        steps = tuple(above.values())
        state = self._state(transform, node, first, values, steps)
        step = Step(first.schema, values, state, others, output)
        schema, rendering = transform.columns(step), transform.sql(step)
        relation = self._rendered(rendering, schema, first, rest)
        return Prepared(relation, (*steps, Applied(node, transform, step, rendering)), key)

    def _refuse_untrusted(self, *transforms: Transform) -> None:
        for transform in transforms:
            refuse_untrusted(transform.name, runs_code=transform.runs_code, trusted=self._trusted)

    def _state(
        self,
        transform: Transform,
        node: Node,
        table: Relation,
        values: Values,
        above: Sequence[Applied],
    ) -> State:
        if not transform.learns:
            return {}
        if self._fitted:
            if node.state is None:
                raise FlowError(
                    f"{transform.name} has not learnt anything yet: this flow is not fitted."
                )
            return node.state
        digest = self._digests[node.id]
        if digest not in self._states:
            self._states[digest] = self._learnt(transform, node, table, values, above)
        return self._states[digest]

    def _learnt(
        self,
        transform: Transform,
        node: Node,
        table: Relation,
        values: Values,
        above: Sequence[Applied],
    ) -> State:
        if node.id not in self._foreseen:
            self._foresee(node, table, len(above))
        foreseen = self._foreseen.get(node.id)
        if foreseen is not None and foreseen.holds(
            transform.statistics(table.schema, values),
            [applied.rendering for applied in above[foreseen.base :]],
        ):
            return transform.learn(table.schema, values, foreseen.found)
        return transform.fit(table, values)

    def _foresee(self, node: Node, table: Relation, base: int) -> None:
        """Ask, with what this step wants to know, what the steps after it will want to know."""
        steps = [node]
        while True:
            after = self._flow.consumers(steps[-1].id)
            wanted = [n for n in after if n.id in self._digests and n.type == "TRANSFORM"]
            if len(wanted) != 1 or len(wanted[0].inputs) != 1:
                break
            steps.append(wanted[0])
        self._foreseen |= foresee(table, base, enabled(steps))

    def _rendered(
        self, rendering: Rendering, schema: Schema, first: Relation, rest: Sequence[Relation]
    ) -> Relation:
        if not isinstance(rendering, InMemory):
            return first.then(rendering, schema, *rest)
        from bottega.wrangler.engine.in_memory import computed

        return computed(rendering, schema, (first, *rest))


def checked_values(transform: Transform, node: Node, schema: Any, others: Any) -> Values:
    """A node's parameters, judged.

    Raises:
        FlowError: names the parameter, the column and the value.
    """
    parameters = transform.parameter_set()
    values = parameters.check(parameters.read(node.told), schema)
    transform.check(schema, values, others)
    return values
