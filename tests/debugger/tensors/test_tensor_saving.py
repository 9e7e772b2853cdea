"""When a tensor is saved, and in which form."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.debugger.tensors.modes import ModeKeys
from bottega.debugger.tensors.reductions import NORMS, REDUCTIONS, Reduction, parsed_tensor_name
from bottega.debugger.tensors.saving import ReductionConfig, SaveConfig, SaveConfigMode


@settings(max_examples=50)
@given(st.integers(1, 9), st.integers(0, 20), st.none() | st.integers(0, 30))
def test_an_interval_within_limits(interval: int, start: int, end: int | None) -> None:
    config = SaveConfigMode(interval, start_step=start, end_step=end)
    saved = {step for step in range(40) if config.should_save_step(step)}
    limit = 40 if end is None else min(end, 40)
    assert saved == {step for step in range(0, 40, interval) if start <= step < limit}


def test_named_steps_stand_alone() -> None:
    config = SaveConfig().with_parameters({"save_steps": "0, 3,7"})
    assert [step for step in range(600) if config.should_save_step(ModeKeys.TRAIN, step)] == [
        *(0, 3, 7)
    ]


def test_an_interval_of_its_own_replaces_inherited_steps() -> None:
    hook = SaveConfig().with_parameters({"save_steps": "1"})
    config = hook.with_parameters({"save_interval": "5"})
    assert config.should_save_step(ModeKeys.TRAIN, 5)
    assert not config.should_save_step(ModeKeys.TRAIN, 1)


def test_modes_have_their_own() -> None:
    config = SaveConfig.every(500).with_parameters(
        {"save_interval": "10", "eval.save_interval": "2", "train.start_step": "20"}
    )
    assert config.should_save_step(ModeKeys.EVAL, 4)
    assert not config.should_save_step(ModeKeys.TRAIN, 10)
    assert config.should_save_step(ModeKeys.TRAIN, 20)
    assert config.should_save_step(ModeKeys.GLOBAL, 10)


@pytest.mark.parametrize(
    ("name", "value"),
    [("save_interval", "0"), ("save_interval", "often"), ("end_step", "-1"), ("save_steps", "1,x")],
)
def test_what_is_no_step_is_refused(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=name):
        SaveConfig().with_parameters({name: value})


def test_a_configuration_survives_its_file() -> None:
    config = SaveConfig().with_parameters({"save_interval": "3", "train.save_steps": "1,2"})
    assert SaveConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize("name", REDUCTIONS)
def test_a_reduction_is_numpys(name: str) -> None:
    value = np.array([[1.0, -2.0], [3.0, 4.5]])
    function = {"variance": "var"}.get(name, name)
    assert Reduction.parse(name).of(value) == getattr(np, function)(value)
    assert Reduction.parse(f"abs_{name}").of(value) == getattr(np, function)(np.abs(value))


def test_norms_are_those_of_the_flat_tensor() -> None:
    value = np.array([[3.0, -4.0], [0.0, 0.0]])
    assert Reduction.parse("l1_norm").of(value) == 7.0
    assert Reduction.parse("abs_l2_norm").of(value) == 5.0


@given(st.sampled_from(REDUCTIONS + NORMS), st.booleans())
def test_a_reductions_name_is_understood_again(name: str, absolute: bool) -> None:
    reduction = Reduction(name, absolute)
    assert Reduction.parse(str(reduction)) == reduction
    assert parsed_tensor_name(reduction.tensor_name("a/b:0")) == ("a/b", reduction)


def test_no_such_reduction() -> None:
    with pytest.raises(ValueError, match="no reduction 'mode'"):
        Reduction.parse("mode")


def test_texts_have_no_mean() -> None:
    with pytest.raises(TypeError, match="mean"):
        Reduction("mean").of(np.array(["a"]))


def test_reductions_stand_for_the_tensor_unless_it_is_wanted_too() -> None:
    alone = ReductionConfig.from_parameters({"reductions": "min,abs_max"})
    assert alone is not None
    assert not alone.save_raw_tensor
    both = ReductionConfig.from_parameters({"reductions": "min", "save_raw_tensor": "True"})
    assert both is not None
    assert both.save_raw_tensor
    assert ReductionConfig.from_parameters({"save_interval": "5"}) is None
