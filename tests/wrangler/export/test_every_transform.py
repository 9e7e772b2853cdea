"""The exported program, and the exported query, give the engine's table: for every transform."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from bottega.testing.wrangler_case import assert_same_table
from bottega.wrangler.columns import ColumnType
from bottega.wrangler.engine.frames import frame_of
from bottega.wrangler.engine.run import FlowEngine
from bottega.wrangler.export.forms import export
from bottega.wrangler.flow.document import Flow
from bottega.wrangler.flow.edits import apply
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.transform import Transform
from bottega.wrangler.transforms.registry import named, transforms

COLUMNS = {
    ColumnType.STRING: "name",
    ColumnType.LONG: "age",
    ColumnType.FLOAT: "fare",
    ColumnType.BOOLEAN: "member",
    ColumnType.DATETIME: "moment",
    ColumnType.DATE: "day",
    ColumnType.VECTOR: "both",
    ColumnType.ARRAY: "tags_array",
}
ASSEMBLED = ("Manage vectors", "Assemble", {"input_column": ["id", "age"], "output_column": "both"})
PARSED = ("Handle structured column", "Parse JSON array",
          {"input_column": ["tags"], "output_column": "tags_array"})  # fmt: skip
SPLITS = [{"name": "Train", "percentage": 0.6}, {"name": "Test", "percentage": 0.4}]
SERIES = {"sequence_column": "fare", "id_column": "sex", "timestamp_column": "moment"}
FILLED = ("Handle missing", "Drop missing", {})
VALUES: Mapping[tuple[str, str], dict[str, Any]] = {
    ("Parse column as type", "Parse value as type"): {"column": "age", "data_type": "string"},
    ("Handle missing", "Impute"): {"input_column": ["age", "fare"]},
    ("Handle missing", "Fill missing"): {"input_column": ["age"], "fill_value": 7},
    ("Handle outliers", "Min-max numeric outliers"): {
        "input_column": ["age"], "lower_threshold": 10, "upper_threshold": 60},
    ("Handle outliers", "Replace rare values"): {"input_column": ["city"], "absolute_threshold": 2},
    ("Manage columns", "Move column"): {
        "move_type": "Move to start", "move_to_start_column": ["fare"]},
    ("Process numeric", "Scale values"): {
        "scaler": "Standard scaler", "standard_scaler_input_column": ["fare"]},
    ("Manage rows", "Filter"): {
        "column": "age", "condition": "Is equal to", "value": 36},
    ("Sampling", "Sample"): {"sampling_method": "Limit", "limit_sample_size": 3},
    ("Encode categorical", "Target encode"): {"input_column": ["city"], "target_column": "fare"},
    ("Encode categorical", "One-hot encode"): {
        "input_column": ["city"], "output_style": "Columns", "invalid_handling_strategy": "Keep"},
    ("Encode categorical", "Ordinal encode"): {
        "input_column": ["city"], "invalid_handling_strategy": "Keep"},
    ("Encode categorical", "Count encode"): {"input_column": ["city"]},
    ("Balance data", "SMOTE"): {"target_column": "sex"},
    ("Balance data", "Random oversample"): {"target_column": "sex"},
    ("Balance data", "Random undersample"): {"target_column": "sex"},
    ("Search and edit", "Extract using regex"): {"input_column": ["name"], "pattern": "([A-Z])"},
    ("Handle structured column", "Flatten structured"): {"input_column": "json"},
    ("Time series", "Datetime range"): {"start": "2020-01-01"},
    ("Time series", "Lag features"): SERIES,
    ("Time series", "Handle missing"): {**SERIES, "custom_value": 1},
    ("Time series", "Resample"): {"timestamp_column": "moment", "id_column": "sex"},
    ("Time series", "Extract features"): SERIES,
    ("Time series", "Rolling window features"): SERIES,
    ("Time series", "Group by"): {"id_column": "sex", "timestamp_column": "moment"},
    ("Featurize date/time", "Datetime difference"): {
        "start_column": "day", "end_column": "moment", "output_column": "between"},
    ("Group and aggregate", "Group by"): {
        "group_columns": ["city"],
        "aggregations": [{"column": "fare", "function": "mean"}]},
    ("Group and aggregate", "Pivot"): {
        "group_columns": ["city"], "pivot_column": "sex", "value_column": "fare"},
    ("Group and aggregate", "Unpivot"): {
        "value_columns": ["age", "fare"], "id_columns": ["id"]},
    ("Dimensionality reduction", "PCA"): {"input_columns": ["id", "age", "fare"]},
    ("Join", "Join"): {"left_column": "city", "right_column": "city", "join_type": "leftouter"},
    ("Join", "Join by several keys"): {
        "join_keys": [{"left": "city", "right": "city"}], "join_type": "inner"},
    ("Custom code", "Python (Pandas)"): {"code": "df['twice'] = df['fare'] * 2"},
    ("Custom code", "Python (Pandas), older form"): {"code": "df['twice'] = df['fare'] * 2"},
    ("Custom code", "Python (User-Defined Function)"): {
        "udf_mode": "Pandas", "input_col": "fare", "output_col": "twice", "return_type": "float",
        "pandas_code": "def custom_func(series):\n    return series * 2"},
    ("Custom code", "SQL (PySpark SQL)"): {"code": "SELECT id, fare * 2 AS twice FROM df"},
    ("Custom formula", "Custom formula"): {"formula": "age * 2", "output_column": "twice"},
}  # fmt: skip
"""Values where those made of the parameters' kinds do not do."""
BEFORE: Mapping[tuple[str, str], tuple[Any, ...]] = {
    ("Manage vectors", "Flatten"): (FILLED, ASSEMBLED),
    ("Dimensionality reduction", "PCA"): (FILLED,),
    ("Balance data", "SMOTE"): (
        ("Handle missing", "Fill missing", {"input_column": ["age", "fare"], "fill_value": 1}),
    ),
    ("Time series", "Standardize length"): (FILLED, ASSEMBLED),
}
NOT_RUN = {
    ("Custom code", "Python (PySpark)"),  # there is no Spark: they are refused
    ("Custom code", "Python (PySpark), older form"),
}


