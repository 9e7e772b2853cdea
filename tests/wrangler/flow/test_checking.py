"""What is told of each node of a flow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bottega.wrangler.engine.database import Database
from bottega.wrangler.engine.run import FlowEngine
from bottega.wrangler.flow.checking import Checked, check
from bottega.wrangler.flow.document import Flow
from bottega.wrangler.flow.edits import apply
from bottega.wrangler.sources.files import FileSources

MISSING = "sagemaker.spark.handle_missing_0.1"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[FlowEngine]:
    (tmp_path / "people.csv").write_text("name,age\nAda,36\nBob,\nCy,41\n")
    with Database(tmp_path / "database", threads=2, memory=1 << 30) as database:
        yield FlowEngine(database, FileSources(database, tmp_path))


def edited(flow: Flow, **edit: Any) -> tuple[Flow, str]:
    return apply(flow, edit)


def started(path: str = "people.csv") -> tuple[Flow, str]:
    return edited(Flow.empty(), Kind="add_source", Source={"Kind": "file", "Uri": path})


def told(checked: Checked, node_id: str) -> dict[str, Any]:
    return next(a for a in checked.as_answer()["Nodes"] if a["NodeId"] == node_id)


def test_a_source_and_a_step_that_learns(engine: FlowEngine):
    flow, source = started()
    flow, step = edited(flow, Kind="add_step", NodeId=source, Operator=MISSING, Name="Impute",
                        Values={"input_column": ["age"]})  # fmt: skip
    checked = check(flow, engine)
    answer = told(checked, source)
    assert answer["Title"] == "people.csv"
    assert answer["Summary"] == "people.csv, 2 columns"
    assert answer["Columns"] == [
        {"Name": "name", "Type": "string"},
        {"Name": "age", "Type": "long"},
    ]
    answer = told(checked, step)
    assert answer["Title"] == answer["Name"] == "Impute"
    assert answer["Summary"] == "numeric, approximate median, age, fitted 38.5"
    assert (answer["Group"], answer["Serving"]) == ("Handle missing", "apply")
    assert answer["Columns"][1] == {"Name": "age", "Type": "float"}
    assert "Error" not in answer
    assert checked.as_answer()["Ends"] == [step]


def test_one_error_does_not_hide_the_others(engine: FlowEngine):
    flow, source = started()
    flow, bad = edited(flow, Kind="add_step", NodeId=source, Operator=MISSING, Name="Impute",
                       Values={"input_column": ["agee"]})  # fmt: skip
    flow, behind = edited(flow, Kind="add_step", NodeId=bad, Operator=MISSING, Name="Drop missing")
    flow, lost = edited(flow, Kind="add_source", Source={"Kind": "file", "Uri": "nothing.csv"})
    flow, both = edited(flow, Kind="concatenate", NodeId=behind, OtherNodeId=lost)
    checked = check(flow, engine)
    assert "did you mean 'age'" in told(checked, bad)["Error"]
    assert told(checked, bad)["Parameter"] == "input_column"
    assert told(checked, behind)["Error"] == "The step Impute before it has an error."
    assert "no file 'nothing.csv'" in told(checked, lost)["Error"]
    assert "before it has an error" in told(checked, both)["Error"]
    assert "Error" not in told(checked, source)
    assert "Columns" not in told(checked, behind)
    repaired, _ = edited(flow, Kind="disable", NodeId=bad)
    checked = check(repaired, engine)
    assert told(checked, bad)["Disabled"]
    assert "Error" not in told(checked, bad)
    assert "Error" not in told(checked, behind)


def test_unknown_operators_and_what_is_kept(engine: FlowEngine):
    flow, source = started()
    raw = {**flow.raw, "parameters": [{"name": "day"}], "nodes": [
        *flow.raw["nodes"],
        {"node_id": "x", "type": "TRANSFORM", "operator": "sagemaker.spark.nothing_0.1",
         "parameters": {}, "trained_parameters": {"model": "P)h>@6aWAK"},
         "inputs": [{"name": "df", "node_id": source, "output_name": "default"}],
         "outputs": [{"name": "default"}]},
        {"node_id": "y", "type": "DESTINATION", "operator": "sagemaker.spark.s3_destination_0.1",
         "parameters": {"output_config": {"output_path": "s3://b/o"}},
         "inputs": [{"name": "default", "node_id": source, "output_name": "default"}],
         "outputs": [{"name": "default"}]},
    ]}  # fmt: skip
    checked = check(Flow(raw), engine)
    assert "is unknown" in told(checked, "x")["Error"]
    assert told(checked, "y")["Summary"] == "CSV, s3://b/o"
    assert "Error" not in told(checked, "y")
    notes = " ".join(checked.notes)
    assert "learnt for 1 steps" in notes
    assert "1 parameters are kept" in notes


def test_code_needs_trust(engine: FlowEngine):
    flow, source = started()
    flow, step = edited(flow, Kind="add_step", NodeId=source, Name="Python (Pandas)",
                        Operator="sagemaker.spark.custom_code_0.1",
                        Values={"code": "df['twice'] = df['age'] * 2"})  # fmt: skip
    checked = check(flow, engine, trusted=False)
    assert checked.needs_trust
    answer = told(checked, step)
    assert answer["RunsCode"]
    assert "trust" in answer["Error"]
    checked = check(flow, engine, trusted=True)
    assert not checked.needs_trust
    assert [c["Name"] for c in told(checked, step)["Columns"]] == ["name", "age", "twice"]


def test_an_analysis(engine: FlowEngine):
    flow, source = started()
    flow, chart = edited(flow, Kind="add_analysis", NodeId=source, Values={"x_axis": "agee"},
                         Operator="sagemaker.visualizations.histogram_0.1")  # fmt: skip
    answer = told(check(flow, engine), chart)
    assert answer["Title"] == "Histogram"
    assert answer["Parameter"] == "x_axis"
    assert answer["Outputs"] == []
