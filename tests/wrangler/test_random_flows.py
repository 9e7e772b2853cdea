"""Random chains of steps over random tables: all ways to run a flow give one table."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, note, reject, settings
from hypothesis import strategies as st

from bottega.testing.wrangler_case import assert_same_table
from bottega.testing.wrangler_frames import frames
from bottega.testing.wrangler_random import (
    COMBINING,
    flow_frames,
    random_step,
    transforms_at_random,
)
from bottega.wrangler.columns import ColumnType
from bottega.wrangler.engine.database import Database
from bottega.wrangler.engine.frames import schema_of, table_of
from bottega.wrangler.engine.in_memory import stored
from bottega.wrangler.engine.relation import Relation
from bottega.wrangler.engine.run import FlowEngine, Prepared
from bottega.wrangler.errors import FlowError
from bottega.wrangler.export.program import program_of
from bottega.wrangler.flow.document import Flow, Node
from bottega.wrangler.flow.edits import apply
from bottega.wrangler.serving.plan import serving_plan
from bottega.wrangler.sources.files import FileSources
from bottega.wrangler.transform import Transform
from bottega.wrangler.transformer import FlowTransformer

KEYS = {"key": ColumnType.STRING, "number": ColumnType.LONG, "size": ColumnType.FLOAT}


TIMES = itertools.count(1_700_000_000_000_000_000, 1_000_000_000)


def keyed_frames() -> st.SearchStrategy[pd.DataFrame]:
    """Tables that have columns to be joined by."""
    cells = {"key": st.sampled_from("abc"), "number": st.integers(0, 3)}
    return frames(KEYS, max_rows=8, largest=1e6, cells=cells)


class Frames:
    """Frames as the tables of file sources, which are called after them."""

    def __init__(self, database: Database, frames: dict[str, pd.DataFrame]) -> None:
        self._relations = {
            name: stored(database, table_of(frame, schema_of(frame)), schema_of(frame))
            for name, frame in frames.items()
        }

    def relation(self, node: Node) -> Relation:
        return self._relations[str(node.parameters["path"])]

    def fingerprint(self, node: Node) -> str:
        return str(node.parameters["path"])


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    with Database(threads=2, memory=1 << 30) as found:
        yield found


def source(flow: Flow, path: str) -> tuple[Flow, str]:
    return apply(flow, {"Kind": "add_source", "Source": {"Kind": "file", "Uri": path}})


def drawn_step(
    data: st.DataObject,
    transform: Transform,
    engine: FlowEngine,
    flow: Flow,
    node: str,
    output: str,
) -> tuple[Flow, str, str] | None:
    """The flow with one more step; None where its table does not allow it."""
    schema = engine.prepare(flow, node, output).relation.schema
    values = data.draw(random_step(transform, schema), label="values")
    if values is None:
        return None
    try:
        changed, added = apply(
            flow,
            {
                "Kind": "add_step",
                "NodeId": node,
                "OutputName": output,
                "Operator": transform.operator,
                "Name": transform.name,
                "Values": values,
            },
        )
        outputs = [one["name"] for one in changed.node(added).raw["outputs"]]
        wanted = data.draw(st.sampled_from(outputs)) if len(outputs) > 1 else outputs[0]
        engine.prepare(changed, added, wanted).relation.frame()
    except FlowError as refusal:
        note(f"{transform.group}, {transform.name} {values}: {refusal}")
        return None
    note(f"{transform.group}, {transform.name} {values} -> {wanted}")
    return changed, added, wanted


def drawn_chain(
    data: st.DataObject, engine: FlowEngine, flow: Flow, node: str, longest: int
) -> list[tuple[Flow, str, str]]:
    """The flow as it grows by one step after the other, from what it was."""
    grown = [(flow, node, "default")]
    number = data.draw(st.integers(1, longest), label="steps")
    for transform in data.draw(transforms_at_random(number), label="transforms"):
        found = drawn_step(data, transform, engine, *grown[-1])
        if found is not None:
            grown.append(found)
    return grown


def by_program(engine: FlowEngine, flow: Flow, node: str, output: str, *frames: Any) -> Any:
    """What the exported function makes of frames."""
    program = program_of(flow, node, output, "prepare", engine, trusted=True)
    text = program.module("Prepares.")
    scope: dict[str, Any] = {"__name__": "exported"}
    try:
        exec(compile(text, "<exported>", "exec"), scope)
        before = [frame.copy(deep=True) for frame in frames]
        result = scope["prepare"](*frames)
    except Exception as error:
        error.add_note(text)
        raise
    for frame, old in zip(frames, before, strict=True):
        pd.testing.assert_frame_equal(frame, old)  # what comes in stays as it is
    return result


def is_row_by_row(prepared: Prepared) -> bool:
    """Whether each row that comes out is made of the row in the same place."""
    return all(
        applied.transform.serving_of(applied.step.values) == "apply" for applied in prepared.steps
    )


def check_transformer(
    raw: pd.DataFrame, flow: Flow, node: str, output: str, found: pd.DataFrame, prepared: Prepared
) -> None:
    """The transformer gives the flow's table, and the same for its first rows by themselves."""
    schema = prepared.relation.schema
    transformer = FlowTransformer(flow, node=node, output=output, trusted=True)
    assert_same_table(found, transformer.fit_transform(raw, training=True), schema)
    assert_same_table(found, transformer.transform(raw, training=True), schema)
    if not is_row_by_row(prepared) or len(found) != len(raw):
        return
    plan = serving_plan(transformer.fitted_, trusted=True)
    assert plan.features == schema
    assert_same_table(found, transformer.transform(raw), schema)
    if len(raw):
        assert_same_table(found.head(2), transformer.transform(raw.head(2)), schema)


