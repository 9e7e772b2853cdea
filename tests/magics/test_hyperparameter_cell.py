"""Hyperparameters, one a line."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bottega.magics import hyperparameter_cell
from bottega.magics.hyperparameter_cell import CellError, parse

NAMES = st.from_regex(r"[\w.@/-]{1,20}", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=("C", "Z"), exclude_characters="'\"#${}"))


def parsed(text, **namespace):
    return parse(text, lambda expression: eval(expression, {}, namespace))


def test_the_docstring_is_true():
    assert doctest.testmod(hyperparameter_cell).failed == 0


@given(
    st.dictionaries(NAMES, TEXTS.filter(bool), max_size=8), st.sampled_from([": ", " = ", ":", "="])
)
def test_what_is_written_is_read(values, sign):
    lines = [f"{name}{sign}{value}" for name, value in values.items()]
    assert parsed("\n".join(lines)) == values


@given(
    st.dictionaries(NAMES, st.text(st.characters(exclude_categories=("C", "Zl", "Zp")), min_size=1))
)
def test_what_stands_in_quotes_is_taken_to_the_letter(values):
    values = {name: value for name, value in values.items() if not {'"', "'"} & set(value)}
    lines = [f"{name}: '{value}'" for name, value in values.items()]
    assert parsed("\n".join(lines)) == values


@given(NAMES, st.integers() | st.floats(allow_nan=False) | st.none() | st.lists(st.integers()))
def test_a_value_of_the_notebook_stays_what_it_is(name, value):
    assert parsed(f"{name}: $value\nx{name}: {{value}}", value=value) == {
        name: value,
        f"x{name}": value,
    }


@given(st.text())
def test_any_text_is_read_or_refused(text):
    try:
        found = parse(text, lambda expression: expression)
    except CellError:
        return
    assert all(name and value != "" for name, value in found.items())


def test_comments_and_empty_lines_say_nothing():
    assert parsed("# a comment\n\n  eta: 0.1  # small\ncolour: '#fff'") == {
        "eta": "0.1",
        "colour": "#fff",
    }


def test_values_are_put_into_a_text():
    text = "layers: $n-{n * 2}-$$n-{{n}}"
    assert parsed(text, n=3) == {"layers": "3-6-$n-{n}"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("max_depth 6", "line 1 of the cell, 'max_depth 6', is no hyperparameter"),
        ("eta: 1\neta: 2", "line 2 of the cell gives 'eta' a second time"),
        ("eta:", "line 1 of the cell gives 'eta' no value"),
        ("eta: $gone", "NameError: name 'gone' is not defined"),
        ("eta: {1 +}", "SyntaxError"),
    ],
)
def test_a_line_that_cannot_be_read_is_quoted(text, said):
    with pytest.raises(CellError, match="line") as refused:
        parsed(text)
    assert said in refused.value.message
