"""Edits of a flow. Each gives a new document and leaves the old one as it was.

What an edit does not concern stays byte by byte: unknown keys, groups of operations that are no
longer chosen, SageMaker's trained parameters. What a step has learnt is forgotten together with
the steps behind it, because it was learnt from another table.
"""

from __future__ import annotations

import copy
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from bottega.nearest import did_you_mean
from bottega.wrangler.errors import FlowError, ParameterError
from bottega.wrangler.flow.destinations import DESTINATION, S3_DESTINATION
from bottega.wrangler.flow.document import Flow, Node
from bottega.wrangler.flow.links import Links
from bottega.wrangler.parameters import ParameterSet
from bottega.wrangler.transform import Transform
from bottega.wrangler.transforms.registry import transform_of

Edit = Mapping[str, Any]
"""In the shape ``FlowEdit``."""
JOIN = "sagemaker.spark.join_tables_0.1"
CONCATENATE = "sagemaker.spark.concatenate_0.1"
_FIRST_CAST = "sagemaker.spark.infer_and_cast_type_0.1"


def apply(flow: Flow, edit: Edit) -> tuple[Flow, str]:
    """The flow after an edit.

    ``Values`` are all parameters of the node: one that is not among them is no longer set.

    Args:
        flow: the document; it is not changed.
        edit: in the shape ``FlowEdit``.

    Returns:
        The new document, and the id of the node to look at now.

    Raises:
        FlowError: the edit is not possible; says why.
    """
    kind = edit.get("Kind")
    change = _KINDS.get(str(kind))
    if change is None:
        hint = did_you_mean(str(kind), _KINDS)
        raise ParameterError("Kind", f"There is no edit {kind!r}{hint or '.'}")
    raw = copy.deepcopy(dict(flow.raw))
    shown, touched = change(_Draft(flow, raw), edit)
    changed = Flow(raw)
    if touched:
        _forget(changed, touched)
    return changed, shown


class _Draft:
    """A copy of a document that is being changed."""

    def __init__(self, flow: Flow, raw: dict[str, Any]) -> None:
        self.flow = flow
        """As it was."""
        self.nodes: list[dict[str, Any]] = raw["nodes"]
        self.links = Links(self.nodes)

    def raw(self, node_id: str) -> dict[str, Any]:
        """A node, to be changed."""
        return next(node for node in self.nodes if node["node_id"] == node_id)

    def node(self, edit: Edit, key: str = "NodeId") -> Node:
        """The node that an edit names.

        Raises:
            FlowError: it names none, or there is none.
        """
        node_id = edit.get(key)
        if not isinstance(node_id, str) or not node_id:
            raise ParameterError(key, f"The edit {edit.get('Kind')} says no {key}.")
        return self.flow.node(node_id)

    def table(self, edit: Edit, key: str = "") -> tuple[Node, str]:
        """The table, a node and its output, that an edit names."""
        node = self.node(edit, f"{key}NodeId")
        if node.type not in ("SOURCE", "TRANSFORM"):
            raise FlowError(f"A {node.type.lower()} gives no table.", node=node.id)
        outputs = output_names(node.raw)
        output = edit.get(f"{key}OutputName") or outputs[0]
        if output not in outputs:
            hint = did_you_mean(str(output), outputs)
            raise FlowError(f"The node has no output {output!r}{hint or '.'}", node=node.id)
        return node, output

    def add(self, node: dict[str, Any], behind: str | None = None) -> str:
        """Add a node, in the file behind another one."""
        place = len(self.nodes)
        if behind is not None:
            place = 1 + next(n for n, one in enumerate(self.nodes) if one["node_id"] == behind)
        self.nodes.insert(place, node)
        return str(node["node_id"])


Changed = tuple[str, set[str]]
"""The node to look at, and those whose tables are others now."""


def output_names(raw: Mapping[str, Any]) -> list[str]:
    """The names of a node's outputs."""
    found = raw.get("outputs") or ()
    names = [str(one.get("name", "default")) for one in found if isinstance(one, Mapping)]
    return names or ["default"]


