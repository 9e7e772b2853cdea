"""Parameters: read from nodes, written into them, judged."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bottega.wrangler.columns import NUMBERS, Schema
from bottega.wrangler.errors import ParameterError
from bottega.wrangler.parameters import Kind, Parameter, ParameterSet

SCHEMA = Schema.of(age="long", price="float", name="string", born="date")


def parameter(kind: Kind, **settings: Any) -> Parameter:
    return Parameter("it", kind, "The thing", "What it does.", **settings)


def judged(kind: Kind, value: Any, **settings: Any) -> Any:
    return ParameterSet([parameter(kind, **settings)]).check({"it": value}, SCHEMA)["it"]


PLACED = ParameterSet(
    [
        Parameter("plain", "text", "Plain", "In the group."),
        Parameter("deep", "text", "Deep", "Below it.", path="inner group.deep"),
        Parameter("top", "text", "Top", "Beside it.", path="/top"),
    ],
    "fill_parameters",
)
NODE = {
    "operator": "Fill",
    "top": "t",
    "fill_parameters": {"plain": "p", "inner group": {"deep": "d", "other": 1}},
    "left_over_parameters": {"x": 1},
}


def test_values_lie_in_groups_and_are_read_flat() -> None:
    assert PLACED.read(NODE) == {"plain": "p", "deep": "d", "top": "t"}


@pytest.mark.parametrize("node", [{}, {"fill_parameters": "?"}, {"fill_parameters": None}])
def test_what_is_not_there_is_left_out(node: dict[str, Any]) -> None:
    assert PLACED.read(node) == {}


def test_writing_keeps_what_else_is_there_and_changes_nothing_in_place() -> None:
    before = repr(NODE)
    written = PLACED.write({"deep": "D", "plain": None}, NODE)
    assert written == {
        "operator": "Fill",
        "top": "t",
        "fill_parameters": {"inner group": {"deep": "D", "other": 1}},
        "left_over_parameters": {"x": 1},
    }
    assert repr(NODE) == before


@given(
    st.fixed_dictionaries({}, optional={k: st.text() for k in ("plain", "deep", "top")}),
)
def test_what_is_written_is_read(values: dict[str, str]) -> None:
    assert PLACED.read(PLACED.write(values)) == values


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(ParameterError, match=r"no parameter 'plane'; did you mean plain\?"):
        PLACED.write({"plane": 1})


@pytest.mark.parametrize(
    ("kind", "value", "expected", "settings"),
    [
        ("column", "age", "age", {}),
        ("column", ["age"], "age", {}),
        ("columns", "age", ["age"], {}),
        ("columns", ["price", "age"], ["price", "age"], {"types": NUMBERS}),
        ("choice", "a", "a", {"choices": ("a", "b")}),
        ("text", "", "", {}),
        ("integer", "7", 7, {}),
        ("integer", 7.0, 7, {}),
        ("integer", 2**60 + 1, 2**60 + 1, {}),
        ("number", "0.5", 0.5, {"minimum": 0, "maximum": 1}),
        ("boolean", "True", True, {}),
        ("boolean", False, False, {}),
        ("texts", "a", ["a"], {}),
        ("value", 3, 3, {}),
        ("value", "", "", {}),
        ("new_column", "sum of all", "sum of all", {}),
    ],
)
def test_values_that_fit(kind: Kind, value: Any, expected: Any, settings: dict[str, Any]) -> None:
    found = judged(kind, value, **settings)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("kind", "value", "message", "settings"),
    [
        ("column", "agee", r"The thing: There is no column 'agee'; did you mean 'age'\.", {}),
        ("column", "zzz", "the table has 'age', 'price', 'name', 'born'", {}),
        ("column", ["age", "price"], "is no text", {}),
        (
            "column",
            "name",
            "column 'name' is string, and this takes float or long",
            {"types": NUMBERS},
        ),
        ("columns", ["age", "age"], "'age' is given twice", {}),
        ("columns", [1], "1 is no text", {}),
        ("choice", "A", "'A' is none of a, b", {"choices": ("a", "b")}),
        ("integer", "7.5", "'7.5' is no whole number", {}),
        ("integer", True, "True is no whole number", {}),
        ("integer", math.inf, "no whole number", {}),
        ("number", "x", "'x' is no number", {}),
        ("number", math.nan, "nan is not", {"minimum": 0}),
        ("number", 2, "2 is not between 0 and 1", {"minimum": 0, "maximum": 1}),
        ("number", -1, "-1 is not at least 0", {"minimum": 0}),
        ("boolean", "maybe", "'maybe' is neither true nor false", {}),
        ("text", 5, "5 is no text", {}),
        ("text", "a\0b", "NUL", {}),
        ("value", [1], r"\[1\] is no text, number or boolean", {}),
        ("new_column", "  ", "cannot name a column", {}),
        ("new_column", "__row", "does not begin with two underscores", {}),
        ("records", "x", "'x' is no list", {}),
        ("records", [1], "entry 1: 1 is no mapping", {}),
    ],
)
def test_values_that_do_not_fit(
    kind: Kind, value: Any, message: str, settings: dict[str, Any]
) -> None:
    with pytest.raises(ParameterError, match=message) as caught:
        judged(kind, value, **settings)
    assert caught.value.parameter == "it"


def test_a_missing_value_is_refused_or_defaulted() -> None:
    assert judged("integer", None, default=3) == 3
    assert judged("columns", [], default=None) is None
    with pytest.raises(ParameterError, match=r"The thing is missing\. What it does"):
        judged("column", "", required=True)


def test_entries_are_judged_one_by_one() -> None:
    fields = (
        Parameter("name", "text", "Name", "Of the part.", required=True),
        Parameter("share", "number", "Share", "Of the rows.", path="percentage", default=0.5),
    )
    found = judged("records", [{"name": "a", "percentage": "0.8"}, {"name": "b"}], fields=fields)
    assert found == [{"name": "a", "share": 0.8}, {"name": "b", "share": 0.5}]
    with pytest.raises(ParameterError, match="The thing, entry 2: Share: 'x' is no number"):
        judged("records", [{"name": "a"}, {"name": "b", "percentage": "x"}], fields=fields)


def test_a_parameter_that_is_not_heeded_is_not_judged() -> None:
    two = ParameterSet(
        [
            parameter("choice", choices=("a", "b"), default="a"),
            Parameter(
                "more", "integer", "More", "Of b.", required=True, when=("it", ("b",)), default=1
            ),
        ]
    )
    assert two.check({"more": "nonsense"}, SCHEMA) == {"it": "a", "more": 1}
    with pytest.raises(ParameterError, match="'nonsense' is no whole number"):
        two.check({"it": "b", "more": "nonsense"}, SCHEMA)


def test_a_form_gets_everything() -> None:
    answer = Parameter(
        "column",
        "columns",
        "Columns",
        "Which.",
        required=True,
        types=NUMBERS,
        when=("it", ("a",)),
        fields=(parameter("text"),),
        minimum=0,
        language="sql",
        choices=("a",),
        default=[],
    ).as_answer()
    assert answer == {
        "Name": "column",
        "Kind": "columns",
        "Label": "Columns",
        "Sentence": "Which.",
        "Required": True,
        "Default": [],
        "Choices": ["a"],
        "Minimum": 0,
        "ColumnTypes": ["float", "long"],
        "When": {"Parameter": "it", "Values": ["a"]},
        "Fields": [
            {
                "Name": "it",
                "Kind": "text",
                "Label": "The thing",
                "Sentence": "What it does.",
                "Required": False,
            }
        ],
        "Language": "sql",
    }
