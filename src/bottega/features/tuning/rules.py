"""What CreateHyperParameterTuningJob refuses beyond the constraints of its shape, and how."""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bottega.algorithms.base import Algorithm
from bottega.algorithms.images import UnsupportedImage
from bottega.errors import ResourceLimitExceeded, ValidationException
from bottega.features.tuning import ranges as parameter_ranges
from bottega.features.tuning.entities import builtin_of, child_request, definitions
from bottega.features.tuning.plans import DefinitionPlan, TuningPlan
from bottega.tuning import autotune, spaces, stopping
from bottega.tuning.spaces import CategoricalRange, Range

MOST_TRIALS = 750
MOST_RANDOM_TRIALS = 10_000
MOST_PARALLEL = 100
MOST_METRICS = 20
LONGEST_SECONDS = 30 * 24 * 3600
"""A tuning job without MaxRuntimeInSeconds ends after so long."""

Call = Callable[[str, str, Mapping[str, Any]], Mapping[str, Any]]
"""Calls an operation for whoever asks."""


def check_request(request: Mapping[str, Any], call: Call) -> TuningPlan:
    """Refuse a request that could not become a tuning job that runs; decide what it left open.

    Args:
        call: asks another feature whether a training job of each definition could be created.

    Raises:
        ValidationException: with what is wrong, where, and what to do.
        ResourceLimitExceeded: it wants more than there may be.
    """
    config = request["HyperParameterTuningJobConfig"]
    _check_forms(request)
    _check_strategy(config)
    found = definitions(request)
    plans = [_definition_plan(request, one) for one in found]
    types = {objective_of(config, one)["Type"] for one in found}
    if len(types) > 1:
        raise ValidationException(
            "TrainingJobDefinitions: some objectives are to be maximized and others minimized; all "
            "definitions of a tuning job are compared, so TuningObjective.Type must be the same."
        )
    plan = _plan(request, plans, maximize=types == {"Maximize"})
    plan = _autotuned(request, plan)
    _check_definitions(request, plan)
    _check_limits(plan)
    for one in found:
        _check_child(request, one, plan, call)
    return plan


def objective_of(config: Mapping[str, Any], definition: Mapping[str, Any]) -> Mapping[str, Any]:
    """The objective of a definition: its own, or that of a tuning job with a single one."""
    found: Mapping[str, Any] = definition.get("TuningObjective") or config.get(
        "HyperParameterTuningJobObjective", {}
    )
    return found


def _check_forms(request: Mapping[str, Any]) -> None:
    """One definition with objective and ranges in the configuration, or a list that has its own."""
    config = request["HyperParameterTuningJobConfig"]
    if ("TrainingJobDefinition" in request) == ("TrainingJobDefinitions" in request):
        raise ValidationException(
            "Give exactly one of TrainingJobDefinition and TrainingJobDefinitions."
        )
    if "TrainingJobDefinition" in request:
        _check_single(config, request["TrainingJobDefinition"])
        return
    names = []
    for number, one in enumerate(request["TrainingJobDefinitions"]):
        where = f"TrainingJobDefinitions[{number}]"
        for member in ("DefinitionName", "TuningObjective", "HyperParameterRanges"):
            if member not in one:
                raise ValidationException(
                    f"{where}: {member} is required for every definition of the list."
                )
        names.append(one["DefinitionName"])
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValidationException(
            f"TrainingJobDefinitions: the DefinitionName {twice!r} is given twice; each definition "
            "needs a name of its own."
        )
    for member in ("HyperParameterTuningJobObjective", "ParameterRanges"):
        if config.get(member):
            raise ValidationException(
                f"HyperParameterTuningJobConfig.{member} is for a single TrainingJobDefinition; in "
                "TrainingJobDefinitions each has its own TuningObjective and HyperParameterRanges."
            )