def _add_source(draft: _Draft, edit: Edit) -> Changed:
    return draft.add(_source(edit).node(_new_id())), set()


def _change_source(draft: _Draft, edit: Edit) -> Changed:
    node = draft.node(edit)
    if node.type != "SOURCE":
        raise FlowError("The node is no source.", node=node.id)
    place = draft.raw(node.id)
    fresh = _source(edit).node(node.id, node.raw)
    place.clear()
    place.update(fresh)
    return node.id, {node.id}


def _source(edit: Edit) -> Any:
    from bottega.wrangler.sources.nodes import Source

    given = edit.get("Source")
    if not isinstance(given, Mapping):
        raise ParameterError("Source", f"The edit {edit.get('Kind')} says no source.")
    return Source.given(given)


def _add_step(draft: _Draft, edit: Edit) -> Changed:
    node, output = draft.table(edit)
    transform = _transform(edit)
    if transform.inputs != 1:
        raise FlowError(f"{transform.name} takes {transform.inputs} tables: join or concatenate.")
    fresh = _step(transform, _values(edit), [(node, output)])
    draft.links.put_behind(node.id, output, fresh)
    draft.add(fresh, node.id)
    return fresh["node_id"], {fresh["node_id"]}


def _join(draft: _Draft, edit: Edit, operator: str = JOIN) -> Changed:
    tables = [draft.table(edit), draft.table(edit, "Other")]
    transform = _transform({"Operator": operator, **edit})
    if transform.inputs != 2:
        raise FlowError(f"{transform.name} takes {transform.inputs} tables, not two.")
    fresh = _step(transform, _values(edit), tables)
    order = [node["node_id"] for node in draft.nodes]
    last = max((node.id for node, _ in tables), key=order.index)
    draft.add(fresh, last)
    return fresh["node_id"], set()


def _concatenate(draft: _Draft, edit: Edit) -> Changed:
    return _join(draft, edit, CONCATENATE)


def _change_step(draft: _Draft, edit: Edit) -> Changed:
    node = draft.node(edit)
    if node.type != "TRANSFORM":
        raise FlowError("The node is no step.", node=node.id)
    raw, old = draft.raw(node.id), dict(node.parameters)
    operator = edit.get("Operator") or node.operator
    name = edit.get("Name") or node.parameters.get("operator")
    transform = _transform({"Operator": operator, "Name": name})
    if transform.inputs != len(node.inputs):
        raise FlowError(
            f"{transform.name} takes {transform.inputs} tables and the step has "
            f"{len(node.inputs)}.",
            node=node.id,
        )
    if operator != node.operator:
        old = {}
    raw["operator"] = transform.operator
    raw["parameters"] = _parameters(transform, _values(edit), old)
    _set_outputs(draft, raw, transform)
    return node.id, {node.id}


def _remove(draft: _Draft, edit: Edit) -> Changed:
    node = draft.node(edit)
    consumers = draft.flow.consumers(node.id)
    inputs = node.inputs
    if consumers and not inputs:
        raise FlowError(
            f"{len(consumers)} nodes take the table of this source; remove them first.",
            node=node.id,
        )
    if inputs:
        draft.links.pass_on(node.id, inputs[0])
    draft.nodes.remove(draft.raw(node.id))
    shown = inputs[0].node_id if inputs else ""
    if not shown and draft.nodes:
        shown = str(draft.nodes[0]["node_id"])
    return shown, {consumer.id for consumer in consumers}


def _move(draft: _Draft, edit: Edit) -> Changed:
    node, (behind, output) = draft.node(edit), draft.table(edit, "Other")
    if node.type != "TRANSFORM" or len(node.inputs) != 1 or len(output_names(node.raw)) != 1:
        raise FlowError(
            "Only a step with one input and one output can be moved; remove it and add it anew.",
            node=node.id,
        )
    if behind.id == node.id:
        raise FlowError("A step cannot come behind itself.", node=node.id)
    only = draft.links.check_move(draft.flow, node, behind)
    link, raw = node.inputs[0], draft.raw(node.id)
    if (link.node_id, link.output_name) == (behind.id, output):
        return node.id, set()
    touched = {node.id, *(one.id for one in draft.flow.consumers(node.id))}
    draft.links.pass_on(node.id, link)
    raw["inputs"][0] |= {"node_id": behind.id, "output_name": output}
    draft.links.put_behind(behind.id, output, raw, only)
    draft.nodes.remove(raw)
    draft.add(raw, behind.id)
    return node.id, touched


