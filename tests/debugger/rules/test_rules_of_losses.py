"""Rules over losses, labels, trees and other trainings: ill ones fire, sound ones do not."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.debugger.findings import Finding
from bottega.debugger.rules.registry import built_in
from bottega.debugger.tensors.trial import Trial
from bottega.testing.rule_trials import first_finding, trial_of_steps

RANDOM = np.random.default_rng(1)
LOSSES = {"losses": "^loss$"}


def losses(values: Iterable[float], *, every: int = 1, mode: str = "TRAIN") -> Trial:
    steps: list[dict[str, float]] = []
    for value in values:
        steps += [{"loss": value}, *[{}] * (every - 1)]
    return trial_of_steps(steps, collections=LOSSES, modes=[mode] * len(steps))


def epochs(*pairs: tuple[float, float]) -> Trial:
    """Epochs of three steps of training and two of evaluation, with noise that is the same."""
    steps, modes = [], []
    for train, validation in pairs:
        steps += [{"loss": train + noise} for noise in (0.05, 0.0, -0.05)]
        steps += [{"loss": validation + noise} for noise in (0.02, -0.02)]
        modes += ["TRAIN"] * 3 + ["EVAL"] * 2
    return trial_of_steps(steps, collections=LOSSES, modes=modes)


def rounds(train: Iterable[float], validation: Iterable[float], metric: str = "rmse") -> Trial:
    pairs = zip(train, validation, strict=True)
    return trial_of_steps(
        {f"train-{metric}": one, f"validation-{metric}": other} for one, other in pairs
    )


def labelled(labels: Iterable[float], predictions: object, steps: int = 1) -> Trial:
    step = {"labels": np.array(list(labels)), "predictions": np.array(predictions)}
    return trial_of_steps([step] * steps)


def scores(labels: Iterable[int], right: float) -> np.ndarray:
    """Rows of three scores, of which the largest is the true class for a part of the samples."""
    true = np.array(list(labels))
    rows = RANDOM.random((len(true), 3)) * 0.1
    guessed = np.where(np.arange(len(true)) < right * len(true), true, (true + 1) % 3)
    rows[np.arange(len(true)), guessed] = 0.9
    return rows


def tree(depth: int) -> Trial:
    return trial_of_steps([{"trees/Node": np.arange(2 ** (depth + 1) - 1), "trees/ID": ["0-0"]}])


def important(**weights: float) -> Trial:
    return trial_of_steps(
        [{f"feature_importance/weight/{name}": value for name, value in weights.items()}]
    )


def falling(steps: int) -> list[float]:
    return [math.exp(-at / 20) for at in range(steps)]


BALANCED = [0, 1, 2] * 200
RARE = [0] * 590 + [1] * 10
CASES: list[tuple[str, dict[str, str], Trial, Trial]] = [
    ("LossNotDecreasing", {}, losses([1.0] * 40), losses(falling(40))),
    ("LossNotDecreasing", {}, losses([1.0 + at / 100 for at in range(40)]), losses(falling(40))),
    (
        "LossNotDecreasing",
        {"diff_percent": "50"},
        losses(falling(40)),
        losses([0.5**at for at in range(40)]),
    ),
    # A small increase is noise, a large one is not.
    (
        "LossNotDecreasing",
        {"num_steps": "1"},
        losses([1.0, 0.5, 0.53]),
        losses([1.0, 0.5, 0.52, 0.4]),
    ),
    # Small increases that go on are none either.
    (
        "LossNotDecreasing",
        {"num_steps": "1"},
        losses([1.03**at for at in range(9)]),
        losses([1.03 if at % 2 else 1.0 for at in range(9)]),
    ),
    (
        "LossNotDecreasing",
        {"mode": "EVAL"},
        losses([1.0] * 40, mode="EVAL"),
        trial_of_steps(
            [{"loss": loss} for value in falling(40) for loss in (1.0, value)],
            collections=LOSSES,
            modes=["TRAIN", "EVAL"] * 40,
        ),
    ),
    (
        "LossNotDecreasing",
        {"use_losses_collection": "False", "tensor_regex": "rmse"},
        rounds([1.0] * 20, [1.0] * 20),
        rounds(falling(20), falling(20)),
    ),
    ("LossNotDecreasing", {}, rounds([1.0] * 20, falling(20)), rounds(falling(20), falling(20))),
    ("Overfit", {}, rounds([0.5, 0.1], [0.5, 0.4]), rounds([0.5, 0.4], [0.5, 0.43])),
    (
        "Overfit",
        {"patience": "3"},
        rounds([1.0] * 5, [1.0, 1.0, 1.2, 1.2, 1.2]),
        rounds([1.0] * 5, [1.2, 1.2, 1.0, 1.2, 1.2]),
    ),
    (
        "Overfit",
        {"start_step": "2"},
        rounds([1.0] * 3, [1.0, 1.0, 2.0]),
        rounds([1.0] * 3, [2.0, 2.0, 1.0]),
    ),
    ("Overfit", {}, epochs((1.0, 1.0), (0.5, 1.0), (0.4, 0.9)), epochs((1.0, 1.0), (0.5, 0.5))),
    # The last evaluation is judged when no step follows it.
    ("Overfit", {}, epochs((1.0, 1.0), (0.5, 1.0)), epochs((1.0, 1.0), (0.5, 0.54))),
    (
        "Overtraining",
        {},
        rounds([1.0] * 20, [1.0] * 20),
        rounds([1.0] * 20, [2.0 - 0.05 * at for at in range(20)]),
    ),
    (
        "Overtraining",
        {"patience_train": "2", "patience_validation": "2", "delta": "0.1"},
        epochs((1.0, 1.0), (0.95, 0.95), (0.93, 0.99), (0.92, 0.98)),
        epochs((1.0, 1.0), (0.8, 0.8), (0.6, 0.6), (0.4, 0.9)),
    ),
    ("ClassImbalance", {}, labelled(RARE, RARE), labelled(BALANCED, BALANCED)),
    (
        "ClassImbalance",
        {"threshold_imbalance": "100", "argmax": "True"},
        labelled(RARE, [[0.9, 0.1]] * 600),
        labelled(RARE, np.eye(2)[RARE]),
    ),
    (
        "ClassImbalance",
        {"threshold_misprediction": "0.5"},
        labelled(BALANCED, scores(BALANCED, 0.4)),
        labelled(BALANCED, scores(BALANCED, 0.6)),
    ),
    # Too few labels were seen to say anything.
    ("ClassImbalance", {}, labelled(RARE, RARE, steps=2), labelled([0] * 90 + [1], [0] * 91)),
    ("Confusion", {}, labelled([0, 0, 1, 1], [0, 1, 1, 1]), labelled([0, 0, 1, 1], [0, 0, 1, 1])),
    (
        "Confusion",
        {"min_diag": "0.5", "max_off_diag": "0.4"},
        labelled([0, 1] * 10, [0.9, 0.1] * 9 + [0.9, 0.9]),
        labelled([0, 1] * 10, [0.1, 0.9] * 9 + [0.9, 0.9]),
    ),
    (
        "Confusion",
        {"category_no": "3", "min_diag": "0.6"},
        labelled(BALANCED, scores(BALANCED, 0.5)),
        labelled(BALANCED, scores(BALANCED, 0.95)),
    ),
    ("TreeDepth", {}, tree(4), tree(3)),
    ("TreeDepth", {"depth": "6"}, tree(6), tree(5)),
    (
        "FeatureImportanceOverweight",
        {},
        important(f0=40, f1=30, f2=20, f3=5, f4=5),
        important(f0=30, f1=25, f2=20, f3=15, f4=10),
    ),
    (
        "FeatureImportanceOverweight",
        {"nfeatures": "1", "threshold": "0.5"},
        trial_of_steps([{"feature_importance/weight": [6, 1, 1]}]),
        trial_of_steps([{"feature_importance/weight": [2, 1, 1]}]),
    ),
]


@pytest.mark.parametrize(("name", "parameters", "ill", "sound"), CASES)
def test_it_fires_for_what_is_ill_alone(
    name: str, parameters: dict[str, str], ill: Trial, sound: Trial
) -> None:
    finding = first_finding(built_in(name, parameters), ill)
    assert isinstance(finding, Finding)
    assert finding.rule == name
    assert finding.step in ill.steps()
    assert finding.tensors
    assert finding.numbers
    assert finding.message.endswith(".")
    healthy = built_in(name, parameters)
    assert first_finding(healthy, sound) is None
    assert healthy.looked_at


def test_a_loss_is_compared_with_the_one_far_enough_before() -> None:
    """The example of SageMaker's guide: saved every 3 steps, compared over at least 10."""
    trial = losses([1.0] * 12, every=3)
    rule = built_in("LossNotDecreasing", {})
    findings = [rule.invoke_at_step(trial, step) for step in trial.steps()]
    compared = [
        (finding.step, finding.numbers["earlier_step"])
        for finding in findings
        if finding is not None
    ]
    assert compared == [(12, 0), (24, 12)]


