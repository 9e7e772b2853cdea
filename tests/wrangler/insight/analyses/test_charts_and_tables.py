"""Histogram, scatter plot, table summary, duplicate rows, custom visualization."""

from __future__ import annotations

import pandas as pd
import pytest

from bottega.testing.wrangler_case import Bench
from bottega.wrangler.engine.relation import Relation
from bottega.wrangler.errors import DataError, ParameterError
from bottega.wrangler.insight.analyses.charts import Histogram, ScatterPlot
from bottega.wrangler.insight.analyses.custom_visualization import CustomVisualization, plotly_json
from bottega.wrangler.insight.analyses.duplicate_rows import DuplicateRows, duplicates
from bottega.wrangler.insight.analyses.table_summary import TableSummary
from bottega.wrangler.insight.analysis import Section


def drawn(section: Section) -> list[dict[str, object]]:
    assert section.figure is not None
    return list(section.figure["data"])


def test_a_histogram_of_numbers_counts_all_rows(telco: Relation):
    (section,) = Histogram().run(telco, {"x_axis": "MonthlyCharges"}).sections
    (trace,) = drawn(section)
    assert sum(trace["y"]) == 7043  # type: ignore[arg-type]
    assert len(trace["y"]) <= 20  # type: ignore[arg-type]


def test_a_histogram_by_colour_and_facet(bench: Bench):
    frame = pd.DataFrame(
        {
            "x": [0.5, 1.5, 1.6, None, float("inf")],
            "c": ["a", "b", None, "a", "a"],
            "f": [True, False, True, True, True],
        }
    )
    values = {"x_axis": "x", "color_by": "c", "facet_by": "f"}
    result = Histogram().run(bench.relation(frame), values)
    assert [section.title for section in result.sections] == ["f: true", "f: false"]
    first = {trace["name"]: sum(trace["y"]) for trace in drawn(result.sections[0])}  # type: ignore[misc,arg-type]
    assert first == {"a": 1, "(missing)": 1}
    assert "1 missing values are left out; 1 infinite values are left out." in (
        result.sections[0].text
    )


def test_a_histogram_of_categories_and_of_days(bench: Bench):
    frame = pd.DataFrame({"c": ["x", "y", "y"], "d": pd.date_range("2024-01-01", periods=3)})
    (section,) = Histogram().run(bench.relation(frame), {"x_axis": "c"}).sections
    (trace,) = drawn(section)
    assert (trace["x"], trace["y"]) == (["y", "x"], [2, 1])
    (section,) = Histogram().run(bench.relation(frame), {"x_axis": "d"}).sections
    assert sum(drawn(section)[0]["y"]) == 3  # type: ignore[arg-type]


def test_a_histogram_without_values(bench: Bench):
    frame = pd.DataFrame({"x": pd.Series([None, None], dtype="float64")})
    (section,) = Histogram().run(bench.relation(frame), {"x_axis": "x"}).sections
    assert section.figure is None


def test_a_scatter_plot(bench: Bench):
    frame = pd.DataFrame(
        {
            "x": [1.0, 2.0, None, 4.0],
            "when": pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04"]),
            "c": ["a", "a", "a", None],
        }
    )
    values = {"x_axis": "when", "y_axis": "x", "color_by": "c"}
    result = ScatterPlot().run(bench.relation(frame), values)
    traces = {trace["name"]: (trace["x"], trace["y"]) for trace in drawn(result.sections[0])}
    assert traces == {
        "a": (["2024-01-01T00:00:00", "2024-01-02T00:00:00"], [1.0, 2.0]),
        "(missing)": (["2024-01-04T00:00:00"], [4.0]),
    }
    assert result.rows == 3
    with pytest.raises(ParameterError, match="'c' is string"):
        ScatterPlot().run(bench.relation(frame), {"x_axis": "c", "y_axis": "x"})


