"""What a worker answers, over files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bottega.testing.wrangler_flows import step_node
from bottega.wrangler.errors import FlowError
from bottega.wrangler.worker import session as session_module
from bottega.wrangler.worker.session import Session

ROWS = [("a", 1.5), ("b", None), ("c", 2.5), ("d", None), ("e", 8.0)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "files").mkdir()
    text = "name,price\n" + "".join(f"{n},{'' if p is None else p}\n" for n, p in ROWS)
    (tmp_path / "files" / "rows.csv").write_text(text)
    return tmp_path / "files"


@pytest.fixture
def session(tmp_path: Path, folder: Path) -> Iterator[Session]:
    found = Session(tmp_path / "work", folder, memory=512 << 20)
    yield found
    found.close()


@pytest.fixture
def source(session: Session) -> tuple[str, str]:
    """A flow of one source, and the id of the node to begin with."""
    edit = {"Kind": "add_source", "Source": {"Kind": "file", "Uri": "rows.csv"}}
    answer = session.edit(flow="", edit=edit, objects={})
    return answer["Flow"], answer["NodeId"]


def with_step(flow: str, above: str, name: str, values: dict[str, Any]) -> str:
    raw = json.loads(flow)
    raw["nodes"].append(step_node("step", above, "Handle missing", name, values))
    return json.dumps(raw)


IMPUTE = {"input_column": ["price"], "strategy": "Mean"}


def test_a_source_is_detected(session: Session) -> None:
    answer = session.detect(source={"Kind": "file", "Uri": "rows.csv"}, objects={})
    assert answer["Format"] == "csv"
    assert answer["Columns"] == [
        {"Name": "name", "Type": "string"},
        {"Name": "price", "Type": "float"},
    ]
    assert answer["Rows"][:2] == [["a", 1.5], ["b", None]]


def test_short_data_are_whole_at_once(session: Session, source: tuple[str, str]) -> None:
    flow, node = source
    page = session.preview(flow=flow, node_id=node, objects={}, limit=2)
    assert page["Scope"] == "whole"
    assert page["TotalRows"] == 5
    assert page["Rows"] == [["a", 1.5], ["b", None]]
    rest = session.preview(flow=flow, node_id=node, objects={}, offset=4)
    assert rest["Rows"] == [["e", 8.0]]


def test_long_data_are_sampled_first(
    session: Session, source: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "SAMPLE_ROWS", 2)
    flow, node = source
    changed = with_step(flow, node, "Impute", IMPUTE)
    first = session.preview(flow=changed, node_id="step", objects={})
    assert first["Scope"] == "sample"
    assert first["Rows"] == [["a", 1.5], ["b", 1.5]]
    assert "TotalRows" not in first
    whole = session.preview(flow=changed, node_id="step", objects={}, whole=True)
    assert (whole["Scope"], whole["TotalRows"]) == ("whole", 5)
    assert whole["Rows"][1] == ["b", 4.0]
    again = session.preview(flow=changed, node_id="step", objects={})
    assert again["Scope"] == "whole", "what is known of the whole is not asked of a sample"
    profile = session.profile(flow=changed, node_id="step", objects={})
    assert (profile["Scope"], profile["Rows"]) == ("sample", 2), (
        "but a look at every row takes long"
    )
    profile = session.profile(flow=changed, node_id="step", objects={}, whole=True)
    assert (profile["Scope"], profile["Rows"]) == ("whole", 5)


def test_a_comparison_shows_what_a_step_changes(session: Session, source: tuple[str, str]) -> None:
    flow, node = source
    changed = with_step(flow, node, "Impute", IMPUTE)
    page = session.preview(flow=changed, node_id="step", objects={}, compare=True)
    assert page["RowChanges"] == ["", "changed", "", "changed", ""]
    assert page["Before"][1] == {"price": None}
    assert page["Changes"]["CellsChanged"] == 2
    plain = session.preview(flow=flow, node_id=node, objects={}, compare=True)
    assert "RowChanges" not in plain, "a source has nothing before it"


def test_columns_are_profiled_once(session: Session, source: tuple[str, str]) -> None:
    flow, node = source
    some = session.profile(flow=flow, node_id=node, objects={}, columns=["price"])
    assert (some["Rows"], some["Profiles"][0]["Missing"]) == (5, 2)
    every = session.profile(flow=flow, node_id=node, objects={})
    assert [p["Name"] for p in every["Profiles"]] == ["name", "price"]
    assert every["Profiles"][1] == some["Profiles"][0]


def test_a_refusal_names_the_node(session: Session, source: tuple[str, str]) -> None:
    flow, node = source
    wrong = with_step(flow, node, "Impute", {"input_column": ["prize"]})
    with pytest.raises(FlowError, match="did you mean 'price'") as caught:
        session.preview(flow=wrong, node_id="step", objects={})
    assert caught.value.node == "step"
    with pytest.raises(FlowError, match="no column 'prize'"):
        session.preview(flow=flow, node_id=node, objects={}, columns=["prize"])


def test_objects_are_read_from_where_they_are_linked(session: Session, folder: Path) -> None:
    uri = "s3://bucket/rows.csv"
    edit = {"Kind": "add_source", "Source": {"Kind": "s3", "Uri": uri}}
    objects = {uri: [str(folder / "rows.csv")]}
    answer = session.edit(flow="", edit=edit, objects=objects)
    page = session.preview(flow=answer["Flow"], node_id=answer["NodeId"], objects=objects)
    assert page["TotalRows"] == 5
    with pytest.raises(FlowError, match="no objects under"):
        session.detect(source={"Kind": "s3", "Uri": "s3://bucket/other"}, objects={})
