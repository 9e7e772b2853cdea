from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.testing.wrangler_case import Bench
from bottega.testing.wrangler_frames import one_of_each, series, typed_frames
from bottega.wrangler.columns import SCALARS, ColumnType
from bottega.wrangler.transforms.registry import named
from bottega.wrangler.transforms.seeded import RANDOM_NUMBERS

GROUP = "Manage rows"


def check(bench: Bench, name: str, values: dict[str, Any], frame: Any, types: Any = None) -> Any:
    return bench.check(named(GROUP, name), values, frame, types=types)


def test_sort_puts_missing_values_last_both_ways(bench: Bench) -> None:
    frame = pd.DataFrame({"x": [2.0, None, -np.inf, np.inf, 2.0], "at": range(5)})
    up = check(bench, "Sort", {"column": "x"}, frame)
    assert up["at"].tolist() == [2, 0, 4, 3, 1]
    down = check(bench, "Sort", {"column": ["x"], "order": "Descending"}, frame)
    assert down["at"].tolist() == [3, 0, 4, 2, 1]


def test_sort_by_text_goes_by_code_points(bench: Bench) -> None:
    frame = pd.DataFrame({"{t}": ["b", "Z", "", "ä", "🐈", "ﬁ", None]})
    result = check(bench, "Sort", {"column": "{t}"}, frame)
    assert result["{t}"].tolist()[:-1] == ["", "Z", "b", "ä", "ﬁ", "🐈"]


def test_sort_by_several(bench: Bench) -> None:
    frame = pd.DataFrame({"a": [1, 1, 0], "b": ["y", "x", "z"]})
    assert check(bench, "Sort", {"column": ["a", "b"]}, frame)["b"].tolist() == ["z", "x", "y"]


def test_shuffle_moves_every_row_once_and_by_the_seed(bench: Bench) -> None:
    frame = pd.DataFrame({"at": range(1000)})
    one = check(bench, "Shuffle", {"seed": 1}, frame)["at"].tolist()
    other = check(bench, "Shuffle", {"seed": 2}, frame)["at"].tolist()
    assert sorted(one) == sorted(other) == list(range(1000))
    assert len({tuple(one), tuple(other), tuple(range(1000))}) == 3
    # A row is at its own place, and rows follow each other, about once among 1,000.
    assert sum(a == b for a, b in enumerate(one)) < 10
    assert sum(b - a == 1 for a, b in itertools.pairwise(one)) < 10


def test_random_numbers_are_one_to_one_and_even() -> None:
    scope: dict[str, Any] = {"np": np}
    exec(RANDOM_NUMBERS, scope)
    numbers = scope["random_numbers"](20_000, seed=7)
    assert len(set(numbers.tolist())) == len(numbers)
    counts = np.bincount((numbers >> 28).astype(int), minlength=16)
    assert counts.min() > 1100
    assert counts.max() < 1400


def test_drop_duplicates_keeps_the_first(bench: Bench) -> None:
    frame = pd.DataFrame({"a": [None, None, "", "x", "x"], "b": [1, 1, 2, 3, 4]})
    assert check(bench, "Drop duplicates", {}, frame)["b"].tolist() == [1, 2, 3, 4]
    assert check(bench, "Drop duplicates", {"columns": "a"}, frame)["b"].tolist() == [1, 2, 3]


def test_drop_duplicates_compares_lists(bench: Bench) -> None:
    frame, types = one_of_each()
    result = check(bench, "Drop duplicates", {"columns": ["vector", "array"]}, frame, types)
    assert len(result) == 4


