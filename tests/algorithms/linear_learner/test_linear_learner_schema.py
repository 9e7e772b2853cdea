"""Hyperparameters of Linear Learner, and what is made of them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bottega.algorithms.base import HyperparameterError
from bottega.algorithms.linear_learner.schema import SCHEMA
from bottega.algorithms.linear_learner.settings import resolve
from bottega.algorithms.registry import algorithm

BINARY = {"predictor_type": "binary_classifier"}


def test_defaults_are_those_of_sagemaker() -> None:
    defaults = SCHEMA.defaults()
    assert defaults["epochs"] == "15"
    assert defaults["mini_batch_size"] == "1000"
    assert defaults["init_scale"] == "0.07"
    assert defaults["num_point_for_scaler"] == "10000"
    assert defaults["early_stopping_patience"] == "3"
    assert {name for name, value in defaults.items() if value == "auto"} >= {
        "num_models",
        "loss",
        "optimizer",
        "learning_rate",
        "wd",
        "l1",
    }
    # A default is a value that can be given.
    assert SCHEMA.check({**defaults, **BINARY})


@pytest.mark.parametrize(
    ("predictor", "loss", "classes"),
    [
        ("binary_classifier", "logistic", 1),
        ("multiclass_classifier", "softmax_loss", 4),
        ("regressor", "squared_loss", 1),
    ],
)
def test_auto_follows_the_predictor(predictor: str, loss: str, classes: int) -> None:
    settings = resolve({"predictor_type": predictor, "num_classes": "4"})
    assert (settings.loss, settings.num_classes) == (loss, classes)
    assert settings.optimizer == "adam"
    assert settings.num_models is None
    assert settings.learning_rate is None
    assert (settings.beta_1, settings.beta_2, settings.momentum) == (0.9, 0.999, 0.9)


@pytest.mark.parametrize("word", ["true", "True", "1"])
def test_booleans_as_the_sdk_writes_them(word: str) -> None:
    found = SCHEMA.check({**BINARY, "use_bias": word, "normalize_data": word})
    assert found["use_bias"] is True
    assert found["normalize_data"] is True
    found = SCHEMA.check({**BINARY, "use_bias": "False", "unbias_data": "auto"})
    assert (found["use_bias"], found["unbias_data"]) == (False, "auto")


def test_a_tuning_job_trains_one_model() -> None:
    settings = resolve(
        {**BINARY, "num_models": "32", "_tuning_objective_metric": "validation:objective_loss"}
    )
    assert settings.num_models == 1


def test_early_stopping_looks_at_criteria_only_when_they_are_given() -> None:
    name = "binary_classifier_model_selection_criteria"
    assert not resolve(BINARY).stop_by_criteria
    assert resolve({**BINARY, name: "f1"}).stop_by_criteria
    assert not resolve({**BINARY, name: "loss_function"}).stop_by_criteria


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({}, "predictor_type"),
        ({"predictor_type": "multiclass_classifier"}, "num_classes"),
        ({"predictor_type": "multiclass_classifier", "num_classes": "2"}, "num_classes"),
        ({**BINARY, "loss": "squared_loss"}, "loss"),
        ({"predictor_type": "regressor", "loss": "logistic"}, "loss"),
        ({**BINARY, "epochs": "0"}, "epochs"),
        ({**BINARY, "beta_1": "1"}, "beta_1"),
        ({**BINARY, "quantile": "1"}, "quantile"),
        ({**BINARY, "learning_rate": "fast"}, "learning_rate"),
        ({**BINARY, "learning_rate": "0"}, "learning_rate"),
        ({**BINARY, "positive_example_weight_mult": "half"}, "positive_example_weight_mult"),
        ({**BINARY, "use_bias": "auto"}, "use_bias"),
        ({**BINARY, "normalize_label": "perhaps"}, "normalize_label"),
        ({**BINARY, "optimiser": "adam"}, "optimiser"),
        (
            {
                "predictor_type": "multiclass_classifier",
                "num_classes": "3",
                "accuracy_top_k": "4",
            },
            "accuracy_top_k",
        ),
    ],
)
def test_wrong_values_are_named(values: dict[str, str], name: str) -> None:
    with pytest.raises(HyperparameterError) as error:
        SCHEMA.check(values)
    assert error.value.name == name


def test_judged_by() -> None:
    found = algorithm("linear-learner").judged_by
    criteria = "binary_classifier_model_selection_criteria"
    assert found({**BINARY, criteria: "f1"})[0] == "validation:binary_f_beta"
    assert found(BINARY)[0] == "validation:binary_classification_accuracy"
    assert found({"predictor_type": "regressor"})[0] == "validation:objective_loss"
    assert found({**BINARY, criteria: "nonsense"})[0] == "validation:objective_loss"
    known = {metric.name for metric in algorithm("linear-learner").metric_definitions}
    assert set(found(BINARY)) <= known


def test_the_description_needs_no_numeric_library() -> None:
    code = (
        "import sys\n"
        "from bottega.algorithms.registry import algorithm\n"
        "algorithm('linear-learner').hyperparameters\n"
        "print({'numpy', 'scipy', 'numba'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
