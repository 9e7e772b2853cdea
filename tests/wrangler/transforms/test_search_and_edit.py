from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.testing.wrangler_case import Bench
from bottega.testing.wrangler_frames import ODD_NAMES, ODD_TEXTS, frames, series, values
from bottega.wrangler.columns import ColumnType, Schema
from bottega.wrangler.errors import ParameterError
from bottega.wrangler.transforms.registry import groups, named

GROUP = "Search and edit"
TEXT = ColumnType.STRING
NAMES = [transform.name for transform in dict(groups())[GROUP]]


def result(bench: Bench, name: str, texts: list[str | None], **given_values: Any) -> list[Any]:
    frame = pd.DataFrame({"x": series(TEXT, texts)})
    found = bench.check(named(GROUP, name), {"input_column": "x", **given_values}, frame)
    return [
        None if not isinstance(value, list) and pd.isna(value) else value for value in found["x"]
    ]


@pytest.mark.parametrize(
    ("name", "given_values", "texts", "expected"),
    [
        ("Find substring", {"substring": "b"}, ["abab", "é🐈b", "x", ""], [1, 2, -1, -1]),
        ("Find substring", {"substring": "b", "start": 2, "end": 3}, ["abab", "abb"], [-1, 2]),
        ("Find substring (from right)", {"substring": "aa"}, ["aaa", "x"], [1, -1]),
        ("Find substring (from right)", {"substring": ".", "end": 2}, ["a.b.", "..."], [1, 1]),
        ("Matches prefix", {"pattern": r"\d"}, ["1a", "a1", ""], [True, False, False]),
        ("Matches prefix", {"pattern": "a|b", "case_sensitive": False}, ["B", "cb"], [True, False]),
        ("Find all occurrences", {"pattern": r"\d+"}, ["1a22", "a"], [["1", "22"], []]),
        ("Extract using regex", {"pattern": r"[\d.]+"}, ["12.0 oz", "oz"], ["12.0", None]),
        ("Extract using regex", {"pattern": "a(b)?(c)"}, ["abc", "ac"], ["b", None]),
        ("Extract using regex", {"pattern": "(a*)b"}, ["aab", "b"], ["aa", None]),
        ("Extract using regex", {"pattern": "(?s)a.b"}, ["xa\nbx"], ["a\nb"]),
        (
            "Extract between delimiters",
            {"left_delimiter": "[", "right_delimiter": "]"},
            ["a[b]c]", "[]", "a]b[", "[a\nb]"],
            ["b", "", None, "a\nb"],
        ),
        (
            "Extract from position",
            {"start_position": 1, "length": 2},
            ["abcd", "é🐈", "a"],
            ["bc", "🐈", ""],
        ),
        (
            "Find and replace substring",
            {"pattern": r"(\w)-(\w)", "replacement": r"\2\\\1{}\0"},
            ["a-b c", "-"],
            [r"b\a{}a-b c".replace("\\", "\\\\"), "-"],
        ),
        ("Find and replace substring", {"pattern": "a", "case_sensitive": False}, ["Aab"], ["b"]),
        (
            "Replace between delimiters",
            {"left_delimiter": "(", "right_delimiter": ")", "replacement": r"\1"},
            ["a(b)c)d", "(b", ""],
            [r"a(\1)d", "(b", ""],
        ),
        (
            "Replace from position",
            {"start_position": 1, "length": 2, "replacement": "{'"},
            ["abcd", "é", ""],
            ["a{'d", "é{'", "{'"],
        ),
        (
            "Convert regex to missing",
            {"pattern": "n/?a|-", "case_sensitive": False},
            ["N/A", "na", "-", "banana", ""],
            [None, None, None, "banana", ""],
        ),
        ("Convert regex to missing", {"pattern": r"\s*"}, ["", " ", "a"], [None, None, "a"]),
        (
            "Split string by delimiter",
            {"delimiter": ","},
            ["a,b,,c", ""],
            [["a", "b", "", "c"], [""]],
        ),
        (
            "Split string by delimiter",
            {"delimiter": "--", "max_splits": 1},
            ["a--b--c", "a"],
            [["a", "b--c"], ["a"]],
        ),
        (
            "Split string by delimiter",
            {"max_splits": 1},
            [" a  b c ", "a", " "],
            [["a", "b c "], ["a"], []],
        ),
    ],
)
def test_what_comes_out(
    bench: Bench, name: str, given_values: dict[str, Any], texts: list[str], expected: list[Any]
) -> None:
    assert result(bench, name, [*texts, None], **given_values) == [*expected, None]


