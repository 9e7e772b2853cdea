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

GROUP = "Format string"
TEXT = ColumnType.STRING
# The engine and Arrow have tables of different years; these are the letters that tell.
NEW_PAIRS = "\u019b\u0264\ua7d3\ua7d5\ua7cb\ua7dc\ua7d2\ua7d4\u0295"
TEXTS = values(TEXT).filter(lambda text: not set(text) & set(NEW_PAIRS))
NEEDED = {"width": 5, "prefix": "{a}'", "suffix": '"🐈'}


def result(bench: Bench, name: str, texts: list[str | None], **given_values: Any) -> list[Any]:
    frame = pd.DataFrame({"x": series(TEXT, texts)})
    found = bench.check(named(GROUP, name), {"input_column": "x", **given_values}, frame)
    return [None if pd.isna(value) else value for value in found["x"]]


@pytest.mark.parametrize(
    ("name", "given_values", "texts", "expected"),
    [
        ("Left pad", {"width": 3, "fill_character": "é"}, ["a", "abcd", ""], ["ééa", "abc", "ééé"]),
        ("Right pad", {"width": 3}, ["a", "abcd", "🐈"], ["a  ", "abc", "🐈  "]),
        (
            "Center (pad on either side)",
            {"width": 4, "fill_character": "*"},
            ["a", "ab", "abc", "abcde"],
            ["*a**", "*ab*", "abc*", "abcd"],
        ),
        ("Center (pad on either side)", {"width": 5}, ["ab"], ["  ab "]),
        ("Prepend zeros", {"width": 3}, ["7", "-7", "1234"], ["007", "0-7", "123"]),
        ("Strip left and right", {}, ["\u3000 a b\t\n", "  "], ["a b", ""]),
        ("Strip left and right", {"characters_to_remove": "x]-"}, ["x-a]"], ["a"]),
        ("Strip characters from left", {}, ["  a "], ["a "]),
        ("Strip characters from right", {"characters_to_remove": "a"}, ["banana"], ["banan"]),
        ("Lower case", {}, ["ÅSA Straße", "ΑΣ"], ["åsa straße", "ασ"]),
        ("Upper case", {}, ["straße", "ǆ"], ["STRAẞE", "Ǆ"]),
        ("Title case", {}, ["hello wORLD it's"], ["Hello World It'S"]),
        ("Capitalize", {}, ["hELLO wORLD", ""], ["Hello world", ""]),
        ("Swap case", {}, ["aB ǅ ß1"], ["Ab ǅ ẞ1"]),
        ("Add prefix", {"prefix": "it's {"}, ["a", ""], ["it's {a", "it's {"]),
        ("Add suffix", {"suffix": '"\\'}, ["a"], ['a"\\']),
        ("Remove symbols", {}, ["a!b@c. (d)"], ["abc. d"]),
        ("Remove symbols", {"symbols": "aé"}, ["aéb"], ["b"]),
    ],
)
def test_what_comes_out(
    bench: Bench, name: str, given_values: dict[str, Any], texts: list[str], expected: list[str]
) -> None:
    assert result(bench, name, [*texts, None], **given_values) == [*expected, None]


NAMES = [transform.name for transform in dict(groups())[GROUP]]


def test_all_are_there() -> None:
    assert len(NAMES) == 15


@pytest.mark.parametrize("name", NAMES)
def test_odd_names_and_texts(bench: Bench, name: str) -> None:
    transform = named(GROUP, name)
    needed = {p.name: NEEDED[p.name] for p in transform.parameters if p.name in NEEDED}
    texts = [*ODD_TEXTS, None]
    for column in ODD_NAMES:
        frame = pd.DataFrame({column: series(TEXT, texts)})
        bench.check(transform, {"input_column": [column], **needed}, frame)
    output = {"input_column": ["x"], "output_column": "out {y} 🐈", **needed}
    for size in (0, 1, len(texts)):
        frame = pd.DataFrame({"x": series(TEXT, texts[:size])})
        found = bench.check(transform, output, frame, types={"x": TEXT})
        assert list(found) == ["x", "out {y} 🐈"]


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=12, deadline=None)
@given(st.data())
def test_random_texts(bench: Bench, name: str, data: st.DataObject) -> None:
    transform = named(GROUP, name)
    choices = {
        "width": st.integers(0, 12),
        "fill_character": TEXTS.filter(lambda text: len(text) == 1),
        "characters_to_remove": TEXTS,
        "symbols": TEXTS,
        "prefix": TEXTS,
        "suffix": TEXTS,
    }
    chosen = {
        p.name: data.draw(choices[p.name], p.name)
        for p in transform.parameters
        if p.name in choices
    }
    types = {"a": TEXT, "{b}": TEXT}
    frame = data.draw(frames(types, cells={"a": TEXTS, "{b}": TEXTS}))
    bench.check(transform, {"input_column": ["a", "{b}"], **chosen}, frame, types=types)


def refused(name: str, **given_values: Any) -> ParameterError:
    schema = Schema.of(x="string", y="string", n="long")
    transform = named(GROUP, name)
    chosen = {"input_column": "x", **given_values}
    with pytest.raises(ParameterError) as caught:
        transform.check(schema, transform.parameter_set().check(chosen, schema))
    return caught.value


def test_bad_parameters_are_named() -> None:
    assert "'ab' is not a single" in refused("Left pad", width=3, fill_character="ab").message
    assert refused("Left pad", width=1001).parameter == "width"
    assert (
        "several columns"
        in refused("Lower case", input_column=["x", "y"], output_column="z").message
    )
    assert "'n' is long" in refused("Lower case", input_column="n").message


def test_lies_in_the_file_where_sagemaker_has_it() -> None:
    node = {
        "operator": "Center (pad on either side)",
        "center_pad_on_either_side_parameters": {"input_column": "x", "width": 3},
    }
    read = named(GROUP, node["operator"]).parameter_set().read(node)  # type: ignore[arg-type]
    assert read == {"input_column": "x", "width": 3}
