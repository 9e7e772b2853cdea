"""Learning rates, and what the optimizers are told."""

from __future__ import annotations

import pytest
import torch

from bottega.algorithms.seq2seq import settings
from bottega.algorithms.seq2seq.optimization import LearningRate, optimizer


def course(**given: str) -> settings.CourseSettings:
    return settings.read({"learning_rate": "0.1", **given})[1]


@pytest.mark.parametrize("kind", ["fixed_rate_inv_t", "fixed_rate_inv_sqrt_t"])
def test_fixed_rates_fall_to_half_after_the_half_life(kind: str):
    rate = LearningRate(
        course(
            lr_scheduler_type=kind,
            fixed_rate_lr_half_life="4",
            checkpoint_frequency_num_batches="25",
        )
    )
    rates = [rate.after_batch() for _ in range(100)]
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] == pytest.approx(0.05)
    assert not rate.after_checkpoint(improved=False)


def test_the_inverse_of_time_falls_slower_later():
    rate = LearningRate(
        course(
            lr_scheduler_type="fixed_rate_inv_t",
            fixed_rate_lr_half_life="1",
            checkpoint_frequency_num_batches="1",
        )
    )
    assert [rate.after_batch() for _ in range(3)] == pytest.approx([0.1 / 2, 0.1 / 3, 0.1 / 4])


def test_a_plateau_reduces_the_rate():
    rate = LearningRate(course(plateau_reduce_lr_threshold="2", plateau_reduce_lr_factor="0.1"))
    history = [True, False, True, False, False, False, False]
    reduced = [rate.after_checkpoint(improved=improved) for improved in history]
    assert reduced == [False, False, False, False, True, False, True]
    assert rate.now == pytest.approx(0.001)
    assert rate.after_batch() == rate.now


@pytest.mark.parametrize(
    ("given", "kind", "facts"),
    [
        ({}, torch.optim.Adam, {"lr": 0.1, "weight_decay": 0.0}),
        ({"weight_decay": "0.02"}, torch.optim.Adam, {"weight_decay": 0.02}),
        ({"optimizer_type": "rmsprop"}, torch.optim.RMSprop, {"lr": 0.1}),
        ({"optimizer_type": "sgd"}, torch.optim.SGD, {"momentum": 0.0}),
        ({"optimizer_type": "sgd", "momentum": "0.7"}, torch.optim.SGD, {"momentum": 0.7}),
    ],
)
def test_optimizers_are_what_was_asked_for(given: dict[str, str], kind: type, facts: dict):
    found = optimizer([torch.nn.Parameter(torch.zeros(2))], course(**given))
    assert type(found) is kind
    assert facts.items() <= found.param_groups[0].items()
