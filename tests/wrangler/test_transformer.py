"""A flow as a scikit-learn transformer: what it learns, what it gives, and what it refuses."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from bottega.testing.wrangler_flows import step_node
from bottega.wrangler.errors import DataError, FlowError
from bottega.wrangler.flow.document import Flow
from bottega.wrangler.transformer import FlowTransformer

SOURCE = {
    "node_id": "people",
    "type": "SOURCE",
    "name": "People",
    "operator": "sagemaker.s3_source_0.1",
    "parameters": {"dataset_definition": {"name": "people.csv"}},
    "outputs": [{"name": "default"}],
}


def flow(*steps: tuple[str, str, dict[str, Any]], sources: tuple[Any, ...] = (SOURCE,)) -> Flow:
    """Steps one after the other, called 1, 2, …"""
    above, nodes = sources[0]["node_id"], []
    for number, (group, name, values) in enumerate(steps, 1):
        nodes.append(step_node(str(number), above, group, name, values))
        above = str(number)
    return Flow({"metadata": {"version": 1}, "nodes": [*sources, *nodes]})


def people() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "age": [20.0, None, 40.0, 60.0],
            "city": ["Bonn", "Köln", None, "Bonn"],
            "note": ["a", "b", "c", "d"],
            "left": ["no", "yes", None, "yes"],
        }
    )


IMPUTE = ("Handle missing", "Impute", {"input_column": ["age"]})
CITIES = (
    "Handle missing",
    "Impute",
    {"column_type": "Categorical", "input_column": ["city"]},
)
LABELLED = ("Handle missing", "Drop missing", {"input_column": ["left"]})
DROP_NOTE = ("Manage columns", "Drop column", {"column_to_drop": ["note"]})
SORT = ("Manage rows", "Sort", {"column": ["age"], "order": "Descending"})


def test_what_was_learnt_is_applied_unchanged():
    prepared = FlowTransformer(flow(IMPUTE)).fit(people())
    found = prepared.transform(people().assign(age=[None, 1.0, 2.0, None]))
    assert found["age"].tolist() == [40.0, 1.0, 2.0, 40.0]
    assert prepared.flow_.node("1").state == {"values": {"age": 40.0}}


def test_steps_for_training_are_left_out_of_answers():
    prepared = FlowTransformer(flow(LABELLED, IMPUTE, SORT, DROP_NOTE), label="left")
    table = prepared.fit_transform(people(), training=True)
    # The third row is gone before anything is learnt: the median of 20 and 60.
    assert table["age"].tolist() == [60.0, 40.0, 20.0]
    assert table.columns.tolist() == ["age", "city", "left"]
    found = prepared.transform(people().drop(columns=["left", "note"]))
    assert found.columns.tolist() == ["age", "city"]
    assert found["age"].tolist() == [20.0, 40.0, 40.0, 60.0]
    assert prepared.transform(people(), training=True).equals(table)


def test_rows_keep_their_index():
    prepared = FlowTransformer(flow(IMPUTE)).fit(people())
    assert prepared.transform(people().iloc[[3, 1]]).index.tolist() == [3, 1]


def test_steps_of_the_label_alone_are_left_out_and_need_no_label():
    fill = ("Handle missing", "Fill missing", {"input_column": ["left"], "fill_value": "no"})
    both = (
        "Handle missing",
        "Impute",
        {"column_type": "Categorical", "input_column": ["left", "city"]},
    )
    prepared = FlowTransformer(flow(fill, both, DROP_NOTE), label="left").fit(people())
    found = prepared.transform(people()[["city", "age"]])
    assert found["city"].tolist() == ["Bonn", "Köln", "Bonn", "Bonn"]
    assert prepared.get_feature_names_out().tolist() == ["age", "city"]


def test_a_label_that_is_renamed_is_known_by_both_names():
    rename = ("Manage columns", "Rename column", {"input_column": "left", "new_name": "target"})
    for label in ("left", "target"):
        prepared = FlowTransformer(flow(rename), label=label).fit(people())
        assert "target" not in prepared.get_feature_names_out()
        assert prepared.transform(people().drop(columns="left")).shape == (4, 3)


def test_a_feature_of_the_label_is_refused():
    together = (
        "Manage columns",
        "Concatenate columns",
        {"left_column": "left", "right_column": "city", "output_column": "both"},
    )
    prepared = FlowTransformer(flow(together), label="left").fit(people())
    with pytest.raises(FlowError, match="'both' is computed from the label"):
        prepared.transform(people())


def test_an_unknown_label_names_the_nearest():
    prepared = FlowTransformer(flow(IMPUTE), label="lefd").fit(people())
    with pytest.raises(FlowError, match=r"'lefd'.*did you mean left"):
        prepared.transform(people())


def test_missing_columns_are_named():
    prepared = FlowTransformer(flow(IMPUTE)).fit(people())
    with pytest.raises(DataError, match="Columns are missing: 'city', 'note'"):
        prepared.transform(people()[["age", "left"]])


def test_what_no_feature_needs_need_not_be_there():
    prepared = FlowTransformer(flow(IMPUTE, DROP_NOTE)).fit(people())
    assert prepared.transform(people().drop(columns="note")).shape == (4, 3)


@pytest.mark.parametrize("count", [1, 1000])
def test_a_value_of_another_type_is_named(count: int):
    prepared = FlowTransformer(flow(IMPUTE)).fit(people())
    frame = pd.concat([people().head(1)] * count).assign(age="forty")
    with pytest.raises(DataError, match=r"age.*(float|forty)"):
        prepared.transform(frame)


def test_a_dropped_column_stays_dropped():
    drop = (
        "Handle missing",
        "Drop missing",
        {"dimension": "Drop Columns", "missing_percentage": 20},
    )
    prepared = FlowTransformer(flow(drop)).fit(people())
    assert prepared.get_feature_names_out().tolist() == ["note"]
    assert prepared.transform(people().fillna({"age": 1, "city": "x"})).columns.tolist() == ["note"]


def test_a_join_cannot_be_served_and_is_learnt_from_several_frames():
    other = {**SOURCE, "node_id": "cities", "name": "Cities"}
    joined = step_node(
        "1",
        ("people", "cities"),
        "Join",
        "Join",
        {"join_type": "leftouter", "left_column": "city", "right_column": "city"},
    )
    document = Flow({"metadata": {"version": 1}, "nodes": [SOURCE, other, joined]})
    cities = pd.DataFrame({"city": ["Bonn"], "people": [330_000]})
    prepared = FlowTransformer(document)
    table = prepared.fit_transform({"People": people(), "cities": cities}, training=True)
    assert table["people"].tolist()[0] == 330_000
    with pytest.raises(FlowError, match=r"cannot be served|combines tables"):
        prepared.transform(people())
    with pytest.raises(FlowError, match=r"'citys' is no source.*did you mean cities"):
        prepared.fit({"People": people(), "citys": cities})
    with pytest.raises(FlowError, match="2 sources"):
        prepared.fit(people())


def test_several_ends_want_a_choice():
    document = flow(IMPUTE)
    second = step_node("2", "people", *DROP_NOTE)
    document = Flow({**document.raw, "nodes": [*document.raw["nodes"], second]})
    with pytest.raises(FlowError, match="ends in 2 tables"):
        FlowTransformer(document).fit(people())
    assert "note" not in FlowTransformer(document, "2").fit_transform(people())


def test_saved_and_loaded_it_does_the_same(tmp_path: Path):
    prepared = FlowTransformer(flow(LABELLED, IMPUTE, CITIES), label="left").fit(people())
    prepared.save(tmp_path / "fitted.flow")
    loaded = FlowTransformer.load(tmp_path / "fitted.flow")
    assert loaded.transform(people()).equals(prepared.transform(people()))
    assert loaded.label == "left"
    json.loads((tmp_path / "fitted.flow").read_text())
    (tmp_path / "raw.flow").write_text(flow(IMPUTE).text())
    with pytest.raises(FlowError, match="is not fitted"):
        FlowTransformer.load(tmp_path / "raw.flow")


def test_a_flow_comes_as_path_text_or_mapping(tmp_path: Path):
    document = flow(IMPUTE)
    (tmp_path / "a.flow").write_text(document.text())
    wanted = FlowTransformer(document).fit_transform(people())
    for given_ in (tmp_path / "a.flow", str(tmp_path / "a.flow"), document.text(), document.raw):
        assert FlowTransformer(given_).fit_transform(people()).equals(wanted)
    with pytest.raises(FlowError, match="cannot be read"):
        FlowTransformer(tmp_path / "none.flow").fit(people())


def test_scikit_learn_takes_it_for_its_own():
    frame = people().assign(age=[1.0, None, 3.0, 8.0])
    keep_age = ("Manage columns", "Drop column", {"column_to_drop": ["city", "note", "left"]})
    model = make_pipeline(FlowTransformer(flow(IMPUTE, keep_age)), LogisticRegression())
    model.fit(frame, [0, 0, 1, 1])
    assert model.predict(pd.DataFrame({"age": [0.0, 9.0]})).tolist() == [0, 1]
    again = clone(model)
    assert again.fit(frame, [0, 0, 1, 1]).predict(frame).shape == (4,)
    restored = pickle.loads(pickle.dumps(model))
    assert restored.predict(frame).tolist() == model.predict(frame).tolist()
    step = FlowTransformer(flow(IMPUTE)).set_output(transform="pandas")
    assert isinstance(step.fit_transform(people()), pd.DataFrame)


VALUES = st.one_of(st.none(), st.floats(allow_nan=False), st.integers(-(10**9), 10**9))
TEXTS = st.one_of(
    st.none(), st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
)


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(VALUES, st.one_of(st.none(), st.integers(-(2**53), 2**53)), TEXTS,
                  st.one_of(st.none(), st.booleans()),
                  st.one_of(st.none(), st.datetimes())),
        min_size=1, max_size=6,
    )
)  # fmt: skip
def test_few_rows_and_many_go_different_ways_to_the_same_features(rows: list[Any]):
    columns = ["float", "long", "text", "flag", "moment"]
    frame = pd.DataFrame(rows, columns=columns).astype(
        {"float": "float64", "long": "Int64", "text": "str", "flag": "boolean",
         "moment": "datetime64[us]"}
    )  # fmt: skip
    fill = ("Handle missing", "Fill missing", {"input_column": ["long"], "fill_value": 7})
    prepared = FlowTransformer(flow(fill))
    one_by_one = prepared.fit(frame).transform(frame)
    many = prepared.transform(pd.concat([frame] * 40, ignore_index=True)).head(len(frame))
    pd.testing.assert_frame_equal(one_by_one, many)
    trained = prepared.transform(frame, training=True)
    pd.testing.assert_frame_equal(one_by_one, trained)
    assert np.array_equal(one_by_one["long"].isna(), [False] * len(frame))
