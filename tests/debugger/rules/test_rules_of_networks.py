"""Rules over a network's tensors: each is shown one training that is ill and one that is sound."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.debugger.findings import Finding
from bottega.debugger.rules.registry import built_in
from bottega.debugger.tensors.trial import Trial
from bottega.testing.rule_trials import first_finding, trial_of_steps

RANDOM = np.random.default_rng(0)
COLLECTIONS = {
    "gradients": "gradient/",
    "weights": "weight$",
    "losses": "loss$",
}


def normal(*shape: int, scale: float = 1.0, mean: float = 0.0) -> np.ndarray:
    return RANDOM.normal(mean, scale, shape).astype(np.float32)


def training(step: Callable[[int], dict[str, object]], steps: int = 12) -> Trial:
    return trial_of_steps(map(step, range(steps)), collections=COLLECTIONS, modes=["TRAIN"] * steps)


def images(mean: float) -> Trial:
    return training(lambda at: {"net_input_0": normal(64, 3, 8, 8, mean=mean)})


def growing(factor: float) -> Trial:
    start = normal(20, 20)
    return training(lambda at: {"fc.weight": start * factor**at})


def relus(dead: int) -> Trial:
    alive = np.arange(10) >= dead
    return training(lambda at: {"relu_output_0": np.abs(normal(32, 10)) * alive}, steps=2)


def inputs(second: float) -> Trial:
    return training(
        lambda at: {
            "a_relu_input_0": normal(64, 32),
            "b_relu_input_0": normal(64, 32, scale=second),
            "loss": 1.0 / (at + 1),
        }
    )


def tokens(padding: int) -> Trial:
    sequence = np.array([0] * padding + list(range(1, 11 - padding)))
    return training(lambda at: {"embedding0_input_0": np.tile(sequence, (4, 1))}, steps=1)


def tensors(value: object) -> Trial:
    return training(lambda at: {"x": normal(5), "y": value}, steps=2)


CASES: list[tuple[str, dict[str, str], Trial, Trial]] = [
    (
        "VanishingGradient",
        {},
        training(lambda at: {"gradient/fc": normal(9, 9, scale=10.0 ** (-1 - at))}),
        training(lambda at: {"gradient/fc": normal(9, 9, scale=1e-4)}),
    ),
    ("ExplodingTensor", {}, tensors([1.0, np.nan]), tensors([1.0, 1e30])),
    ("ExplodingTensor", {"only_nan": "True"}, tensors([np.nan]), tensors([np.inf])),
    ("ExplodingTensor", {"tensor_regex": "^y$"}, tensors([np.inf]), tensors([0.0])),
    ("PoorWeightInitialization", {}, inputs(10.0), inputs(2.0)),
    (
        "PoorWeightInitialization",
        {"distribution_range": "0.01"},
        training(lambda at: {"gradient/fc": normal(9, 9, scale=1e-3), "loss": -at}),
        training(lambda at: {"gradient/fc": normal(9, 9, scale=1.0), "loss": -at}),
    ),
    (
        "PoorWeightInitialization",
        {},
        training(lambda at: {"loss": 2.3}),
        # Only the first steps are looked at.
        training(lambda at: {"loss": 2.3 - 0.1 * min(at, 9)}, steps=30),
    ),
    (
        "SaturatedActivation",
        {},
        training(lambda at: {"tanh_input_0": normal(16, 8, scale=100.0, mean=500)}),
        training(lambda at: {"tanh_input_0": normal(16, 8), "sigmoid_input_0": normal(9, 5)}),
    ),
    (
        "SaturatedActivation",
        {},
        training(lambda at: {"sigmoid_input_0": np.full((4, 4), 20.0)}),
        # Within the limits of sigmoid, beyond those of tanh.
        training(lambda at: {"sigmoid_input_0": np.full((4, 4), -12.0)}),
    ),
    ("DeadRelu", {}, relus(6), relus(5)),
    ("DeadRelu", {"threshold_layer": "20"}, relus(3), relus(2)),
    ("WeightUpdateRatio", {}, growing(20.0), growing(1.01)),
    ("WeightUpdateRatio", {"num_steps": "3"}, growing(3.0), growing(2.0)),
    ("WeightUpdateRatio", {}, growing(1.0), growing(0.99)),
    ("CheckInputImages", {"regex": "net_input"}, images(0.5), images(0.0)),
    ("NLPSequenceRatio", {}, tokens(6), tokens(5)),
    (
        "NLPSequenceRatio",
        {"token_values": "3, 0", "token_thresholds_percent": "5,90"},
        tokens(1),
        tokens(9),
    ),
    ("AllZero", {"tensor_regex": "y"}, tensors(np.zeros(4)), tensors([0, 0, 0, 1])),
    ("AllZero", {"threshold": "75"}, tensors([0, 0, 0, 1]), tensors([0, 0, 1, 1])),
    (
        "TensorVariance",
        {"collection_names": "weights", "max_threshold": "4"},
        training(lambda at: {"fc.weight": normal(400, scale=1.0 + at / 2)}),
        training(lambda at: {"fc.weight": normal(400, scale=1.0), "other": normal(9, scale=99)}),
    ),
    (
        "TensorVariance",
        {"tensor_regex": "fc", "min_threshold": "0.001"},
        training(lambda at: {"fc.weight": np.full(9, at)}),
        training(lambda at: {"fc.weight": normal(400)}),
    ),
    ("UnchangedTensor", {"collection_names": "weights"}, growing(1.0), growing(1.001)),
    (
        "UnchangedTensor",
        {"num_steps": "4"},
        training(lambda at: {"x": min(at, 2)}),
        training(lambda at: {"x": at // 3}),
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
    assert finding.advice
    healthy = built_in(name, parameters)
    assert first_finding(healthy, sound) is None
    assert healthy.looked_at
    assert healthy.remark() == ""


@pytest.mark.parametrize(("name", "parameters", "ill", "sound"), CASES)
def test_beginning_again_gives_the_same_answer(
    name: str, parameters: dict[str, str], ill: Trial, sound: Trial
) -> None:
    first = built_in(name, parameters)
    for step in ill.steps()[:3]:
        first.invoke_at_step(ill, step)
    again = [first_finding(built_in(name, parameters), ill) for _ in range(2)]
    assert again[0] == again[1]


def test_it_says_when_it_saw_nothing() -> None:
    trial = training(lambda at: {"loss": 1.0})
    rule = built_in("VanishingGradient", {})
    assert first_finding(rule, trial) is None
    assert "no gradients" in rule.remark()
    unlimited = built_in("TensorVariance", {})
    assert first_finding(unlimited, trial) is None
    assert "max_threshold" in unlimited.remark()


def test_frozen_layers_and_evaluations_are_no_training() -> None:
    weight = normal(5, 5)
    trial = trial_of_steps(
        [{"fc.weight": weight}] * 4, collections=COLLECTIONS, modes=["TRAIN", "EVAL", "EVAL"]
    )
    assert first_finding(built_in("WeightUpdateRatio", {}), trial) is not None
    evaluated = trial_of_steps(
        [{"fc.weight": weight}] * 3, collections=COLLECTIONS, modes=["TRAIN", "EVAL", "EVAL"]
    )
    assert first_finding(built_in("WeightUpdateRatio", {}), evaluated) is None


@given(
    place=st.integers(0, 19),
    wrong=st.sampled_from([np.nan, np.inf, -np.inf]),
    at=st.integers(0, 4),
)
@settings(max_examples=25, deadline=None)
def test_one_wrong_value_anywhere_is_found_at_its_step(place: int, wrong: float, at: int) -> None:
    def step(number: int) -> dict[str, object]:
        value = np.ones(20, dtype=np.float32)
        if number == at:
            value[place] = wrong
        return {"x": value}

    finding = first_finding(built_in("ExplodingTensor", {}), training(step, steps=5))
    assert finding is not None
    assert (finding.step, finding.numbers["values"]) == (at, 1)


@given(dead=st.integers(0, 20), limit=st.integers(0, 100))
@settings(max_examples=25, deadline=None)
def test_dead_units_are_counted(dead: int, limit: int) -> None:
    output = np.ones((4, 20), dtype=np.float32) * (np.arange(20) >= dead)
    rule = built_in("DeadRelu", {"threshold_layer": str(limit)})
    found = first_finding(rule, training(lambda at: {"relu_output_0": output}, steps=1))
    assert (found is not None) == (100 * dead / 20 > limit)
