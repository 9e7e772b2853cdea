"""Beginning with what earlier tuning jobs found."""

from __future__ import annotations

from typing import Any

import pytest

from bottega.errors import ResourceLimitExceeded, ValidationException
from bottega.testing.tuning import TuningBench, ranges


def begin(
    bench: TuningBench, *parents: str, kind: str = "IdenticalDataAndAlgorithm", **changes: Any
) -> None:
    warm = {
        "ParentHyperParameterTuningJobs": [
            {"HyperParameterTuningJobName": name} for name in parents
        ],
        "WarmStartType": kind,
    }
    request = bench.request("child", **{"strategy": "Bayesian", "parallel": 1, **changes})
    bench.call("CreateHyperParameterTuningJob", **request, WarmStartConfig=warm)


@pytest.fixture
def parent(bench: TuningBench) -> TuningBench:
    """A tuning job of four trials that has ended: the best has 1.0."""
    bench.create("parent", parallel=4)
    bench.reconcile("parent")
    for place, child in enumerate(bench.running("parent")):
        bench.end(child, 1.0 + place)
    bench.reconcile("parent")
    return bench


def test_identical_data_begins_with_the_parents_best(parent: TuningBench) -> None:
    begin(parent, "parent")
    overall = parent.describe("child")["OverallBestTrainingJob"]
    assert overall["TrainingJobName"] == parent.records("parent")[0].job
    assert "BestTrainingJob" not in parent.describe("child")
    parent.reconcile("child")
    parent.end(parent.running("child")[0], 0.5)
    parent.reconcile("child")
    shown = parent.describe("child")
    assert shown["OverallBestTrainingJob"] == shown["BestTrainingJob"]
    tried = [one.parameters for one in parent.records("parent")]
    assert all(one.parameters not in tried for one in parent.records("child"))
    found = parent.call("DescribeTuningProgress", "bottega", TuningJobName="child")
    assert found["ParentTrials"] == 4


def test_transfer_learning_tries_the_parents_best_first(parent: TuningBench) -> None:
    best = parent.records("parent")[0]
    begin(parent, "parent", kind="TransferLearning")
    parent.call("DeleteHyperParameterTuningJob", HyperParameterTuningJobName="parent")
    parent.restart()
    parent.reconcile("child")
    assert parent.records("child")[0].parameters == best.parameters
    assert "OverallBestTrainingJob" not in parent.describe("child")


def test_what_is_refused(parent: TuningBench) -> None:
    parent.create("running")
    refused: list[tuple[dict[str, Any], list[str], str]] = [
        ({}, ["nobody"], "no hyperparameter tuning job 'nobody'"),
        ({}, ["running"], "a parent has to be Completed, Stopped or Failed"),
        ({}, ["parent", "parent"], "given twice"),
        ({"metric": "validation:mae"}, ["parent"], "it has to be the same"),
        ({"tuned": ranges(eta=(0.1, 0.3))}, ["parent"], "in one of the two only: max_depth"),
        ({"tuned": ranges(eta=(0.1, 0.3), max_depth=["3"])}, ["parent"], "the type has to be"),
        (
            {"AlgorithmSpecification": {"TrainingImage": "xgboost", "TrainingInputMode": "File"}},
            ["parent"],
            "The training image differs",
        ),
    ]
    for changes, parents, words in refused:
        with pytest.raises(ValidationException) as error:
            begin(parent, *parents, **changes)
        assert words in error.value.message
    with pytest.raises(ResourceLimitExceeded):
        begin(parent, "parent", trials=497)
    begin(parent, "parent", kind="TransferLearning", tuned=ranges(eta=(0.1, 0.3), max_depth=(1, 4)))
