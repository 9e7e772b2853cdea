from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.testing.wrangler_case import Bench, assert_same_table, by_pandas
from bottega.testing.wrangler_frames import ODD_NAMES, ODD_TEXTS, frames, series
from bottega.wrangler.columns import ColumnType, Schema
from bottega.wrangler.errors import DataError, ParameterError
from bottega.wrangler.transform import InMemory, Step
from bottega.wrangler.transforms.registry import named

GROUP = "Encode categorical"
TEXT, LONG, BOOLEAN, FLOAT = (
    ColumnType.STRING,
    ColumnType.LONG,
    ColumnType.BOOLEAN,
    ColumnType.FLOAT,
)
SIX = pd.DataFrame({"x": series(TEXT, ["b", "a", None, "b", "", "c"])})


def applied(
    bench: Bench, name: str, values: dict[str, Any], learnt: pd.DataFrame, new: pd.DataFrame
) -> pd.DataFrame:
    """What was learnt from one table, applied to another, in both languages."""
    transform = named(GROUP, name)
    table, other = bench.relation(learnt), bench.relation(new)
    checked = transform.parameter_set().check(values, table.schema)
    step = Step(other.schema, checked, transform.fit(table, checked))
    rendering = transform.sql(step)
    assert not isinstance(rendering, InMemory)
    found = other.then(rendering, transform.columns(step)).frame()
    assert_same_table(found, by_pandas(transform, step, [other.frame()]), transform.columns(step))
    return found


def listed(column: pd.Series) -> list[Any]:
    return [None if not isinstance(v, list) and pd.isna(v) else v for v in column]


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        ("Replace with NaN", [0, 2, None, 0, 1, 3]),
        ("Keep", [0, 2, 4, 0, 1, 3]),
        ("Skip", [0, 2, 0, 1, 3]),
    ],
)
def test_ordinal_counts_by_frequency_then_alphabet(
    bench: Bench, strategy: str, expected: list[Any]
) -> None:
    values = {"input_column": "x", "invalid_handling_strategy": strategy}
    assert listed(bench.check(named(GROUP, "Ordinal encode"), values, SIX)["x"]) == expected


def test_ordinal_of_what_was_not_learnt(bench: Bench) -> None:
    new = pd.DataFrame({"x": series(TEXT, ["c", "new", None])})
    values: dict[str, Any] = {"input_column": "x"}
    assert listed(applied(bench, "Ordinal encode", values, SIX, new)["x"]) == [3, None, None]
    values["invalid_handling_strategy"] = "Keep"
    assert listed(applied(bench, "Ordinal encode", values, SIX, new)["x"]) == [3, 4, 4]
    values["invalid_handling_strategy"] = "Skip"
    assert listed(applied(bench, "Ordinal encode", values, SIX, new)["x"]) == [3]


@pytest.mark.parametrize("name", ["Ordinal encode", "One-hot encode"])
@pytest.mark.parametrize("style", ["Vector", "Columns"])
def test_error_names_column_and_value(bench: Bench, name: str, style: str) -> None:
    values = {"input_column": "{x}", "invalid_handling_strategy": "Error", "output_style": style}
    known = pd.DataFrame({"{x}": series(TEXT, ["a", "b"])})
    assert len(applied(bench, name, values, known, known)) == 2
    new = pd.DataFrame({"{x}": series(TEXT, ["a", "it's {new}"])})
    with pytest.raises(DataError, match=r"'\{x\}' has a value that was not learnt: it's \{new\}"):
        applied(bench, name, values, known, new)
    table, transform = bench.relation(known), named(GROUP, name)
    checked = transform.parameter_set().check(values, table.schema)
    step = Step(table.schema, checked, transform.fit(table, checked))
    with pytest.raises(ValueError, match="not learnt"):
        by_pandas(transform, step, [new])


def test_one_hot_columns(bench: Bench) -> None:
    values = {"input_column": "x", "invalid_handling_strategy": "Keep"}
    found = bench.check(named(GROUP, "One-hot encode"), values, SIX)
    assert list(found) == ["x_b", "x_", "x_a", "x_c", "x_missing"]
    assert found["x_b"].tolist() == [1, 0, 0, 1, 0, 0]
    assert found["x_missing"].tolist() == [0, 0, 1, 0, 0, 0]
    dropped = bench.check(
        named(GROUP, "One-hot encode"), {**values, "drop_last": True, "output_column": "o"}, SIX
    )
    assert list(dropped) == ["x", "o_b", "o_", "o_a", "o_c"]


