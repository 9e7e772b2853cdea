"""Edits of flows: what they do, what they keep, what they refuse."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.wrangler.errors import FlowError, ParameterError
from bottega.wrangler.flow.document import Flow
from bottega.wrangler.flow.edits import apply

MISSING = "sagemaker.spark.handle_missing_0.1"
COLUMNS = "sagemaker.spark.manage_columns_0.1"
ROWS = "sagemaker.spark.manage_rows_0.1"
FILE = {"Kind": "file", "Uri": "customers.csv"}
FILL = {
    "Kind": "add_step", "Operator": MISSING, "Name": "Fill missing",
    "Values": {"input_column": ["age"], "fill_value": "0"},
}  # fmt: skip


def sagemaker_flow() -> dict[str, Any]:
    """A document as SageMaker writes it, with state and keys that mean nothing here."""
    return {
        "metadata": {"version": 1, "disable_limits": False, "instance_type": "ml.m5.4xlarge"},
        "parameters": [{"name": "day", "type": "string"}],
        "nodes": [
            {
                "node_id": "s",
                "type": "SOURCE",
                "operator": "sagemaker.s3_source_0.1",
                "parameters": {
                    "dataset_definition": {
                        "__typename": "S3CreateDatasetDefinitionOutput",
                        "datasetSourceType": "S3",
                        "name": "titanic.csv",
                        "description": None,
                        "s3ExecutionContext": {
                            "__typename": "S3ExecutionContext",
                            "s3Uri": "s3://bucket/titanic.csv",
                            "s3ContentType": "csv",
                            "s3HasHeader": True,
                            "s3FieldDelimiter": ",",
                        },
                    }
                },
                "inputs": [],
                "outputs": [
                    {
                        "name": "default",
                        "sampling": {"sampling_method": "sample_by_limit", "limit_rows": 50000},
                    }
                ],
            },
            {
                "node_id": "c",
                "type": "TRANSFORM",
                "operator": "sagemaker.spark.infer_and_cast_type_0.1",
                "parameters": {},
                "trained_parameters": {"schema": {"age": "float"}},
                "inputs": [{"name": "default", "node_id": "s", "output_name": "default"}],
                "outputs": [{"name": "default"}],
            },
            {
                "node_id": "i",
                "type": "TRANSFORM",
                "operator": MISSING,
                "parameters": {
                    "operator": "Impute",
                    "impute_parameters": {
                        "column_type": "Numeric",
                        "numeric_parameters": {"strategy": "Mean"},
                        "input_column": ["age"],
                    },
                    "fill_missing_parameters": {"unknown": 1},
                },
                "trained_parameters": {"impute_parameters": {"_hash": 7, "imputer": "P)h>@6aWAK"}},
                "inputs": [{"name": "df", "node_id": "c", "output_name": "default"}],
                "outputs": [{"name": "default"}],
            },
            {
                "node_id": "d",
                "type": "DESTINATION",
                "operator": "sagemaker.spark.s3_destination_0.1",
                "name": "S3: titanic",
                "parameters": {"output_config": {"compression": "none", "output_path": "s3://b/o"}},
                "inputs": [{"name": "default", "node_id": "i", "output_name": "default"}],
                "outputs": [{"name": "default"}],
            },
        ],
    }


def started() -> tuple[Flow, str]:
    """A flow of one source."""
    return apply(Flow.empty(), {"Kind": "add_source", "Source": FILE})


def chain(*steps: dict[str, Any]) -> tuple[Flow, list[str]]:
    """A source and steps behind it."""
    flow, node = started()
    ids = [node]
    for step in steps:
        flow, node = apply(flow, {"Kind": "add_step", "NodeId": ids[-1], **step})
        ids.append(node)
    return flow, ids


def drop(*columns: str) -> dict[str, Any]:
    return {
        "Operator": COLUMNS, "Name": "Drop column", "Values": {"column_to_drop": list(columns)},
    }  # fmt: skip


def inputs(flow: Flow, node_id: str) -> list[tuple[str, str, str]]:
    return [(one.name, one.node_id, one.output_name) for one in flow.node(node_id).inputs]


def test_a_source_and_a_step():
    flow, (source, step) = chain(FILL)
    node = flow.node(step)
    assert node.parameters == {
        "operator": "Fill missing",
        "fill_missing_parameters": {"input_column": ["age"], "fill_value": "0"},
    }
    assert inputs(flow, step) == [("df", source, "default")]
    assert flow.node(source).parameters["path"] == "customers.csv"


def test_a_step_in_the_middle_is_taken_by_the_next_one():
    flow, (source, last) = chain(drop("a"))
    flow, middle = apply(flow, {**FILL, "NodeId": source})
    assert inputs(flow, middle) == [("df", source, "default")]
    assert inputs(flow, last) == [("df", middle, "default")]
    assert [node.id for node in flow.nodes] == [source, middle, last]


def test_destinations_and_analyses_stay_with_their_table():
    flow = Flow(sagemaker_flow())
    flow, fresh = apply(flow, {**FILL, "NodeId": "i"})
    assert inputs(flow, "d") == [("default", "i", "default")]
    assert inputs(flow, fresh) == [("df", "i", "default")]


def test_removing_passes_the_input_on():
    flow, (source, first, second) = chain(FILL, drop("a"))
    flow, shown = apply(flow, {"Kind": "remove", "NodeId": first})
    assert shown == source
    assert inputs(flow, second) == [("df", source, "default")]


def test_a_source_in_use_is_not_removed():
    flow, (source, step) = chain(FILL)
    with pytest.raises(FlowError, match="1 nodes take the table of this source") as caught:
        apply(flow, {"Kind": "remove", "NodeId": source})
    assert caught.value.node == source
    flow, _ = apply(flow, {"Kind": "remove", "NodeId": step})
    flow, shown = apply(flow, {"Kind": "remove", "NodeId": source})
    assert (flow.nodes, shown) == ((), "")


def test_moving_up_and_down():
    flow, (source, a, b, c) = chain(drop("a"), drop("b"), drop("c"))
    up, shown = apply(flow, {"Kind": "move", "NodeId": c, "OtherNodeId": source})
    assert shown == c
    assert [inputs(up, node)[0][1] for node in (c, a, b)] == [source, c, a]
    down, _ = apply(flow, {"Kind": "move", "NodeId": a, "OtherNodeId": c})
    assert [inputs(down, node)[0][1] for node in (b, c, a)] == [source, b, c]
    same, _ = apply(flow, {"Kind": "move", "NodeId": b, "OtherNodeId": a})
    assert same.raw == flow.raw


def test_moving_before_the_step_that_makes_a_column():
    impute = {
        "Operator": MISSING, "Name": "Impute",
        "Values": {"input_column": ["age"], "output_column": "age_filled"},
    }  # fmt: skip
    flow, (source, first, second) = chain(impute, drop("age_filled"))
    for edit in (
        {"Kind": "move", "NodeId": second, "OtherNodeId": source},
        {"Kind": "move", "NodeId": first, "OtherNodeId": second},
    ):
        with pytest.raises(FlowError, match="'age_filled' is used before it is made"):
            apply(flow, edit)


def test_moving_out_of_the_chain():
    flow, (left, a) = chain(drop("a"))
    flow, right = apply(flow, {"Kind": "add_source", "Source": FILE})
    flow, join = apply(flow, {"Kind": "join", "NodeId": a, "OtherNodeId": right})
    for target in (right, join):
        with pytest.raises(FlowError, match="within its own chain"):
            apply(flow, {"Kind": "move", "NodeId": a, "OtherNodeId": target})
    with pytest.raises(FlowError, match="one input"):
        apply(flow, {"Kind": "move", "NodeId": join, "OtherNodeId": left})
    with pytest.raises(FlowError, match="behind itself"):
        apply(flow, {"Kind": "move", "NodeId": a, "OtherNodeId": a})


def test_moving_before_a_branch():
    flow, (source, a, b) = chain(drop("a"), drop("b"))
    flow, other = apply(flow, {"Kind": "join", "NodeId": a, "OtherNodeId": source})
    with pytest.raises(FlowError, match="other steps take"):
        apply(flow, {"Kind": "move", "NodeId": b, "OtherNodeId": source})
    assert inputs(flow, other) == [("df", a, "default"), ("df", source, "default")]


@pytest.mark.parametrize("kind", ["join", "concatenate"])
def test_two_tables(kind: str):
    flow, left = started()
    flow, right = apply(flow, {"Kind": "add_source", "Source": FILE})
    flow, both = apply(flow, {"Kind": kind, "NodeId": left, "OtherNodeId": right})
    assert inputs(flow, both) == [("df", left, "default"), ("df", right, "default")]
    with pytest.raises(FlowError, match="OtherNodeId"):
        apply(flow, {"Kind": kind, "NodeId": left})
    flow, _ = apply(flow, {"Kind": "remove", "NodeId": both})
    assert len(flow.nodes) == 2


def test_disable_and_enable():
    flow, (_, step) = chain(FILL)
    off, _ = apply(flow, {"Kind": "disable", "NodeId": step})
    assert off.node(step).disabled
    again, _ = apply(off, {"Kind": "disable", "NodeId": step})
    on, _ = apply(again, {"Kind": "enable", "NodeId": step})
    assert on.raw == flow.raw


def test_changing_a_step_keeps_what_is_not_understood():
    flow = Flow(sagemaker_flow())
    values = {"column_type": "Categorical", "input_column": ["sex"]}
    changed, shown = apply(flow, {"Kind": "change_step", "NodeId": "i", "Values": values})
    assert shown == "i"
    parameters = changed.node("i").parameters
    assert parameters["fill_missing_parameters"] == {"unknown": 1}
    assert parameters["impute_parameters"] == {
        "column_type": "Categorical", "input_column": ["sex"], "numeric_parameters": {},
    }  # fmt: skip
    assert changed.node("i").raw["trained_parameters"] == flow.node("i").raw["trained_parameters"]


def test_changing_the_operation_of_a_step():
    flow = Flow(sagemaker_flow())
    edit = {"Kind": "change_step", "NodeId": "i", "Name": "Fill missing", "Values": {
        "input_column": ["age"], "fill_value": 0}}  # fmt: skip
    parameters = apply(flow, edit)[0].node("i").parameters
    assert parameters["operator"] == "Fill missing"
    assert parameters["fill_missing_parameters"] == {
        "unknown": 1, "input_column": ["age"], "fill_value": 0,
    }  # fmt: skip
    assert "impute_parameters" in parameters


def test_what_was_learnt_is_forgotten_behind_a_change():
    flow, (source, first, second) = chain(FILL, drop("a"))
    fitted = flow.with_states({first: {"x": 1}, second: {"y": 2}})
    changed, _ = apply(fitted, {"Kind": "change_step", "NodeId": second, "Values": {}})
    assert (changed.node(first).state, changed.node(second).state) == ({"x": 1}, None)
    changed, _ = apply(fitted, {"Kind": "disable", "NodeId": first})
    assert (changed.node(first).state, changed.node(second).state) == (None, None)
    renamed, _ = apply(fitted, {"Kind": "rename", "NodeId": first, "Name": "x"})
    assert renamed.node(second).state == {"y": 2}
    assert source in renamed


def test_a_source_is_changed_in_its_own_form():
    flow = Flow(sagemaker_flow())
    source = {"Kind": "s3", "Uri": "s3://other/x.csv", "Options": {
        "Delimiter": ";", "Types": {"age": "long"}, "Encoding": "latin-1"}}  # fmt: skip
    changed, _ = apply(flow, {"Kind": "change_source", "NodeId": "s", "Source": source})
    context = changed.node("s").parameters["dataset_definition"]["s3ExecutionContext"]
    assert context == {
        "__typename": "S3ExecutionContext", "s3Uri": "s3://other/x.csv", "s3ContentType": "csv",
        "s3HasHeader": True, "s3FieldDelimiter": ";", "s3CsvEncodingType": "ISO_8859_1",
    }  # fmt: skip
    assert changed.node("s").raw["bottega"] == {"options": {"Types": {"age": "long"}}}
    assert changed.node("s").raw["outputs"] == flow.node("s").raw["outputs"]


def test_analyses_and_destinations():
    flow, source = started()
    flow, chart = apply(flow, {
        "Kind": "add_analysis", "NodeId": source, "Values": {"name": "Ages", "x_axis": "age"},
        "Operator": "sagemaker.visualizations.histogram_0.1"})  # fmt: skip
    assert flow.node(chart).type == "VISUALIZATION"
    flow, _ = apply(flow, {"Kind": "change_analysis", "NodeId": chart,
                           "Values": {"name": "Old", "x_axis": "age"}})  # fmt: skip
    assert flow.node(chart).parameters["name"] == "Old"
    flow, out = apply(flow, {"Kind": "add_destination", "NodeId": source,
                             "Values": {"output_path": "s3://b/o"}})  # fmt: skip
    config = flow.node(out).parameters["output_config"]
    assert config == {
        "output_path": "s3://b/o", "output_content_type": "CSV", "delimiter": ",",
        "compression": "none",
    }  # fmt: skip
    assert inputs(flow, out) == [("default", source, "default")]
    flow, _ = apply(flow, {"Kind": "change_destination", "NodeId": out,
                           "Values": {"output_path": "s3://c/d"}})  # fmt: skip
    assert flow.node(out).parameters["output_config"] == {"output_path": "s3://c/d"}


def test_renaming():
    flow = Flow(sagemaker_flow())
    renamed, _ = apply(flow, {"Kind": "rename", "NodeId": "s", "Name": "people"})
    assert renamed.node("s").parameters["dataset_definition"]["name"] == "people"
    renamed, _ = apply(renamed, {"Kind": "rename", "NodeId": "i", "Name": "ages"})
    assert renamed.node("i").raw["name"] == "ages"
    with pytest.raises(ParameterError):
        apply(flow, {"Kind": "rename", "NodeId": "i", "Name": " "})


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        ({"Kind": "remov"}, "did you mean"),
        ({"Kind": "add_step", "Operator": MISSING, "Name": "Impute"}, "says no NodeId"),
        ({"Kind": "add_step", "NodeId": "x", "Operator": MISSING}, "no node 'x'"),
        ({"Kind": "add_step", "NodeId": "i"}, "no operator"),
        ({**FILL, "NodeId": "d"}, "gives no table"),
        ({**FILL, "NodeId": "i", "OutputName": "Train"}, "no output 'Train'"),
        ({**FILL, "NodeId": "i", "Values": {"fill": 1}}, "no parameter 'fill'"),
        ({**FILL, "NodeId": "i", "Values": [1]}, "a mapping"),
        ({"Kind": "add_source"}, "says no source"),
        ({"Kind": "add_source", "Source": {"Kind": "file"}}, "where its data are"),
        ({"Kind": "change_step", "NodeId": "s", "Values": {}}, "no step"),
        ({"Kind": "disable", "NodeId": "s"}, "Only a step"),
        ({"Kind": "add_analysis", "NodeId": "i", "Operator": "nothing"}, "nothing"),
    ],
)
def test_refusals(edit: dict[str, Any], words: str):
    with pytest.raises(FlowError, match=words):
        apply(Flow(sagemaker_flow()), edit)


@st.composite
def edits(draw: st.DrawFn, flow: Flow) -> dict[str, Any]:
    """Any edit of a flow's nodes, possible or not."""
    ids = [node.id for node in flow.nodes] or ["nothing"]
    node, other = draw(st.sampled_from(ids)), draw(st.sampled_from(ids))
    kind = draw(
        st.sampled_from(["add_source", "add_step", "add_step", "join", "concatenate", "remove",
                         "move", "move", "disable", "enable", "rename", "add_destination"])
    )  # fmt: skip
    step = draw(st.sampled_from([FILL, drop("a"), {"Operator": ROWS, "Name": "Sort"}]))
    edit = {"Kind": kind, "NodeId": node, "OtherNodeId": other, "Source": FILE}
    if kind == "add_step":
        edit |= {key: value for key, value in step.items() if key != "Kind"}
    return edit | ({"Name": "new"} if kind == "rename" else {})


