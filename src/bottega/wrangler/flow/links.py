"""How the nodes of a flow that is being edited hang together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bottega.wrangler.errors import FlowError
from bottega.wrangler.flow.document import Flow, Link, Node
from bottega.wrangler.transforms.registry import transform_of


class Links:
    """The inputs of nodes, to be changed.

    Args:
        nodes: of a document's copy.
    """

    def __init__(self, nodes: list[dict[str, Any]]) -> None:
        self._nodes = nodes

    def put_behind(
        self, node_id: str, output: str, fresh: Mapping[str, Any], only: str = ""
    ) -> None:
        """The steps that take a table take it from another node instead, which takes the table.

        Analyses and destinations stay with the table that they were made for.

        Args:
            node_id: which node gives the table.
            output: which of its outputs the table is.
            fresh: the node that comes behind it.
            only: the one step that is concerned; all when empty.
        """
        for consumer, link in self._taking(node_id, output):
            if consumer["type"] != "TRANSFORM" or consumer["node_id"] == fresh["node_id"]:
                continue
            if consumer["node_id"] == only or not only:
                first = (fresh.get("outputs") or [{}])[0].get("name", "default")
                link |= {"node_id": fresh["node_id"], "output_name": first}

    def pass_on(self, node_id: str, source: Link) -> None:
        """Whatever takes a table of a node takes the node's input instead."""
        for _, link in self._taking(node_id):
            link |= {"node_id": source.node_id, "output_name": source.output_name}

    def rename_outputs(self, node_id: str, old: Sequence[str], fresh: Sequence[str]) -> None:
        """Outputs have other names, or are fewer; who takes them follows.

        Raises:
            FlowError: an output that is taken is gone.
        """
        renamed = dict(zip(old, fresh, strict=False)) | {name: name for name in fresh}
        for consumer, link in self._taking(node_id):
            output = link.get("output_name", "default")
            if output not in renamed:
                raise FlowError(
                    f"The output {output!r} is taken by another node ({consumer['node_id']}); "
                    "remove that one first.",
                    node=node_id,
                )
            link["output_name"] = renamed[output]

    def check_move(self, flow: Flow, node: Node, behind: Node) -> str:
        """Refuse to move a step out of its chain, or past one that it depends on.

        Returns:
            The step that takes the moved one's table then, where others of the same table do not.

        Raises:
            FlowError: says which step is in the way.
        """
        above, below = _chain_above(flow, node), _chain_below(flow, node)
        if behind.id in above:
            passed = above[: above.index(behind.id)]
            for other in passed:
                steps = [one for one in flow.consumers(other) if one.type == "TRANSFORM"]
                if len(steps) > 1:
                    raise FlowError(
                        "The step cannot be moved before a table that other steps take, too.",
                        node=node.id,
                    )
                _refuse_order(first=flow.node(other), second=node, moved=node)
            return passed[-1] if passed else ""
        elif behind.id in below:
            for other in below[: below.index(behind.id) + 1]:
                _refuse_order(first=node, second=flow.node(other), moved=node)
            return ""
        raise FlowError(
            "A step can only be moved within its own chain of steps, not past a join.",
            node=node.id,
        )

    def _taking(
        self, node_id: str, output: str | None = None
    ) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        for node in self._nodes:
            for link in node.get("inputs") or ():
                named = link.get("output_name", "default")
                if link["node_id"] == node_id and output in (None, named):
                    yield node, link


def _chain_above(flow: Flow, node: Node) -> list[str]:
    """The nodes that a step's only table comes through, the nearest first."""
    found: list[str] = []
    current = node
    while len(current.inputs) == 1:
        current = flow.node(current.inputs[0].node_id)
        found.append(current.id)
    return found


def _chain_below(flow: Flow, node: Node) -> list[str]:
    """The steps that a step's table goes through and no other one joins, the nearest first."""
    found: list[str] = []
    current = node
    while True:
        steps = [one for one in flow.consumers(current.id) if one.type == "TRANSFORM"]
        if len(steps) != 1 or len(steps[0].inputs) != 1:
            return found
        current = steps[0]
        found.append(current.id)


def _refuse_order(first: Node, second: Node, moved: Node) -> None:
    """Refuse that ``second`` comes before ``first``, where it uses a column that first makes."""
    if first.type != "TRANSFORM":
        return
    made, used = _names(first, "new_column"), _names(second, "column", "columns")
    needed = sorted((made - _names(first, "column", "columns")) & used)
    if needed:
        raise FlowError(
            f"The step cannot come there: column {needed[0]!r} is used before it is made.",
            node=moved.id,
        )


def _names(node: Node, *kinds: str) -> set[str]:
    """The columns that a step's parameters of some kinds name."""
    try:
        parameters = transform_of(node.operator, node.parameters).parameter_set()
    except FlowError:  # an operator that is not known says nothing about columns
        return set()
    values = parameters.read(node.parameters)
    found: set[str] = set()
    for parameter in parameters:
        if parameter.kind in kinds:
            value = values.get(parameter.name)
            found.update(name for name in (value if isinstance(value, list) else [value])
                         if isinstance(name, str))  # fmt: skip
    return found
