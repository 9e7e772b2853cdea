"""What a form needs to know of the algorithms."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from bottega.algorithms import images, registry
from bottega.features.training import algorithm_list
from bottega.testing.operations import Operations


@pytest.fixture
def answer(tmp_path: Path) -> Any:
    with Operations(tmp_path, algorithm_list) as operations:
        return operations.call("bottega", "ListAlgorithms")


def test_every_algorithm_is_described_whole(answer: Any) -> None:
    assert [found["Name"] for found in answer["Algorithms"]] == list(registry.names())
    for found in answer["Algorithms"]:
        algorithm = registry.algorithm(found["Name"])
        assert images.resolve(found["TrainingImage"]).name == found["Name"]
        assert found["Description"].endswith(".")
        assert [c["Name"] for c in found["Channels"]] == [c.name for c in algorithm.channels]
        assert len(found["Metrics"]) == len(algorithm.metric_definitions)
        essential = [p["Name"] for p in found["HyperParameters"] if p["Essential"]]
        assert 3 <= len(essential) <= 12
        assert "Missing" not in found


def test_what_a_form_begins_with_lacks_only_what_the_data_say(answer: Any) -> None:
    for found in answer["Algorithms"]:
        schema = registry.algorithm(found["Name"]).hyperparameters
        problems = {problem.name for problem in schema.problems(found["DefaultHyperParameters"])}
        assert problems <= {"feature_dim", "num_classes", "num_training_samples", "num_factors"}
        assert all(schema[name].required for name in problems)


def test_words_beside_numbers_are_told(answer: Any) -> None:
    (linear,) = (found for found in answer["Algorithms"] if found["Name"] == "linear-learner")
    (rate,) = (p for p in linear["HyperParameters"] if p["Name"] == "learning_rate")
    assert rate["AlsoAccepts"] == ["auto"]
    assert (rate["Minimum"], rate["ExclusiveMinimum"]) == (0, True)


def test_what_is_not_installed_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(registry.algorithm("seq2seq")), "libraries", ("no_such_library",))
    with Operations(tmp_path, algorithm_list) as operations:
        answer = operations.call("bottega", "ListAlgorithms")
    told = {found["Name"]: found["Missing"] for found in answer["Algorithms"] if "Missing" in found}
    assert list(told) == ["seq2seq"]
    assert "pip install 'bottega[deep]'" in told["seq2seq"]


def test_hyperparameters_tell_what_is_allowed(answer: Any) -> None:
    (xgboost,) = (found for found in answer["Algorithms"] if found["Name"] == "xgboost")
    found = {p["Name"]: p for p in xgboost["HyperParameters"]}
    assert found["eta"] == {
        "Name": "eta",
        "Type": "Continuous",
        "Description": "How much of each new tree is added.",
        "Default": "0.3",
        "Minimum": 0,
        "Maximum": 1,
        "ExclusiveMinimum": False,
        "ExclusiveMaximum": False,
        "Required": False,
        "Range": "[0,1]",
        "Tunable": True,
        "TunableRange": {"Minimum": 0.1, "Maximum": 0.5, "ScalingType": "Linear"},
        "Essential": True,
    }
    assert "Maximum" not in found["gamma"]
    assert "binary:logistic" in found["objective"]["Choices"]
    classes = {"Name": "objective", "Values": ["multi:softmax", "multi:softprob"]}
    assert found["num_class"]["RequiredWhen"] == classes
    assert found["num_class"]["UsedWhen"] == classes
    assert "_kfold" not in found
    assert "silent" not in found


def test_every_framework_runs_a_script(answer: Any) -> None:
    for found in answer["Frameworks"]:
        assert images.resolve(found["TrainingImage"]).script_mode


def test_sizes_are_those_that_this_machine_has(answer: Any) -> None:
    types = answer["InstanceTypes"]
    assert [found["InstanceType"] for found in types if found["Default"]] == ["ml.m5.large"]
    assert {found["Cores"] for found in types} == {os.cpu_count()}
    assert all(found["MemoryBytes"] > 0 for found in types)
