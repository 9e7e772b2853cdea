from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest

from bottega.wrangler.columns import Schema
from bottega.wrangler.engine.relation import Relation
from bottega.wrangler.errors import FlowError, ParameterError
from bottega.wrangler.insight.analysis import AnalysisResult, Section, Table
from bottega.wrangler.insight.figures import bars, binned, figure
from bottega.wrangler.insight.html import page as page_of
from bottega.wrangler.insight.issues import Issue, percent
from bottega.wrangler.insight.registry import analyses, analysis_of


class Reader(HTMLParser):
    """Collects tags and text; refuses what is not closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("script", "style"):
            self.text += data


def test_every_analysis_of_the_catalogue_is_there():
    operators = {one.operator.removeprefix("sagemaker.visualizations.") for one in analyses()}
    assert operators >= {
        "data_insights_report_0.1",
        "describe_0.1",
        "histogram_0.1",
        "quick_model_0.1",
        "target_leakage_0.1",
        "multicolinearity_0.1",
        "feature_correlation_0.1",
    }
    assert len(operators) == len(analyses()) == 13


def test_analyses_describe_themselves():
    for one in analyses():
        answer = one.as_answer()
        assert answer["Sentence"].endswith(".")
        names = [parameter["Name"] for parameter in answer["Parameters"]]
        assert names[0] == "name"
        assert len(set(names)) == len(names)


def test_the_list_needs_no_numeric_library():
    program = (
        "import sys; from bottega.wrangler.insight.registry import analyses; "
        "[one.as_answer() for one in analyses()]; "
        "print(sorted({'numpy', 'pandas', 'scipy', 'sklearn', 'duckdb'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.decode().strip() == "[]"


def test_only_custom_code_needs_trust():
    assert [one.name for one in analyses() if one.runs_code] == ["Custom visualization"]


def test_parameters_lie_where_sagemaker_has_them():
    parameters = {
        "name": "Report",
        "insights_report_parameters": {"target_column": "y", "problem_type": "Classification"},
    }
    report = analysis_of("sagemaker.visualizations.data_insights_report_0.1")
    values = report.parameter_set().read(parameters)
    assert values == {"name": "Report", "target_column": "y", "problem_type": "Classification"}
    histogram = analysis_of("sagemaker.visualizations.histogram_0.1").parameter_set()
    assert histogram.read({"name": "H", "x_axis": "a"}) == {"name": "H", "x_axis": "a"}
    assert histogram.check({"x_axis": "a"}, Schema.of(a="long"))["color_by"] is None


def test_an_unknown_analysis_names_the_nearest():
    with pytest.raises(FlowError, match=r"did you mean .*histogram_0\.1"):
        analysis_of("sagemaker.visualizations.histogramm_0.1")


def test_the_name_is_the_title(telco: Relation):
    summary = analysis_of("sagemaker.visualizations.describe_0.1")
    assert summary.run(telco, {"name": "Customers"}).title == "Customers"
    assert summary.run(telco, {}).title == "Table summary"
    with pytest.raises(ParameterError):
        summary.run(telco, {"name": 5})


def test_a_page_is_whole_and_escaped():
    nasty = "</script><b>&\"'"
    result = AnalysisResult(
        nasty,
        [
            Section(
                nasty,
                nasty,
                figure([bars([nasty], [1])], x=nasty),
                Table((nasty, "n"), [(nasty, 1234567), (None, 0.5), (True, float("inf"))]),
                [Issue("i", "high", nasty)],
            )
        ],
        12,
    )
    page = page_of(result)
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    assert reader.text.count(nasty) == 7
    assert "1,234,567" in reader.text
    assert "prefers-color-scheme: dark" in page
    assert page.count("plotly.js v") >= 1
    assert not re.search(r"<(?:script|link|img)[^>]+(?:src|href)=", page.split("plotly.js v")[0])


def test_a_page_without_figures_has_no_script():
    page = page_of(AnalysisResult("T", [Section("a", "b")], 1))
    assert "<script" not in page


def test_figures_have_no_colours(telco: Relation):
    for operator, values in (
        ("histogram_0.1", {"x_axis": "tenure", "color_by": "Churn"}),
        ("feature_correlation_0.1", {}),
    ):
        result = analysis_of(f"sagemaker.visualizations.{operator}").run(telco, values)
        assert '"color"' not in result.as_json()
        assert "colorscale" not in result.as_json()


def test_bars_fill_their_bins():
    trace = binned((0, 5, 10), [3, 4])
    assert (trace["x"], trace["width"]) == ([2.5, 7.5], [5, 5])


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (0, 5, "0%"),
        (1, 3, "33.3%"),
        (1, 10**6, "<0.1%"),
        (10**6 - 1, 10**6, ">99.9%"),
        (5, 5, "100%"),
        (0, 0, "0%"),
    ],
)
def test_shares_for_people(part: int, whole: int, text: str):
    assert percent(part, whole) == text
