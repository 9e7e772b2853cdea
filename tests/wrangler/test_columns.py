"""Types of columns and schemas."""

from __future__ import annotations

import pytest

from bottega.wrangler.columns import NUMBERS, Column, ColumnType, Schema
from bottega.wrangler.errors import DataError, ParameterError

SCHEMA = Schema.of(age="long", price="float", name="string")


def test_every_type_is_known_to_both_sides() -> None:
    for kind in ColumnType:
        assert kind.duckdb
        assert kind.pandas


def test_a_known_name_keeps_its_place_and_a_new_one_comes_last() -> None:
    changed = SCHEMA.with_columns([Column("new", ColumnType.DATE), Column("age", ColumnType.FLOAT)])
    assert [(c.name, c.type.value) for c in changed] == [
        ("age", "float"),
        ("price", "float"),
        ("name", "string"),
        ("new", "date"),
    ]


def test_columns_are_taken_away_and_chosen() -> None:
    assert SCHEMA.without(["age", "unknown"]).names == ["price", "name"]
    assert SCHEMA.select(["name", "age"]).names == ["name", "age"]
    assert SCHEMA.of_type(NUMBERS) == ["age", "price"]


def test_a_free_name_is_one_that_no_column_has() -> None:
    assert SCHEMA.free_name("new") == "new"
    assert Schema.of(a="long", a_1="long").free_name("a") == "a_2"


def test_an_unknown_column_is_refused() -> None:
    with pytest.raises(ParameterError, match="no column 'aeg'; did you mean 'age'"):
        SCHEMA["aeg"]
    with pytest.raises(ParameterError, match="the table has no columns"):
        Schema([])["x"]


@pytest.mark.parametrize("names", [("a", "a"), ("a", "A"), ("Ä", "ä")])
def test_names_differ_in_more_than_capitals(names: tuple[str, str]) -> None:
    with pytest.raises(DataError, match="Two columns would be called"):
        Schema(Column(name, ColumnType.LONG) for name in names)
    assert Schema([Column(names[0], ColumnType.LONG)]).free_name(names[1]) == f"{names[1]}_1"