@settings(max_examples=60)
@given(data=st.data())
def test_any_edits_give_valid_flows_and_change_no_old_one(data: st.DataObject):
    flow = Flow(sagemaker_flow()) if data.draw(st.booleans()) else Flow.empty()
    history: list[tuple[Flow, str]] = []
    for _ in range(data.draw(st.integers(1, 12))):
        before = flow.text()
        history.append((flow, before))
        kept = copy.deepcopy(flow.raw)
        try:
            flow, shown = apply(flow, data.draw(edits(flow)))
        except FlowError:  # refused; the flow stays
            pass
        else:
            assert shown in flow or not flow.nodes
            flow = Flow.parse(flow.text())
            known = {node["node_id"]: node for node in flow.raw["nodes"]}
            for node in kept["nodes"]:
                if node["node_id"] in known:
                    for key in node.keys() - {"inputs", "name", "bottega", "parameters"}:
                        assert known[node["node_id"]][key] == node[key]
        assert {**flow.raw, "nodes": []} == {**kept, "nodes": []}
    assert all(old.text() == text for old, text in history)


def test_what_an_edit_does_not_concern_stays_byte_by_byte():
    flow = Flow(sagemaker_flow())
    changed, _ = apply(flow, {"Kind": "disable", "NodeId": "i"})
    before, after = json.loads(flow.text()), json.loads(changed.text())
    del after["nodes"][2]["bottega"]
    assert json.dumps(after) == json.dumps(before)
