"""Ranges: scalings, texts, and what cannot be searched."""

from __future__ import annotations

import math
import re
from statistics import median
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.tuning.spaces import (
    CategoricalRange,
    ContinuousRange,
    IntegerRange,
    Range,
    at,
    contains,
    from_unit,
    key,
    normal,
    parsed,
    problem,
    resolved,
    size,
    written,
)


@pytest.mark.parametrize(
    ("scaling", "low", "high", "meaning"),
    [
        ("Auto", 1, 99, "Linear"),
        ("Auto", 1, 100, "Logarithmic"),
        ("Auto", 0, 1e6, "Linear"),
        ("Auto", -5, 5, "Linear"),
        ("Linear", 1, 1e6, "Linear"),
        ("ReverseLogarithmic", 0, 0.9, "ReverseLogarithmic"),
    ],
)
def test_auto_is_logarithmic_over_orders_of_magnitude(
    scaling: Any, low: float, high: float, meaning: str
) -> None:
    assert resolved(scaling, low, high) == meaning


@pytest.mark.parametrize(
    ("scaling", "low", "high", "middle"),
    [
        ("Linear", 2.0, 4.0, 3.0),
        ("Logarithmic", 1e-4, 1.0, 1e-2),
        ("ReverseLogarithmic", 0.0, 0.99, 0.9),
        ("ReverseLogarithmic", 0.9, 0.999, 0.99),
    ],
)
def test_half_way_in_every_scaling(scaling: Any, low: float, high: float, middle: float) -> None:
    searched = ContinuousRange("x", low, high, scaling)
    assert float(from_unit(searched, 0.5)) == pytest.approx(middle)
    assert float(from_unit(searched, 0.0)) == pytest.approx(low, abs=1e-12)
    assert float(from_unit(searched, 1.0)) == pytest.approx(high)


def test_every_integer_is_as_likely_as_any_other() -> None:
    searched = IntegerRange("k", 1, 4, "Linear")
    found = [from_unit(searched, (place + 0.5) / 400) for place in range(400)]
    assert {text: found.count(text) for text in set(found)} == dict.fromkeys("1234", 100)


def test_logarithmic_integers_have_their_middle_in_the_middle() -> None:
    searched = IntegerRange("k", 1, 1000, "Logarithmic")
    found = [int(from_unit(searched, (place + 0.5) / 1000)) for place in range(1000)]
    assert median(found) == pytest.approx(math.sqrt(0.5 * 1000.5), abs=1)
    assert (from_unit(searched, 0.0), from_unit(searched, 1.0)) == ("1", "1000")


def test_integers_are_written_without_a_point_and_floats_exactly() -> None:
    assert written(IntegerRange("k", 1, 9, "Linear"), 3) == "3"
    assert written(ContinuousRange("x", 0, 1, "Linear"), 0.1) == "0.1"
    assert written(ContinuousRange("x", 0, 9, "Linear"), 3) == "3.0"
    assert written(CategoricalRange("c", ('"gbtree"',)), '"gbtree"') == '"gbtree"'


@pytest.mark.parametrize(
    ("searched", "words"),
    [
        (ContinuousRange("x", 2, 1, "Linear"), "MinValue 2 is greater than MaxValue 1"),
        (ContinuousRange("x", 0, 1, "Logarithmic"), "MinValue greater than 0"),
        (IntegerRange("x", 0, 1, "Logarithmic"), "MinValue greater than 0"),
        (ContinuousRange("x", 0, 1, "ReverseLogarithmic"), r"within \[0, 1\)"),
        (ContinuousRange("x", -1, 0.5, "ReverseLogarithmic"), r"within \[0, 1\)"),
        (IntegerRange("x", 0, 0, "ReverseLogarithmic"), "only for continuous"),
        (ContinuousRange("x", 0, math.inf, "Linear"), "finite"),
        (ContinuousRange("x", math.nan, 1, "Linear"), "finite"),
        (ContinuousRange("x", -1e308, 1e308, "Linear"), "too wide"),
        (ContinuousRange("x", 0, 1e-200, "Linear"), "too narrow"),
        (ContinuousRange("x", 0, 1e-20, "ReverseLogarithmic"), "too narrow"),
        (CategoricalRange("x", ()), "no values"),
        (CategoricalRange("x", ("a", "a")), "twice"),
    ],
)
def test_what_cannot_be_searched_is_said(searched: Range, words: str) -> None:
    assert re.search(words, problem(searched))
    assert "Hyperparameter x" in problem(searched)


def test_a_range_of_one_value_can_be_searched() -> None:
    searched = (IntegerRange("k", 3, 3, "Auto"), ContinuousRange("x", 0.5, 0.5, "Auto"))
    assert [problem(found) for found in searched] == ["", ""]
    assert size(searched) == 1
    assert at(searched, 0) == {"k": "3", "x": "0.5"}
    zero = ContinuousRange("x", -0.0, 0.0, "ReverseLogarithmic")
    assert from_unit(zero, 0.5) == at([zero], 0)["x"] == "0.0"


@given(data=st.data(), unit=st.floats(0, 1, exclude_max=True))
@settings(max_examples=60, deadline=None)
def test_values_are_in_their_range_and_are_read_back(
    data: st.DataObject, unit: float, spaces: Any
) -> None:
    for searched in data.draw(spaces):
        text = from_unit(searched, unit)
        value = parsed(searched, text)
        assert written(searched, value) == text
        if isinstance(searched, IntegerRange):
            assert text.removeprefix("-").isdecimal()
        if not isinstance(searched, CategoricalRange):
            assert isinstance(value, int | float)
            assert searched.low <= value <= searched.high


@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_every_number_of_a_finite_space_is_another_configuration(
    data: st.DataObject, small_spaces: Any
) -> None:
    ranges = data.draw(small_spaces)
    count = size(ranges)
    assert count is not None
    found = [at(ranges, place) for place in range(count)]
    assert len({key(ranges, one) for one in found}) == count
    assert all(contains(ranges, one) for one in found)


def test_configurations_of_elsewhere_are_taken_where_they_fit() -> None:
    ranges = (IntegerRange("k", 1, 9, "Linear"), ContinuousRange("x", 0, 1, "Linear"))
    assert contains(ranges, {"k": "3", "x": "0.50", "more": "7"})
    assert normal(ranges, {"k": "03", "x": "0.50", "more": "7"}) == {"k": "3", "x": "0.5"}
    for wrong in ({"k": "3"}, {"k": "3", "x": "2"}, {"k": "3.5", "x": "1"}, {"k": "", "x": "1"}):
        assert not contains(ranges, wrong)
