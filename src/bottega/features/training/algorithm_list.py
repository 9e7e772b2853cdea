"""ListAlgorithms: what can be trained with, told from the one description of each algorithm."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping

from bottega.algorithms import registry
from bottega.algorithms.base import Algorithm
from bottega.algorithms.hyperparameters import (
    Condition,
    Hyperparameter,
    Kind,
    TunableRange,
)
from bottega.algorithms.images import FRAMEWORKS
from bottega.context import Context
from bottega.registry import operation
from bottega.specs.generated.training import (
    AlgorithmDescription,
    HyperParameterCondition,
    HyperParameterDescription,
    HyperParameterType,
    InstanceTypeDescription,
    ListAlgorithmsRequest,
    ListAlgorithmsResponse,
    RecommendedRange,
)

DEFAULT_INSTANCE_TYPE = "ml.m5.large"
_SIZES = {
    DEFAULT_INSTANCE_TYPE: 2,
    "ml.m5.xlarge": 4,
    "ml.m5.2xlarge": 8,
    "ml.m5.4xlarge": 16,
    "ml.m5.12xlarge": 48,
    "ml.m5.24xlarge": 96,
}
"""Instance types and the cores they have where AWS runs them."""

_TYPES: Mapping[Kind, HyperParameterType] = {
    "integer": "Integer",
    "continuous": "Continuous",
    "categorical": "Categorical",
    "text": "FreeText",
}


@operation("ListAlgorithms", service="bottega")
def list_algorithms(context: Context, request: ListAlgorithmsRequest) -> ListAlgorithmsResponse:
    """Algorithms and frameworks, and the sizes up to that of this machine."""
    return {
        "Algorithms": [_algorithm(registry.algorithm(name)) for name in registry.names()],
        "Frameworks": [
            {
                "Name": framework.name,
                "DisplayName": framework.title,
                "Description": framework.summary,
                "TrainingImage": framework.name,
            }
            for framework in FRAMEWORKS
        ],
        "InstanceTypes": _instance_types(),
    }


def _algorithm(algorithm: Algorithm) -> AlgorithmDescription:
    found: AlgorithmDescription = {
        "Name": algorithm.name,
        "DisplayName": algorithm.title,
        "Description": algorithm.summary,
        "TrainingImage": algorithm.name,
        "Supervised": algorithm.supervised,
        "ReadsTables": algorithm.reads_tables,
        "Channels": [
            {
                "Name": channel.name,
                "Required": channel.required,
                "ContentTypes": list(channel.content_types),
                "Description": channel.description,
            }
            for channel in algorithm.channels
        ],
        "HyperParameters": [
            _hyperparameter(parameter)
            for parameter in algorithm.hyperparameters.visible()
            if not parameter.deprecated
        ],
        "Metrics": [
            {"Name": metric.name, "Direction": metric.direction}
            for metric in algorithm.metric_definitions
        ],
        "DefaultHyperParameters": dict(algorithm.starting_values),
    }
    if missing := algorithm.missing():
        found["Missing"] = missing
    return found


def _hyperparameter(parameter: Hyperparameter) -> HyperParameterDescription:
    found: HyperParameterDescription = {
        "Name": parameter.name,
        "Type": _TYPES[parameter.kind],
        "Description": parameter.description,
        "Required": parameter.required,
        "Range": parameter.range,
        "Tunable": parameter.tunable is not None,
        "Essential": parameter.essential,
    }
    if parameter.default is not None:
        found["Default"] = parameter.default
    if (interval := parameter.interval) is not None:
        if math.isfinite(interval.minimum):
            found["Minimum"] = interval.minimum
            found["ExclusiveMinimum"] = interval.open_minimum
        if math.isfinite(interval.maximum):
            found["Maximum"] = interval.maximum
            found["ExclusiveMaximum"] = interval.open_maximum
    if parameter.choices:
        found["Choices"] = list(parameter.choices)
    if parameter.also:
        found["AlsoAccepts"] = list(parameter.also)
    if (tunable := parameter.tunable) is not None:
        found["TunableRange"] = _tunable_range(tunable)
    if parameter.required_when is not None:
        found["RequiredWhen"] = _condition(parameter.required_when)
    if parameter.used_when is not None:
        found["UsedWhen"] = _condition(parameter.used_when)
    return found


def _tunable_range(tunable: TunableRange) -> RecommendedRange:
    found: RecommendedRange = {"ScalingType": tunable.scaling}
    if tunable.minimum is not None:
        found["Minimum"] = tunable.minimum
    if tunable.maximum is not None:
        found["Maximum"] = tunable.maximum
    if tunable.choices:
        found["Choices"] = list(tunable.choices)
    return found


def _condition(condition: Condition) -> HyperParameterCondition:
    return {"Name": condition.name, "Values": list(condition.values)}


def _instance_types() -> list[InstanceTypeDescription]:
    """The sizes that are no larger than this machine; the smallest is always there."""
    cores = os.cpu_count() or 1
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    text = (
        f"This machine, whatever the type: up to {cores} core{'s' if cores > 1 else ''} and "
        f"{memory / 2**30:.0f} GiB of memory, shared with what else runs"
    )
    return [
        {
            "InstanceType": name,
            "Description": text,
            "Cores": cores,
            "MemoryBytes": memory,
            "Default": name == DEFAULT_INSTANCE_TYPE,
        }
        for name, size in _SIZES.items()
        if size <= cores or name == DEFAULT_INSTANCE_TYPE
    ]