def test_one_hot_vectors(bench: Bench) -> None:
    values: dict[str, Any] = {"input_column": "x", "output_style": "Vector"}
    values["invalid_handling_strategy"] = "Skip"
    found = bench.check(named(GROUP, "One-hot encode"), values, SIX)
    assert found["x"].tolist()[1] == [0.0, 0.0, 1.0, 0.0]
    kept = {**values, "invalid_handling_strategy": "Keep", "drop_last": True}
    found = bench.check(named(GROUP, "One-hot encode"), kept, SIX)
    assert found["x"].tolist()[2] == [0.0, 0.0, 0.0, 0.0]


def test_one_hot_names_that_differ_in_case_only(bench: Bench) -> None:
    frame = pd.DataFrame({"x": series(TEXT, ["a", "A", "a"]), "X_a": [1, 2, 3]})
    found = bench.check(named(GROUP, "One-hot encode"), {"input_column": "x"}, frame)
    assert list(found) == ["X_a", "x_a_1", "x_A_2", "x_missing"]


def test_one_hot_of_what_is_ordinal_already(bench: Bench) -> None:
    frame = pd.DataFrame({"x": series(LONG, [2, 0, None, -1])})
    values = {"input_column": "x", "input_already_ordinal_encoded": True}
    found = bench.check(named(GROUP, "One-hot encode"), values, frame)
    assert list(found) == ["x_0", "x_1", "x_2", "x_missing"]
    assert found["x_missing"].tolist() == [0, 0, 1, 1]
    with pytest.raises(ParameterError, match="not whole numbers"):
        bench.check(named(GROUP, "One-hot encode"), values, SIX)


def test_one_hot_of_too_many_is_refused(bench: Bench) -> None:
    frame = pd.DataFrame({"x": [str(i) for i in range(1001)]})
    with pytest.raises(DataError, match=r"1,001 categories.*Target encode"):
        bench.check(named(GROUP, "One-hot encode"), {"input_column": "x"}, frame)


def test_target_means_are_smoothed(bench: Bench) -> None:
    frame = pd.DataFrame(
        {
            "x": series(TEXT, ["a", "a", "b", None, "b"]),
            "y": [1.0, 3.0, 5.0, 7.0, math.inf],
        }
    )
    values = {"input_column": "x", "target_column": "y", "smoothing": 2}
    found = bench.check(named(GROUP, "Target encode"), values, frame)
    assert found["x"].tolist() == [3.0, 3.0, 13 / 3, 4.0, 13 / 3]
    new = pd.DataFrame({"x": series(TEXT, ["new", "a"]), "y": [0.0, 0.0]})
    assert applied(bench, "Target encode", values, frame, new)["x"].tolist() == [4.0, 3.0]


def test_target_of_two_classes(bench: Bench) -> None:
    frame = pd.DataFrame({"x": ["a", "a", "b"], "y": series(TEXT, ["Yes", "No", "No"])})
    values = {"input_column": "x", "target_column": "y", "smoothing": 0}
    found = bench.check(named(GROUP, "Target encode"), values, frame)
    assert found["x"].tolist() == [0.5, 0.5, 0.0]
    frame["y"] = ["1", "2", "3"]
    with pytest.raises(DataError, match="'y' has more than two classes"):
        bench.check(named(GROUP, "Target encode"), values, frame)
    frame["y"] = series(TEXT, [None, None, None])
    with pytest.raises(DataError, match="'y' has no value"):
        bench.check(named(GROUP, "Target encode"), values, frame)
    with pytest.raises(ParameterError, match="among the input columns"):
        bench.check(named(GROUP, "Target encode"), {**values, "target_column": "x"}, frame)


def test_counts_and_frequencies(bench: Bench) -> None:
    new = pd.DataFrame({"x": series(TEXT, ["b", "new", None])})
    found = applied(bench, "Count encode", {"input_column": "x"}, SIX, new)
    assert listed(found["x"]) == [2, 0, None]
    values = {"input_column": "x", "style": "Frequency"}
    assert listed(applied(bench, "Count encode", values, SIX, new)["x"]) == [0.4, 0.0, None]


