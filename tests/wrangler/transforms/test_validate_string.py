from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.testing.wrangler_case import Bench
from bottega.testing.wrangler_frames import ODD_NAMES, ODD_TEXTS, frames, series, values
from bottega.wrangler.columns import ColumnType
from bottega.wrangler.transforms.registry import groups, named

GROUP = "Validate string"
TEXT = ColumnType.STRING
NAMES = [transform.name for transform in dict(groups())[GROUP]]
NEEDED = {"length": 3, "prefix": "a'{", "suffix": ""}
# Letters of every kind that the methods tell apart.
ODD_LETTERS = st.text("aAǅⅣⓐªʰ½²٣一 _-1ß\u0345", max_size=5)


@pytest.mark.parametrize(
    ("name", "given_values", "texts", "expected"),
    [
        ("String length", {"length": 2}, ["ab", "é🐈", "a", ""], [1, 1, 0, 0]),
        ("Starts with", {"prefix": "a{"}, ["a{b", "A{", ""], [1, 0, 0]),
        ("Ends with", {"suffix": "é"}, ["caf\u00e9", "cafe"], [1, 0]),
        ("Is alphanumeric", {}, ["aé1½", "a b", ""], [1, 0, 0]),
        ("Is alpha", {}, ["名前", "a1"], [1, 0]),
        ("Is digit", {}, ["12²", "½", "-1"], [1, 0, 0]),
        ("Is space", {}, [" \u3000\n", "", "a "], [1, 0, 0]),
        ("Is title", {}, ["Hello World", "Hello world", "HEllo", "ǅa", "1"], [1, 0, 0, 1, 0]),
        ("Is lowercase", {}, ["a1 b", "aB", "1", "ⅳ"], [1, 0, 0, 1]),
        ("Is uppercase", {}, ["A1", "Ab", "", "Ⓐ"], [1, 0, 0, 1]),
        ("Is numeric", {}, ["½一", "1.5"], [1, 0]),
        ("Is decimal", {}, ["1٣", "²"], [1, 0]),
    ],
)
def test_what_comes_out(
    bench: Bench, name: str, given_values: dict[str, Any], texts: list[str], expected: list[int]
) -> None:
    frame = pd.DataFrame({"x": series(TEXT, [*texts, None])})
    found = bench.check(named(GROUP, name), {"input_column": "x", **given_values}, frame)
    assert found["x"].dtype == "Int64"
    assert found["x"].tolist() == [*expected, pd.NA]


def test_all_are_there() -> None:
    assert len(NAMES) == 12


@pytest.mark.parametrize("name", NAMES)
def test_odd_names_and_texts(bench: Bench, name: str) -> None:
    transform = named(GROUP, name)
    needed = {p.name: NEEDED[p.name] for p in transform.parameters if p.name in NEEDED}
    texts = [*ODD_TEXTS, None]
    for column in ODD_NAMES:
        frame = pd.DataFrame({column: series(TEXT, texts)})
        bench.check(transform, {"input_column": column, **needed}, frame)
    for size in (0, 1):
        frame = pd.DataFrame({"x": series(TEXT, texts[:size])})
        output = {"input_column": "x", "output_column": "y", **needed}
        bench.check(transform, output, frame, types={"x": TEXT})


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=20, deadline=None)
@given(st.data())
def test_random_texts(bench: Bench, name: str, data: st.DataObject) -> None:
    transform = named(GROUP, name)
    texts = st.one_of(values(TEXT), ODD_LETTERS)
    choices = {"length": st.integers(0, 5), "prefix": texts, "suffix": texts}
    chosen = {p.name: data.draw(choices[p.name]) for p in transform.parameters if p.name in choices}
    types = {"a": TEXT}
    frame = data.draw(frames(types, cells={"a": texts}))
    bench.check(transform, {"input_column": "a", **chosen}, frame, types=types)