def guessed(parameter: Parameter) -> Any:
    """A value for a parameter that has to have one."""
    types = [kind for kind in COLUMNS if parameter.types is None or kind in parameter.types]
    match parameter.kind:
        case "column":
            return COLUMNS[types[0]]
        case "columns":
            return [COLUMNS[types[0]]]
        case "new_column":
            return "made"
        case "choice":
            return parameter.choices[0]
        case "integer" | "number":
            return max(2, parameter.minimum)
        case "records":
            return SPLITS
    return "a"


def values_of(transform: Transform) -> dict[str, Any]:
    key = (transform.group, transform.name)
    if key in VALUES:
        return VALUES[key]
    return {p.name: guessed(p) for p in transform.parameters if p.required and p.when is None}


def flow_of(transform: Transform) -> tuple[Flow, str]:
    """A flow that ends in the transform."""
    key = (transform.group, transform.name)
    flow, node = apply(
        Flow.empty(), {"Kind": "add_source", "Source": {"Kind": "file", "Uri": "people.csv"}}
    )
    values = values_of(transform)
    before = list(BEFORE.get(key, ()))
    named_columns = str(values)
    if "tags_array" in named_columns:
        before.append(PARSED)
    if "'both'" in named_columns and not before:
        before += [FILLED, ASSEMBLED]
    for group, name, given in before:
        step = named(group, name)
        flow, node = apply(flow, {"Kind": "add_step", "NodeId": node, "Operator": step.operator,
                                  "Name": step.name, "Values": given})  # fmt: skip
    edit: dict[str, Any] = {"NodeId": node, "Operator": transform.operator,
                            "Name": transform.name, "Values": values}  # fmt: skip
    if transform.inputs == 1:
        return apply(flow, {"Kind": "add_step", **edit})
    flow, other = apply(
        flow, {"Kind": "add_source", "Source": {"Kind": "file", "Uri": "cities.csv"}}
    )
    return apply(flow, {"Kind": "join", "OtherNodeId": other, **edit})


def every() -> list[Any]:
    return [
        pytest.param(one, id=f"{one.group}-{one.name}".replace(" ", "_"))
        for one in transforms()
        if (one.group, one.name) not in NOT_RUN
    ]


@pytest.mark.parametrize("transform", every())
def test_program_and_query_give_the_engine_s_table(
    transform: Transform,
    engine: FlowEngine,
    run: Callable[..., pd.DataFrame],
    check_style: Callable[[str], None],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.chdir(folder)
    flow, node = flow_of(transform)
    outputs = [one["name"] for one in flow.node(node).raw["outputs"]]
    for output in outputs:
        relation = engine.prepare(flow, node, output).relation
        frame = relation.frame()
        exported = export(flow, node, "pandas", engine=engine, name="prepare_people", output=output)
        program = run(exported.text, "prepare_people")
        assert_same_table(frame, program, relation.schema)
        assert "bottega" not in exported.text
        check_style(exported.text)
        query = export(flow, node, "sql", engine=engine, output=output)
        if not query.text.startswith("--"):
            with duckdb.connect() as connection:
                answer = connection.sql(query.text).to_arrow_table()
            assert_same_table(frame, frame_of(answer, relation.schema), relation.schema)
