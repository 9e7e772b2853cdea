"""Which metric says how good a model is."""

from __future__ import annotations

import doctest

import pytest

from bottega.algorithms.registry import algorithm
from bottega.features.training import objective
from bottega.features.training.objective import Objective, objective_metric


def test_the_examples_hold():
    assert doctest.testmod(objective).failed == 0


@pytest.mark.parametrize(
    ("present", "expected"),
    [
        (["train:rmse", "validation:rmse"], "validation:rmse"),
        (["loss", "val_loss", "lr"], "val_loss"),
        (["Loss", "Valid Accuracy"], "Valid Accuracy"),
        (["eval/f1", "train/f1"], "eval/f1"),
        (["accuracy-val", "accuracy"], "accuracy-val"),
        # Words that only begin alike.
        (["value", "evaluations", "devices", "last"], "last"),
        (["val_loss", "val_accuracy"], "val_accuracy"),
        (["only"], "only"),
        ([], None),
    ],
)
def test_a_metric_of_validation_goes_before_all_others(present: list[str], expected: str | None):
    assert objective_metric(present, present) == expected


def test_only_what_has_a_value_counts():
    defined = ["loss", "val_loss", "speed"]
    assert objective_metric({"loss"}, defined) == "loss"
    assert objective_metric({"loss", "speed"}, defined) == "speed"


def test_the_algorithm_knows_better():
    present = ["validation:auc", "validation:logloss", "train:auc"]
    assert objective_metric(present, present, ["validation:auc"]) == "validation:auc"
    assert objective_metric(present, present, ["validation:error"]) == "validation:logloss"


def test_xgboost_is_judged_by_its_last_eval_metric():
    xgboost = algorithm("xgboost")
    assert xgboost.judged_by({"eval_metric": "auc,error@0.7"}) == [
        "validation:error",
        "validation:auc",
    ]
    assert xgboost.judged_by({}) == ()
    assert xgboost.judged_by({"eval_metric": "nonsense"}) == ()


def test_it_comes_back_as_it_was_kept():
    kept = Objective("m", 0.5, (1.0, 0.5))
    assert Objective.from_json(kept.as_json()) == kept
    assert not Objective("m", float("nan"), ()).known
