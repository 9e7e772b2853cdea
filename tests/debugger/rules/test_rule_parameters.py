"""Parameters of rules come as texts; what they cannot mean is refused in words."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.debugger.rules.activations import SaturatedActivation
from bottega.debugger.rules.inputs import NLPSequenceRatio
from bottega.debugger.rules.parameters import ParameterRefused, parameters_of
from bottega.debugger.rules.registry import BUILT_IN, built_in, other_trials

DEFAULTS = {
    "VanishingGradient": {"threshold": 1e-7},
    "ExplodingTensor": {"only_nan": False},
    "PoorWeightInitialization": {
        "activation_inputs_regex": (".*relu_input",),
        "threshold": 10.0,
        "distribution_range": 0.001,
        "patience": 5,
        "steps": 10,
    },
    "SaturatedActivation": {
        "tensor_regex": (".*tanh_input|.*sigmoid_input",),
        "threshold_tanh_min": -9.4999,
        "threshold_tanh_max": 9.4999,
        "threshold_sigmoid_min": -23,
        "threshold_sigmoid_max": 16.99999,
        "threshold_inactivity": 1.0,
        "threshold_layer": 50.0,
    },
    "DeadRelu": {"threshold_inactivity": 1.0, "threshold_layer": 50.0},
    "WeightUpdateRatio": {
        "num_steps": None,
        "large_threshold": 10.0,
        "small_threshold": 1e-8,
        "epsilon": 1e-9,
    },
    "UnchangedTensor": {"num_steps": 3, "rtol": 1e-5, "atol": 1e-8, "equal_nan": False},
    "AllZero": {"threshold": 100},
    "TensorVariance": {"min_threshold": None, "max_threshold": None},
    "SimilarAcrossRuns": {"collection_names": (), "tensor_regex": ()},
    "StalledTrainingRule": {"threshold": 1800, "stop_training_on_fire": False},
    "ClassImbalance": {
        "threshold_imbalance": 10,
        "threshold_misprediction": 0.7,
        "samples": 500,
        "argmax": False,
        "labels_regex": (".*labels",),
        "predictions_regex": (".*predictions",),
    },
    "LossNotDecreasing": {
        "use_losses_collection": True,
        "num_steps": 10,
        "diff_percent": 0.1,
        "increase_threshold_percent": 5,
        "mode": "GLOBAL",
    },
    "Overfit": {"start_step": 0, "patience": 1, "ratio_threshold": 0.1},
    "Overtraining": {"patience_train": 5, "patience_validation": 10, "delta": 0.01},
    "Confusion": {"labels": "labels", "min_diag": 0.9, "max_off_diag": 0.1},
    "CheckInputImages": {"threshold_mean": 0.2, "threshold_samples": 500, "channel": 1},
    "NLPSequenceRatio": {"token_values": (0.0,), "token_thresholds_percent": (50.0,)},
    "TreeDepth": {"depth": 4},
    "FeatureImportanceOverweight": {"threshold": 0.8, "nfeatures": 3},
    "CreateXgboostReport": {},
}
AUTOMATIC = {
    "VanishingGradient": {"gradients": {"save_interval": "500"}},
    "LossNotDecreasing": {"losses": {"save_interval": "500"}},
    "WeightUpdateRatio": {"weights": {"save_interval": "500"}},
    "DeadRelu": {"relu_output": {"include_regex": ".*relu_output", "save_interval": "500"}},
}


def test_every_rule_has_its_defaults() -> None:
    assert BUILT_IN.keys() == DEFAULTS.keys()
    for name, expected in DEFAULTS.items():
        rule = built_in(name, {"rule_to_invoke": name, "action_json": "[]", "base_trial": "x"})
        assert {key: getattr(rule, key) for key in expected} == expected
        assert all(limits.doc.endswith(".") for limits, _ in parameters_of(type(rule)).values())
        assert rule.looks_for.endswith(".")
        assert rule.frameworks


@pytest.mark.parametrize("name", AUTOMATIC)
def test_collections_are_those_of_the_sdk(name: str) -> None:
    assert BUILT_IN[name].collections == AUTOMATIC[name]


@pytest.mark.parametrize(
    ("name", "parameters", "words"),
    [
        ("VanishingGradiant", {}, 'no built-in Debugger rule "VanishingGradiant"; did you mean'),
        ("VanishingGradient", {"thresholds": "1"}, 'Did you mean "threshold"?'),
        ("CreateXgboostReport", {"depth": "1"}, "has no parameters"),
        ("VanishingGradient", {"threshold": "small"}, 'is "small"; it has to be a number'),
        ("VanishingGradient", {"threshold": "nan"}, "has to be a number"),
        ("VanishingGradient", {"threshold": "-1"}, "at least 0"),
        ("Overfit", {"patience": "1.5"}, "a whole number"),
        ("Overfit", {"patience": "0"}, "at least 1"),
        ("AllZero", {"threshold": "101"}, "at most 100"),
        ("ExplodingTensor", {"only_nan": "maybe"}, "True or False"),
        ("ExplodingTensor", {"tensor_regex": "*x"}, "no regular expression"),
        ("LossNotDecreasing", {"mode": "SOME"}, "one of TRAIN, EVAL, PREDICT, GLOBAL"),
        ("NLPSequenceRatio", {"token_values": "0,1"}, "2 token_values and 1"),
    ],
)
def test_what_means_nothing_is_refused(name: str, parameters: dict[str, str], words: str) -> None:
    with pytest.raises(ParameterRefused) as refused:
        built_in(name, parameters)
    assert words in str(refused.value)


def test_texts_are_read_as_clients_write_them() -> None:
    rule = built_in(
        "SaturatedActivation",
        {"Threshold_Layer": " 10.0 ", "tensor_regex": "a, b ,", "collection_names": "['c', \"d\"]"},
    )
    assert isinstance(rule, SaturatedActivation)
    assert rule.threshold_layer == 10.0
    assert rule.tensor_regex == ("a", "b")
    assert rule.collection_names == ("c", "d")
    ratio = built_in(
        "NLPSequenceRatio", {"token_values": "3, 0", "token_thresholds_percent": "[50.0, 50.0]"}
    )
    assert isinstance(ratio, NLPSequenceRatio)
    assert ratio.token_values == (3.0, 0.0)
    nothing = {"num_steps": "None"}
    assert built_in("WeightUpdateRatio", nothing) == built_in("WeightUpdateRatio", {})
    assert built_in("Overfit", {"patience": "3.0"}) != built_in("Overfit", {})


def test_other_trials_are_found_under_all_their_names() -> None:
    parameters = {"other_trials": "a,b", "other_trial_0": "s3://b/c", "threshold": "1"}
    assert other_trials(parameters) == ["s3://b/c", "a", "b"]


@given(st.sampled_from(sorted(BUILT_IN)), st.lists(st.text(max_size=12), max_size=4))
@settings(max_examples=50, deadline=None)
def test_any_text_is_read_or_refused(name: str, texts: list[str]) -> None:
    names = [*parameters_of(BUILT_IN[name]), *texts]
    parameters = dict(zip(names, texts, strict=False))
    try:
        rule = built_in(name, parameters)
    except ParameterRefused as refusal:
        refused = str(refusal)
    else:
        refused = ""
        assert rule.name == name
    assert not refused or name in refused
