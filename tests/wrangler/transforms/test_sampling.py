from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.testing.wrangler_case import Bench
from bottega.testing.wrangler_frames import typed_frames
from bottega.wrangler.columns import SCALARS
from bottega.wrangler.errors import ParameterError
from bottega.wrangler.transforms.registry import named, transform_of


def sample(bench: Bench, values: dict[str, Any], frame: Any, types: Any = None) -> Any:
    return bench.check(named("Sampling", "Sample"), values, frame, types=types)


def strata(rows: int) -> pd.DataFrame:
    return pd.DataFrame({"{s}": ["a", "b", "b", None] * (rows // 4), "at": range(rows)})


def test_limit(bench: Bench) -> None:
    values = {"sampling_method": "Limit", "limit_sample_size": 3}
    assert sample(bench, values, strata(8))["at"].tolist() == [0, 1, 2]
    values["limit_sample_size"] = 100
    assert len(sample(bench, values, strata(8))) == 8


@pytest.mark.parametrize(
    ("size", "rows"), [(10, 10), (0.25, 50), (1000, 200), (0, 0), (0.999, 200)]
)
def test_random_is_exact_and_keeps_the_order(bench: Bench, size: float, rows: int) -> None:
    found = sample(bench, {"random_sample_size": size}, strata(200))["at"].tolist()
    assert len(found) == rows
    assert found == sorted(set(found))


def test_another_seed_gives_other_rows(bench: Bench) -> None:
    one, other, same = (
        sample(bench, {"random_sample_size": 50, "random_seed": seed}, strata(200))["at"].tolist()
        for seed in (1, 2, 1)
    )
    assert one == same != other


def test_stratified_keeps_shares(bench: Bench) -> None:
    values = {
        "sampling_method": "Stratified",
        "stratify_column": "{s}",
        "stratified_sample_size": 0.1,
    }
    found = sample(bench, values, strata(400))
    assert found["{s}"].fillna("-").value_counts().to_dict() == {"b": 20, "a": 10, "-": 10}
    values["stratified_sample_size"] = 1
    found = sample(bench, values, strata(400))  # one row of each
    assert sorted(found["{s}"].fillna("-")) == ["-", "a", "b"]


def test_sagemakers_node_is_read() -> None:
    node = {"sampling_method": "Random", "random_parameters": {"sample_size": 100, "seed": 3}}
    transform = transform_of("sagemaker.spark.sampling_0.1", node)
    read = transform.parameter_set().read(node)
    assert read == {"sampling_method": "Random", "random_sample_size": 100, "random_seed": 3}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"random_sample_size": 1.5}, "1.5 is neither a share"),
        ({"random_sample_size": -1}, "at least 0"),
        ({}, "Sample size is missing"),
        (
            {"sampling_method": "Stratified", "stratified_sample_size": 3},
            "Stratify column is missing",
        ),
    ],
)
def test_refusals(bench: Bench, values: dict[str, Any], words: str) -> None:
    with pytest.raises(ParameterError, match=words):
        sample(bench, values, strata(4))


@settings(max_examples=50, deadline=None)
@given(
    table=typed_frames(min_columns=2),
    method=st.sampled_from(["Limit", "Random", "Stratified"]),
    size=st.sampled_from([0, 0.3, 0.5, 1, 4, 100]),
    seed=st.integers(0, 2**31 - 1),
)
def test_any_frame(bench: Bench, table: Any, method: str, size: float, seed: int) -> None:
    frame, types = table
    chosen = next((name for name, kind in types.items() if kind in SCALARS), None)
    if method == "Limit":
        values = {"sampling_method": method, "limit_sample_size": int(size)}
    elif method == "Random":
        values = {"random_sample_size": size, "random_seed": seed}
    elif chosen is None:
        return
    else:
        values = {
            "sampling_method": method,
            "stratified_sample_size": size,
            "stratify_column": chosen,
            "stratified_seed": seed,
        }
    sample(bench, values, frame, types)
