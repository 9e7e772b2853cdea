"""The flow document: what is read from it, and what is refused."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from bottega.wrangler.errors import FlowError
from bottega.wrangler.flow.document import Flow


def node(node_id: str, kind: str = "TRANSFORM", *above: str, **more: Any) -> dict[str, Any]:
    links = [{"name": "df", "node_id": i, "output_name": "default"} for i in above]
    return {"node_id": node_id, "type": kind, "operator": "x_0.1", "inputs": links} | more


DIAMOND: dict[str, Any] = {
    "metadata": {"version": 1, "disable_limits": False},
    "nodes": [
        node("join", "TRANSFORM", "left", "right"),
        node("left", "TRANSFORM", "source"),
        node("source", "SOURCE", trained_parameters={"model": "P)h>@6aW"}),
        node("right", "TRANSFORM", "source"),
        node("chart", "VISUALIZATION", "join"),
    ],
}


def test_a_node_comes_after_what_it_depends_on() -> None:
    flow = Flow(DIAMOND)
    assert [n.id for n in flow.upstream("chart")] == ["source", "left", "right", "join", "chart"]
    assert [n.id for n in flow.upstream("source")] == ["source"]


def test_ends_are_tables_that_nothing_transforms() -> None:
    flow = Flow(DIAMOND)
    assert [n.id for n in flow.ends()] == ["join"]
    assert [n.id for n in flow.consumers("source")] == ["left", "right"]
    assert "left" in flow
    assert "nobody" not in flow


def test_what_is_not_understood_is_kept_to_the_letter() -> None:
    text = json.dumps(DIAMOND, indent=2) + "\n"
    assert Flow.parse(text).text() == text


def test_an_early_data_set_is_a_source() -> None:
    flow = Flow({"nodes": [node("a", "DATASET")]})
    assert flow.node("a").type == "SOURCE"


def test_a_fitted_flow_is_another_document() -> None:
    raw = copy.deepcopy(DIAMOND)
    flow = Flow(raw)
    fitted = flow.with_states({"left": {"mean": 1.5}})
    assert fitted.node("left").state == {"mean": 1.5}
    assert fitted.node("right").state is None
    assert flow.node("left").state is None
    assert raw == DIAMOND


@pytest.mark.parametrize("text", ["", "  \n", b""])
def test_nothing_is_an_empty_flow(text: str | bytes) -> None:
    assert Flow.parse(text).nodes == ()


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ("{", "no JSON"),
        ("[" * 100_000, "no JSON"),
        (b"\xff\xfe", "no JSON"),
        ("[]", 'no list "nodes"'),
        ('{"nodes": 5}', 'no list "nodes"'),
        ({"nodes": [{}]}, "Node 1 of the flow has no node_id"),
        ({"nodes": [node("a", "SOURCE"), node("a", "SOURCE")]}, "Two nodes"),
        ({"nodes": [node("a", "TABLE")]}, "'TABLE' is none of SOURCE"),
        ({"nodes": [node("a", "TRANSFORM", "b")]}, "input from 'b', which is not in the flow"),
        ({"nodes": [node("a", "SOURCE", inputs=[{}])]}, "says no node_id"),
        ({"nodes": [node("a", "TRANSFORM", "b"), node("b", "TRANSFORM", "a")]}, "circle"),
    ],
)
def test_what_is_no_flow_is_refused(raw: Any, message: str) -> None:
    if isinstance(raw, dict):
        raw = json.dumps(raw)
    with pytest.raises(FlowError, match=message):
        Flow.parse(raw)


def test_an_unknown_node_is_refused_with_the_nearest() -> None:
    with pytest.raises(FlowError, match=r"no node 'lefd'; did you mean left\?"):
        Flow(DIAMOND).node("lefd")
