"""Metric math."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.metrics.expressions import ExpressionWrong, Series, parse

TIMES = [0.0, 60.0, 120.0, 180.0]
KNOWN: dict[str, Series] = {
    "m1": {0.0: 1.0, 60.0: 2.0, 180.0: 4.0},
    "m2": {0.0: 10.0, 60.0: 0.0, 120.0: 30.0},
    "errors1": {0.0: 7.0},
}


def evaluate(text: str) -> list[Series]:
    return parse(text).evaluate(KNOWN, list(KNOWN), TIMES, 60)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("m1", KNOWN["m1"]),
        ("m1 + m2 * 2", {0.0: 21.0, 60.0: 2.0}),
        ("m1 ^ 2 - -1", {0.0: 2.0, 60.0: 5.0, 180.0: 17.0}),
        ("m1 / m2", {0.0: 0.1}),
        ("100*(m1/m1)", {0.0: 100.0, 60.0: 100.0, 180.0: 100.0}),
        ("5", dict.fromkeys(TIMES, 5.0)),
        ("SUM(METRICS())", {0.0: 18.0, 60.0: 2.0, 120.0: 30.0, 180.0: 4.0}),
        ('SUM(METRICS("m"))', {0.0: 11.0, 60.0: 2.0, 120.0: 30.0, 180.0: 4.0}),
        ("MAX([m1, m2])", {0.0: 10.0, 60.0: 2.0, 120.0: 30.0, 180.0: 4.0}),
        ("MIN([m1, m2])", {0.0: 1.0, 60.0: 0.0, 120.0: 30.0, 180.0: 4.0}),
        ("AVG([m1, m2])", {0.0: 5.5, 60.0: 1.0, 120.0: 30.0, 180.0: 4.0}),
        ("m1 / MAX(m1)", {0.0: 0.25, 60.0: 0.5, 180.0: 1.0}),
        ("FILL(m1, 0)", {0.0: 1.0, 60.0: 2.0, 120.0: 0.0, 180.0: 4.0}),
        ("FILL(m1, REPEAT)", {0.0: 1.0, 60.0: 2.0, 120.0: 2.0, 180.0: 4.0}),
        ("FILL(m1, LINEAR)", {0.0: 1.0, 60.0: 2.0, 120.0: 3.0, 180.0: 4.0}),
        ("FILL(errors1, m2)", {0.0: 7.0, 60.0: 0.0, 120.0: 30.0}),
        ("IF(m1 > 1, m1, 0)", {0.0: 0.0, 60.0: 2.0, 180.0: 4.0}),
        ("IF(m1 > 1 AND m1 < 4, 1)", {60.0: 1.0}),
        ("IF(m1 == 1 || m1 == 4, 1, m2)", {0.0: 1.0, 60.0: 0.0, 180.0: 1.0}),
        ("RATE(m1)", {60.0: 1 / 60, 180.0: 2 / 120}),
        ("DIFF(m1)", {60.0: 1.0, 180.0: 2.0}),
        ("ABS(-m1)", KNOWN["m1"]),
        ("CEIL(m1 / 3)", {0.0: 1.0, 60.0: 1.0, 180.0: 2.0}),
        ("m1 / PERIOD(m1)", {0.0: 1 / 60, 60.0: 2 / 60, 180.0: 4 / 60}),
    ],
)
def test_an_expression_is_what_cloudwatch_makes_of_it(text: str, expected: Series) -> None:
    (found,) = evaluate(text)
    assert found == pytest.approx(expected)


def test_an_array_gives_several_series() -> None:
    assert evaluate("[m1, m2] * 2") == [
        {0.0: 2.0, 60.0: 4.0, 180.0: 8.0},
        {0.0: 20.0, 60.0: 0.0, 120.0: 60.0},
    ]


def test_it_says_what_it_refers_to() -> None:
    found = parse('m1 + SUM(METRICS("x"))')
    assert found.names == {"m1"}
    assert found.every == ("x",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("m1 +", "no expression"),
        ("SEARCH('{AWS/SageMaker}', 'Sum', 60)", "SEARCH and SELECT are not there"),
        ("__import__('os')", "no function __import__"),
        ("m1.real", "not understood"),
        ("m1[0]", "not understood"),
        ("lambda: m1", "not understood"),
        ("[x for x in m1]", "not understood"),
        ("M1 + 1", "ids begin with a small letter"),
        ("True", "no number"),
        ("FILL(m1)", "takes 2"),
        ("SUM(m1, m2)", "takes 1"),
        ("METRICS(m1)", "text in quotes"),
        ("1 < m1 < 3", "not understood"),
        ("(" * 500 + "m1" + ")" * 500, "no expression"),
        ("m1+" * 1000 + "1", "2048 are allowed"),
    ],
)
def test_what_cannot_be_understood_is_refused_in_words(text: str, message: str) -> None:
    with pytest.raises(ExpressionWrong, match=message):
        parse(text)


@pytest.mark.parametrize("text", ["SUM(5)", "IF([m1, m2], 1, 2)", "RATE(5)", "[[m1], m2]"])
def test_a_part_of_the_wrong_kind_is_refused(text: str) -> None:
    with pytest.raises(ExpressionWrong):
        evaluate(text)


@settings(max_examples=60, deadline=None)
@given(text=st.text(alphabet="m12+-*/^(),[] IFSUMAVG<>=&|\"'._", max_size=30))
def test_no_text_does_anything_else(text: str) -> None:
    try:
        parse(text.replace("m", "m1")).evaluate(
            dict.fromkeys(("m1", "m11", "m12", "m111"), KNOWN["m1"]), ["m1"], TIMES, 60
        )
    except (ExpressionWrong, KeyError):
        return


@settings(max_examples=40, deadline=None)
@given(
    a=st.dictionaries(st.sampled_from(TIMES), st.integers(-50, 50).map(float)),
    b=st.dictionaries(st.sampled_from(TIMES), st.integers(-50, 50).map(float)),
)
def test_arithmetic_is_where_both_have_a_value(a: Series, b: Series) -> None:
    (found,) = parse("a * 2 - b").evaluate({"a": a, "b": b}, ["a", "b"], TIMES, 60)
    assert found == {time: a[time] * 2 - b[time] for time in sorted(a) if time in b}
