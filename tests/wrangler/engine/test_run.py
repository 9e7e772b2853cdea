"""Running flows: composed queries, what is learnt, what is kept, what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.testing.wrangler_flows import FlowBench, step_node
from bottega.wrangler.engine.run import FlowEngine
from bottega.wrangler.errors import FlowError

FRAME = pd.DataFrame(
    {
        "a": [3.0, None, 1.0, 10.0],
        "b": [1.0, 2.0, None, None],
        "s": ["x", "y", None, "y"],
    }
)


@pytest.fixture
def bench() -> Iterator[FlowBench]:
    found = FlowBench({"source": FRAME})
    yield found
    found.close()


def impute(node_id: str, above: str, column: str, strategy: str = "Mean") -> dict[str, Any]:
    return step_node(
        node_id,
        above,
        "Handle missing",
        "Impute",
        {"input_column": [column], "strategy": strategy},
    )


def fill(node_id: str, above: str, column: str, value: Any) -> dict[str, Any]:
    values = {"input_column": [column], "fill_value": value}
    return step_node(node_id, above, "Handle missing", "Fill missing", values)


def drop_rows(node_id: str, above: str, *columns: str) -> dict[str, Any]:
    values = {"input_column": list(columns)}
    return step_node(node_id, above, "Handle missing", "Drop missing", values)


def test_steps_follow_one_another(bench: FlowBench) -> None:
    flow = bench.flow(
        impute("1", "source", "a"),
        drop_rows("2", "1", "s"),
        step_node("3", "2", "Manage rows", "Sort", {"column": ["a"], "order": "Descending"}),
    )
    prepared = bench.engine.prepare(flow, "3")
    assert prepared.relation.frame()["a"].tolist() == [10.0, pytest.approx(14 / 3), 3.0]
    assert prepared.states["1"] == {"values": {"a": pytest.approx(14 / 3)}}
    assert [applied.node.id for applied in prepared.steps] == ["1", "2", "3"]


def test_a_page_is_the_same_part_of_the_table(bench: FlowBench) -> None:
    flow = bench.flow(
        step_node("1", "source", "Manage rows", "Sort", {"column": ["a"], "order": "Ascending"}),
        drop_rows("2", "1", "a"),
    )
    for node in ("source", "1", "2"):
        relation = bench.engine.prepare(flow, node).relation
        whole = relation.frame()["a"].tolist()
        pages = [row[1] for n in range(3) for row in relation.page(2 * n, 2, ["a"])]
        assert pd.Series(pages, dtype="float64").equals(pd.Series(whole, dtype="float64"))
        assert relation.count() == len(whole)


def test_what_a_step_learns_is_learnt_from_the_table_it_gets(bench: FlowBench) -> None:
    flow = bench.flow(
        fill("1", "source", "a", 100),
        impute("2", "1", "b"),
        drop_rows("3", "2", "s"),
        impute("4", "3", "a"),
    )
    states = bench.engine.prepare(flow, "4").states
    assert states["2"] == {"values": {"b": 1.5}}
    assert states["4"] == {"values": {"a": pytest.approx((3 + 100 + 10) / 3)}}


def test_several_steps_learn_in_one_pass(bench: FlowBench) -> None:
    flow = bench.flow(
        impute("1", "source", "a"), fill("2", "1", "s", "?"), impute("3", "2", "b", "Mean")
    )
    asked = bench.count_queries()
    states = bench.engine.prepare(flow, "3").states
    assert len(asked) == 1
    assert states == {
        "1": {"values": {"a": pytest.approx(14 / 3)}},
        "3": {"values": {"b": 1.5}},
    }


COLUMNS = st.sampled_from(["a", "b"])


@st.composite
def chains(draw: st.DrawFn) -> list[dict[str, Any]]:
    steps = []
    for number in range(draw(st.integers(1, 6))):
        above = str(number - 1) if number else "source"
        kind = draw(st.sampled_from(["impute", "fill", "drop rows", "sort", "drop columns"]))
        if kind == "impute":
            strategy = draw(st.sampled_from(["Mean", "Approximate Median"]))
            steps.append(impute(str(number), above, draw(COLUMNS), strategy))
        elif kind == "fill":
            steps.append(fill(str(number), above, draw(COLUMNS), draw(st.integers(-5, 5))))
        elif kind == "drop rows":
            steps.append(drop_rows(str(number), above, draw(COLUMNS)))
        elif kind == "sort":
            values = {"column": [draw(COLUMNS)], "order": "Descending"}
            steps.append(step_node(str(number), above, "Manage rows", "Sort", values))
        else:
            values = {"dimension": "Drop Columns", "missing_percentage": 90}
            steps.append(step_node(str(number), above, "Handle missing", "Drop missing", values))
    return steps


@settings(max_examples=40, deadline=None)
@given(steps=chains())
def test_learning_ahead_is_learning_one_by_one(steps: list[dict[str, Any]]) -> None:
    bench = FlowBench({"source": FRAME})
    try:
        flow = bench.flow(*steps)
        at_once = bench.engine.prepare(flow, steps[-1]["node_id"])
        slow = FlowEngine(bench.database, bench)
        for step in steps:  # a step at a time, nothing can be foreseen
            one_by_one = slow.prepare(bench.flow(*steps[: steps.index(step) + 1]), step["node_id"])
        assert at_once.states == one_by_one.states
        pd.testing.assert_frame_equal(at_once.relation.frame(), one_by_one.relation.frame())
    finally:
        bench.close()


def test_an_edit_of_the_last_step_costs_that_step_only(bench: FlowBench) -> None:
    first = impute("1", "source", "a")
    bench.engine.prepare(bench.flow(first, fill("2", "1", "b", 0)), "2")
    asked = bench.count_queries()
    bench.engine.prepare(bench.flow(first, fill("2", "1", "b", 1)), "2")
    assert asked == []


def test_a_step_that_is_switched_off_passes_its_table_on(bench: FlowBench) -> None:
    off = {**fill("1", "source", "a", 0), "bottega": {"disabled": True}}
    prepared = bench.engine.prepare(bench.flow(off), "1")
    assert prepared.relation.frame()["a"].isna().sum() == 1
    assert prepared.steps == ()


def test_a_fitted_flow_does_not_learn_again(bench: FlowBench) -> None:
    flow = bench.flow(impute("1", "source", "a"))
    fitted = flow.with_states({"1": {"values": {"a": 77.0}}})
    table = bench.engine.prepare(fitted, "1", fitted=True).relation.frame()
    assert table["a"].tolist() == [3.0, 77.0, 1.0, 10.0]
    with pytest.raises(FlowError, match="not fitted") as caught:
        bench.engine.prepare(flow, "1", fitted=True)
    assert caught.value.node == "1"


def test_a_table_that_was_computed_is_the_same_table(bench: FlowBench) -> None:
    flow = bench.flow(
        step_node("1", "source", "Manage rows", "Sort", {"column": ["a"], "order": "Descending"}),
        fill("2", "1", "b", 9),
    )
    prepared = bench.engine.prepare(flow, "1")
    before = prepared.relation.frame()
    kept = bench.engine.materialise(prepared)
    pd.testing.assert_frame_equal(kept.relation.frame(), before)
    assert kept.relation.dense
    after = bench.engine.prepare(flow, "2").relation.frame()
    assert after["a"].tolist()[:3] == [10.0, 3.0, 1.0]


def test_a_long_chain_is_no_deep_one(bench: FlowBench) -> None:
    steps = [fill(str(n), str(n - 1) if n else "source", "a", n) for n in range(300)]
    assert bench.engine.prepare(bench.flow(*steps), "299").relation.frame()["a"][1] == 0


def test_a_refusal_names_the_node_and_the_parameter(bench: FlowBench) -> None:
    flow = bench.flow(impute("first", "source", "a"), impute("second", "first", "zzz"))
    with pytest.raises(FlowError, match="no column 'zzz'") as caught:
        bench.engine.prepare(flow, "second")
    assert (caught.value.node, caught.value.parameter) == ("second", "input_column")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"inputs": []}, "no input"),
        ({"operator": "sagemaker.spark.handle_mising_0.1"}, "did you mean sagemaker.spark.handle"),
        ({"parameters": {"operator": "Imputee"}}, r"no operation 'Imputee'; did you mean Impute\?"),
    ],
)
def test_a_node_that_cannot_be_is_refused(
    bench: FlowBench, change: dict[str, Any], message: str
) -> None:
    flow = bench.flow(impute("1", "source", "a") | change)
    with pytest.raises(FlowError, match=message) as caught:
        bench.engine.prepare(flow, "1")
    assert caught.value.node == "1"


def test_what_cannot_be_learnt_is_said(bench: FlowBench) -> None:
    bench = FlowBench({"source": pd.DataFrame({"a": pd.Series([None, None], dtype="float64")})})
    with pytest.raises(FlowError, match="Column 'a' has no finite value") as caught:
        bench.engine.prepare(bench.flow(impute("1", "source", "a")), "1")
    assert caught.value.node == "1"
    bench.close()