def _check_single(config: Mapping[str, Any], definition: Mapping[str, Any]) -> None:
    for member, instead in (
        ("TuningObjective", "HyperParameterTuningJobObjective"),
        ("HyperParameterRanges", "ParameterRanges"),
    ):
        if member in definition:
            raise ValidationException(
                f"TrainingJobDefinition.{member} is for TrainingJobDefinitions; give "
                f"HyperParameterTuningJobConfig.{instead}."
            )
    if "HyperParameterTuningJobObjective" not in config:
        raise ValidationException(
            "HyperParameterTuningJobConfig.HyperParameterTuningJobObjective is required with a "
            "TrainingJobDefinition."
        )


def _check_strategy(config: Mapping[str, Any]) -> None:
    strategy = config["Strategy"]
    early = config.get("TrainingJobEarlyStoppingType", "Off")
    hyperband = config.get("StrategyConfig", {}).get("HyperbandStrategyConfig")
    if strategy == "Hyperband" and early != "Off":
        raise ValidationException(
            "TrainingJobEarlyStoppingType must be Off with the strategy Hyperband, which stops "
            "weak training jobs by itself."
        )
    if hyperband is not None and strategy != "Hyperband":
        raise ValidationException(
            f"StrategyConfig.HyperbandStrategyConfig is given with the strategy {strategy}; it is "
            "for Hyperband only."
        )
    low, high = (hyperband or {}).get("MinResource"), (hyperband or {}).get("MaxResource")
    if low is not None and high is not None and low >= high:
        raise ValidationException(
            f"HyperbandStrategyConfig: MinResource is {low} and MaxResource {high}; MinResource "
            "must be less than MaxResource."
        )


def _definition_plan(request: Mapping[str, Any], definition: Mapping[str, Any]) -> DefinitionPlan:
    config = request["HyperParameterTuningJobConfig"]
    where, given = _ranges_of(request, definition)
    found = parameter_ranges.read(given, where)
    automatic = [item["Name"] for item in given.get("AutoParameters", ())]
    if automatic and "Autotune" not in request:
        raise ValidationException(
            f"{where}.AutoParameters needs Autotune: give Autotune.Mode Enabled, or a range for "
            f"{', '.join(automatic)}."
        )
    if automatic and config["Strategy"] == "Grid":
        raise ValidationException(
            f"{where}.AutoParameters: the strategy Grid takes categorical ranges only; Autotune "
            f"chooses ranges of numbers, too. Give the values of {', '.join(automatic)} as "
            "CategoricalParameterRanges, or take another strategy."
        )
    if not found and not automatic:
        raise ValidationException(
            f"{where}: no hyperparameter is tunable; give at least one range."
        )
    static = definition.get("StaticHyperParameters", {})
    parameter_ranges.check_names([*(one.name for one in found), *automatic], static, where)
    wanted = config.get("StrategyConfig", {}).get("HyperbandStrategyConfig", {}).get("MaxResource")
    return DefinitionPlan(
        name=definition.get("DefinitionName", ""),
        metric=objective_of(config, definition)["MetricName"],
        ranges=found,
        max_resource=wanted or stopping.max_resource(static),
    )


def _ranges_of(
    request: Mapping[str, Any], definition: Mapping[str, Any]
) -> tuple[str, Mapping[str, Any]]:
    """Where the ranges of a definition stand, and they."""
    if "TrainingJobDefinitions" in request:
        where = f"TrainingJobDefinitions {definition['DefinitionName']!r}: HyperParameterRanges"
        return where, definition["HyperParameterRanges"]
    config = request["HyperParameterTuningJobConfig"]
    return "HyperParameterTuningJobConfig.ParameterRanges", config.get("ParameterRanges", {})


