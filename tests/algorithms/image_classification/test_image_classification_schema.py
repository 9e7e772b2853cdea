"""Image Classification's hyperparameters, against SageMaker's page."""

from __future__ import annotations

import re
from typing import Any

import pytest

from bottega.algorithms.base import HyperparameterError
from bottega.algorithms.image_classification.algorithm import ImageClassification
from bottega.algorithms.image_classification.schema import SCHEMA
from bottega.algorithms.image_classification.settings import Settings

NEEDED = {"num_classes": "3", "num_training_samples": "10"}

DEFAULTS = {
    "num_layers": "152",
    "image_shape": "3,224,224",
    "use_pretrained_model": "0",
    "epochs": "30",
    "mini_batch_size": "32",
    "optimizer": "sgd",
    "learning_rate": "0.1",
    "momentum": "0.9",
    "weight_decay": "0.0001",
    "beta_1": "0.9",
    "beta_2": "0.999",
    "eps": "1e-8",
    "gamma": "0.9",
    "lr_scheduler_factor": "0.1",
    "multi_label": "0",
    "use_weighted_loss": "0",
    "early_stopping": "False",
    "early_stopping_min_epochs": "10",
    "early_stopping_patience": "5",
    "early_stopping_tolerance": "0.0",
    "precision_dtype": "float32",
}
WITHOUT_DEFAULT = {
    "num_classes",
    "num_training_samples",
    "resize",
    "lr_scheduler_step",
    "augmentation_type",
    "top_k",
    "checkpoint_frequency",
    "kv_store",
}


def test_names_and_defaults_are_sagemakers():
    assert SCHEMA.defaults() == DEFAULTS
    assert {p.name for p in SCHEMA.visible()} == DEFAULTS.keys() | WITHOUT_DEFAULT
    assert {p.name for p in SCHEMA.parameters if p.required} == set(NEEDED)


def test_defaults_are_values():
    settings = Settings.read(NEEDED)
    assert settings.image_shape == (3, 224, 224)
    assert (settings.num_layers, settings.epochs, settings.resize) == (152, 30, 0)
    assert settings.schedule == ((), 0.1)
    assert not settings.early_stopping
    assert settings.remarks() == []


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("image_shape", "3, 28,32", (3, 28, 32)),
        ("image_shape", "1,28,28", (1, 28, 28)),
        ("lr_scheduler_step", "10,20", (10, 20)),
        ("early_stopping", "true", True),
        ("early_stopping", "False", False),
        ("top_k", "2", 2),
        ("num_layers", "110", "110"),
        ("learning_rate", "1", 1.0),
    ],
)
def test_values(name: str, text: str, value: Any):
    assert SCHEMA.check(NEEDED | {name: text})[name] == value


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("num_classes", "0", "not in [1,∞)"),
        ("num_classes", "1", "nothing to tell apart"),
        ("num_layers", "21", "not one of 18, 34"),
        ("image_shape", "224,224,3", "must begin with 3 channels"),
        ("image_shape", "3,224", "channels,height,width"),
        ("image_shape", "3,0,10", "between 1 and"),
        ("image_shape", "3x224x224", "channels,height,width"),
        ("learning_rate", "1.5", "not in [0,1]"),
        ("learning_rate", "nan", "not a number"),
        ("top_k", "1", "not in [2,∞)"),
        ("top_k", "4", "more than the 3 classes"),
        ("optimizer", "adadelta", "not one of"),
        ("early_stopping", "maybe", "not one of True, False"),
        ("lr_scheduler_step", "ten", "must be epochs"),
        ("checkpoint_frequency", "31", "more than the 30 epochs"),
        ("augmentation_type", "flip", "not one of crop, crop_color"),
        ("precision_dtype", "bfloat16", "not one of"),
        ("epoch", "3", "Did you mean epochs?"),
    ],
)
def test_what_is_refused(name: str, text: str, reason: str):
    with pytest.raises(HyperparameterError, match=re.escape(reason)):
        SCHEMA.check(NEEDED | {name: text})


def test_pretrained_weights_are_of_large_networks():
    with pytest.raises(HyperparameterError, match="no pretrained weights of 20 layers"):
        SCHEMA.check(NEEDED | {"num_layers": "20", "use_pretrained_model": "1"})
    SCHEMA.check(NEEDED | {"num_layers": "50", "use_pretrained_model": "1"})


def test_one_class_is_enough_with_several_labels():
    SCHEMA.check(NEEDED | {"num_classes": "1", "multi_label": "1"})


@pytest.mark.parametrize(
    ("given", "remark"),
    [
        ({"use_weighted_loss": "1"}, "use_weighted_loss has no effect"),
        ({"multi_label": "1", "top_k": "2"}, "top_k has no effect"),
        ({"early_stopping": "True", "epochs": "5"}, "early_stopping has no effect"),
        ({"kv_store": "dist_async"}, "dist_async"),
        ({"resize": "100"}, "resize 100 is less than 224"),
        ({"num_layers": "56"}, "for images about 32 wide"),
    ],
)
def test_what_is_odd_is_said(given: dict[str, str], remark: str):
    remarks = Settings.read(NEEDED | given).remarks()
    assert len(remarks) == 1
    assert remark in remarks[0]


def test_tunable_ranges_are_sagemakers():
    tunable = {p.name: p.tunable for p in SCHEMA.parameters if p.tunable is not None}
    assert set(tunable) == {
        "learning_rate",
        "mini_batch_size",
        "momentum",
        "weight_decay",
        "beta_1",
        "beta_2",
        "eps",
        "gamma",
        "optimizer",
    }
    assert (tunable["learning_rate"].minimum, tunable["learning_rate"].maximum) == (1e-6, 0.5)
    assert (tunable["mini_batch_size"].minimum, tunable["mini_batch_size"].maximum) == (8, 512)
    assert tunable["optimizer"].choices == ("sgd", "adam", "rmsprop", "nag")


def test_the_metric_of_tuning_is_there():
    names = {d.name: d for d in ImageClassification.metric_definitions}
    found = re.search(names["validation:accuracy"].regex, "Epoch[0] Validation-accuracy=0.771429")
    assert found is not None
    assert found.group(1) == "0.771429"
    assert names["validation:accuracy"].direction == "Maximize"
    assert not re.search(names["train:accuracy"].regex, "Epoch[3] Validation-accuracy=0.5")