def test_an_evaluation_names_its_own_tensors() -> None:
    names, modes = ("a", "b", "c", "d"), ("TRAIN", "EVAL", "TRAIN", "EVAL")
    steps = [{f"{name}_loss": value} for name, value in zip(names, (1, 1, 1, 2), strict=True)]
    trial = trial_of_steps(steps, collections={"losses": "_loss$"}, modes=modes)
    finding = first_finding(built_in("Overfit", {}), trial)
    assert finding is not None
    assert finding.tensors == ("c_loss", "d_loss")


def test_metrics_that_should_go_up_are_no_losses() -> None:
    trial = rounds([0.9] * 30, [0.5] * 30, metric="auc")
    for name in ("LossNotDecreasing", "Overfit", "Overtraining"):
        rule = built_in(name, {})
        assert first_finding(rule, trial) is None
        assert "losses" in rule.remark()


def test_runs_are_compared_step_by_step() -> None:
    one = trial_of_steps({"x": [at, 1.0], "only_here": [at]} for at in range(5))
    same = trial_of_steps({"x": [at, 1.0]} for at in range(3))
    other = trial_of_steps({"x": [at, 1.0 + (at == 2)]} for at in range(5))
    shape = trial_of_steps({"x": [at]} for at in range(5))
    assert first_finding(built_in("SimilarAcrossRuns", {}, [same]), one) is None
    finding = first_finding(built_in("SimilarAcrossRuns", {}, [same, other]), one)
    assert finding is not None
    assert (finding.step, finding.tensors) == (2, ("x",))
    assert finding.numbers["largest_difference"] == 1.0
    finding = first_finding(built_in("SimilarAcrossRuns", {"tensor_regex": "x"}, [shape]), one)
    assert finding is not None
    assert "shape" in finding.message
    alone = built_in("SimilarAcrossRuns", {})
    assert first_finding(alone, one) is None
    assert "other_trial" in alone.remark()


