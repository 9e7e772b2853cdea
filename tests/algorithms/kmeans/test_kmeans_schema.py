"""The hyperparameters and metrics of K-Means."""

from __future__ import annotations

import re

import pytest

from bottega.algorithms.base import HyperparameterError
from bottega.algorithms.registry import algorithm

KMEANS = algorithm("kmeans")
NEEDED = {"k": "3", "feature_dim": "4"}


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("epochs", "3", 3),
        ("mini_batch_size", "500", 500),
        ("init_method", "kmeans++", "kmeans++"),
        ("extra_center_factor", "auto", "auto"),
        ("extra_center_factor", "6", 6),
        ("half_life_time_size", "0", 0),
        ("local_lloyd_init_method", "random", "random"),
        ("local_lloyd_max_iter", "10", 10),
        ("local_lloyd_num_trials", "auto", "auto"),
        ("local_lloyd_num_trials", "1", 1),
        ("local_lloyd_tol", "0", 0.0),
        ("eval_metrics", '["msd","ssd"]', ("msd", "ssd")),
        ("eval_metrics", '[\\"ssd\\"]', ("ssd",)),
        ("eval_metrics", '"msd"', ("msd",)),
    ],
)
def test_values(name: str, text: str, value: object) -> None:
    found = KMEANS.hyperparameters.check({**NEEDED, name: text})
    assert found[name] == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("k", "0"),
        ("feature_dim", "many"),
        ("epochs", "0"),
        ("mini_batch_size", "-1"),
        ("init_method", "farthest"),
        ("extra_center_factor", "0"),
        ("half_life_time_size", "-1"),
        ("local_lloyd_init_method", "auto"),
        ("local_lloyd_max_iter", "0"),
        ("local_lloyd_num_trials", "none"),
        ("local_lloyd_tol", "1.1"),
        ("eval_metrics", '["rmse"]'),
        ("eval_metrics", "msd, ssd"),
        ("eval_metrics", "[]"),
        ("clusters", "3"),
    ],
)
def test_refusals(name: str, text: str) -> None:
    with pytest.raises(HyperparameterError, match=name):
        KMEANS.hyperparameters.check({**NEEDED, name: text})


@pytest.mark.parametrize("name", ["k", "feature_dim"])
def test_what_is_required(name: str) -> None:
    with pytest.raises(HyperparameterError, match=f"{name}: required"):
        KMEANS.hyperparameters.check({key: "3" for key in NEEDED if key != name})


def test_metrics_are_found_in_the_lines() -> None:
    line = "[07/01/2024 19:50:55 INFO 7] #quality_metric: host=algo-1, test msd <loss>=12.5"
    found = {
        metric.name: match.group(1)
        for metric in KMEANS.metric_definitions
        if (match := re.search(metric.regex, line))
    }
    assert found == {"test:msd": "12.5"}
    assert {metric.direction for metric in KMEANS.metric_definitions} == {"Minimize"}
    assert KMEANS.judged_by({"eval_metrics": '["ssd"]'}) == ["test:ssd", "train:ssd"]
    assert KMEANS.judged_by({}) == ["test:msd", "train:msd"]
    assert KMEANS.judged_by({"eval_metrics": "?"}) == ()
