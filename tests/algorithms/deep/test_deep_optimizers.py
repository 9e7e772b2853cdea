"""Optimizers against their formulas, and schedules."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from bottega.algorithms.deep.optimizers import OptimizerSettings, optimizer
from bottega.algorithms.deep.schedules import StepSchedule, parse_steps


def path_of(settings: OptimizerSettings, steps: int = 3) -> list[float]:
    """Where a weight goes that starts at 1 and has the gradient 0.5 each time."""
    weight = nn.Parameter(torch.ones(1, 1, dtype=torch.float64))
    found = optimizer([weight], settings)
    path = []
    for _ in range(steps):
        weight.grad = torch.full_like(weight, 0.5)
        found.step()
        path.append(weight.item())
    return path


def test_sgd_with_momentum_and_decay():
    expected, weight, velocity = [], 1.0, 0.0
    for _ in range(3):
        velocity = 0.9 * velocity + (0.5 + 0.01 * weight)
        weight -= 0.1 * velocity
        expected.append(weight)
    found = path_of(OptimizerSettings("sgd", 0.1, momentum=0.9, weight_decay=0.01))
    assert found == pytest.approx(expected)


def test_nag_looks_ahead():
    expected, weight, velocity = [], 1.0, 0.0
    for _ in range(3):
        velocity = 0.9 * velocity + 0.5
        weight -= 0.1 * (0.5 + 0.9 * velocity)
        expected.append(weight)
    assert path_of(OptimizerSettings("nag", 0.1, momentum=0.9)) == pytest.approx(expected)


def test_nag_without_momentum_is_sgd():
    assert path_of(OptimizerSettings("nag", 0.1)) == path_of(OptimizerSettings("sgd", 0.1))


def test_adam_takes_its_betas_and_eps():
    expected, weight, first, second = [], 1.0, 0.0, 0.0
    for step in range(1, 4):
        first = 0.8 * first + 0.2 * 0.5
        second = 0.9 * second + 0.1 * 0.25
        corrected = math.sqrt(second / (1 - 0.9**step)) + 0.1
        weight -= 0.1 * first / (1 - 0.8**step) / corrected
        expected.append(weight)
    found = path_of(OptimizerSettings("adam", 0.1, beta_1=0.8, beta_2=0.9, eps=0.1))
    assert found == pytest.approx(expected)


def test_rmsprop_takes_gamma():
    expected, weight, mean = [], 1.0, 0.0
    for _ in range(3):
        mean = 0.7 * mean + 0.3 * 0.25
        weight -= 0.1 * 0.5 / (math.sqrt(mean) + 1e-3)
        expected.append(weight)
    assert path_of(OptimizerSettings("rmsprop", 0.1, gamma=0.7, eps=1e-3)) == pytest.approx(
        expected
    )


def test_adadelta_finds_its_own_step():
    slow, fast = (path_of(OptimizerSettings("adadelta", rate)) for rate in (1e-6, 0.9))
    assert slow == fast
    assert slow[-1] < 1


def test_only_weights_decay():
    layer = nn.Linear(2, 2)
    groups = optimizer(layer.parameters(), OptimizerSettings("sgd", 0.1, weight_decay=0.5))
    decays = {
        parameter.ndim: group["weight_decay"]
        for group in groups.param_groups
        for parameter in group["params"]
    }
    assert decays == {2: 0.5, 1: 0.0}


def test_what_is_frozen_is_left_out():
    layer = nn.Linear(2, 2)
    layer.weight.requires_grad_(False)
    found = optimizer(layer.parameters(), OptimizerSettings("sgd", 0.1))
    assert [p is layer.bias for group in found.param_groups for p in group["params"]] == [True]


def test_no_other_optimizers():
    with pytest.raises(ValueError, match="lion"):
        path_of(OptimizerSettings("lion", 0.1))


@pytest.mark.parametrize(("text", "steps"), [("", ()), ("10", (10,)), ("10, 20,35", (10, 20, 35))])
def test_steps_are_epochs(text: str, steps: tuple[int, ...]):
    assert parse_steps(text) == steps


@pytest.mark.parametrize("text", ["ten", "10,", "10;20", "0,3", "5,5", "7,3", "1.5"])
def test_other_steps_are_refused(text: str):
    with pytest.raises(ValueError, match="must be epochs"):
        parse_steps(text)


def _sgd(rate: float) -> torch.optim.SGD:
    return torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=rate)


def test_a_schedule_follows_from_the_epoch_alone():
    schedule = StepSchedule(_sgd(0.4), (2, 5), 0.5)
    rates = [schedule.set(epoch) for epoch in (0, 1, 2, 4, 5, 9)]
    assert rates == pytest.approx([0.4, 0.4, 0.2, 0.2, 0.1, 0.1])
    assert schedule.set(0) == pytest.approx(0.4)


def test_a_warm_up_rises_to_the_rate():
    schedule = StepSchedule(_sgd(1.0), (), 0.1, warmup=4)
    rates = [schedule.set(0, batch) for batch in range(6)]
    assert rates[0] == pytest.approx(0.01)
    assert rates == sorted(rates)
    assert rates[4] == rates[5] == 1.0


def test_a_schedule_outlives_a_loaded_optimizer():
    found = _sgd(0.4)
    schedule = StepSchedule(found, (1,), 0.5)
    schedule.set(1)
    found.load_state_dict(found.state_dict())
    schedule.set(0)
    assert found.param_groups[0]["lr"] == 0.4