def _disable(draft: _Draft, edit: Edit) -> Changed:
    return _switched(draft, edit, off=True)


def _enable(draft: _Draft, edit: Edit) -> Changed:
    return _switched(draft, edit, off=False)


def _switched(draft: _Draft, edit: Edit, *, off: bool) -> Changed:
    node = draft.node(edit)
    if node.type != "TRANSFORM":
        raise FlowError("Only a step can be switched off.", node=node.id)
    if node.disabled == off:
        return node.id, set()
    raw = draft.raw(node.id)
    own = {key: value for key, value in (raw.get("bottega") or {}).items() if key != "disabled"}
    if off:
        own["disabled"] = True
    if own:
        raw["bottega"] = own
    else:
        del raw["bottega"]
    return node.id, {node.id}


def _rename(draft: _Draft, edit: Edit) -> Changed:
    node, name = draft.node(edit), edit.get("Name")
    if not isinstance(name, str) or not name.strip():
        raise ParameterError("Name", "The new name is missing.")
    raw = draft.raw(node.id)
    parameters = raw.get("parameters")
    definition = parameters.get("dataset_definition") if isinstance(parameters, dict) else None
    if node.type == "SOURCE" and isinstance(definition, dict):
        definition["name"] = name
    elif node.type != "TRANSFORM" and isinstance(parameters, dict):
        parameters["name"] = name
    else:
        raw["name"] = name
    return node.id, set()


def _add_analysis(draft: _Draft, edit: Edit) -> Changed:
    node, output = draft.table(edit)
    operator = str(edit.get("Operator") or "")
    parameters = _analysis_parameters(operator).write(_values(edit))
    fresh = _node("VISUALIZATION", operator, parameters, [("df", node.id, output)], [])
    return draft.add(fresh, node.id), set()


def _change_analysis(draft: _Draft, edit: Edit) -> Changed:
    node = draft.node(edit)
    if node.type != "VISUALIZATION":
        raise FlowError("The node is no analysis.", node=node.id)
    operator = str(edit.get("Operator") or node.operator)
    old = node.parameters if operator == node.operator else {}
    raw = draft.raw(node.id)
    raw["operator"] = operator
    raw["parameters"] = _complete(_analysis_parameters(operator), _values(edit), old)
    return node.id, set()


def _analysis_parameters(operator: str) -> ParameterSet:
    from bottega.wrangler.insight.registry import analysis_of

    return analysis_of(operator).parameter_set()


def _add_destination(draft: _Draft, edit: Edit) -> Changed:
    node, output = draft.table(edit)
    parameters = DESTINATION.write({**_destination_defaults(), **_values(edit)})
    fresh = _node(
        "DESTINATION", S3_DESTINATION, parameters, [("default", node.id, output)], ["default"]
    )
    return draft.add(fresh), set()


def _change_destination(draft: _Draft, edit: Edit) -> Changed:
    node = draft.node(edit)
    if node.type != "DESTINATION":
        raise FlowError("The node is no destination.", node=node.id)
    if node.operator != S3_DESTINATION:
        raise FlowError(f"A destination of {node.operator} cannot be changed.", node=node.id)
    draft.raw(node.id)["parameters"] = _complete(DESTINATION, _values(edit), node.parameters)
    return node.id, set()


def _destination_defaults() -> dict[str, Any]:
    return {one.name: one.default for one in DESTINATION if one.default is not None}