@pytest.mark.parametrize(
    ("values", "rows"),
    [
        ({"column": "n", "condition": "Is equal to", "value": 2}, [1]),
        ({"column": "n", "condition": "Is not equal to", "value": "2"}, [0, 3]),
        ({"column": "n", "condition": "Is greater than", "value": 1.5}, [1, 3]),
        ({"column": "n", "condition": "Is at most", "value": 2}, [0, 1]),
        ({"column": "n", "condition": "Is between", "lower": 2, "upper": 3}, [1, 3]),
        ({"column": "n", "condition": "Is one of", "values": ["1", "3.0"]}, [0, 3]),
        ({"column": "n", "condition": "Is not one of", "values": ["1"]}, [1, 3]),
        ({"column": "n", "condition": "Is one of", "values": []}, []),
        ({"column": "n", "condition": "Is missing"}, [2]),
        ({"column": "n", "condition": "Is not missing"}, [0, 1, 3]),
        ({"column": "{t}", "condition": "Is equal to", "value": ""}, [1]),
        ({"column": "{t}", "condition": "Contains", "value": "'s"}, [0]),
        ({"column": "{t}", "condition": "Contains", "value": ""}, [0, 1, 2]),
        ({"column": "{t}", "condition": "Does not contain", "value": "."}, [0, 1, 2]),
        ({"column": "{t}", "condition": "Starts with", "value": "{x"}, [2]),
        ({"column": "{t}", "condition": "Ends with", "value": "s"}, [0]),
        ({"column": "f", "condition": "Is at least", "value": "inf"}, [3]),
        ({"column": "f", "condition": "Is less than", "value": 0}, [2]),
        ({"column": "b", "condition": "Is equal to", "value": "true"}, [0, 3]),
        ({"column": "d", "condition": "Is greater than", "value": "2024-02-01"}, [1]),
        ({"column": "d", "condition": "Is equal to", "value": "2024-01-01"}, [0]),
    ],
)
def test_filter(bench: Bench, values: dict[str, Any], rows: list[int]) -> None:
    frame = pd.DataFrame(
        {
            "at": range(4),
            "n": series(ColumnType.LONG, [1, 2, None, 3]),
            "f": [1.5, None, -np.inf, np.inf],
            "{t}": ["it's", "", "{x}", None],
            "b": series(ColumnType.BOOLEAN, [True, False, None, True]),
            "d": pd.to_datetime(["2024-01-01", "2024-03-01", None, None]),
        }
    )
    assert check(bench, "Filter", values, frame)["at"].tolist() == rows


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"column": "n", "condition": "Is equal to", "value": "two"}, "'two' cannot stand in"),
        ({"column": "n", "condition": "Contains", "value": "2"}, "looks at text"),
        ({"column": "n", "condition": "Is equal to"}, "Value is missing"),
        ({"column": "n", "condition": "Is one of", "values": ["x"]}, "'x' cannot stand in"),
        ({"column": "n", "condition": "Is like", "value": "x"}, "none of Is equal to"),
    ],
)
def test_filter_refuses(bench: Bench, values: dict[str, Any], words: str) -> None:
    with pytest.raises(Exception, match=words):
        check(bench, "Filter", values, pd.DataFrame({"n": [1]}))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_frame(bench: Bench, data: st.DataObject) -> None:
    frame, types = data.draw(typed_frames())
    scalars = [name for name, kind in types.items() if kind in SCALARS]
    steps: list[tuple[str, dict[str, Any]]] = [
        ("Shuffle", {"seed": data.draw(st.integers(0, 2**31 - 1))}),
        ("Drop duplicates", {}),
        ("Drop duplicates", {"columns": next(iter(types))}),
        ("Filter", {"column": next(iter(types)), "condition": "Is not missing"}),
    ]
    if scalars:
        order = data.draw(st.sampled_from(["Ascending", "Descending"]))
        steps += [("Sort", {"column": scalars, "order": order})] * 2
        present = frame[scalars[0]].dropna()
        if len(present):
            value = data.draw(st.sampled_from(present.tolist()))
            value = value.isoformat() if hasattr(value, "isoformat") else value
            if types[scalars[0]] == ColumnType.DATE:
                value = value[:10]
            for condition in ("Is equal to", "Is not equal to", "Is at most", "Is greater than"):
                steps.append(
                    ("Filter", {"column": scalars[0], "condition": condition, "value": value})
                )
    name, values = data.draw(st.sampled_from(steps))
    check(bench, name, values, frame, types)
