from __future__ import annotations

import functools
import operator
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.testing.wrangler_case import Bench
from bottega.testing.wrangler_frames import typed_frames
from bottega.wrangler.columns import SCALARS
from bottega.wrangler.errors import FlowError, ParameterError
from bottega.wrangler.transforms.registry import named, transform_of

GROUP = "Split data"
NAMES = ("Randomized split", "Ordered split", "Stratified split", "Split by key")
THREE = [
    {"name": "Train", "percentage": 0.7},
    {"name": "Validation {x}", "percentage": 0.2},
    {"name": "Test", "percentage": 0.1},
]


def split(
    bench: Bench, name: str, values: dict[str, Any], frame: Any, types: Any = None
) -> list[pd.DataFrame]:
    """All outputs."""
    values = {"splits": THREE, **values}
    return [
        bench.check(named(GROUP, name), values, frame, output=part["name"], types=types)
        for part in values["splits"]
    ]


def rows(parts: list[pd.DataFrame]) -> list[list[int]]:
    return [part["at"].tolist() for part in parts]


@pytest.fixture
def hundred() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "at": range(100),
            "{s}": ["a", "b", "b", "b", None] * 20,
            "key": [f"k{number // 5}" for number in range(100)],
            "down": [float(100 - number) for number in range(100)],
        }
    )


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("Randomized split", {}),
        ("Ordered split", {}),
        ("Stratified split", {"input_column": "{s}"}),
        ("Split by key", {"key_columns": "key"}),
    ],
)
def test_every_row_is_in_one_split(
    bench: Bench, hundred: pd.DataFrame, name: str, values: dict[str, Any]
) -> None:
    found = rows(split(bench, name, values, hundred))
    assert [len(part) for part in found] == [70, 20, 10]
    assert sorted(functools.reduce(operator.iadd, found, [])) == list(range(100))
    assert all(part == sorted(part) for part in found)


def test_the_seed_decides(bench: Bench, hundred: pd.DataFrame) -> None:
    one, other = (
        rows(split(bench, "Randomized split", {"seed": seed}, hundred)) for seed in (1, 2)
    )
    assert one != other


def test_ordered_by_a_column(bench: Bench, hundred: pd.DataFrame) -> None:
    found = rows(split(bench, "Ordered split", {"input_column": "down"}, hundred))
    assert found == [list(range(30, 100)), list(range(10, 30)), list(range(10))]


def test_ordered_keeps_equal_values_together(bench: Bench) -> None:
    frame = pd.DataFrame({"x": ["a"] * 6 + ["b"] * 3 + [None], "at": range(10)})
    values: dict[str, Any] = {"input_column": "x", "splits": [*THREE[:0], *_halves()]}
    found = rows(split(bench, "Ordered split", values, frame))
    assert [len(part) for part in found] == [5, 5]
    found = rows(split(bench, "Ordered split", {**values, "keep_together": True}, frame))
    assert found == [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9]]


def _halves() -> list[dict[str, Any]]:
    return [{"name": "one", "percentage": 0.5}, {"name": "two", "percentage": "0.5"}]


def test_stratified_has_every_value_everywhere(bench: Bench, hundred: pd.DataFrame) -> None:
    train, validation, test = split(bench, "Stratified split", {"input_column": "{s}"}, hundred)
    for part, count in ((train, 14), (validation, 4), (test, 2)):
        counts = part["{s}"].fillna("-").value_counts().to_dict()
        assert counts == {"b": 3 * count, "a": count, "-": count}


def test_keys_stay_together(bench: Bench, hundred: pd.DataFrame) -> None:
    parts = split(bench, "Split by key", {"key_columns": ["key"], "seed": 5}, hundred)
    keys = [set(part["key"]) for part in parts]
    assert not keys[0] & keys[1] | keys[0] & keys[2] | keys[1] & keys[2]


def test_the_default_output_is_the_first(bench: Bench, hundred: pd.DataFrame) -> None:
    transform = named(GROUP, "Randomized split")
    assert transform.outputs({"splits": THREE}) == ("Train", "Validation {x}", "Test")
    assert len(bench.check(transform, {"splits": THREE}, hundred)) == 70
    with pytest.raises(FlowError, match="no output 'Training'; it has Train"):
        bench.check(transform, {"splits": THREE}, hundred, output="Training")


def test_sagemakers_node_is_read() -> None:
    group = {"splits": THREE[:2], "error": 0.0005, "seed": 42}
    node = {"operator": "Randomized split", "randomized_split_parameters": group}
    transform = transform_of("sagemaker.spark.split_0.1", node)
    assert transform.parameter_set().read(node) == group


@pytest.mark.parametrize(
    ("splits", "words"),
    [
        ([0.7, 0.2], r"0.7 \+ 0.2 add up to 0.9, not to 1"),
        ([1.0], "two or more"),
        ([1.0, 0.0], "'n1' gets 0 of the rows"),
        ([0.5, 1.5], "entry 2: Percentage: 1.5 is not between 0 and 1"),
        ([0.5, "half"], "entry 2: Percentage: 'half' is no number"),
    ],
)
def test_percentages_that_make_no_sense(bench: Bench, splits: list[Any], words: str) -> None:
    listed = [{"name": f"n{i}", "percentage": share} for i, share in enumerate(splits)]
    with pytest.raises(ParameterError, match=words):
        split(bench, "Randomized split", {"splits": listed}, pd.DataFrame({"at": [1]}))


@pytest.mark.parametrize(
    ("names", "words"),
    [(("a", "a"), "two are called 'a'"), (("a", "default"), "'default' cannot name")],
)
def test_names_that_make_no_sense(bench: Bench, names: tuple[str, str], words: str) -> None:
    listed = [{"name": name, "percentage": 0.5} for name in names]
    with pytest.raises(ParameterError, match=words):
        split(bench, "Ordered split", {"splits": listed}, pd.DataFrame({"at": [1]}))


def test_thirds_pass(bench: Bench) -> None:
    thirds = [{"name": name, "percentage": 0.333} for name in "abc"]
    found = rows(split(bench, "Ordered split", {"splits": thirds}, pd.DataFrame({"at": range(9)})))
    assert found == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]


@settings(max_examples=25, deadline=None)
@given(
    table=typed_frames(SCALARS),
    name=st.sampled_from(NAMES),
    seed=st.integers(0, 1000),
    together=st.booleans(),
)
def test_any_frame(bench: Bench, table: Any, name: str, seed: int, together: bool) -> None:
    frame, types = table
    values: dict[str, Any] = {"splits": [*THREE[:2], {"name": "Test", "percentage": 0.1}]}
    if name == "Split by key":
        values |= {"key_columns": list(types)[:2], "seed": seed}
    elif name == "Stratified split":
        values |= {"input_column": next(iter(types)), "seed": seed}
    elif name == "Ordered split":
        values |= {"input_column": next(iter(types)), "keep_together": together}
    parts = split(bench, name, values, frame, types)
    assert sum(map(len, parts)) == len(frame)