def test_a_scatter_plot_of_nothing_is_refused(bench: Bench):
    frame = pd.DataFrame({"x": [1.0, None], "y": [None, 2.0]})
    with pytest.raises(DataError, match="No row has a value in both 'x' and 'y'"):
        ScatterPlot().run(bench.relation(frame), {"x_axis": "x", "y_axis": "y"})


def test_a_large_scatter_plot_shows_the_same_sample_each_time(telco: Relation):
    values = {"x_axis": "tenure", "y_axis": "MonthlyCharges"}
    once, again = (ScatterPlot().run(telco, values) for _ in range(2))
    assert once.as_json() == again.as_json()
    assert 3000 < once.rows <= 5000
    assert f"{once.rows:,} of 7,043 rows." == once.sections[0].text


def test_table_summary_agrees_with_describe(telco: Relation):
    numbers, others = TableSummary().run(telco, {}).sections
    expected = telco.frame()[["tenure", "MonthlyCharges"]].astype(float).describe()
    assert numbers.table is not None
    for column, count, low, high, mean, deviation in numbers.table.rows:
        if column in expected:
            assert [count, mean, deviation, low, high] == pytest.approx(
                [expected[column][key] for key in ("count", "mean", "std", "min", "max")]
            )
    assert others.table is not None
    assert ("Contract", 7043, 3, "Month-to-month", "One year") in list(others.table.rows)


def test_the_least_frequent_of_many_values(bench: Bench):
    texts = [f"t{i:03}" for i in range(300)] * 2
    texts.remove("t123")
    (section,) = TableSummary().run(bench.relation(pd.DataFrame({"v": texts})), {}).sections
    assert section.table is not None
    assert section.table.rows[0][4] == "t123"


def test_duplicates_are_whole_rows(bench: Bench):
    frame = pd.DataFrame(
        {
            "n": [1.0, 1.0, None, None, None, 2.0],
            "__n_": ["a", "a", "b", "b", "b", "a"],
            "v {x}": [[1.0], [1.0], None, None, None, [1.0]],
        }
    )
    found = duplicates(bench.relation(frame), list(frame.columns))
    assert (found.repeated, found.groups) == (3, 2)
    assert found.examples[0] == (3, (None, "b", None))
    (section,) = DuplicateRows().run(bench.relation(frame), {}).sections
    assert section.issues[0].sentence.startswith("3 rows (50%) repeat an earlier one")


def test_duplicates_agree_with_pandas(telco: Relation):
    columns = ["tenure", "MonthlyCharges", "Churn"]
    found = duplicates(telco, columns)
    frame = telco.frame()[columns]
    assert found.repeated == frame.duplicated().sum()
    assert found.groups == (frame.groupby(columns).size() > 1).sum()


def test_no_duplicates(telco: Relation):
    (section,) = DuplicateRows().run(telco, {}).sections
    assert section.text == "No row is there twice among 7,043."
    assert not section.issues


def test_custom_code_makes_a_figure(telco: Relation):
    code = 'import plotly.express as px\nchart = px.histogram(df, x="tenure")\n'
    (section,) = CustomVisualization().run(telco, {"code": code}).sections
    (trace,) = drawn(section)
    assert trace["type"] == "histogram"
    assert section.figure is not None
    assert "template" not in section.figure["layout"]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("x = 1", "sets no variable called chart"),
        ("chart = 5", "chart is a builtins.int; it must be a figure of Plotly's"),
        ("x = 1\nchart = df['nope']", r"Line 2, \"chart = df\['nope'\]\": KeyError"),
        ("chart = (", "Line 1, 'chart = \\('.*SyntaxError"),
    ],
)
def test_custom_code_that_does_not_work_says_where(telco: Relation, code: str, words: str):
    with pytest.raises(ParameterError, match=words):
        CustomVisualization().run(telco, {"code": code})


def test_a_chart_of_altairs_is_refused_with_what_to_do():
    chart = type("Chart", (), {"__module__": "altair.vegalite"})()
    with pytest.raises(ParameterError, match=r"plotly\.express has the same marks"):
        plotly_json(chart)
