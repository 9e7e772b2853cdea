"""The hyperparameters and metrics of Factorization Machines."""

from __future__ import annotations

import re

import pytest

from bottega.algorithms.base import HyperparameterError
from bottega.algorithms.registry import algorithm

FM = algorithm("factorization-machines")
NEEDED = {"feature_dim": "10", "num_factors": "4", "predictor_type": "regressor"}


def test_defaults_are_sagemakers() -> None:
    found = FM.hyperparameters.defaults()
    assert found == {
        "epochs": "1",
        "mini_batch_size": "1000",
        "bias_lr": "0.1",
        "linear_lr": "0.001",
        "factors_lr": "0.0001",
        "bias_wd": "0.01",
        "linear_wd": "0.001",
        "factors_wd": "0.00001",
        "bias_init_method": "normal",
        "linear_init_method": "normal",
        "factors_init_method": "normal",
        "bias_init_sigma": "0.01",
        "linear_init_sigma": "0.01",
        "factors_init_sigma": "0.001",
    }


@pytest.mark.parametrize(
    "values",
    [
        {"epoch": "7"},
        {"clip_gradient": "1", "eps": "0.01", "rescale_grad": "0.001"},
        {"bias_lr": "0", "linear_lr": "0", "factors_lr": "0"},
        {"bias_init_method": "uniform", "bias_init_scale": "0.1"},
        {"factors_init_method": "constant", "factors_init_value": "-0.1"},
        {"_tuning_objective_metric": "test:rmse"},
        # A value that is not used is accepted.
        {"linear_init_value": "3"},
    ],
)
def test_values(values: dict[str, str]) -> None:
    FM.hyperparameters.check({**NEEDED, **values})


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"feature_dim": "0"}, "feature_dim"),
        ({"num_factors": "many"}, "num_factors"),
        ({"predictor_type": "classifier"}, "predictor_type"),
        ({"epochs": "0"}, "epochs"),
        ({"epochs": "2", "epoch": "2"}, "epochs"),
        ({"mini_batch_size": "0"}, "mini_batch_size"),
        ({"linear_lr": "-1"}, "linear_lr"),
        ({"clip_gradient": "0"}, "clip_gradient"),
        ({"eps": "0"}, "eps"),
        ({"factors_init_method": "xavier"}, "factors_init_method"),
        ({"linear_init_method": "uniform"}, "linear_init_scale"),
        ({"bias_init_method": "constant"}, "bias_init_value"),
        ({"factors_init_sigma": "0"}, "factors_init_sigma"),
        ({"factors_init_method": "constant", "factors_init_value": "0"}, "factors_init_value"),
        ({"factor_lr": "1"}, "factor_lr"),
    ],
)
def test_refusals(values: dict[str, str], name: str) -> None:
    with pytest.raises(HyperparameterError, match=f"Hyperparameter {name}:"):
        FM.hyperparameters.check({**NEEDED, **values})


@pytest.mark.parametrize("name", list(NEEDED))
def test_what_is_required(name: str) -> None:
    with pytest.raises(HyperparameterError, match=f"{name}: required"):
        FM.hyperparameters.check({key: value for key, value in NEEDED.items() if key != name})


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("test rmse <loss>=0.9", "test:rmse"),
        ("epoch=3, test rmse <loss>=0.9", "test:rmse"),
        (
            "test binary_classification_accuracy <score>=0.9",
            "test:binary_classification_accuracy",
        ),
        (
            "epoch=0, train binary_classification_cross_entropy <loss>=0.9",
            "train:binary_classification_cross_entropy",
        ),
        ("test binary_f_1.000 <score>=0.9", "test:binary_f_beta"),
    ],
)
def test_metrics_are_found_in_the_lines(line: str, name: str) -> None:
    line = f"[07/01/2024 19:50:55 INFO 7] #quality_metric: host=algo-1, {line}"
    found = {
        metric.name: match.group(1)
        for metric in FM.metric_definitions
        if (match := re.search(metric.regex, line))
    }
    assert found == {name: "0.9"}


def test_what_models_are_judged_by() -> None:
    assert FM.judged_by({"predictor_type": "regressor"}) == ["test:rmse", "train:rmse"]
    assert FM.judged_by({"predictor_type": "binary_classifier"})[0] == (
        "test:binary_classification_accuracy"
    )
    assert not FM.judged_by({"predictor_type": "?"})
    directions = {metric.name: metric.direction for metric in FM.metric_definitions}
    assert directions["test:rmse"] == "Minimize"
    assert directions["test:binary_f_beta"] == "Maximize"
