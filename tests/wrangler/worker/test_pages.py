"""Pages of a table before and after a step."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import pandas as pd
import pytest

from bottega.testing.wrangler_flows import FlowBench, step_node
from bottega.wrangler.worker.cells import cell
from bottega.wrangler.worker.pages import (
    Counts,
    aligned_page,
    plain_page,
    subset_page,
    unaligned_page,
)

FRAME = pd.DataFrame({"a {x}": [3.0, None, 1.0, 10.0], "s": ["x", "y", None, "y"]})


@pytest.fixture
def bench() -> Iterator[FlowBench]:
    found = FlowBench({"source": FRAME})
    yield found
    found.close()


def compared(
    bench: FlowBench,
    node: dict[str, Any],
    offset: int = 0,
    limit: int = 10,
    known: dict[str, Any] | None = None,
) -> Any:
    prepared = bench.engine.prepare(bench.flow(node), node["node_id"])
    before = bench.engine.prepare(bench.flow(node), "source").relation
    schema = prepared.relation.schema
    counts = Counts(known if known is not None else {}, "key")
    step = prepared.steps[-1]
    page = aligned_page(before, step, schema, offset, limit, counts)
    if page is None and getattr(step.rendering, "subset", False):
        page = subset_page(before, prepared.relation, offset, limit, counts)
    page = page or unaligned_page(before, prepared.relation, offset, limit, schema.names, counts)
    return page.as_answer()


def test_changed_cells_are_shown_with_what_they_were(bench: FlowBench) -> None:
    values = {"input_column": ["a {x}"], "fill_value": 5}
    page = compared(bench, step_node("1", "source", "Handle missing", "Fill missing", values))
    assert page["Rows"] == [[3.0, "x"], [5.0, "y"], [1.0, None], [10.0, "y"]]
    assert page["RowChanges"] == ["", "changed", "", ""]
    assert page["Before"] == [{}, {"a {x}": None}, {}, {}]
    assert page["TotalRows"] == 4
    assert page["Changes"] == {
        "CellsChanged": 1,
        "RowsAdded": 0,
        "RowsRemoved": 0,
        "ColumnsAdded": 0,
        "ColumnsRemoved": 0,
    }


def test_removed_rows_stay_in_sight(bench: FlowBench) -> None:
    node = step_node("1", "source", "Handle missing", "Drop missing", {})
    page = compared(bench, node, offset=1, limit=2)
    assert page["Rows"] == [[None, "y"], [1.0, None]]
    assert page["RowChanges"] == ["removed", "removed"]
    assert page["RowIds"] == [1, 2]
    assert (page["TotalRows"], page["Changes"]["RowsRemoved"]) == (4, 2)


def test_duplicates_stay_in_sight(bench: FlowBench) -> None:
    node = step_node("1", "source", "Manage rows", "Drop duplicates", {"columns": ["s"]})
    page = compared(bench, node, offset=1, limit=3)
    assert page["Rows"] == [[None, "y"], [1.0, None], [10.0, "y"]]
    assert page["RowChanges"] == ["", "", "removed"]
    assert (page["TotalRows"], page["Changes"]["RowsRemoved"]) == (4, 1)


def test_a_removed_column_stays_in_sight(bench: FlowBench) -> None:
    values = {"column_to_drop": ["a {x}"]}
    page = compared(bench, step_node("1", "source", "Manage columns", "Drop column", values))
    assert page["Columns"] == [
        {"Name": "s", "Type": "string"},
        {"Name": "a {x}", "Type": "float", "Change": "removed"},
    ]
    assert page["Rows"][0] == ["x", 3.0]
    assert page["Changes"]["ColumnsRemoved"] == 1


def test_an_added_column_is_marked(bench: FlowBench) -> None:
    values = {"input_column": ["a {x}"], "strategy": "Mean", "output_column": "filled"}
    page = compared(bench, step_node("1", "source", "Handle missing", "Impute", values))
    assert page["Columns"][-1] == {"Name": "filled", "Type": "float", "Change": "added"}
    assert page["Rows"][1] == [None, "y", pytest.approx(14 / 3)]
    assert page["RowChanges"] == ["", "", "", ""]
    assert page["Changes"]["ColumnsAdded"] == 1


def test_rows_in_a_new_order_are_not_compared(bench: FlowBench) -> None:
    node = step_node("1", "source", "Manage rows", "Sort", {"column": ["a {x}"]})
    page = compared(bench, node)
    assert [row[0] for row in page["Rows"]] == [1.0, 3.0, 10.0, None]
    assert page["RowChanges"] == ["", "", "", ""]
    assert page["TotalRows"] == 4


@pytest.mark.parametrize(
    ("name", "values"),
    [("Drop missing", {}), ("Fill missing", {"input_column": ["a {x}"], "fill_value": 5})],
)
def test_a_further_page_counts_nothing_again(
    bench: FlowBench, name: str, values: dict[str, Any]
) -> None:
    node = step_node("1", "source", "Handle missing", name, values)
    known: dict[str, Any] = {}
    first = compared(bench, node, 0, 2, known)
    asked = bench.count_queries()
    second = compared(bench, node, 2, 2, known)
    assert len(asked) == 1
    assert second["Changes"] == first["Changes"]


def test_a_plain_page_has_the_columns_asked_for(bench: FlowBench) -> None:
    relation = bench.engine.prepare(bench.flow(), "source").relation
    page = plain_page(relation, 1, 2, ["s"]).as_answer()
    assert page == {
        "Columns": [{"Name": "s", "Type": "string"}],
        "Rows": [["y"], [None]],
        "RowIds": [1, 2],
    }


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (2**53, 2**53),
        (2**53 + 1, "9007199254740993"),
        (1.5, 1.5),
        (math.inf, "Infinity"),
        (-math.inf, "-Infinity"),
        (math.nan, None),
        (date(2024, 2, 29), "2024-02-29"),
        (datetime(2024, 2, 29, 1, 2, 3, 500), "2024-02-29 01:02:03.000500"),
        ([1.0, None, math.inf], [1.0, None, "Infinity"]),
        ("ünï\n", "ünï\n"),
    ],
)
def test_cells_are_json(value: Any, expected: Any) -> None:
    assert cell(value) == expected