def _transform(edit: Edit) -> Transform:
    operator = edit.get("Operator")
    if not isinstance(operator, str) or not operator:
        raise ParameterError("Operator", "The edit says no operator.")
    return transform_of(operator, {"operator": edit.get("Name") or ""})


def _values(edit: Edit) -> Mapping[str, Any]:
    values = edit.get("Values")
    if values is None:
        return {}
    if not isinstance(values, Mapping):
        raise ParameterError("Values", f"Values are a mapping by name, not {values!r}.")
    return values


def _complete(
    parameters: ParameterSet, values: Mapping[str, Any], old: Mapping[str, Any]
) -> dict[str, Any]:
    """A node's parameters with these values and no other ones that are known."""
    unset = dict.fromkeys(parameters.read(old))
    return parameters.write({**unset, **values}, old)


def _parameters(
    transform: Transform, values: Mapping[str, Any], old: Mapping[str, Any]
) -> dict[str, Any]:
    operation = {} if transform.is_only else {"operator": transform.name}
    return _complete(transform.parameter_set(), values, {**old, **operation})


def _step(
    transform: Transform, values: Mapping[str, Any], tables: list[tuple[Node, str]]
) -> dict[str, Any]:
    first = transform.operator == _FIRST_CAST and tables[0][0].type == "SOURCE"
    inputs = [("default" if first else "df", node.id, output) for node, output in tables]
    parameters = _parameters(transform, values, {})
    outputs = _outputs(transform, parameters, ["default"])
    return _node("TRANSFORM", transform.operator, parameters, inputs, outputs)


def _node(
    kind: str,
    operator: str,
    parameters: dict[str, Any],
    inputs: list[tuple[str, str, str]],
    outputs: list[str],
) -> dict[str, Any]:
    return {
        "node_id": _new_id(),
        "type": kind,
        "operator": operator,
        "parameters": parameters,
        "inputs": [
            {"name": name, "node_id": node_id, "output_name": output}
            for name, node_id, output in inputs
        ],
        "outputs": [{"name": name} for name in outputs],
    }


def _outputs(transform: Transform, parameters: Mapping[str, Any], old: list[str]) -> list[str]:
    """The names of a step's outputs; the old ones while its values say none that can be used."""
    defaults = {one.name: one.default for one in transform.parameters}
    try:
        return list(transform.outputs(defaults | transform.parameter_set().read(parameters)))
    except (FlowError, LookupError, TypeError, ValueError):
        # The values have not been judged: that takes the table. Whoever checks the flow is told.
        return old


def _set_outputs(draft: _Draft, raw: dict[str, Any], transform: Transform) -> None:
    old = output_names(raw)
    fresh = _outputs(transform, raw["parameters"], old)
    if fresh == old:
        return
    draft.links.rename_outputs(raw["node_id"], old, fresh)
    kept = {one.get("name", "default"): one for one in raw.get("outputs") or ()}
    raw["outputs"] = [kept.get(name, {"name": name}) for name in fresh]


def _forget(flow: Flow, touched: set[str]) -> None:
    """Drop what was learnt from tables that are others now."""
    stale, waiting = set(touched), list(touched)
    while waiting:
        for consumer in flow.consumers(waiting.pop()):
            if consumer.id not in stale:
                stale.add(consumer.id)
                waiting.append(consumer.id)
    for node in flow.raw["nodes"]:
        own = node.get("bottega")
        if node["node_id"] in stale and isinstance(own, dict) and "state" in own:
            del own["state"]
            if not own:
                del node["bottega"]


def _new_id() -> str:
    return str(uuid.uuid4())


_KINDS: Mapping[str, Callable[[_Draft, Edit], Changed]] = {
    "add_source": _add_source,
    "change_source": _change_source,
    "add_step": _add_step,
    "change_step": _change_step,
    "remove": _remove,
    "move": _move,
    "disable": _disable,
    "enable": _enable,
    "rename": _rename,
    "join": _join,
    "concatenate": _concatenate,
    "add_analysis": _add_analysis,
    "change_analysis": _change_analysis,
    "add_destination": _add_destination,
    "change_destination": _change_destination,
}
