"""Transforms on real data: the engine and the exported code agree there, too."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bottega.testing.wrangler_case import Bench
from bottega.wrangler.transforms.registry import named


@pytest.fixture(scope="module")
def churn() -> pd.DataFrame:
    root = Path(__file__).resolve().parents[3]
    folder = Path(os.environ.get("BOTTEGA_TEST_DATA", root.parent / "shared" / "data"))
    file = folder / "telco-churn" / "Telco-Customer-Churn.csv"
    if not file.is_file():
        pytest.skip(f"the real data sets are not at {folder}; set BOTTEGA_TEST_DATA")
    return pd.read_csv(file, dtype="str", keep_default_na=False)


@pytest.fixture(scope="module")
def typed(bench: Bench, churn: pd.DataFrame) -> pd.DataFrame:
    return bench.check(named("Parse column as type", "Infer and cast types"), {}, churn)


def test_types_of_telco_churn_are_inferred(churn: pd.DataFrame, typed: pd.DataFrame) -> None:
    assert str(typed["tenure"].dtype) == "Int64"
    assert str(typed["MonthlyCharges"].dtype) == "float64"
    assert str(typed["Churn"].dtype) == "boolean"
    # The file has blanks where nothing was charged yet.
    blank = churn["TotalCharges"].str.strip() == ""
    assert blank.any()
    assert typed["TotalCharges"].isna().tolist() == blank.tolist()


@pytest.mark.parametrize(
    ("group", "name", "values"),
    [
        ("Manage rows", "Sort", {"column": ["Contract", "tenure"], "order": "Descending"}),
        ("Manage rows", "Shuffle", {"seed": 3}),
        ("Manage rows", "Drop duplicates", {"columns": ["Contract", "PaymentMethod"]}),
        ("Handle missing", "Impute", {"input_column": "TotalCharges"}),
        (
            "Handle outliers",
            "Robust standard deviation numeric outliers",
            {"input_column": ["TotalCharges", "tenure"], "standard_deviations": 2},
        ),
        ("Handle outliers", "Replace rare values", {"input_column": "PaymentMethod"}),
        (
            "Process numeric",
            "Scale values",
            {"scaler": "Robust scaler", "robust_scaler_input_column": ["tenure", "TotalCharges"]},
        ),
        (
            "Process numeric",
            "Bin values",
            {"input_column": "MonthlyCharges", "method": "Quantile", "bins": 20},
        ),
        (
            "Custom formula",
            "Custom formula",
            {
                "formula": "CASE WHEN TotalCharges / tenure > MonthlyCharges * 1.05 THEN 'dearer' "
                "WHEN tenure = 0 THEN concat(gender, ' ', 'new') ELSE lower(Contract) END",
                "output_column": "course",
            },
        ),
        ("Balance data", "Random oversample", {"target_column": "Churn"}),
        ("Balance data", "Random undersample", {"target_column": "Contract", "ratio": 0.9}),
        ("Balance data", "SMOTE", {"target_column": "Churn", "ratio": 0.8}),
        (
            "Sampling",
            "Sample",
            {
                "sampling_method": "Stratified",
                "stratified_sample_size": 0.1,
                "stratify_column": "Contract",
            },
        ),
    ],
)
def test_steps_on_telco_churn(
    bench: Bench, typed: pd.DataFrame, group: str, name: str, values: dict[str, Any]
) -> None:
    assert len(bench.check(named(group, name), values, typed)) > 0


def test_splits_of_telco_churn_are_disjoint_and_complete(bench: Bench, churn: pd.DataFrame) -> None:
    values = {
        "splits": [{"name": "Train", "percentage": 0.8}, {"name": "Test", "percentage": 0.2}],
        "key_columns": ["gender", "tenure"],
    }
    parts = [
        bench.check(named("Split data", "Split by key"), values, churn, output=output)
        for output in ("Train", "Test")
    ]
    customers = [set(part["customerID"]) for part in parts]
    assert not customers[0] & customers[1]
    assert customers[0] | customers[1] == set(churn["customerID"])
    assert len(parts[0]) == pytest.approx(0.8 * len(churn), abs=100)
