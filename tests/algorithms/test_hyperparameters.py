"""The schema that judges hyperparameters."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bottega.algorithms.hyperparameters import (
    Condition,
    Hyperparameter,
    HyperparameterError,
    HyperparameterSchema,
    Interval,
)

SCHEMA = HyperparameterSchema(
    (
        Hyperparameter("rounds", "integer", "Rounds.", interval=Interval(1), required=True),
        Hyperparameter(
            "eta", "continuous", "Step.", "0.3", interval=Interval(0, 1), aliases=("rate",)
        ),
        Hyperparameter("kind", "categorical", "Kind.", "a", choices=("a", "b")),
        Hyperparameter(
            "classes",
            "integer",
            "Classes.",
            interval=Interval(2),
            required_when=Condition("kind", ("b",)),
        ),
    )
)


def refusal(**values: str) -> str:
    with pytest.raises(HyperparameterError) as error:
        SCHEMA.check(values)
    return str(error.value)


def test_values_get_their_types() -> None:
    assert SCHEMA.check({"rounds": "3", "rate": "1e-2", "kind": "a"}) == {
        "rounds": 3,
        "eta": 0.01,
        "kind": "a",
    }


def test_whole_numbers_may_be_written_as_floats() -> None:
    assert SCHEMA.check({"rounds": "3.0"}) == {"rounds": 3}


def test_the_platforms_own_are_passed_over() -> None:
    assert SCHEMA.check({"rounds": "1", "sagemaker_region": "us-east-1"}) == {"rounds": 1}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, ("rounds", "required", "[1,∞)")),
        ({"rounds": "0"}, ("rounds", "0", "[1,∞)")),
        ({"rounds": "1.5"}, ("rounds", "1.5", "integer")),
        ({"rounds": "many"}, ("rounds", "many", "integer")),
        ({"rounds": "1", "eta": "2"}, ("eta", "2", "[0,1]")),
        ({"rounds": "1", "eta": "nan"}, ("eta", "nan", "number")),
        ({"rounds": "1", "eta": "inf"}, ("eta", "inf", "[0,1]")),
        ({"rounds": "inf"}, ("rounds", "inf", "integer")),
        ({"rounds": "1", "eta": "0.1", "rate": "0.1"}, ("rate", "eta")),
        ({"rounds": "1", "kind": "c"}, ("kind", "'c'", "a, b")),
        ({"rounds": "1", "kind": "b"}, ("classes", "required when kind is b")),
        ({"rounds": "1", "et": "0.1"}, ("et", "no such", "Did you mean eta?")),
    ],
)
def test_refusals_name_parameter_value_and_range(
    values: dict[str, str], words: tuple[str, ...]
) -> None:
    message = refusal(**values)
    for word in words:
        assert word in message


@pytest.mark.parametrize(
    ("interval", "text"),
    [
        (Interval(0, 1), "[0,1]"),
        (Interval(0, 1, open_minimum=True), "(0,1]"),
        (Interval(1, 2, open_minimum=True, open_maximum=True), "(1,2)"),
        (Interval(0), "[0,∞)"),
        (Interval(), "(-∞,∞)"),
        (Interval(-(2**31), 2**31 - 1), "[-2147483648,2147483647]"),
        (Interval(0.001, 1e30), "[0.001,1e+30]"),
    ],
)
def test_intervals_are_written_as_sagemaker_does(interval: Interval, text: str) -> None:
    assert str(interval) == text


@given(st.floats())
def test_an_interval_holds_what_its_bounds_say(value: float) -> None:
    inside = math.isfinite(value) and 0 < value <= 1
    assert (value in Interval(0, 1, open_minimum=True)) == inside


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=4))
def test_any_input_is_judged(values: dict[str, str]) -> None:
    with pytest.raises(HyperparameterError, match=r"^Hyperparameter "):
        SCHEMA.check({"rounds": "0", **values})


def test_words_beside_numbers() -> None:
    parameter = Hyperparameter(
        "rate", "continuous", "Step.", interval=Interval(0, 1), also=("auto", "off")
    )
    assert parameter.convert("auto") == "auto"
    assert parameter.convert("0.5") == 0.5
    assert parameter.range == "[0,1] or auto or off"
    for text in ("7", "none"):
        with pytest.raises(HyperparameterError, match=r"\[0,1\] or auto or off"):
            parameter.convert(text)
