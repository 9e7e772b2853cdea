"""Quick model, target leakage, multicollinearity, correlation: what models and matrices say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from bottega.testing.wrangler_case import Bench
from bottega.wrangler.engine.relation import Relation
from bottega.wrangler.errors import DataError, FlowError, ParameterError
from bottega.wrangler.insight.analyses.feature_correlation import FeatureCorrelation
from bottega.wrangler.insight.analyses.multicollinearity import LASSO, PCA, Multicollinearity
from bottega.wrangler.insight.analyses.quick_model import QuickModel
from bottega.wrangler.insight.analyses.target_leakage import TargetLeakage
from bottega.wrangler.insight.analysis import Section
from bottega.wrangler.insight.correlation import (
    correlation_ratio,
    cramers_v,
    shared_information,
)
from bottega.wrangler.insight.models import auc, class_scores, number_scores


def rows(section: Section) -> dict[str, float]:
    assert section.table is not None
    return {row[0]: row[1] for row in section.table.rows}


def numbers(n: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    a, b = rng.normal(size=n), rng.normal(size=n)
    return pd.DataFrame(
        {
            "a": a,
            "b": b,
            "sum": a + b + rng.normal(0, 0.01, n),
            "alone": rng.normal(size=n),
            "fixed": 1.0,
            "label": np.where(a > 0, "yes", "no"),
        }
    )


def test_quick_model_of_telco(telco: Relation):
    result = QuickModel().run(telco, {"label": "Churn"})
    scores = rows(result.sections[0])
    assert 0.8 < scores["AUC"] < 0.87
    assert 0.75 < scores["Accuracy"] < 0.83
    assert result.rows == 7043
    figure = result.sections[1].figure
    assert figure is not None
    assert sum(figure["data"][0]["x"]) == pytest.approx(1, abs=0.05)
    assert figure["data"][0]["y"][-1] in ("tenure", "MonthlyCharges", "TotalCharges", "Contract")


def test_quick_model_of_a_quantity(telco: Relation):
    section = QuickModel().run(telco, {"label": "MonthlyCharges", "name": "Charges"}).sections[0]
    assert section.text.startswith("Regression of MonthlyCharges. MSE is")
    assert rows(section)["R2"] > 0.98


def test_the_same_model_twice(telco: Relation):
    once, again = (QuickModel().run(telco, {"label": "Churn"}).as_json() for _ in range(2))
    assert once == again


@pytest.mark.parametrize(
    ("frame", "label", "words"),
    [
        (pd.DataFrame({"y": [1.0] * 50, "x": range(50)}), "y", "50 values, 1 of them different"),
        (pd.DataFrame({"y": ["a", "b"] * 5, "x": range(10)}), "y", "10 values, 2 of them"),
        (pd.DataFrame({"y": [f"k{i}" for i in range(200)], "x": range(200)}), "y", "at most 100"),
        (pd.DataFrame({"y": ["a", "b"] * 50}), "y", "no other column"),
        (pd.DataFrame({"y": [f"k{i}" for i in range(30)], "x": range(30)}), "y", "one row"),
    ],
)
def test_what_cannot_be_learnt_is_refused(
    bench: Bench, frame: pd.DataFrame, label: str, words: str
):
    with pytest.raises(DataError, match=words):
        QuickModel().run(bench.relation(frame), {"label": label})


def test_a_leak_is_found(bench: Bench):
    frame = numbers().assign(copy=lambda f: (f["label"] == "yes") * 2 + 1)
    (section,) = TargetLeakage().run(bench.relation(frame), {"target": "label"}).sections
    scores = rows(section)
    assert scores["copy"] == 1.0
    assert scores["a"] > 0.98
    assert 0.4 < scores["b"] < 0.62
    assert [issue.id for issue in section.issues] == ["sagemaker.data_quality.target_leakage"] * 2
    assert "'copy' alone predicts the target with AUC 1.000" in section.issues[0].sentence


def test_leakage_looks_at_so_many_columns(telco: Relation):
    values = {"target": "Churn", "max_features": 3}
    (section,) = TargetLeakage().run(telco, values).sections
    assert set(rows(section)) == {"customerID", "gender", "SeniorCitizen"}
    assert "17 columns were not looked at" in section.text


def test_a_text_is_no_regression(telco: Relation):
    values = {"target": "Churn", "problem_type": "Regression"}
    with pytest.raises(ParameterError, match="'Churn' is string, not a number"):
        TargetLeakage().run(telco, values)


def test_variance_inflation_factors_by_their_definition(bench: Bench):
    frame = numbers()
    (section,) = Multicollinearity().run(bench.relation(frame), {}).sections
    factors = rows(section)
    assert (factors["sum"], factors["a"], factors["b"]) == (50, 50, 50)
    others = frame[["a", "b", "sum"]].to_numpy()
    design = np.column_stack([np.ones(len(frame)), others])
    weights, *_ = np.linalg.lstsq(design, frame["alone"], rcond=None)
    rest = frame["alone"] - design @ weights
    assert factors["alone"] == pytest.approx(frame["alone"].var() / rest.var(), rel=1e-6)
    assert "Constant and left out: fixed" in section.text
    assert len(section.issues) == 3


def test_components(bench: Bench):
    (section,) = Multicollinearity().run(bench.relation(numbers()), {"analysis": PCA}).sections
    assert section.table is not None
    values = [row[1] for row in section.table.rows]
    assert values == sorted(values, reverse=True)
    assert values[-1] < 0.2
    assert section.table.rows[-1][3] == pytest.approx(1)


def test_lasso_leaves_out_what_adds_nothing(bench: Bench):
    frame = numbers().assign(goal=lambda f: 3 * f["a"] + 0.1 * f["alone"])
    values = {"analysis": LASSO, "target": "goal"}
    (section,) = Multicollinearity().run(bench.relation(frame), values).sections
    weights = rows(section)
    assert weights["a"] + weights["sum"] > 2.5
    assert weights["fixed"] == 0
    classes = {"analysis": LASSO, "target": "label"}
    (section,) = Multicollinearity().run(bench.relation(frame), classes).sections
    assert rows(section)["alone"] < 0.5 < rows(section)["a"]
    with pytest.raises(ParameterError, match="Lasso needs a column to predict"):
        Multicollinearity().run(bench.relation(frame), {"analysis": LASSO})


def test_too_little_for_collinearity_is_refused(bench: Bench):
    gaps = pd.DataFrame({"a": [1.0, None] * 20, "b": [None, 2.0] * 20})
    with pytest.raises(DataError, match="Only 0 rows have a value in every numeric column"):
        Multicollinearity().run(bench.relation(gaps), {})
    with pytest.raises(DataError, match="two numeric columns"):
        Multicollinearity().run(bench.relation(gaps[["a"]]), {})


def test_linear_correlation(bench: Bench):
    frame = numbers()
    result = FeatureCorrelation().run(bench.relation(frame), {})
    figure = result.sections[0].figure
    assert figure is not None
    names, matrix = figure["data"][0]["x"], np.array(figure["data"][0]["z"], dtype=float)
    assert names == ["a", "b", "sum", "alone", "label"]
    assert matrix[0, 2] == pytest.approx(np.corrcoef(frame["a"], frame["sum"])[0, 1])
    assert np.array_equal(matrix, matrix.T)
    assert (
        "Left out, as constant or with too many different texts: fixed" in result.sections[0].text
    )


def test_non_linear_correlation_of_ranks(bench: Bench):
    x = np.linspace(0.1, 9, 80)
    frame = pd.DataFrame({"x": x, "power": np.exp(x), "sign": np.where(x > 4.5, "a", "b")})
    result = FeatureCorrelation().run(bench.relation(frame), {"correlation_type": "non-linear"})
    assert result.sections[1].table is not None
    pairs = {(a, b): value for a, b, value in result.sections[1].table.rows}
    assert pairs["x", "power"] == pytest.approx(1)
    assert pairs["x", "sign"] == pytest.approx(1, abs=0.1)


def test_measures_of_categories():
    exact, none = np.array([[10.0, 0], [0, 10]]), np.array([[5.0, 5], [5, 5]])
    assert (cramers_v(exact), cramers_v(none)) == (1.0, 0.0)
    assert shared_information(exact) == pytest.approx(1)
    assert shared_information(none) == pytest.approx(0, abs=1e-12)
    groups, values = np.array([0, 0, 1, 1]), np.array([1.0, 1, 5, 5])
    assert correlation_ratio(groups, values) == 1.0
    assert np.isnan(correlation_ratio(groups, np.ones(4)))


def test_scores():
    truth = np.array([0, 0, 1, 1, 1])
    chances = np.array([[0.9, 0.1], [0.4, 0.6], [0.3, 0.7], [0.2, 0.8], [0.6, 0.4]])
    assert auc(truth, chances) == pytest.approx(roc_auc_score(truth, chances[:, 1]))
    scores = class_scores(truth, chances)
    assert scores["Accuracy"] == 0.6
    assert scores["Precision"] == scores["Recall"] == pytest.approx(2 / 3)
    assert number_scores(np.array([1.0, 2, 3]), np.array([1.0, 2, 5]))["Max error"] == 2


def test_correlation_of_nothing_is_refused(bench: Bench):
    with pytest.raises(FlowError, match="two columns that vary"):
        FeatureCorrelation().run(bench.relation(pd.DataFrame({"a": [1, 1], "b": [2, 2]})), {})
