"""All built-in rules by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bottega.debugger.rules.activations import DeadRelu, SaturatedActivation
from bottega.debugger.rules.classification import ClassImbalance, Confusion
from bottega.debugger.rules.gradients import PoorWeightInitialization, VanishingGradient
from bottega.debugger.rules.inputs import CheckInputImages, NLPSequenceRatio
from bottega.debugger.rules.losses import LossNotDecreasing
from bottega.debugger.rules.parameters import ParameterRefused
from bottega.debugger.rules.rule import Rule
from bottega.debugger.rules.runs import SimilarAcrossRuns, StalledTrainingRule
from bottega.debugger.rules.tensors import (
    AllZero,
    ExplodingTensor,
    TensorVariance,
    UnchangedTensor,
)
from bottega.debugger.rules.trees import (
    CreateXgboostReport,
    FeatureImportanceOverweight,
    TreeDepth,
)
from bottega.debugger.rules.validation import Overfit, Overtraining
from bottega.debugger.rules.weights import WeightUpdateRatio
from bottega.debugger.tensors.trial import Trial
from bottega.nearest import ending

BUILT_IN: Mapping[str, type[Rule]] = {
    rule.__name__: rule
    for rule in (
        *(VanishingGradient, ExplodingTensor, PoorWeightInitialization, SaturatedActivation),
        *(DeadRelu, WeightUpdateRatio, UnchangedTensor, AllZero, TensorVariance),
        *(SimilarAcrossRuns, StalledTrainingRule, ClassImbalance, LossNotDecreasing, Overfit),
        *(Overtraining, Confusion, CheckInputImages, NLPSequenceRatio, TreeDepth),
        *(FeatureImportanceOverweight, CreateXgboostReport),
    )
}


def rule_class(name: str) -> type[Rule]:
    """The class of a built-in rule.

    Raises:
        ParameterRefused: there is no such rule.
    """
    if name not in BUILT_IN:
        raise ParameterRefused(
            f'There is no built-in Debugger rule "{name}"{ending(name, BUILT_IN)}'
        )
    return BUILT_IN[name]


def built_in(name: str, parameters: Mapping[str, str], other_trials: Sequence[Trial] = ()) -> Rule:
    """A built-in rule, ready to be shown the first step.

    Args:
        name: what RuleParameters' ``rule_to_invoke`` says.
        parameters: RuleParameters; what is the evaluator's is left out.
        other_trials: for rules that compare with other trainings.

    Raises:
        ParameterRefused: no such rule, or a parameter that is unknown or malformed.
    """
    return rule_class(name).from_texts(parameters, other_trials)


def other_trials(parameters: Mapping[str, str]) -> list[str]:
    """Where RuleParameters say that other trainings' tensors are: names of jobs or S3 URIs."""
    found = []
    for name, value in sorted(parameters.items()):
        if name.lower().startswith("other_trial"):
            found += [part.strip() for part in value.split(",") if part.strip()]
    return found
