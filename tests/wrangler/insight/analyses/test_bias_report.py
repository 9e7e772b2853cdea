from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.testing.wrangler_case import Bench
from bottega.wrangler.errors import DataError, ParameterError
from bottega.wrangler.insight.analyses.bias import METRICS, BiasReport
from bottega.wrangler.insight.analysis import AnalysisResult

_COLUMNS = [
    *("age", "workclass", "fnlwgt", "education", "education-num", "marital-status", "occupation"),
    *("relationship", "race", "sex", "capital-gain", "capital-loss", "hours-per-week"),
    *("native-country", "income"),
]
VALUES = {"label": "y", "label_values": ["1"], "facet": "g", "facet_values": ["d"]}


def found(result: AnalysisResult) -> dict[str, float]:
    table = result.sections[0].table
    assert table is not None
    names = {long: short for short, long in METRICS.items()}
    return {names[row[0]]: row[1] for row in table.rows}


def test_adult_census_by_hand(bench: Bench, shared_data: Path):
    frame = pd.read_csv(
        shared_data / "adult-census" / "adult-train.csv.gz", names=_COLUMNS, skipinitialspace=True
    )
    values = {
        "label": "income",
        "label_values": [">50K"],
        "facet": "sex",
        "facet_values": ["Female"],
        "group_variable": "occupation",
    }
    result = BiasReport().run(bench.relation(frame), values)
    rich, woman = frame["income"] == ">50K", frame["sex"] == "Female"
    n_a, n_d = (~woman).sum(), woman.sum()
    q_a, q_d = rich[~woman].mean(), rich[woman].mean()
    p_a, p_d = np.array([1 - q_a, q_a]), np.array([1 - q_d, q_d])
    middle = (p_a + p_d) / 2
    cddl = sum(
        len(part)
        * (
            (part["sex"][part["income"] != ">50K"] == "Female").mean()
            - (
                (part["sex"][part["income"] == ">50K"] == "Female").mean()
                if (part["income"] == ">50K").any()
                else 0
            )
        )
        for _, part in frame.groupby("occupation")
    ) / len(frame)
    expected = {
        "CI": (n_a - n_d) / len(frame),
        "DPL": q_a - q_d,
        "JS": ((p_a * np.log(p_a / middle)).sum() + (p_d * np.log(p_d / middle)).sum()) / 2,
        "KL": (p_a * np.log(p_a / p_d)).sum(),
        "LP": np.sqrt(((p_a - p_d) ** 2).sum()),
        "TVD": np.abs(p_a - p_d).sum() / 2,
        "KS": np.abs(p_a - p_d).max(),
        "CDDL": cddl,
    }
    assert found(result) == pytest.approx(expected)
    assert expected["DPL"] == pytest.approx(0.1963, abs=1e-4)
    assert result.rows == 32561


def test_by_thresholds(bench: Bench):
    frame = pd.DataFrame({"y": [1.0, 5, 9, 9, 2, None], "g": [20, 60, 70, 30, 80, 90]})
    values = {
        "label": "y",
        "label_by": "Threshold",
        "label_threshold": 4,
        "facet": "g",
        "facet_by": "Threshold",
        "facet_threshold": 50,
    }
    result = BiasReport().run(bench.relation(frame), values)
    assert found(result)["CI"] == pytest.approx((2 - 3) / 5)
    assert found(result)["DPL"] == pytest.approx(1 / 2 - 2 / 3)
    assert "1 without a label or a facet are left out" in result.sections[0].text


@settings(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from("123"), st.sampled_from("ad")), min_size=2, max_size=40))
def test_bounds(bench: Bench, rows: list[tuple[str, str]]):
    groups = {group for _, group in rows}
    relation = bench.relation(pd.DataFrame(rows, columns=["y", "g"]))
    if groups != {"a", "d"}:
        with pytest.raises(DataError, match="row is in the group that 'g' makes"):
            BiasReport().run(relation, VALUES)
        return
    metrics = found(BiasReport().run(relation, VALUES))
    assert -1 < metrics["CI"] < 1
    assert 0 <= metrics["TVD"] <= 1 + 1e-12
    assert 0 <= metrics["KS"] <= metrics["TVD"] + 1e-12
    assert 0 <= metrics["JS"] <= math.log(2) + 1e-12
    assert metrics["KL"] >= -1e-12
    assert metrics["LP"] <= math.sqrt(2) + 1e-12


def test_a_label_that_only_the_others_have_is_infinitely_far(bench: Bench):
    frame = pd.DataFrame({"y": ["0", "1", "0"], "g": ["a", "a", "d"]})
    result = BiasReport().run(bench.relation(frame), VALUES)
    assert found(result)["KL"] == math.inf
    assert '"inf"' in result.as_json()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"label_values": None}, "Give the values of 'y' that count."),
        ({"metrics": ["DPX"]}, "'DPX' is none of CI, DPL"),
        ({"metrics": ["CDDL"]}, "CDDL needs a column that makes them"),
        ({"label_by": "Threshold", "label_threshold": 1}, "Column 'y' is string; a threshold"),
        ({"facet": "h"}, "There is no column 'h'"),
    ],
)
def test_refusals(bench: Bench, change: dict[str, object], words: str):
    frame = pd.DataFrame({"y": ["0", "1"], "g": ["a", "d"]})
    with pytest.raises(ParameterError, match=words):
        BiasReport().run(bench.relation(frame), {**VALUES, **change})


def test_only_the_metrics_asked_for(bench: Bench):
    frame = pd.DataFrame({"y": ["0", "1"], "g": ["a", "d"]})
    result = BiasReport().run(bench.relation(frame), {**VALUES, "metrics": ["DPL", "ci"]})
    assert list(found(result)) == ["DPL", "CI"]
