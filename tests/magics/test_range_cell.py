"""The lines of a ``%%tune`` cell."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bottega.magics.hyperparameter_cell import CellError
from bottega.magics.range_cell import meaning, parse

NOTEBOOK = {"depths": (2, 8), "kinds": ["a", "b"], "rounds": 50, "low": 0.1}


def evaluate(expression: str):
    return eval(expression, dict(NOTEBOOK))


def test_ranges_choices_and_values_are_told_apart():
    text = """
        # what is searched
        max_depth: 2..8
        eta = 0.01..0.5 log      # small steps
        gamma: 1e-3 .. .5
        booster: gbtree | dart
        objective: reg:squarederror
        num_round: 100
    """
    ranges, fixed = parse(text, evaluate)
    assert ranges == {
        "max_depth": (2, 8),
        "eta": (0.01, 0.5, "log"),
        "gamma": (0.001, 0.5),
        "booster": ["gbtree", "dart"],
    }
    assert fixed == {"objective": "reg:squarederror", "num_round": "100"}


def test_values_of_the_notebook_are_ranges_where_they_are_some():
    ranges, fixed = parse("a: $depths\nb: $kinds\nc: $rounds\nd: {low}..{low * 2}", evaluate)
    assert ranges == {"a": (2, 8), "b": ["a", "b"], "d": (0.1, 0.2)}
    assert fixed == {"c": 50}


def test_what_stands_in_quotes_is_no_range():
    assert parse("a: '1..2'\nb: \"x | y\"", evaluate) == ({}, {"a": "1..2", "b": "x | y"})


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("eta: 0.1..0.5 steep", "line 1 .*scaled as linear, log"),
        ("booster: gbtree |", "a choice between .* is empty"),
        ("just words", r"begins with %%tune --script"),
        ("a: 1..2\na: 3..4", "a second time"),
    ],
)
def test_a_line_that_is_nothing_is_refused(line: str, said: str):
    with pytest.raises(CellError, match=said):
        parse(line, evaluate)


@given(st.integers(-1000, 1000), st.floats(-1e9, 1e9), st.sampled_from(["", " log", " linear"]))
def test_numbers_come_back_as_they_were_written(low: int, high: float, scaling: str):
    found = meaning(f"{low}..{high!r}{scaling}")
    assert found[:2] == (low, high)
    assert isinstance(found[0], int)
    assert found[2:] == ((scaling.strip(),) if scaling else ())