def _plan(
    request: Mapping[str, Any], plans: Sequence[DefinitionPlan], *, maximize: bool
) -> TuningPlan:
    config = request["HyperParameterTuningJobConfig"]
    limits, strategy = config["ResourceLimits"], config["Strategy"]
    criteria = config.get("TuningJobCompletionCriteria", {})
    hyperband = config.get("StrategyConfig", {}).get("HyperbandStrategyConfig", {})
    most = limits.get("MaxNumberOfTrainingJobs")
    if strategy == "Grid":
        most = _grid_size(plans, most)
    quota = MOST_RANDOM_TRIALS if strategy == "Random" else MOST_TRIALS
    convergence = criteria.get("ConvergenceDetected", {}).get("CompleteOnConvergence", "Disabled")
    return TuningPlan(
        strategy=strategy,
        early_stopping=config.get("TrainingJobEarlyStoppingType", "Off") == "Auto",
        maximize=maximize,
        seed=config.get("RandomSeed", secrets.randbelow(2**31)),
        most_trials=most or quota,
        parallel=limits["MaxParallelTrainingJobs"],
        runtime_seconds=limits.get("MaxRuntimeInSeconds", LONGEST_SECONDS),
        target=criteria.get("TargetObjectiveMetricValue"),
        not_improving=criteria.get("BestObjectiveNotImproving", {}).get(
            "MaxNumberOfTrainingJobsNotImproving"
        ),
        on_convergence=convergence == "Enabled",
        min_resource=hyperband.get("MinResource"),
        definitions=tuple(plans),
    )


def _grid_size(plans: Sequence[DefinitionPlan], most: int | None) -> int:
    for plan in plans:
        for searched in plan.ranges:
            if not isinstance(searched, CategoricalRange):
                raise ValidationException(
                    f"The strategy Grid takes categorical ranges only, and hyperparameter "
                    f"{searched.name} has numbers. Give it as a CategoricalParameterRange with the "
                    "values to try."
                )
    product = sum(spaces.size(plan.ranges) or 0 for plan in plans)
    if most is not None and most != product:
        raise ValidationException(
            f"ResourceLimits.MaxNumberOfTrainingJobs is {most}, and the grid has {product} "
            "combinations. With the strategy Grid leave it out, or give this number."
        )
    return product


def _autotuned(request: Mapping[str, Any], plan: TuningPlan) -> TuningPlan:
    """The plan with what Autotune decides, where it is enabled."""
    if "Autotune" not in request:
        return plan
    config = request["HyperParameterTuningJobConfig"]
    decided, most, early = [], 0, True
    for one, definition in zip(plan.definitions, definitions(request), strict=True):
        _, given = _ranges_of(request, definition)
        builtin = _builtin(definition)
        automatic = given.get("AutoParameters", ())
        try:
            found = autotune.decide(
                [(item["Name"], item["ValueHint"]) for item in automatic],
                algorithm=builtin.name if builtin is not None else None,
                metric=one.metric,
                others=len(one.ranges),
                strategy=plan.strategy,
            )
        except autotune.NotTunable as error:
            raise ValidationException(str(error)) from error
        decided.append(replace(one, ranges=(*one.ranges, *found.ranges)))
        most += found.most_trials
        early = early and found.early_stopping == "Auto"
    limits = config["ResourceLimits"]
    return replace(
        plan,
        definitions=tuple(decided),
        early_stopping=plan.early_stopping or (early and plan.strategy != "Hyperband"),
        most_trials=plan.most_trials
        if "MaxNumberOfTrainingJobs" in limits or plan.strategy == "Grid"
        else min(most, MOST_TRIALS),
    )


def _builtin(definition: Mapping[str, Any]) -> Algorithm | None:
    try:
        return builtin_of(definition)
    except UnsupportedImage as error:
        raise ValidationException(str(error)) from error


