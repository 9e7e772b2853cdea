"""PCA: the engine and the pandas code agree, and both with scikit-learn."""

from __future__ import annotations

from math import inf, nan

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA as ReferencePCA

from bottega.testing.wrangler_case import Bench
from bottega.testing.wrangler_frames import ODD_NAMES, frames
from bottega.wrangler.columns import ColumnType
from bottega.wrangler.errors import DataError
from bottega.wrangler.transforms.dimensionality import PCA


def table(rows: int = 200) -> pd.DataFrame:
    random = np.random.default_rng(7)
    base = random.normal(size=(rows, 2))
    mixed = base @ random.normal(size=(2, 4)) + 0.01 * random.normal(size=(rows, 4))
    return pd.DataFrame(mixed + 5, columns=["a", "b", "{c}", 'd "4"'])


def test_like_scikit_learn(bench: Bench) -> None:
    frame = table()
    values = {
        "input_columns": list(frame.columns),
        "method": "Number of components",
        "number_of_components": 3,
        "scale": False,
    }
    result = bench.check(PCA(), values, frame)
    expected = ReferencePCA(3).fit_transform(frame)
    assert list(result.columns) == ["pca_1", "pca_2", "pca_3"]
    np.testing.assert_allclose(np.abs(result.to_numpy()), np.abs(expected), atol=1e-8)


def test_as_many_as_explain_the_variance(bench: Bench) -> None:
    frame = table()
    values = {"input_columns": list(frame.columns), "variance_threshold": 99}
    assert bench.check(PCA(), values, frame).shape == (200, 2)
    assert bench.check(PCA(), {**values, "variance_threshold": 100}, frame).shape == (200, 4)
    assert bench.check(PCA(), {**values, "variance_threshold": 0}, frame).shape == (200, 1)


def test_rows_that_are_not_finite_are_left_out(bench: Bench) -> None:
    frame = table()
    values = {"input_columns": list(frame.columns), "keep_input_columns": True}
    whole = bench.check(PCA(), values, frame)
    extra = pd.DataFrame([[nan, 1, 2, 3], [1, inf, 2, 3], [1, 2, -inf, 3]], columns=frame.columns)
    result = bench.check(PCA(), values, pd.concat([frame, extra], ignore_index=True))
    assert result["pca_1"].isna().tolist() == [False] * 200 + [True] * 3
    np.testing.assert_allclose(result["pca_1"][:200], whole["pca_1"], atol=1e-9)


def test_vectors(bench: Bench) -> None:
    frame = table()
    vectors = pd.DataFrame({"v": frame.iloc[:, 1:].to_numpy().tolist(), "a": frame["a"]})
    vectors["v"] = vectors["v"].where(vectors.index != 3, None)
    vectors.at[4, "v"] = [1.0]
    values = {"input_columns": ["v", "a"], "output_format": "Vector", "output_column": "out"}
    result = bench.check(PCA(), values, vectors)
    assert list(result.columns) == ["out"]
    assert result["out"].isna().sum() == 2


def test_names_that_are_taken(bench: Bench) -> None:
    frame = table().rename(columns={"a": "PCA_1"})
    values = {"input_columns": ["PCA_1", "b"], "center": False}
    result = bench.check(PCA(), values, frame)
    assert list(result.columns) == ["{c}", 'd "4"', "pca_1_2", "pca_2"]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names(bench: Bench, name: str) -> None:
    frame = pd.DataFrame({name: [1, 2, 4], f"x{name}": [1.0, 0.0, 0.5]})
    values = {"input_columns": list(frame.columns), "output_column": f"new {name}"}
    assert len(bench.check(PCA(), values, frame)) == 3


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "Only 0 rows"),
        ([1.0], "Only 1 rows"),
        ([1.0, None], "Only 1"),
        ([2.0, 2.0], "constant"),
    ],
)
def test_too_little_to_learn_from(bench: Bench, rows: list[float | None], words: str) -> None:
    frame = pd.DataFrame({"x": pd.Series(rows, dtype="float64")})
    with pytest.raises(DataError, match=words):
        bench.check(PCA(), {"input_columns": ["x"]}, frame)


TYPES = {"x": ColumnType.FLOAT, "n": ColumnType.LONG, "y": ColumnType.FLOAT}


@given(
    frame=frames(TYPES, largest=1e4),
    scale=st.booleans(),
    output_format=st.sampled_from(["Columns", "Vector"]),
)
@settings(max_examples=50)
def test_any_table(bench: Bench, frame: pd.DataFrame, scale: bool, output_format: str) -> None:
    values = {"input_columns": list(TYPES), "scale": scale, "output_format": output_format}
    complete = frame.dropna().astype("float64")
    if len(complete) < 2 or complete.nunique().max() == 1:
        with pytest.raises(DataError):
            bench.check(PCA(), values, frame, types=TYPES)
    else:
        bench.check(PCA(), values, frame, types=TYPES)
