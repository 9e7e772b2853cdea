"""Rows by themselves get what they got among the others: random rows, random steps."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.testing.wrangler_flows import step_node
from bottega.wrangler.errors import DataError, FlowError
from bottega.wrangler.flow.document import Flow
from bottega.wrangler.transformer import FlowTransformer

SOURCE = {"node_id": "s", "type": "SOURCE", "operator": "frame", "parameters": {}}
Step = tuple[str, str, dict[str, Any]]
STEPS: tuple[Step, ...] = (
    ("Handle missing", "Impute", {"input_column": ["size", "count"]}),
    ("Handle missing", "Impute", {"column_type": "Categorical", "input_column": ["kind"]}),
    ("Handle missing", "Fill missing", {"input_column": ["kind"], "fill_value": "?"}),
    ("Handle missing", "Add indicator for missing", {"input_column": ["size"]}),
    ("Handle missing", "Drop missing", {"input_column": ["label"]}),
    ("Manage rows", "Sort", {"column": ["kind", "size"]}),
    ("Manage rows", "Drop duplicates", {"columns": ["kind"]}),
    ("Manage columns", "Duplicate column", {"input_column": "size", "new_name": "size again"}),
    ("Process numeric", "Scale values",
     {"scaler": "Standard scaler", "standard_scaler_input_column": ["size"]}),
    ("Process numeric", "Round values", {"input_column": ["size"], "decimals": 1}),
    ("Process numeric", "Absolute value", {"input_column": ["count"]}),
    ("Handle outliers", "Quantile numeric outliers",
     {"input_column": ["size"], "fix_method": "Clip"}),
    ("Handle outliers", "Quantile numeric outliers",
     {"input_column": ["count"], "fix_method": "Remove"}),
    ("Format string", "Upper case", {"input_column": ["kind"]}),
    ("Format string", "Add prefix", {"input_column": ["label", "kind"], "prefix": "a{1}'"}),
    ("Validate string", "Starts with",
     {"input_column": "kind", "prefix": "A", "output_column": "is a"}),
    ("Search and edit", "Extract using regex", {"input_column": ["kind"], "pattern": "([a-z]+)"}),
    ("Parse column as type", "Parse value as type", {"column": "size", "data_type": "string"}),
    ("Encode categorical", "One-hot encode", {"input_column": ["kind"]}),
    ("Encode categorical", "Ordinal encode", {"input_column": ["kind"]}),
    ("Encode categorical", "Count encode", {"input_column": ["kind"], "output_column": "many"}),
    ("Encode categorical", "Target encode",
     {"input_column": ["kind"], "target_column": "count", "output_column": "mean"}),
    ("Custom formula", "Custom formula",
     {"formula": "coalesce(size, 0) * 2 + Count", "output_column": "sum"}),
    ("Featurize text", "Character statistics", {"input_column": "kind"}),
    ("Handle missing", "Drop missing",
     {"dimension": "Drop Columns", "missing_percentage": 60}),
)  # fmt: skip
ROWS = st.tuples(
    st.one_of(st.none(), st.floats(-1e6, 1e6)),
    st.one_of(st.none(), st.integers(-1000, 1000)),
    st.one_of(st.none(), st.sampled_from(["a", "b", "A", "ab c", "", "it's", '"', "é"])),
    st.one_of(st.none(), st.sampled_from(["yes", "no"])),
)


def flow(*steps: Step) -> Flow:
    nodes = [SOURCE]
    for number, (group, name, values) in enumerate(steps):
        nodes.append(step_node(str(number), str(nodes[-1]["node_id"]), group, name, values))
    return Flow({"metadata": {"version": 1}, "nodes": nodes})


def table(rows: list[Any]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["size", "count", "kind", "label"])
    types = {"size": "float64", "count": "Int64", "kind": "str", "label": "str"}
    return frame.astype(types).assign(id=range(len(rows)))


@settings(max_examples=30)
@given(st.lists(ROWS, min_size=1, max_size=12), st.lists(st.sampled_from(STEPS), max_size=6))
def test_features_are_those_of_the_training_table(rows: list[Any], steps: list[Step]):
    frame = table(rows)
    prepared = FlowTransformer(flow(*steps), label="label")
    try:
        trained = prepared.fit_transform(frame, training=True)
    except FlowError:  # nothing to learn from, or a column that an earlier step has taken
        return
    if "label" not in trained or "id" not in trained:
        return  # dropped as a column that is mostly missing
    served = prepared.transform(frame.drop(columns="label"))
    assert served.columns.tolist() == [c for c in trained.columns if c != "label"]
    alone = pd.concat([prepared.transform(frame.iloc[[place]]) for place in range(len(frame))])
    pd.testing.assert_frame_equal(alone, served)
    # Of the rows that training kept, in its order.
    kept = served.set_index("id").loc[trained["id"].tolist()].reset_index()
    pd.testing.assert_frame_equal(
        kept[served.columns.tolist()], trained.drop(columns="label"), check_exact=True
    )


UDF = {
    "udf_mode": "Python",
    "input_col": "count",
    "output_col": "next",
    "return_type": "long",
    "python_code": "def custom_func(value):\n    return value + 1\n",
}


def test_code_of_a_flow_runs_only_once_it_is_trusted():
    frame = table([(1.0, 1, "a", "yes"), (2.0, 5, "b", "no")])
    steps = (("Custom code", "Python (User-Defined Function)", UDF), STEPS[10])
    prepared = FlowTransformer(flow(*steps), trusted=True).fit(frame)
    assert prepared.transform(frame)["next"].tolist() == [2, 6]
    assert prepared.transform(pd.concat([frame] * 9))["next"].tolist() == [2, 6] * 9
    prepared.trusted = False
    prepared.__dict__.pop("_rows")
    with pytest.raises(FlowError, match="runs code that came with this flow"):
        prepared.transform(frame)


def test_steps_that_need_other_rows_are_refused_by_name():
    frame = table([(1.0, 1, "a", "yes")])
    counted = (
        "Group and aggregate",
        "Group by",
        {"group_columns": ["kind"], "aggregations": [{"column": "size", "function": "count"}]},
    )
    prepared = FlowTransformer(flow(counted)).fit(frame)
    with pytest.raises(FlowError, match="Group by needs other rows") as refusal:
        prepared.transform(frame)
    assert refusal.value.node == "0"


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("Extract features", {"sequence_column": "readings"}),
        ("Handle missing", {"hm_input_type": "Cell", "cell_column": "readings"}),
    ],
)
def test_series_inside_of_a_cell_need_no_other_rows(name: str, values: dict[str, Any]):
    frame = pd.DataFrame({"readings": [[1.0, float("nan"), 3.0], [4.0, float("nan"), 6.0]]})
    prepared = FlowTransformer(flow(("Time series", name, values)))
    table = prepared.fit_transform(frame, training=True)
    found = prepared.transform(frame.tail(1)).reset_index(drop=True)
    pd.testing.assert_frame_equal(found, table.tail(1).reset_index(drop=True))


def test_a_value_that_a_step_refuses_is_told():
    cast = (
        "Parse column as type",
        "Parse value as type",
        {"column": "kind", "data_type": "long", "non_castable_data_handling_method": "error"},
    )
    frame = table([(1.0, 1, "12", "yes")])
    prepared = FlowTransformer(flow(cast)).fit(frame)
    assert prepared.transform(frame)["kind"].tolist() == [12]
    with pytest.raises(DataError, match="twelve"):
        prepared.transform(frame.assign(kind="twelve"))