def test_all_are_there() -> None:
    assert len(NAMES) == 12


DELIMITERS = st.one_of(st.sampled_from(["a", " ", "[", "]", "\\", "it's"]), values(TEXT)).filter(
    bool
)
PLACES = st.integers(0, 6)
CHOICES: dict[str, st.SearchStrategy[Any]] = {
    "substring": DELIMITERS,
    "start": PLACES,
    "end": st.one_of(st.none(), PLACES),
    "pattern": st.sampled_from(
        ["a", r"\w+", "[^a]", r"\d|é", "a+?b?", "(?s).", r"\Aa", "a$", "(?i)A", "[{}]", r"\bcat\b"]
    ),
    "case_sensitive": st.booleans(),
    "left_delimiter": DELIMITERS,
    "right_delimiter": DELIMITERS,
    "start_position": PLACES,
    "length": PLACES,
    "replacement": st.one_of(st.sampled_from([r"\0", r"<\0>\\", "$1", r"\g<0>"]), values(TEXT)),
    "delimiter": st.one_of(st.just(""), DELIMITERS),
    "max_splits": st.one_of(st.none(), st.integers(1, 3)),
}


def chosen(data: st.DataObject, name: str) -> dict[str, Any]:
    wanted = [p.name for p in named(GROUP, name).parameters if p.name in CHOICES]
    return {one: data.draw(CHOICES[one], one) for one in wanted}


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=15, deadline=None)
@given(st.data())
def test_random_texts(bench: Bench, name: str, data: st.DataObject) -> None:
    types = {"a": TEXT, "{b}": TEXT}
    texts = st.one_of(values(TEXT), st.text("aAb1é [](){}\\cat\n", max_size=10))
    frame = data.draw(frames(types, cells={"a": texts, "{b}": texts}))
    columns = {"input_column": ["a", "{b}"], **chosen(data, name)}
    try:
        bench.check(named(GROUP, name), columns, frame, types=types)
    except ParameterError as error:
        # A replacement that names a group which the pattern has not is refused.
        if error.parameter != "replacement":
            raise


@pytest.mark.parametrize("name", NAMES)
def test_odd_names_and_texts(bench: Bench, name: str) -> None:
    transform = named(GROUP, name)
    fixed = {
        "substring": "a",
        "pattern": r"\w",
        "left_delimiter": "a",
        "right_delimiter": "c",
        "length": 2,
        "replacement": "{x}'",
    }
    needed = {p.name: fixed[p.name] for p in transform.parameters if p.name in fixed}
    texts = [*ODD_TEXTS, None]
    for column in ODD_NAMES:
        frame = pd.DataFrame({column: series(TEXT, texts)})
        bench.check(transform, {"input_column": column, **needed}, frame)
    for size in (0, 1):
        frame = pd.DataFrame({"x": series(TEXT, texts[:size])})
        output = {"input_column": "x", "output_column": "y", **needed}
        bench.check(transform, output, frame, types={"x": TEXT})


@pytest.mark.parametrize(
    ("name", "given_values", "parameter", "words"),
    [
        ("Find substring", {"substring": ""}, "substring", "is empty"),
        ("Find all occurrences", {"pattern": "(a)"}, "pattern", r"write \(\?:"),
        ("Find all occurrences", {"pattern": "a*"}, "pattern", "empty text"),
        ("Find and replace substring", {"pattern": "x?"}, "pattern", "empty text"),
        (
            "Find and replace substring",
            {"pattern": "(a)", "replacement": r"\2"},
            "replacement",
            "names a group",
        ),
        ("Extract using regex", {"pattern": "a(?!b)"}, "pattern", "looks ahead"),
        (
            "Extract between delimiters",
            {"left_delimiter": "", "right_delimiter": "a"},
            None,
            "empty",
        ),
        ("Matches prefix", {}, "pattern", "missing"),
        ("Extract from position", {"length": -1}, "length", "-1"),
    ],
)
def test_refusals(
    name: str, given_values: dict[str, Any], parameter: str | None, words: str
) -> None:
    schema, transform = Schema.of(x="string"), named(GROUP, name)
    with pytest.raises(ParameterError, match=words) as caught:
        transform.check(
            schema,
            transform.parameter_set().check({"input_column": "x", **given_values}, schema),
        )
    assert parameter is None or caught.value.parameter == parameter
