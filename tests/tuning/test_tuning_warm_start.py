"""Beginning with what other tuning jobs found."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import pytest

from bottega.tuning.spaces import CategoricalRange, ContinuousRange, IntegerRange
from bottega.tuning.warm_start import (
    TuningJob,
    WarmStartType,
    changes,
    prior_trials,
    refusal,
    too_many,
)

ETA = ContinuousRange("eta", 0.1, 1, "Linear")
DEPTH = IntegerRange("depth", 1, 9, "Linear")
JOB = TuningJob(
    name="parent",
    status="Completed",
    metric="validation:auc",
    maximize=True,
    static={"num_round": "10", "_tuning_objective_metric": "validation:auc"},
    ranges=(ETA, DEPTH),
    image="xgboost:1",
    data=["s3://bucket/train"],
)
CHILD = replace(JOB, name="child", status="InProgress")
KINDS = get_args(WarmStartType)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("status", ["Completed", "Stopped", "Failed"])
def test_the_same_again_is_fine(kind: WarmStartType, status: str) -> None:
    assert refusal(CHILD, [replace(JOB, status=status)], kind) is None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "allowed",
    [
        {"ranges": (ContinuousRange("eta", 0.2, 7, "Logarithmic"), DEPTH)},
        {"ranges": (ETA,), "static": {"num_round": "10", "depth": "3"}},
        {"static": {}, "ranges": (ETA, DEPTH, IntegerRange("num_round", 1, 9, "Auto"))},
        {"static": {"num_round": "20"}},
    ],
)
def test_ranges_and_what_is_static_may_change(kind: WarmStartType, allowed: Any) -> None:
    assert refusal(replace(CHILD, **allowed), [JOB], kind) is None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("parent", "words"),
    [
        ({"status": "InProgress"}, "is InProgress"),
        ({"status": "Stopping"}, "is Stopping"),
        ({"metric": "validation:error"}, "Maximize validation:error, not Maximize validation:auc"),
        ({"maximize": False}, "Minimize validation:auc, not Maximize"),
        ({"static": {"num_round": "10", "gamma": "1"}}, "only: gamma"),
        ({"static": {}}, "only: num_round"),
        ({"ranges": (ETA,)}, "only: depth"),
        ({"ranges": (ETA, CategoricalRange("depth", ("1",)))}, "depth is integer here and categ"),
    ],
)
def test_what_has_to_be_the_same(kind: WarmStartType, parent: Any, words: str) -> None:
    said = refusal(CHILD, [replace(JOB, name="fine"), replace(JOB, **parent)], kind)
    assert said is not None
    assert words in said
    assert "parent tuning job parent" in said


@pytest.mark.parametrize(
    ("parent", "words"), [({"image": "xgboost:2"}, "image"), ({"data": ["s3://other"]}, "data")]
)
def test_identical_means_the_same_data_and_image(parent: Any, words: str) -> None:
    said = refusal(CHILD, [replace(JOB, **parent)], "IdenticalDataAndAlgorithm")
    assert said is not None
    assert words in said
    assert "use TransferLearning" in said
    assert refusal(CHILD, [replace(JOB, **parent)], "TransferLearning") is None


def test_at_most_ten_hyperparameters_change() -> None:
    names = [f"p{number:02}" for number in range(11)]
    parent = replace(JOB, static=dict.fromkeys(names, "1"))
    ten = replace(CHILD, static=dict.fromkeys(names, "2") | {names[0]: "1"})
    assert changes(ten, parent) == tuple(names[1:])
    assert refusal(ten, [parent], "TransferLearning") is None
    eleven = replace(CHILD, static=dict.fromkeys(names, "2"))
    assert "11 hyperparameters differ" in (refusal(eleven, [parent], "TransferLearning") or "")


def test_one_to_five_different_parents() -> None:
    parents = [replace(JOB, name=f"parent-{number}") for number in range(6)]
    assert refusal(CHILD, parents[:5], "TransferLearning") is None
    assert "1 to 5" in (refusal(CHILD, parents, "TransferLearning") or "")
    assert "1 to 5" in (refusal(CHILD, [], "TransferLearning") or "")
    assert "twice" in (refusal(CHILD, [JOB, JOB], "TransferLearning") or "")


def test_parents_trials_count() -> None:
    assert too_many(450, 50) is None
    assert "450 training jobs" in (too_many(450, 51) or "")


def test_priors_of_identical_data_have_their_parents_static_values(trial: Any) -> None:
    trials = [trial(0, 0.5, eta="0.3", depth="4"), trial(1, 0.7, state="failed", eta="1.0")]
    (found,) = prior_trials(CHILD, [(JOB, trials)], "IdenticalDataAndAlgorithm")
    assert found.parameters == {"num_round": "10", "eta": "0.3", "depth": "4"}
    assert (found.objective, found.comparable) == (0.5, True)


@pytest.mark.parametrize(("maximize", "order"), [(True, "cebda"), (False, "adbec")])
def test_priors_of_other_data_come_best_first_from_each_parent_in_turn(
    trial: Any, maximize: bool, order: str
) -> None:
    first = [trial(0, 0.1, eta="a"), trial(1, 0.2, eta="b"), trial(2, 0.3, eta="c")]
    second = [trial(0, 70.0, eta="d"), trial(1, 80.0, eta="e")]
    child, parent = (replace(job, maximize=maximize) for job in (CHILD, JOB))
    found = prior_trials(child, [(parent, first), (parent, second)], "TransferLearning")
    assert "".join(one.parameters["eta"] for one in found) == order
    assert not any(one.comparable for one in found)