def _check_definitions(request: Mapping[str, Any], plan: TuningPlan) -> None:
    for one, definition in zip(plan.definitions, definitions(request), strict=True):
        where, _ = _ranges_of(request, definition)
        _check_resources(definition, one.name)
        builtin = _builtin(definition)
        given = definition["AlgorithmSpecification"].get("MetricDefinitions", ())
        if builtin is None:
            names = [metric["Name"] for metric in given]
            if one.metric not in names:
                raise ValidationException(
                    f"The objective metric {one.metric!r} is not among the MetricDefinitions of "
                    f"AlgorithmSpecification, which has {', '.join(names) or 'none'}. Add a "
                    "definition with the regular expression that finds it in the log."
                )
            if len(names) > MOST_METRICS:
                raise ResourceLimitExceeded(
                    f"AlgorithmSpecification.MetricDefinitions has {len(names)} metrics; a "
                    f"training job of a tuning job can have {MOST_METRICS}."
                )
            continue
        known = [metric.name for metric in builtin.metric_definitions]
        if one.metric not in known:
            raise ValidationException(
                f"The objective metric for the hyperparameter tuning job, [{one.metric}], isn't "
                f"valid for the [{builtin.name}] algorithm. Choose a valid objective metric: "
                f"{', '.join(known)}."
            )
        parameter_ranges.check_fit(builtin, one.ranges, where)


def _check_resources(definition: Mapping[str, Any], name: str) -> None:
    where = f"TrainingJobDefinition {name!r}" if name else "TrainingJobDefinition"
    tuned = definition.get("HyperParameterTuningResourceConfig")
    if ("ResourceConfig" in definition) == (tuned is not None):
        raise ValidationException(
            f"{where}: give exactly one of ResourceConfig and HyperParameterTuningResourceConfig."
        )
    if tuned is None:
        return
    single = [member for member in ("InstanceType", "InstanceCount") if member in tuned]
    if ("InstanceConfigs" in tuned) == bool(single):
        raise ValidationException(
            f"{where}: HyperParameterTuningResourceConfig needs InstanceType and InstanceCount, or "
            "InstanceConfigs, and not both."
        )
    if "AllocationStrategy" in tuned and "InstanceConfigs" not in tuned:
        raise ValidationException(
            f"{where}: AllocationStrategy of HyperParameterTuningResourceConfig is for "
            "InstanceConfigs."
        )


def _check_limits(plan: TuningPlan) -> None:
    quota = MOST_RANDOM_TRIALS if plan.strategy == "Random" else MOST_TRIALS
    if plan.most_trials > quota:
        raise ResourceLimitExceeded(
            f"ResourceLimits.MaxNumberOfTrainingJobs: {plan.most_trials} training jobs are wanted; "
            f"a tuning job with the strategy {plan.strategy} can have {quota}."
        )
    if plan.parallel > MOST_PARALLEL:
        raise ResourceLimitExceeded(
            f"ResourceLimits.MaxParallelTrainingJobs is {plan.parallel}; a tuning job can run "
            f"{MOST_PARALLEL} training jobs at once."
        )
    if plan.target is not None and not math.isfinite(plan.target):
        raise ValidationException(
            "TuningJobCompletionCriteria.TargetObjectiveMetricValue must be a number."
        )


def _check_child(
    request: Mapping[str, Any], definition: Mapping[str, Any], plan: TuningPlan, call: Call
) -> None:
    """Refuse a definition of which no training job could be created."""
    ranges: tuple[Range, ...] = plan.definition(definition.get("DefinitionName", "")).ranges
    tuned = {searched.name: spaces.from_unit(searched, 0.5) for searched in ranges}
    name = f"{request['HyperParameterTuningJobName']}-000"
    child = child_request(
        definition, name, tuned, experiment=request["HyperParameterTuningJobName"], tags={}
    )
    found = call("bottega", "CheckTrainingJob", {"Request": child, "InspectData": False})
    # Whether a tuned hyperparameter is right may depend on the others: each trial shows that.
    fields = {f"HyperParameters.{name}" for name in tuned} | {"TrainingJobName"}
    errors = [
        finding
        for finding in found["Findings"]
        if finding["Severity"] == "Error" and finding["Field"] not in fields
    ]
    if errors:
        which = definition.get("DefinitionName")
        where = f"TrainingJobDefinition {which!r}" if which else "TrainingJobDefinition"
        said = " ".join(finding["Message"] for finding in errors)
        raise ValidationException(f"{where}: {said}")
