"""What a flow is, node by node: what each does, what comes out, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bottega.wrangler.columns import Schema
from bottega.wrangler.engine.run import FlowEngine
from bottega.wrangler.errors import FlowError
from bottega.wrangler.flow.destinations import DESTINATION, S3_DESTINATION
from bottega.wrangler.flow.document import Flow, Node
from bottega.wrangler.flow.edits import output_names
from bottega.wrangler.flow.summaries import shortened, summary, title
from bottega.wrangler.parameters import ParameterSet
from bottega.wrangler.sources.nodes import Source, notes_on
from bottega.wrangler.transforms.registry import transform_of


@dataclass
class NodeState:
    """One node, as the shape ``FlowNodeState`` has it."""

    node: Node
    title: str
    summary: str = ""
    group: str = ""
    name: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    parameter: str = ""
    columns: Schema | None = None
    """What comes out; None when it cannot be told."""
    serving: str = ""
    runs_code: bool = False

    def as_answer(self) -> dict[str, Any]:
        """For the API."""
        answer: dict[str, Any] = {
            "NodeId": self.node.id,
            "Type": self.node.type,
            "Title": self.title,
            "Summary": self.summary or self.title,
            "Values": dict(self.values),
            "Disabled": self.node.disabled,
            "Outputs": output_names(self.node.raw) if self.node.raw.get("outputs") else [],
            "RunsCode": self.runs_code,
        }
        texts = {
            "Group": self.group,
            "Name": self.name,
            "Error": self.error,
            "Parameter": self.parameter,
            "Serving": self.serving,
        }
        answer |= {key: text for key, text in texts.items() if text}
        if self.columns is not None:
            answer["Columns"] = [{"Name": c.name, "Type": c.type.value} for c in self.columns]
        return answer


@dataclass(frozen=True)
class Checked:
    """A whole flow, as ``CheckFlow`` answers it."""

    nodes: tuple[NodeState, ...]
    needs_trust: bool
    ends: tuple[str, ...]
    notes: tuple[str, ...]

    def as_answer(self) -> dict[str, Any]:
        """For the API."""
        return {
            "Nodes": [state.as_answer() for state in self.nodes],
            "NeedsTrust": self.needs_trust,
            "Ends": list(self.ends),
            "Notes": list(self.notes),
        }


def check(flow: Flow, engine: FlowEngine, *, trusted: bool = True) -> Checked:
    """Judge every node of a flow; what is wrong with one says nothing about those beside it.

    Steps learn from the engine's tables.

    Args:
        flow: the document.
        engine: prepares the tables.
        trusted: whether code that comes with the flow may run.
    """
    ends = tuple(node.id for node in flow.ends())
    for end in ends:  # from the end, because several steps then learn in one pass
        try:
            engine.prepare(flow, end, output_names(flow.node(end).raw)[0], trusted=trusted)
        except FlowError:
            continue  # told below, of the node that it is about
    states = tuple(_state(flow, node, engine, trusted) for node in flow.nodes)
    needs_trust = not trusted and any(state.runs_code for state in states)
    return Checked(states, needs_trust, ends, tuple(_notes(flow)))


def _state(flow: Flow, node: Node, engine: FlowEngine, trusted: bool) -> NodeState:
    state = NodeState(node, str(node.raw.get("name") or node.operator or node.type))
    try:
        _JUDGES[node.type](state, flow, engine, trusted)
    except FlowError as error:
        if error.node and error.node != node.id:
            state.error = f"{_name_of(flow, error.node)} before it has an error."
        else:
            state.error, state.parameter = error.message, error.parameter
    return state


def _name_of(flow: Flow, node_id: str) -> str:
    node = flow.node(node_id)
    try:
        if node.type == "SOURCE":
            return f"The source {Source.of(node).shown_name}"
        return f"The step {title(node, transform_of(node.operator, node.parameters))}"
    except FlowError:  # it is what the error is about
        return f"The node {node.operator}"


def _judge_source(state: NodeState, flow: Flow, engine: FlowEngine, trusted: bool) -> None:
    source = Source.of(state.node)
    state.title, state.values = source.shown_name, source.as_answer()
    state.name = {"file": "File", "s3": "S3", "sql": "Database"}[source.kind]
    state.summary = _place(source)
    state.columns = engine.prepare(flow, state.node.id, trusted=trusted).relation.schema
    state.summary = f"{_place(source)}, {len(state.columns)} columns"


def _place(source: Source) -> str:
    if source.kind != "sql":
        return shortened(source.uri)
    from bottega.wrangler.sources.queries import shown_url

    return shortened(shown_url(source.uri))


def _judge_step(state: NodeState, flow: Flow, engine: FlowEngine, trusted: bool) -> None:
    node = state.node
    transform = transform_of(node.operator, node.parameters)
    values = transform.parameter_set().read(node.parameters)
    state.title, state.name, state.group = title(node, transform), transform.name, transform.group
    state.values, state.serving, state.runs_code = values, transform.serving, transform.runs_code
    defaults = {p.name: p.default for p in transform.parameters if p.default is not None}
    state.summary = summary(transform, {**defaults, **values}, node.state)
    first, *rest = output_names(node.raw)
    prepared = engine.prepare(flow, node.id, first, trusted=trusted)
    state.columns = prepared.relation.schema
    for output in rest:
        engine.prepare(flow, node.id, output, trusted=trusted)
    applied = next((one for one in prepared.steps if one.node.id == node.id), None)
    if applied is not None:
        state.summary = summary(transform, applied.step.values, applied.state)


def _judge_analysis(state: NodeState, flow: Flow, engine: FlowEngine, trusted: bool) -> None:
    from bottega.wrangler.insight.registry import analysis_of

    node = state.node
    state.title = str(node.parameters.get("name") or state.title)
    analysis = analysis_of(node.operator)
    state.name, state.group, state.runs_code = analysis.name, "Analyses", analysis.runs_code
    state.title = str(node.parameters.get("name") or analysis.name)
    _judge_values(state, analysis.parameter_set(), flow, engine, trusted)
    state.summary = analysis.name


def _judge_destination(state: NodeState, flow: Flow, engine: FlowEngine, trusted: bool) -> None:
    node = state.node
    state.title = str(node.raw.get("name") or node.parameters.get("name") or "Destination")
    if node.operator != S3_DESTINATION:
        raise FlowError(f"Nothing is written to {node.operator}; destinations are in S3.")
    _judge_values(state, DESTINATION, flow, engine, trusted)
    path = state.values.get("output_path") or "where the job says"
    kind = state.values.get("output_content_type", "CSV")
    state.summary = shortened(f"{kind}, {path}", 100)


def _judge_values(
    state: NodeState, parameters: ParameterSet, flow: Flow, engine: FlowEngine, trusted: bool
) -> None:
    state.values = parameters.read(state.node.parameters)
    schema = engine.prepare(flow, state.node.id, trusted=trusted).relation.schema
    parameters.check(state.values, schema)


_JUDGES: Mapping[str, Callable[[NodeState, Flow, FlowEngine, bool], None]] = {
    "SOURCE": _judge_source,
    "TRANSFORM": _judge_step,
    "VISUALIZATION": _judge_analysis,
    "DESTINATION": _judge_destination,
}


def _notes(flow: Flow) -> list[str]:
    """What was read but is not heeded."""
    notes = []
    trained = sum(1 for node in flow.nodes if _has_spark(node.raw.get("trained_parameters")))
    if trained:
        notes.append(
            f"What SageMaker has learnt for {trained} steps is kept and not used: they learn anew."
        )
    given = flow.raw.get("parameters")
    if isinstance(given, list) and given:
        notes.append(f"The flow's {len(given)} parameters are kept; paths are taken as they stand.")
    for node in flow.of_type("SOURCE"):
        notes += notes_on(node)
    return list(dict.fromkeys(notes))


def _has_spark(trained: Any) -> bool:
    """Whether there is more than the types of a cast, which are heeded."""
    return isinstance(trained, Mapping) and bool(trained.keys() - {"schema"})
