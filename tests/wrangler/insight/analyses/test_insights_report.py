from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bottega.testing.wrangler_case import Bench
from bottega.wrangler.engine.relation import Relation
from bottega.wrangler.errors import DataError
from bottega.wrangler.insight.analyses.report import InsightsReport
from bottega.wrangler.insight.analysis import AnalysisResult, Section
from bottega.wrangler.insight.report_features import anomaly_scores
from bottega.wrangler.insight.report_target import class_issues


def section(result: AnalysisResult, title: str) -> Section:
    return next(one for one in result.sections if one.title == title)


def figures(one: Section) -> dict[str, object]:
    assert one.table is not None
    return {row[0]: row[1] for row in one.table.rows}


def ids(one: Section) -> set[str]:
    return {issue.id.removeprefix("sagemaker.data_quality.") for issue in one.issues}


@pytest.fixture(scope="module")
def of_telco(telco: Relation) -> AnalysisResult:
    """The report about who leaves."""
    return InsightsReport().run(telco, {"target_column": "Churn"})


def test_telco_with_its_target(of_telco: AnalysisResult):
    result = of_telco
    summary = figures(section(result, "Summary"))
    assert (summary["Rows"], summary["Columns"], summary["Duplicate rows"]) == (7043, 21, "0%")
    target = section(result, "Target column: Churn")
    assert target.table is not None
    assert list(target.table.rows) == [("No", 5174, "73.5%"), ("Yes", 1869, "26.5%")]
    scores = figures(section(result, "Quick model"))
    assert 0.8 < scores["AUC"] < 0.87  # type: ignore[operator]
    power = figures(section(result, "Feature summary"))
    assert max(power, key=power.get) in ("tenure", "Contract")  # type: ignore[arg-type]
    assert power["gender"] < 0.1  # type: ignore[operator]
    charges = section(result, "TotalCharges")
    assert ids(charges) == {"disguised_missing_values"}
    assert figures(charges)["{whitespace:1}"] == "11, such as ' '"
    warnings = [issue.sentence for issue in section(result, "Summary").issues]
    assert "TotalCharges: 11 values (0.2%) look like missing ones: ' '." in warnings
    assert result.rows == 7043
    assert json.loads(result.as_json())["Sections"]


def test_the_confusion_matrix_counts_the_rows_that_were_tried(of_telco: AnalysisResult):
    model = section(of_telco, "Quick model")
    assert model.figure is not None
    matrix = np.array(model.figure["data"][0]["z"])
    assert matrix.sum() == 1409
    accuracy = np.trace(matrix) / matrix.sum()
    assert figures(model)["Accuracy"] == pytest.approx(accuracy)


def test_fraud_is_imbalanced(bench: Bench, shared_data: Path):
    frame = pd.read_csv(shared_data / "vehicle-insurance-fraud" / "carclaims.csv")
    result = InsightsReport().run(bench.relation(frame), {"target_column": "FraudFound"})
    target = section(result, "Target column: FraudFound")
    assert ids(target) == {"classes_too_imbalanced"}
    assert "'Yes' has 6% of the rows" in target.issues[0].sentence
    assert "id_column" in ids(section(result, "PolicyNumber"))
    scores = figures(section(result, "Quick model"))
    assert 0.75 < scores["AUC"] < 0.9  # type: ignore[operator]


def test_a_quantity(bench: Bench, shared_data: Path):
    names = ["sex", "length", "diameter", "height", "whole", "shucked", "viscera", "shell", "rings"]
    frame = pd.read_csv(shared_data / "abalone" / "abalone.csv", header=None, names=names)
    values = {"target_column": "rings", "problem_type": "Regression"}
    result = InsightsReport().run(bench.relation(frame), values)
    scores = figures(section(result, "Quick model"))
    assert 0.4 < scores["R2"] < 0.65  # type: ignore[operator]
    assert scores["RMSE"] == pytest.approx(scores["MSE"] ** 0.5)  # type: ignore[operator]
    power = figures(section(result, "Feature summary"))
    assert max(power, key=power.get) == "shell"  # type: ignore[arg-type]


def test_a_leak_is_a_severe_warning(bench: Bench):
    rng = np.random.default_rng(2)
    goal = rng.normal(size=300)
    frame = pd.DataFrame({"goal": goal, "same": goal * 3 + 1, "noise": rng.normal(size=300)})
    result = InsightsReport().run(bench.relation(frame), {"target_column": "goal"})
    first = section(result, "Summary").issues[0]
    assert (first.id, first.severity) == ("sagemaker.data_quality.target_leakage", "high")
    assert "'same'" in first.sentence


def test_a_report_without_a_target_and_with_everything_odd(bench: Bench):
    frame = pd.DataFrame(
        {
            "empty": pd.Series([None] * 60, dtype="str"),
            "infinite": [float("inf"), *range(59)],
            "emoji {x}": ["🐈", "it's <b>"] * 30,
            "day": pd.date_range("2024-01-01", periods=60),
            "flag": pd.array([True, None] * 30, dtype="boolean"),
            "vector": [[1.0, 2.0]] * 60,
        }
    )
    result = InsightsReport().run(bench.relation(frame), {})
    assert "Quick model" not in [one.title for one in result.sections]
    assert "high_missing_ratio" in ids(section(result, "empty"))
    assert "infinite_values" in ids(section(result, "infinite"))
    result.as_json()


def test_misspelt_categories_are_warnings(bench: Bench):
    frame = pd.DataFrame({"city": ["Portland", "Boston", "Denver"] * 40 + ["Portlnd"]})
    result = InsightsReport().run(bench.relation(frame), {})
    assert "categorical_typo_correction" in ids(section(result, "city"))
    (sentence,) = (i.sentence for i in section(result, "city").issues if "misspelt" in i.sentence)
    assert sentence == "1 category may be misspelt (1 row): 'Portlnd' for 'Portland'."


def test_one_row_and_no_row(bench: Bench):
    relation = bench.relation(pd.DataFrame({"a": [1], "b": ["x"]}))
    result = InsightsReport().run(relation, {"target_column": "b"})
    assert ids(section(result, "Target column: b")) == {"target_not_learnable"}
    assert "too few rows" in section(result, "Anomalous rows").text
    empty = bench.relation(pd.DataFrame({"a": pd.Series([], dtype="float64")}))
    with pytest.raises(DataError, match="The table has no rows"):
        InsightsReport().run(empty, {})


def test_an_anomaly_has_the_lowest_score():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(500, 3)), columns=list("abc"))
    table.loc[77] = [9.0, -9.0, 9.0]
    scores = anomaly_scores(table)
    assert scores.argmin() == 77
    assert scores[77] < 0
    assert (scores < 0).mean() < 0.1


def test_classes_that_are_hard():
    counts = np.array([900, 5, 1000])
    found = {one.id.rpartition(".")[2] for one in class_issues(("a", "b", "c"), counts)}
    assert found == {"too_few_instances_per_class", "very_small_minority_class"}
    assert class_issues(("a", "b"), np.array([50, 50])) == []