def test_a_training_that_saves_nothing_is_stalled() -> None:
    trial = losses([1.0])
    rule = built_in("StalledTrainingRule", {"threshold": "60"})
    assert rule.invoke_while_waiting(59.9) is None
    early = rule.invoke_while_waiting(60.0)
    assert early is not None
    assert "began" in early.message
    assert first_finding(rule, trial) is None
    late = rule.invoke_while_waiting(61.0)
    assert late is not None
    assert late.step == 0


def test_a_report_never_fires() -> None:
    assert first_finding(built_in("CreateXgboostReport", {}), tree(9)) is None


def test_targets_of_a_regression_are_no_classes() -> None:
    trial = labelled(RANDOM.normal(size=600), RANDOM.normal(size=600))
    for name in ("ClassImbalance", "Confusion"):
        rule = built_in(name, {})
        assert first_finding(rule, trial) is None
        assert "classes" in rule.remark()


@given(
    ratio=st.floats(0.0, 1.0),
    beyond=st.lists(st.booleans(), min_size=1, max_size=12),
    patience=st.integers(1, 4),
)
@settings(max_examples=30, deadline=None)
def test_overfit_fires_at_the_first_run_as_long_as_its_patience(
    ratio: float, beyond: list[bool], patience: int
) -> None:
    trial = rounds([1.0] * len(beyond), [1.0 + ratio + (0.1 if one else -0.1) for one in beyond])
    rule = built_in("Overfit", {"ratio_threshold": str(ratio), "patience": str(patience)})
    finding = first_finding(rule, trial)
    ends = [
        at for at in range(patience - 1, len(beyond)) if all(beyond[at - patience + 1 : at + 1])
    ]
    assert (finding.step if finding else None) == (ends[0] if ends else None)


@given(counts=st.lists(st.integers(1, 300), min_size=2, max_size=5), limit=st.integers(1, 20))
@settings(max_examples=30, deadline=None)
def test_imbalance_is_the_ratio_of_largest_to_smallest(counts: list[int], limit: int) -> None:
    labels = [one for one, count in enumerate(counts) for _ in range(count)]
    rule = built_in("ClassImbalance", {"threshold_imbalance": str(limit), "samples": "1"})
    found = first_finding(rule, labelled(labels, labels))
    assert (found is not None) == (max(counts) / min(counts) > limit)
