"""The operations on flows, over a small file: what is asked reaches the worker and comes back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bottega.errors import ValidationException
from bottega.testing.wrangler_flows import step_node

Call = Callable[..., Any]


def with_node(source: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """The same request about a flow with one more node."""
    flow = json.loads(source["Flow"])
    flow["nodes"].append(node)
    return source | {"Flow": json.dumps(flow), "NodeId": node["node_id"]}


@pytest.fixture
def imputed(source: dict[str, Any]) -> dict[str, Any]:
    values = {"input_column": ["price"], "strategy": "Mean"}
    return with_node(source, step_node("s", source["NodeId"], "Handle missing", "Impute", values))


def test_the_palette_has_every_transform_and_analysis(call: Call) -> None:
    answer = call("ListTransforms")
    impute = next(t for t in answer["Transforms"] if t["Name"] == "Impute")
    assert impute["Group"] == "Handle missing"
    assert impute["Learns"]
    assert [p["Name"] for p in impute["Parameters"]][:2] == ["column_type", "strategy"]
    assert "Histogram" in {analysis["Name"] for analysis in answer["Analyses"]}


def test_an_edit_comes_back_as_a_flow(call: Call, source: dict[str, Any]) -> None:
    edit = {
        "Kind": "add_step",
        "NodeId": source["NodeId"],
        "Operator": "sagemaker.spark.handle_missing_0.1",
        "Name": "Fill missing",
        "Values": {"input_column": ["price"], "fill_value": 9},
    }
    answer = call("EditFlow", Flow=source["Flow"], Edit=edit, Folder=source["Folder"])
    page = call("PreviewFlow", **(source | answer))
    assert page["Rows"] == [["a", 1.5], ["b", 9.0]]


def test_a_check_says_what_nodes_are_and_what_is_wrong(call: Call, imputed: dict[str, Any]) -> None:
    asked = {"Flow": imputed["Flow"], "Folder": imputed["Folder"]}
    answer = call("CheckFlow", **asked)
    step = next(node for node in answer["Nodes"] if node["NodeId"] == "s")
    assert "1.5" in step["Summary"]
    assert step["Columns"] == [
        {"Name": "name", "Type": "string"},
        {"Name": "price", "Type": "float"},
    ]
    assert (answer["NeedsTrust"], answer["Ends"]) == (False, ["s"])
    broken = with_node(
        imputed, step_node("t", "s", "Manage columns", "Drop column", {"column_to_drop": ["x"]})
    )
    answer = call("CheckFlow", Flow=broken["Flow"], Folder=broken["Folder"])
    wrong = next(node for node in answer["Nodes"] if node["NodeId"] == "t")
    assert "There is no column 'x'" in wrong["Error"]
    assert wrong["Parameter"] == "column_to_drop"


def test_what_is_odd_about_a_file_is_told(call: Call, folder: Path) -> None:
    (folder / "odd.csv").write_text("a,a\n1,2\n")
    edit = {"Kind": "add_source", "Source": {"Kind": "file", "Uri": "odd.csv"}}
    flow = call("EditFlow", Flow="", Edit=edit, Folder=str(folder))["Flow"]
    (note,) = call("CheckFlow", Flow=flow, Folder=str(folder))["Notes"]
    assert note.startswith("odd.csv: ")
    assert "'a'" in note


def test_columns_are_profiled(call: Call, source: dict[str, Any]) -> None:
    answer = call("ProfileFlow", **source, Columns=["price"])
    (price,) = answer["Profiles"]
    assert (answer["Rows"], price["Missing"], price["Minimum"]) == (2, 1, 1.5)


def test_steps_are_suggested(call: Call, folder: Path) -> None:
    rows = "".join(f"{n},{'' if n == 7 else n * 1.5}\n" for n in range(40))
    (folder / "more.csv").write_text("id,price\n" + rows)
    edit: dict[str, Any] = {"Kind": "add_source", "Source": {"Kind": "file", "Uri": "more.csv"}}
    asked = {"Folder": str(folder), **call("EditFlow", Flow="", Edit=edit, Folder=str(folder))}
    found = call("SuggestSteps", **asked, Column="price")["Suggestions"]
    step = next(s for s in found if s["Name"] == "Impute")
    edit = {"Kind": "add_step", "NodeId": asked["NodeId"]}
    edit |= {key: step[key] for key in ("Operator", "Name", "Values")}
    asked |= call("EditFlow", Flow=asked["Flow"], Edit=edit, Folder=str(folder))
    assert None not in [row[1] for row in call("PreviewFlow", **asked)["Rows"]]
    with pytest.raises(ValidationException, match="did you mean 'price'"):
        call("SuggestSteps", **asked, Column="prize")


def test_a_table_is_analysed(call: Call, source: dict[str, Any]) -> None:
    catalogue = call("ListTransforms")["Analyses"]
    summary = next(a["Operator"] for a in catalogue if a["Name"] == "Table summary")
    answer = call("AnalyzeFlow", **source, Operator=summary, Html=True)
    assert (answer["Rows"], answer["Scope"]) == (2, "whole")
    assert any("Table" in section for section in answer["Sections"])
    assert answer["Html"].startswith("<!DOCTYPE html>")
    with pytest.raises(ValidationException, match="say which analysis is wanted"):
        call("AnalyzeFlow", **source)


def test_code_comes_out_that_gives_the_same_table(
    call: Call, imputed: dict[str, Any], monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    answer = call("ExportFlow", **imputed, Form="pandas", Name="rows")
    scope: dict[str, Any] = {"__name__": "exported"}
    exec(answer["Text"], scope)
    table = pd.read_csv(folder / "rows.csv", dtype={"name": "str"})
    assert scope["rows"](table)["price"].tolist() == [1.5, 1.5]
    with pytest.raises(ValidationException):
        call("ExportFlow", **imputed, Form="spark")


def test_code_that_came_with_a_flow_waits_for_trust(call: Call, source: dict[str, Any]) -> None:
    node = step_node(
        "c", source["NodeId"], "Custom code", "Python (Pandas)", {"code": "df['n'] = 1"}
    )
    asked = with_node(source, node)
    with pytest.raises(ValidationException, match="runs code that came with this flow"):
        call("PreviewFlow", **asked)
    assert call("CheckFlow", Flow=asked["Flow"], Folder=asked["Folder"])["NeedsTrust"]
    assert call("PreviewFlow", **asked, Trusted=True)["Rows"] == [["a", 1.5, 1], ["b", None, 1]]
    with pytest.raises(ValidationException, match="runs code that came with this flow"):
        call("PreviewFlow", **asked)
