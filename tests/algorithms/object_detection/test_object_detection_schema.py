"""What Object Detection can be asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bottega.algorithms.base import HyperparameterError
from bottega.algorithms.object_detection.schema import SCHEMA
from bottega.algorithms.registry import algorithm

NEEDED = {"num_classes": "3", "num_training_samples": "190"}


def test_the_defaults_are_sagemakers() -> None:
    assert SCHEMA.defaults() == {
        "base_network": "vgg-16",
        "use_pretrained_model": "1",
        "image_shape": "300",
        "epochs": "30",
        "mini_batch_size": "32",
        "optimizer": "sgd",
        "learning_rate": "0.001",
        "momentum": "0.9",
        "weight_decay": "0.0005",
        "lr_scheduler_step": "",
        "lr_scheduler_factor": "0.1",
        "overlap_threshold": "0.5",
        "nms_threshold": "0.45",
        "label_width": "350",
        "early_stopping": "False",
        "early_stopping_min_epochs": "10",
        "early_stopping_patience": "5",
        "early_stopping_tolerance": "0.0",
    }
    found = SCHEMA.check({**SCHEMA.defaults(), **NEEDED})
    assert found["lr_scheduler_step"] == ()
    assert found["early_stopping"] is False


def test_two_must_be_given() -> None:
    problems = [problem.name for problem in SCHEMA.problems({})]
    assert problems == ["num_classes", "num_training_samples"]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("base_network", "resnet-101", "is not one of vgg-16, resnet-50"),
        ("image_shape", "299", "299 is not in [300,"),
        ("optimizer", "nag", "is not one of sgd, adam, rmsprop, adadelta"),
        ("learning_rate", "0", "0 is not in (0,1]"),
        ("overlap_threshold", "1.5", "1.5 is not in (0,1]"),
        ("nms_threshold", "0", "0 is not in (0,1]"),
        ("mini_batch_size", "0", "0 is not in [1,"),
        ("epochs", "2.5", "'2.5' is not an integer"),
        ("label_width", "6", "6 is not in [7,"),
        ("freeze_layer_pattern", "^(conv1", "must be a regular expression"),
        ("early_stopping", "maybe", "must be True or False"),
        ("lr_scheduler_step", "20,10", "each later than the one before"),
        ("kv_store", "local", "is not one of dist_sync, dist_async"),
        ("use_pretrained_model", "2", "is not one of 0, 1"),
        ("num_layers", "50", "no such hyperparameter"),
    ],
)
def test_what_cannot_be(name: str, value: str, words: str) -> None:
    with pytest.raises(HyperparameterError) as error:
        SCHEMA.check({**NEEDED, name: value})
    assert str(error.value).startswith(f"Hyperparameter {name}: ")
    assert words in str(error.value)


def test_lists_truths_and_tunings_are_read() -> None:
    found = SCHEMA.check(
        {
            **NEEDED,
            "lr_scheduler_step": "10, 20",
            "early_stopping": "true",
            "freeze_layer_pattern": "^(conv1_|conv2_).*",
            "_tuning_objective_metric": "validation:mAP",
            "sagemaker_region": "us-east-1",
        }
    )
    assert found["lr_scheduler_step"] == (10, 20)
    assert found["early_stopping"] is True


def test_the_metric_of_tuning_comes_first() -> None:
    metrics = algorithm("object-detection").metric_definitions
    assert (metrics[0].name, metrics[0].direction) == ("validation:mAP", "Maximize")
    assert all(parameter.description.endswith(".") for parameter in SCHEMA.visible())
    tunable = {parameter.name for parameter in SCHEMA.visible() if parameter.tunable}
    assert tunable == {
        "mini_batch_size",
        "optimizer",
        "learning_rate",
        "momentum",
        "weight_decay",
    }


def test_describing_it_needs_no_numeric_library() -> None:
    code = (
        "import sys; from bottega.algorithms.registry import algorithm;"
        "algorithm('object-detection').hyperparameters.defaults();"
        "print(sorted({'torch', 'PIL', 'numpy', 'scipy'} & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"