def test_similar_texts_get_similar_numbers(bench: Bench) -> None:
    texts = ["California", "Californa", "New York", "", None]
    frame = pd.DataFrame({"x": series(TEXT, texts)})
    values = {"input_column": "x", "target_dimension": 200}
    found = bench.check(named(GROUP, "Similarity encode"), values, frame)["x"].tolist()
    same = [sum(a == b for a, b in zip(found[0], found[i], strict=True)) / 200 for i in (1, 2)]
    # Threes of " California " and " Californa " in common: 7 of 12.
    assert abs(same[0] - 7 / 12) < 0.12
    assert same[1] == 0
    assert found[4] is None
    assert all(0 <= number < 1 for text in found[:4] for number in text)


@pytest.mark.parametrize("name", ["Ordinal encode", "Target encode", "Count encode"])
def test_many_categories_keep_the_order_of_rows(bench: Bench, name: str) -> None:
    rows, categories = 60_000, 20_000
    frame = pd.DataFrame({"x": [f"it's {i * 7919 % categories}" for i in range(rows)]})
    frame["y"] = [float(i % 10) for i in range(rows)]
    found = bench.check(
        named(GROUP, name), {"input_column": "x", "target_column": "y", "output_column": "o"}, frame
    )
    assert found["x"].tolist() == frame["x"].tolist()
    assert found["o"].notna().all()


NAMES = ["Ordinal encode", "One-hot encode", "Target encode", "Count encode", "Similarity encode"]
CHOICES: dict[str, st.SearchStrategy[Any]] = {
    "invalid_handling_strategy": st.sampled_from(["Skip", "Keep"]),
    "drop_last": st.booleans(),
    "output_style": st.sampled_from(["Vector", "Columns"]),
    "style": st.sampled_from(["Count", "Frequency"]),
    "smoothing": st.floats(0, 100),
    "target_dimension": st.integers(1, 4),
    "target_column": st.sampled_from(["y", "z"]),
}


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=25, deadline=None)
@given(st.data())
def test_random_tables(bench: Bench, name: str, data: st.DataObject) -> None:
    transform = named(GROUP, name)
    types = {"{a}": TEXT, "n": LONG, "b": BOOLEAN, "y": FLOAT, "z": BOOLEAN}
    frame = data.draw(frames(types, largest=1e6))
    columns = ["{a}"] if name == "Similarity encode" else ["{a}", "n", "b"]
    chosen = {p.name: data.draw(CHOICES[p.name]) for p in transform.parameters if p.name in CHOICES}
    try:
        bench.check(transform, {"input_column": columns, **chosen}, frame, types=types)
    except DataError as error:
        if "has no value to learn from" not in error.message:
            raise


@pytest.mark.parametrize("name", NAMES)
def test_odd_names_and_texts(bench: Bench, name: str) -> None:
    transform = named(GROUP, name)
    texts = [*ODD_TEXTS, None]
    for column in ODD_NAMES:
        frame = pd.DataFrame({column: series(TEXT, texts), "target": range(len(texts))})
        values = {"input_column": column, "target_column": "target", "target_dimension": 2}
        bench.check(transform, values, frame)
        output = {**values, "output_column": "out {x}'"}
        bench.check(transform, output, frame)
    if name != "Target encode":
        empty = pd.DataFrame({"x": series(TEXT, [])})
        bench.check(transform, {"input_column": "x"}, empty, types={"x": TEXT})


def test_one_output_for_many_is_refused() -> None:
    schema = Schema.of(a="string", b="string", y="float")
    for name in NAMES:
        transform = named(GROUP, name)
        values = {"input_column": ["a", "b"], "output_column": "o", "target_column": "y"}
        with pytest.raises(ParameterError, match="several columns"):
            transform.check(schema, transform.parameter_set().check(values, schema))


def test_numbers_with_a_point_are_no_categories() -> None:
    schema = Schema.of(a="float")
    with pytest.raises(ParameterError, match="'a' is float"):
        named(GROUP, "Ordinal encode").parameter_set().check({"input_column": "a"}, schema)