@settings(max_examples=20, suppress_health_check=list(HealthCheck))
@given(raw=flow_frames(), data=st.data())
def test_all_ways_give_one_table(database: Database, raw: pd.DataFrame, data: st.DataObject):
    engine = FlowEngine(database, Frames(database, {"t.csv": raw}))
    grown = drawn_chain(data, engine, *source(Flow.empty(), "t.csv"), longest=6)
    flow, node, output = grown[-1]
    prepared = engine.prepare(flow, node, output)
    found = prepared.relation.frame()

    # A second engine that learns all steps at once, of rows that are kept, finds the same.
    again = FlowEngine(database, Frames(database, {"t.csv": raw}))
    afresh = again.prepare(flow, node, output)
    assert afresh.states == prepared.states
    assert_same_table(found, afresh.relation.frame(), prepared.relation.schema)

    # Going back to each earlier document, and forth again from a table that is kept.
    for earlier in reversed(grown[:-1]):
        kept = engine.materialise(engine.prepare(*earlier))
        before = again.prepare(*earlier).relation.frame()
        assert_same_table(before, kept.relation.frame(), kept.relation.schema)
    assert_same_table(
        found, engine.prepare(flow, node, output).relation.frame(), prepared.relation.schema
    )

    typed = engine.prepare(*grown[0]).relation.frame()
    program = by_program(engine, flow, node, output, typed)
    assert_same_table(found, program, prepared.relation.schema)
    check_transformer(raw, flow, node, output, found, prepared)


@settings(max_examples=8, suppress_health_check=list(HealthCheck))
@given(left=keyed_frames(), right=keyed_frames(), data=st.data())
def test_steps_on_both_sides_of_a_join(
    database: Database, left: pd.DataFrame, right: pd.DataFrame, data: st.DataObject
):
    engine = FlowEngine(database, Frames(database, {"left.csv": left, "right.csv": right}))
    first, above = source(Flow.empty(), "left.csv")
    *_, (flow, node, output) = drawn_chain(data, engine, first, above, longest=2)
    flow, beside = source(flow, "right.csv")
    *_, (flow, other, other_output) = drawn_chain(data, engine, flow, beside, longest=2)
    schemas = [
        engine.prepare(flow, *one).relation.schema
        for one in ((node, output), (other, other_output))
    ]
    transform = data.draw(st.sampled_from(COMBINING), label="transform")
    values = data.draw(random_step(transform, schemas[0], schemas[1:]), label="values")
    assume(values is not None)
    try:
        flow, node = apply(
            flow,
            {
                "Kind": "join" if transform.group == "Join" else "concatenate",
                "NodeId": node,
                "OutputName": output,
                "OtherNodeId": other,
                "OtherOutputName": other_output,
                "Operator": transform.operator,
                "Name": transform.name,
                "Values": values,
            },
        )
        engine.prepare(flow, node).relation.frame()
    except FlowError:
        reject()
    *_, (flow, node, output) = drawn_chain(data, engine, flow, node, longest=2)
    prepared = engine.prepare(flow, node, output)
    found = prepared.relation.frame()
    again = FlowEngine(database, engine.sources).prepare(flow, node, output)
    assert again.states == prepared.states
    assert_same_table(found, again.relation.frame(), prepared.relation.schema)
    program = by_program(engine, flow, node, output, left, right)
    assert_same_table(found, program, prepared.relation.schema)
    transformer = FlowTransformer(flow, node=node, output=output, trusted=True)
    both = dict(zip((above, beside), (left, right), strict=True))
    assert_same_table(
        found, transformer.fit_transform(both, training=True), prepared.relation.schema
    )


@settings(max_examples=8, suppress_health_check=list(HealthCheck))
@given(raw=flow_frames(max_rows=8), data=st.data())
def test_files_give_what_their_reader_reads(
    database: Database, tmp_path: Path, raw: pd.DataFrame, data: st.DataObject
):
    text = raw.to_csv(index=False)
    # "\r" is written without quotes, and is not told from the end of a row.
    assume(len(raw) and "\r" not in text)
    path = tmp_path / "t.csv"
    path.write_text(text, encoding="utf-8")
    os.utime(path, ns=(next(TIMES), 0))  # another file, however fast it is written
    engine = FlowEngine(database, FileSources(database, tmp_path))
    try:
        flow, node = source(Flow.empty(), str(path))
        engine.prepare(flow, node)
    except FlowError:
        reject()
    *_, (flow, node, output) = drawn_chain(data, engine, flow, node, longest=3)
    prepared = engine.prepare(flow, node, output)
    program = program_of(flow, node, output, "prepare", engine, trusted=True)
    scope: dict[str, Any] = {"__name__": "exported"}
    exec(compile(program.module("Prepares."), "<exported>", "exec"), scope)
    assert_same_table(
        prepared.relation.frame(), scope["prepare"](scope["load"]()), prepared.relation.schema
    )
