from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.testing.wrangler_case import Bench
from bottega.testing.wrangler_frames import frames, series
from bottega.wrangler.columns import ColumnType
from bottega.wrangler.errors import DataError, FlowError
from bottega.wrangler.transforms.registry import named, transform_of

GROUP = "Balance data"


def balance(bench: Bench, name: str, values: dict[str, Any], frame: Any, types: Any = None) -> Any:
    return bench.check(named(GROUP, name), values, frame, types=types)


@pytest.fixture
def rare() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "{y}": ["no"] * 10 + ["yes"] * 3 + ["maybe"] * 2 + [None],
            "x": [float(number) for number in range(16)],
            "n": series(ColumnType.LONG, range(100, 116)),
            "text": [f"t{number}" for number in range(16)],
        }
    )


def counts(frame: pd.DataFrame) -> dict[str, int]:
    return {str(k): int(v) for k, v in frame["{y}"].fillna("-").value_counts().items()}


def test_oversample_repeats_rows_evenly(bench: Bench, rare: pd.DataFrame) -> None:
    result = balance(bench, "Random oversample", {"target_column": "{y}"}, rare)
    assert counts(result) == {"no": 10, "yes": 10, "maybe": 10, "-": 1}
    assert result.head(16)["n"].tolist() == rare["n"].tolist()
    again = result[result["{y}"] == "yes"]["n"].value_counts()
    assert sorted(again.tolist()) == [3, 3, 4]
    half = {"target_column": "{y}", "ratio": 0.5, "seed": 7}
    result = balance(bench, "Random oversample", half, rare)
    assert counts(result) == {"no": 10, "yes": 5, "maybe": 5, "-": 1}


def test_undersample_drops_rows(bench: Bench, rare: pd.DataFrame) -> None:
    result = balance(bench, "Random undersample", {"target_column": "{y}"}, rare)
    assert counts(result) == {"no": 2, "yes": 2, "maybe": 2, "-": 1}
    values = {"target_column": "{y}", "ratio": 0.5}
    assert counts(balance(bench, "Random undersample", values, rare))["no"] == 4
    first, second = (
        balance(bench, "Random undersample", {**values, "seed": seed}, rare)["n"].tolist()
        for seed in (1, 2)
    )
    assert first != second


def test_smote_lies_between_rows_of_the_class(bench: Bench, rare: pd.DataFrame) -> None:
    result = balance(bench, "SMOTE", {"target_column": "{y}", "num_neighbors": 2}, rare)
    assert counts(result) == {"no": 10, "yes": 10, "maybe": 10, "-": 1}
    new = result.iloc[16:]
    for name, low, high in (("yes", 10, 12), ("maybe", 13, 14)):
        of_class = new[new["{y}"] == name]
        assert of_class["x"].between(low, high).all()
        assert of_class["n"].between(100 + low, 100 + high).all()
        assert len(set(of_class["x"])) > 5
    assert str(result["n"].dtype) == "Int64"


def test_smote_passes_over_rows_with_missing_features(bench: Bench) -> None:
    frame = pd.DataFrame(
        {"y": [1, 1, 1, 1, 0, 0, 0], "x": [1.0, 2, 3, np.nan, 5, 6, np.inf], "at": range(7)}
    )
    result = balance(bench, "SMOTE", {"target_column": "y"}, frame)
    assert result["x"].iloc[7:].between(5, 6).all()


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        ({"y": [1, 1, 0], "x": [1.0, 2.0, 3.0]}, "has 1 rows of class 0 without missing"),
        ({"y": ["a", "b"], "t": ["c", "d"]}, "no column of numbers besides 'y'"),
    ],
)
def test_smote_refuses(bench: Bench, frame: dict[str, Any], words: str) -> None:
    with pytest.raises(FlowError, match=words):
        balance(bench, "SMOTE", {"target_column": "y"}, pd.DataFrame(frame))


def test_sagemakers_node_is_read() -> None:
    node = {
        "operator": "SMOTE",
        "ratio": 0.8,
        "target_column": "y",
        "smote_params": {"num_neighbors": 5},
    }
    transform = transform_of("sagemaker.spark.balance_data_0.1", node)
    read = transform.parameter_set().read(node)
    assert read == {"target_column": "y", "ratio": 0.8, "num_neighbors": 5}


@settings(max_examples=50, deadline=None)
@given(
    frame=frames(
        {"{y}": ColumnType.STRING, "x": ColumnType.FLOAT, "n": ColumnType.LONG},
        largest=1e6,
        cells={"{y}": st.sampled_from(["a", "b", ""])},
    ),
    name=st.sampled_from(["Random oversample", "Random undersample", "SMOTE"]),
    ratio=st.sampled_from([1, 0.7, 0.31]),
    seed=st.integers(0, 1000),
)
def test_any_frame(bench: Bench, frame: pd.DataFrame, name: str, ratio: float, seed: int) -> None:
    types = {"{y}": ColumnType.STRING, "x": ColumnType.FLOAT, "n": ColumnType.LONG}
    values = {"target_column": "{y}", "ratio": ratio, "seed": seed}
    try:
        result = balance(bench, name, values, frame, types)
    except DataError as error:
        if name != "SMOTE" or "new rows need two" not in error.message:
            raise
        return
    sizes = result["{y}"].value_counts()
    if len(sizes):
        assert sizes.min() >= np.floor(sizes.max() * ratio)
