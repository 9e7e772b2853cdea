"""Whatever a table holds, what is said about it can be sent, and refusals are in words."""

from __future__ import annotations

import json
from collections import Counter

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.testing.wrangler_case import Bench
from bottega.testing.wrangler_frames import typed_frames
from bottega.wrangler.columns import ColumnType
from bottega.wrangler.errors import FlowError
from bottega.wrangler.insight.profile import profile
from bottega.wrangler.insight.registry import analyses, analysis_of
from bottega.wrangler.insight.suggestions import suggest

Typed = tuple[pd.DataFrame, dict[str, ColumnType]]


@settings(max_examples=25)
@given(table=typed_frames(max_rows=12))
def test_profiles_and_suggestions(bench: Bench, table: Typed):
    frame, types = table
    relation = bench.relation(frame, types)
    found = profile(relation)
    assert [one.name for one in found] == list(types)
    again = [one.as_answer() for one in profile(relation)]
    for one, answer in zip(found, again, strict=True):
        assert one.as_answer() == answer
        json.dumps(answer, allow_nan=False)
        values = [v for v in frame[one.name] if not isinstance(v, list) and not pd.isna(v)]
        if one.kind != "vector":
            assert one.present == len(values)
            assert one.distinct == len(
                Counter(v + 0.0 if isinstance(v, float) else v for v in values)
            )
    for column in (None, *types):
        for suggestion in suggest(relation, column, found):
            assert suggestion.title
            json.dumps(dict(suggestion.values), allow_nan=False)


@settings(max_examples=25)
@given(table=typed_frames(max_rows=12), data=st.data())
def test_analyses_answer_or_refuse_in_words(bench: Bench, table: Typed, data: st.DataObject):
    frame, types = table
    analysis = data.draw(st.sampled_from([one for one in analyses() if not one.runs_code]))
    values = {}
    for parameter in analysis.parameter_set():
        if parameter.kind == "column":
            fitting = [
                n for n, k in types.items() if parameter.types is None or k in parameter.types
            ]
            if fitting and (parameter.required or data.draw(st.booleans())):
                values[parameter.name] = data.draw(st.sampled_from(fitting))
        elif parameter.kind == "choice":
            values[parameter.name] = data.draw(st.sampled_from(parameter.choices))
    try:
        result = analysis.run(bench.relation(frame, types), values)
    except FlowError as error:
        assert error.message.endswith((".", "?"))  # noqa: PT017
    else:
        result.as_json()


@pytest.mark.parametrize("name", ['say "hi"', "{{table}}", "v", "🐈"])
def test_odd_names_in_every_analysis(bench: Bench, name: str):
    frame = pd.DataFrame(
        {
            name: [0.5 * (i % 7) for i in range(80)],
            f"{name}2": [i % 11 for i in range(80)],
            f"{name}3": ["a", "b", "b", "c"] * 20,
            f"{name}4": pd.date_range("2024-01-01", periods=80),
        }
    )
    relation = bench.relation(frame)
    one, two, text, time = frame.columns
    series = {"timestamp_column": time, "value_column": one}
    for operator, values in {
        "data_insights_report": {"target_column": text},
        "describe": {},
        "histogram": {"x_axis": one, "color_by": text, "facet_by": text},
        "scatter_plot": {"x_axis": one, "y_axis": two, "color_by": text},
        "quick_model": {"label": text},
        "target_leakage": {"target": text},
        "multicolinearity": {},
        "feature_correlation": {},
        "bias_report": {
            "label": text,
            "label_values": ["a"],
            "facet": two,
            "facet_values": ["3"],
            "group_variable": text,
        },
        "anomaly_detection": series,
        "seasonal_trend_decomposition": {**series, "id_column": text},
        "duplicate_rows": {},
    }.items():
        full = f"sagemaker.visualizations.{operator}_0.1"
        assert analysis_of(full).run(relation, values).sections
    for column in (None, *frame.columns):
        suggest(relation, column)
