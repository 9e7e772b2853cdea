"""Bodies of requests as rows, and features as bodies."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bottega.wrangler.columns import Schema
from bottega.wrangler.errors import DataError
from bottega.wrangler.serving.plan import ServingPlan
from bottega.wrangler.serving.requests import (
    UnsupportedType,
    answer_of,
    rows_of,
    wanted_type,
)

SOURCE = Schema.of(name="string", age="long", left="boolean", note="string")
PLAN = ServingPlan(
    SOURCE, frozenset({"left"}), SOURCE.select(["age", "name"]), (), Schema.of(age="long"), False
)


def rows(body: Any, kind: str = "text/csv") -> list[list[str | None]]:
    text = body if isinstance(body, str) else json.dumps(body)
    return rows_of(PLAN, text.encode(), kind)


def test_csv_without_names_has_the_source_columns_without_the_label():
    assert rows("Ann,20,x\n,,\n") == [["20", "Ann"], [None, None]]
    assert rows("Ann,20,true,x\n") == [["20", "Ann"]]  # with it, it is not looked at


def test_csv_with_names_in_any_order():
    assert rows('age,name\n20,"A, ""B"""\n') == [["20", 'A, "B"']]
    assert rows("\ufeffage,name\n20,Ann") == [["20", "Ann"]]
    assert rows("name,age\n", "text/csv; header=present") == []
    with pytest.raises(DataError, match="has 2 cells; without names it has 3"):
        rows("name,age\n", "text/csv;header=absent")


def test_quoted_newlines_and_blank_lines():
    assert rows('"A\nB",20,x\n\nC,21,x\n') == [["20", "A\nB"], ["21", "C"]]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (20, "20"),
        (20.0, "20"),
        ("20", "20"),
        ("", None),
        (None, None),
        (2.5, "2.5"),
        (True, "true"),
    ],
)
def test_json_cells_are_read_as_those_of_a_file(value: Any, text: str | None):
    assert rows({"age": value, "name": "x"}, "application/json") == [[text, "x"]]


def test_json_text_stays_as_it_is():
    found = rows('[{"age": 123456789012345678, "name": ""}]', "application/json")
    assert found == [["123456789012345678", ""]]
    assert rows('{"age": NaN, "name": 1.50}', "application/json") == [[None, "1.50"]]


@pytest.mark.parametrize(
    ("body", "because"),
    [
        ("5", "neither a row nor a list"),
        ('[[1, "x"]]', "A row has 2 cells; without names it has 3: name, age, note"),
        ('[{"age": 1}, 5]', "Columns are missing: 'name'"),
        ('[{"age": 1, "name": "x"}, 5]', "Row 2 is neither an object nor a list"),
        ('{"age": {}, "name": "x"}', "Row 1, column 'age'"),
        ("[" * 100_000, "no JSON"),
    ],
)
def test_json_that_is_no_rows(body: str, because: str):
    with pytest.raises(DataError, match=because):
        rows(body, "application/json")


def test_bytes_that_are_no_text():
    with pytest.raises(DataError, match="not UTF-8"):
        rows_of(PLAN, b"\xff\xfe", "text/csv")
    with pytest.raises(UnsupportedType):
        rows_of(PLAN, b"", "image/png")


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", "text/csv"),
        ("*/*", "text/csv"),
        ("application/json", "application/json"),
        ("image/png, application/json;q=0.5", "application/json"),
        ("application/jsonlines", "application/jsonlines"),
    ],
)
def test_what_an_answer_is(accept: str, kind: str):
    assert wanted_type(accept) == kind


def test_answers():
    assert answer_of(PLAN, [("1",), (None,)], "text/csv") == (b'1\n""\n', "text/csv")
    assert answer_of(PLAN, [(float("inf"),)], "application/jsonlines")[0] == b'{"age": "inf"}\n'
    assert json.loads(answer_of(PLAN, [(1,)], "application/json")[0]) == {"instances": [{"age": 1}]}
    with pytest.raises(UnsupportedType, match="Accept type image/png"):
        answer_of(PLAN, [], "image/png")
