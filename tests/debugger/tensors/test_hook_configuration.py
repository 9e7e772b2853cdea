"""A DebugHookConfig: what it asks for, and why it is refused."""

from __future__ import annotations

from typing import Any

import pytest

from bottega.debugger.tensors.collection import Collection
from bottega.debugger.tensors.configuration import (
    ConfigurationError,
    Framework,
    HookConfiguration,
)
from bottega.debugger.tensors.modes import ModeKeys

FRAMEWORK = Framework(
    "some", {"losses": r"[Ll]oss", "weights": r"weight$"}, always=("losses",), interval=500
)


def resolved(document: dict[str, Any]) -> dict[str, Collection]:
    return {one.name: one for one in HookConfiguration.read(document).resolved(FRAMEWORK)}


def saved_steps(collection: Collection, mode: ModeKeys, limit: int) -> list[int]:
    assert collection.save_config is not None
    return [n for n in range(limit) if collection.save_config.should_save_step(mode, n)]


def test_nothing_asked_for_is_what_is_always_saved() -> None:
    found = resolved({"S3OutputPath": "s3://b/p"})
    assert found.keys() == {"losses"}
    assert saved_steps(found["losses"], ModeKeys.TRAIN, 1001) == [0, 500, 1000]


def test_the_collections_parameters_come_before_the_hooks() -> None:
    found = resolved(
        {
            "HookParameters": {"save_interval": "100", "train.end_step": "250"},
            "CollectionConfigurations": [
                {"CollectionName": "weights", "CollectionParameters": {"save_interval": "50"}},
                {"CollectionName": "losses"},
            ],
        }
    )
    assert saved_steps(found["weights"], ModeKeys.TRAIN, 400) == [0, 50, 100, 150, 200]
    assert saved_steps(found["losses"], ModeKeys.TRAIN, 400) == [0, 100, 200]
    assert saved_steps(found["losses"], ModeKeys.EVAL, 400) == [0, 100, 200, 300]


def test_a_collections_own_patterns_come_beside_the_frameworks() -> None:
    found = resolved(
        {
            "CollectionConfigurations": [
                {"CollectionName": "losses", "CollectionParameters": {"include_regex": "^cost"}},
                {"CollectionName": "mine", "CollectionParameters": {"include_regex": "^a, ^b"}},
            ]
        }
    )
    assert found["losses"].has("cost1")
    assert found["losses"].has("Loss")
    assert [found["mine"].has(name) for name in ("a1", "b1", "ca")] == [True, True, False]


def test_what_rules_ask_for_by_name_is_known() -> None:
    found = resolved({"CollectionConfigurations": [{"CollectionName": "relu_output"}]})
    assert found["relu_output"].has("features.1.relu_output_0")


def test_everything() -> None:
    found = resolved({"HookParameters": {"save_all": "True"}})
    assert found.keys() == {"losses", "weights", "all"}
    assert found["all"].has("anything")


def test_the_hooks_own_patterns_are_the_default_collection() -> None:
    found = resolved({"HookParameters": {"include_regex": "bias$"}})
    assert found["default"].has("Net.bias")


def test_losses_are_numbers_and_are_not_reduced() -> None:
    found = resolved(
        {
            "HookParameters": {"reductions": "mean"},
            "CollectionConfigurations": [{"CollectionName": "weights"}],
        }
    )
    losses, weights = found["losses"].reduction_config, found["weights"].reduction_config
    assert losses is not None
    assert weights is not None
    assert (losses.reductions, losses.save_raw_tensor) == ((), True)
    assert ([str(one) for one in weights.reductions], weights.save_raw_tensor) == (
        ["mean"],
        False,
    )


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"HookParameters": {"save_interval": "no"}}, "HookParameters: save_interval is 'no'"),
        ({"HookParameters": {"save_all": "perhaps"}}, "save_all is 'perhaps'"),
        ({"HookParameters": {"include_workers": "two"}}, "include_workers is 'two'"),
        ({"HookParameters": {"include_regex": "("}}, "HookParameters"),
        ({"CollectionConfigurations": [{}]}, "no CollectionName"),
        (
            {
                "CollectionConfigurations": [
                    {"CollectionName": "weights", "CollectionParameters": {"reductions": "mode"}}
                ]
            },
            "collection weights: There is no reduction 'mode'",
        ),
    ],
)
def test_what_cannot_be_followed_is_refused_and_says_where(
    document: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigurationError, match=said):
        HookConfiguration.read(document)
