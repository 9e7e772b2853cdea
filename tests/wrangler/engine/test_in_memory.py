"""Functions over frames as steps: in parts where rows depend on nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import pytest

from bottega.testing.wrangler_flows import FlowBench, step_node
from bottega.wrangler.columns import Schema
from bottega.wrangler.engine import in_memory, run
from bottega.wrangler.engine.in_memory import computed
from bottega.wrangler.engine.relation import Relation
from bottega.wrangler.errors import DataError
from bottega.wrangler.transform import InMemory

FRAME = pd.DataFrame({"a": [3.0, None, 1.0, 10.0, 5.0], "s": ["x", "y", None, "y", ""]})
SCHEMA = Schema.of(a="float", s="string", twice="float")


@pytest.fixture
def bench() -> Iterator[FlowBench]:
    found = FlowBench({"source": FRAME})
    yield found
    found.close()


@pytest.mark.parametrize(("rowwise", "calls"), [(True, [2, 2, 1]), (False, [5])])
def test_a_function_sees_as_many_rows_as_it_must(
    bench: FlowBench, monkeypatch: pytest.MonkeyPatch, rowwise: bool, calls: list[int]
) -> None:
    monkeypatch.setattr(in_memory, "ROWS_AT_ONCE", 2)
    seen: list[int] = []

    def twice(*frames: pd.DataFrame) -> pd.DataFrame:
        seen.append(len(frames[0]))
        assert list(frames[0].index) == list(range(len(frames[0])))
        return frames[0].assign(twice=frames[0]["a"] * 2)

    source = bench.engine.prepare(bench.flow(), "source").relation
    found = computed(InMemory(twice, rowwise=rowwise), SCHEMA, [source])
    assert seen == calls
    assert found.dense
    expected = FRAME.assign(twice=FRAME["a"] * 2)
    pd.testing.assert_frame_equal(found.frame(), expected.astype({"s": "str"}))
    assert [row[0] for row in found.page(3, 5, ["twice"])] == [3, 4]


def test_an_empty_table_is_one_in_parts_too(bench: FlowBench) -> None:
    source = bench.engine.prepare(bench.flow(), "source").relation
    rendering = InMemory(lambda *frames: frames[0].iloc[:0].assign(twice=1.0), rowwise=True)
    assert computed(rendering, SCHEMA, [source]).count() == 0


@pytest.mark.parametrize("rowwise", [True, False])
def test_what_was_not_promised_is_refused(bench: FlowBench, rowwise: bool) -> None:
    source = bench.engine.prepare(bench.flow(), "source").relation
    with pytest.raises(DataError, match="no column 'twice'"):
        computed(InMemory(lambda *frames: frames[0], rowwise=rowwise), SCHEMA, [source])


def test_tables_of_former_edits_do_not_pile_up(
    bench: FlowBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "MOST_TABLES", 3)
    asked = bench.flow()
    for size in range(2, 12):
        code = f"df['n'] = {size}"
        node = step_node("1", "source", "Custom code", "Python (Pandas)", {"code": code})
        after = step_node("2", "1", "Handle missing", "Drop missing", {})
        asked = bench.flow(node, after)
        found = bench.engine.prepare(asked, "2").relation.frame()
        assert found["n"].unique().tolist() == [size]
    tables = bench.database.rows("SELECT table_name FROM duckdb_tables()")
    assert len(tables) <= 1 + 3 + 1, "the source's, the last ones, and one that goes next"
    again = bench.engine.prepare(asked, "2").relation
    assert again.frame()["n"].unique().tolist() == [11]


def test_a_table_stays_as_long_as_somebody_has_it(
    bench: FlowBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "MOST_TABLES", 1)

    def prepared(size: int) -> Relation:
        values = {"code": f"df['n'] = {size}"}
        node = step_node("1", "source", "Custom code", "Python (Pandas)", values)
        after = step_node("2", "1", "Manage rows", "Sort", {"column": ["a"]})
        return bench.engine.prepare(bench.flow(node, after), "2").relation

    first = prepared(1)
    for size in range(2, 6):
        prepared(size)
    assert first.frame()["n"].unique().tolist() == [1]
