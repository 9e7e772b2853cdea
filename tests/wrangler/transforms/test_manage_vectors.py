from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.testing.wrangler_case import Bench
from bottega.testing.wrangler_frames import ODD_NAMES, frames, series
from bottega.wrangler.columns import ColumnType, Schema
from bottega.wrangler.errors import ParameterError
from bottega.wrangler.transforms.registry import named

GROUP = "Manage vectors"
TYPES = {
    "v{}": ColumnType.VECTOR,
    "n": ColumnType.LONG,
    "f": ColumnType.FLOAT,
    "b": ColumnType.BOOLEAN,
}


def listed(column: pd.Series) -> list[Any]:
    return [None if not isinstance(v, list) and pd.isna(v) else v for v in column]


def test_assemble_in_the_order_given(bench: Bench) -> None:
    frame = pd.DataFrame(
        {
            "v": series(ColumnType.VECTOR, [[1.0, 2.0], None, []]),
            "n": series(ColumnType.LONG, [3, 3, None]),
            "b": series(ColumnType.BOOLEAN, [True, False, False]),
            "f": [math.inf, 0.0, 1.0],
        }
    )
    values = {"input_column": ["f", "v", "b", "n"], "output_column": "all"}
    found = bench.check(named(GROUP, "Assemble"), values, frame)
    assert listed(found["all"]) == [[math.inf, 1.0, 2.0, 1.0, 3.0], None, None]


def test_flatten_learns_the_longest(bench: Bench) -> None:
    frame = pd.DataFrame({"v": series(ColumnType.VECTOR, [[1.0], None, [2.0, math.inf], []])})
    found = bench.check(named(GROUP, "Flatten"), {"input_column": "v"}, frame)
    assert list(found) == ["v", "v_0", "v_1"]
    assert listed(found["v_1"]) == [None, None, math.inf, None]
    fixed = {"input_column": "v", "number_of_outputs": 1, "output_prefix": "{p}"}
    assert list(bench.check(named(GROUP, "Flatten"), fixed, frame)) == ["v", "{p}0"]


@pytest.mark.parametrize("column", ODD_NAMES)
def test_odd_names(bench: Bench, column: str) -> None:
    frame = pd.DataFrame({column: series(ColumnType.VECTOR, [[1.0], None])})
    bench.check(named(GROUP, "Flatten"), {"input_column": column}, frame)
    values = {"input_column": [column], "output_column": "o'{}"}
    bench.check(named(GROUP, "Assemble"), values, frame)


def test_texts_are_refused() -> None:
    schema = Schema.of(s="string", v="vector")
    values = {"input_column": ["v", "s"], "output_column": "o"}
    with pytest.raises(ParameterError, match="'s' is string"):
        named(GROUP, "Assemble").parameter_set().check(values, schema)


@settings(max_examples=25, deadline=None)
@given(
    frames(TYPES),
    st.lists(st.sampled_from(sorted(TYPES)), unique=True, min_size=1),
    st.one_of(st.none(), st.integers(1, 4)),
)
def test_random_tables(
    bench: Bench, frame: pd.DataFrame, columns: list[str], count: int | None
) -> None:
    values = {"input_column": columns, "output_column": columns[0]}
    bench.check(named(GROUP, "Assemble"), values, frame, types=TYPES)
    flat = {"input_column": "v{}", "number_of_outputs": count}
    bench.check(named(GROUP, "Flatten"), flat, frame, types=TYPES)
