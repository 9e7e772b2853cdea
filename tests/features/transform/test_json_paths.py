"""The part of JSONPath that filters are made of."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.features.transform.json_paths import InvalidPath, JsonPath, NothingThere

RECORD = {"id": 7, "features": [1, 2, 3, 4], "a b": {"c": [True]}, "it's": 0}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("$", RECORD),
        ("$.id", 7),
        ("$['id']", 7),
        ('$["a b"].c', [True]),
        ("$['a b']['c'][0]", True),
        (r"$['it\'s']", 0),
        ("$.features[1:]", [2, 3, 4]),
        ("$.features[:-1]", [1, 2, 3]),
        ("$.features[0,-1]", [1, 4]),
        ("$.features[0,2:]", [1, 3, 4]),
        ("$.features[-1]", 4),
        ("$.features[*]", [1, 2, 3, 4]),
        ("$.features[7:]", []),
        ("$['id','features']", {"id": 7, "features": [1, 2, 3, 4]}),
        ("$.*", list(RECORD.values())),
    ],
)
def test_it_finds(text: str, found: Any) -> None:
    assert JsonPath.parse(text).select(RECORD) == found


@pytest.mark.parametrize(
    "text",
    ["", "id", "$id", "$.", "$..id", "$[?(@.a>1)]", "$[1:2:3]", "$['a','b'].c", "$.*.a", "$[]",
     "$['a', 1]", "$[a]", "$.features[0:2][0]"],
)  # fmt: skip
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidPath):
        JsonPath.parse(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("$.none", "no 'none'"),
        ("$['id','none']", "no 'none'"),
        ("$.features[9]", r"no \[9\], as there are 4"),
        ("$.features[-5]", r"no \[-5\]"),
        ("$.id.more", "no object"),
        ("$.id[0]", "no list"),
        ("$.id[*]", "no list"),
    ],
)
def test_what_is_not_there_is_named(text: str, words: str) -> None:
    with pytest.raises(NothingThere, match=words):
        JsonPath.parse(text).select(RECORD)


def test_rows_have_numbered_values_only() -> None:
    assert JsonPath.parse("$[0,2:]").for_rows
    assert not JsonPath.parse("$.a").for_rows
    assert JsonPath.parse("$[1]").select_cells(["a", "b"]) == ["b"]
    assert JsonPath.parse("$").select_cells(["a"]) == ["a"]


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.integers(), max_size=8),
    st.none() | st.integers(-9, 9),
    st.none() | st.integers(-9, 9),
)
def test_ranges_are_those_of_python(values: list[int], start: int | None, end: int | None) -> None:
    text = f"$[{'' if start is None else start}:{'' if end is None else end}]"
    assert JsonPath.parse(text).select(values) == values[start:end]
