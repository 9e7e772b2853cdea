from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.testing.wrangler_case import Bench
from bottega.testing.wrangler_frames import ODD_NAMES, one_of_each, series, typed_frames
from bottega.wrangler.columns import SCALARS, ColumnType
from bottega.wrangler.errors import ParameterError
from bottega.wrangler.transforms.registry import named

GROUP = "Manage columns"


def check(bench: Bench, name: str, values: dict[str, Any], frame: Any, types: Any = None) -> Any:
    return bench.check(named(GROUP, name), values, frame, types=types)


@pytest.fixture
def people() -> pd.DataFrame:
    return pd.DataFrame({"name": ["Ann", "", None], "age": [3.0, None, 5.5], "{x}": [1, 2, 3]})


def test_drop_takes_one_name_or_several(bench: Bench, people: pd.DataFrame) -> None:
    assert list(check(bench, "Drop column", {"column_to_drop": "{x}"}, people)) == ["name", "age"]
    left = check(bench, "Drop column", {"column_to_drop": ["name", "age"]}, people)
    assert list(left) == ["{x}"]


def test_the_last_column_stays(bench: Bench, people: pd.DataFrame) -> None:
    with pytest.raises(ParameterError, match="keep at least one"):
        check(bench, "Drop column", {"column_to_drop": ["name", "age", "{x}"]}, people)


def test_an_unknown_column_is_refused_with_the_nearest(bench: Bench, people: pd.DataFrame) -> None:
    with pytest.raises(ParameterError, match=r"no column 'namee'; did you mean 'name'"):
        check(bench, "Drop column", {"column_to_drop": "namee"}, people)


@pytest.mark.parametrize("new", [name for name in ODD_NAMES if name.strip() and name[0] != "_"])
def test_duplicate_and_rename_to_odd_names(bench: Bench, people: pd.DataFrame, new: str) -> None:
    values = {"input_column": "age", "new_name": new}
    if new in people:
        with pytest.raises(ParameterError, match="already a column"):
            check(bench, "Duplicate column", values, people)
        return
    assert list(check(bench, "Duplicate column", values, people)) == [*people, new]
    assert list(check(bench, "Rename column", values, people)) == ["name", new, "{x}"]


def test_rename_to_the_same_name_changes_nothing(bench: Bench, people: pd.DataFrame) -> None:
    values = {"input_column": "age", "new_name": "age"}
    assert list(check(bench, "Rename column", values, people)) == list(people)


def test_rename_refuses_a_name_that_is_taken(bench: Bench, people: pd.DataFrame) -> None:
    with pytest.raises(ParameterError, match="already a column 'name'"):
        check(bench, "Rename column", {"input_column": "age", "new_name": "name"}, people)


@pytest.mark.parametrize(
    ("values", "order"),
    [
        ({"move_type": "Move to start", "move_to_start_column": "c"}, "cabd"),
        ({"move_type": "Move to start", "move_to_start_column": ["d", "b"]}, "dbac"),
        ({"move_type": "Move to end", "move_to_end_column": "a"}, "bcda"),
        (
            {"move_type": "Move before", "move_before_column": "d", "move_before_target": "b"},
            "adbc",
        ),
        ({"move_type": "Move after", "move_after_column": "a", "move_after_target": "c"}, "bcad"),
        ({"move_type": "Move to index", "move_to_index_column": "a", "index": 2}, "bcad"),
    ],
)
def test_move(bench: Bench, values: dict[str, Any], order: str) -> None:
    frame = pd.DataFrame({name: [name] for name in "abcd"})
    assert "".join(check(bench, "Move column", values, frame)) == order


def test_move_reads_sagemakers_nodes() -> None:
    node = {
        "operator": "Move column",
        "move_column_parameters": {
            "move_type": "Move to start",
            "move_to_start_parameters": {"column_to_move": "c"},
        },
    }
    read = named(GROUP, "Move column").parameter_set().read(node)
    assert read == {"move_type": "Move to start", "move_to_start_column": "c"}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (
            {"move_type": "Move before", "move_before_column": "a", "move_before_target": "a"},
            "'a' is moved itself",
        ),
        ({"move_type": "Move to index", "move_to_index_column": "a", "index": 2}, "2 is beyond"),
        ({"move_type": "Move to index", "move_to_index_column": "a", "index": -1}, "at least 0"),
        ({"move_type": "Move up"}, "none of Move to start"),
    ],
)
def test_move_refuses(bench: Bench, values: dict[str, Any], words: str) -> None:
    with pytest.raises(ParameterError, match=words):
        check(bench, "Move column", values, pd.DataFrame({"a": [1], "b": [2]}))


def test_concatenate_leaves_missing_values_out(bench: Bench, people: pd.DataFrame) -> None:
    values = {"left_column": "name", "right_column": "age", "delimiter": ", "}
    result = check(bench, "Concatenate columns", values, people)
    assert result["name_age"].tolist() == ["Ann, 3.0", "", "5.5"]


def test_concatenate_writes_every_type(bench: Bench) -> None:
    frame, types = one_of_each()
    scalars = [name for name, kind in types.items() if kind in SCALARS]
    values = {
        "left_column": scalars[0],
        "right_column": scalars[1],
        "more_columns": scalars[2:],
        "delimiter": "|",
        "output_column": "all {of} them",
    }
    result = check(bench, "Concatenate columns", values, frame, types)
    assert result["all {of} them"].tolist() == [
        "3|1.5|true||2024-02-29|2024-02-29 01:02:03.000004",
        "inf",
        "-1|false|it's {x}|1970-01-01",
        "3|0.0|true|b",
        "9223372036854775807|-inf|straße 🐈",
    ]


def test_concatenate_into_one_of_them_keeps_its_place(bench: Bench) -> None:
    frame = pd.DataFrame({"a": series(ColumnType.LONG, [1, None]), "b": ["x", "y"]})
    values = {"left_column": "a", "right_column": "b", "output_column": "a"}
    result = check(bench, "Concatenate columns", values, frame)
    assert result.to_dict("list") == {"a": ["1_x", "y"], "b": ["x", "y"]}


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_frame(bench: Bench, data: st.DataObject) -> None:
    frame, types = data.draw(typed_frames(min_columns=2))
    first, second = list(types)[:2]
    steps: list[tuple[str, dict[str, Any]]] = [
        ("Drop column", {"column_to_drop": first}),
        ("Duplicate column", {"input_column": first, "new_name": "the new one"}),
        ("Rename column", {"input_column": second, "new_name": "the new one"}),
        (
            "Move column",
            {
                "move_type": "Move after",
                "move_after_column": first,
                "move_after_target": second,
            },
        ),
    ]
    if types[first] in SCALARS and types[second] in SCALARS:
        steps.append(
            (
                "Concatenate columns",
                {"left_column": first, "right_column": second, "output_column": "both"},
            )
        )
    name, values = data.draw(st.sampled_from(steps))
    check(bench, name, values, frame, types)
