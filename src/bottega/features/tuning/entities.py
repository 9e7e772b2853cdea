"""A tuning job as its operations and its controller see it: a view over a stored resource."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, cast

from bottega.algorithms.base import Algorithm
from bottega.algorithms.images import resolve
from bottega.algorithms.registry import algorithm
from bottega.features.tuning.plans import TuningPlan
from bottega.jobs.trial_courses import OBJECTIVE_HYPERPARAMETER
from bottega.storage.metadata import Resource

KIND = "HyperParameterTuningJob"
ARN_TYPE = "hyper-parameter-tuning-job"
TERMINAL = frozenset({"Completed", "Failed", "Stopped"})
CODE_CHANNEL = "code"
DEFAULT_MAX_RUNTIME_SECONDS = 86_400
"""Of a training job."""
MOST_METRICS_SHOWN = 40


@dataclass(frozen=True)
class TuningJob:
    """A tuning job over its resource."""

    resource: Resource

    @property
    def name(self) -> str:
        return self.resource.name

    @property
    def arn(self) -> str:
        return self.resource.arn

    @property
    def body(self) -> Mapping[str, Any]:
        return self.resource.body

    @property
    def status(self) -> str:
        return self.resource.status

    @property
    def ended(self) -> bool:
        return self.status in TERMINAL

    @property
    def config(self) -> Mapping[str, Any]:
        return cast(Mapping[str, Any], self.body["HyperParameterTuningJobConfig"])

    @cached_property
    def plan(self) -> TuningPlan:
        return TuningPlan.from_json(self.resource.private["plan"])

    @property
    def end_reason(self) -> str:
        """Why no more trials are started, as a sentence; empty while there are."""
        return str(self.resource.private.get("end_reason", ""))

    @property
    def failure(self) -> str:
        """Why the whole tuning job is to fail once its trials have ended; empty if it is not."""
        return str(self.resource.private.get("failure", ""))

    @property
    def stops_trials(self) -> bool:
        """Whether the trials that run when it comes to its end are stopped."""
        return bool(self.resource.private.get("stops_trials", False))

    def definition(self, name: str) -> Mapping[str, Any]:
        """The training job definition of this name."""
        found = definitions(self.body)
        return next(one for one in found if one.get("DefinitionName", "") == name)

    def seconds(self, now: float) -> int:
        """How long it has run, or ran."""
        end = self.body.get("HyperParameterTuningEndTime", now)
        return max(0, round(float(end) - self.resource.created))

    def child_name(self, number: int) -> str:
        """The name of its training job of this number (from 1), as SageMaker gives it.

        The same for the same tuning job, so that starting a training job again is harmless; other
        for a later tuning job of the same name.
        """
        text = f"{self.arn}:{self.resource.created!r}:{number}"
        return f"{self.name}-{number:03d}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"

    def with_private(self, **values: Any) -> TuningJob:
        return TuningJob(replace(self.resource, private={**self.resource.private, **values}))

    def with_body(self, **values: Any) -> TuningJob:
        return TuningJob(replace(self.resource, body={**self.body, **values}))

    def moved(self, status: str, now: float) -> TuningJob:
        """The tuning job in another status; an end has its time with it."""
        changes: dict[str, Any] = {"HyperParameterTuningJobStatus": status}
        if status in TERMINAL:
            changes["HyperParameterTuningEndTime"] = now
            changes["ConsumedResources"] = {"RuntimeInSeconds": self.seconds(now)}
        return TuningJob(replace(self.resource, status=status, body={**self.body, **changes}))


def definitions(request: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The training job definitions of a request or of what Describe shows."""
    if "TrainingJobDefinitions" in request:
        return cast(Sequence[Mapping[str, Any]], request["TrainingJobDefinitions"])
    return (request["TrainingJobDefinition"],)


def image_of(definition: Mapping[str, Any]) -> str:
    """The image or algorithm as the caller named it."""
    specification = definition["AlgorithmSpecification"]
    return str(specification.get("TrainingImage") or specification.get("AlgorithmName") or "")


def builtin_of(definition: Mapping[str, Any]) -> Algorithm | None:
    """The built-in algorithm that a definition trains; None where it runs a program of its own.

    Raises:
        UnsupportedImage: the image does not run here.
    """
    image = resolve(image_of(definition))
    channels = {channel["ChannelName"] for channel in definition.get("InputDataConfig", ())}
    static = definition.get("StaticHyperParameters", {})
    if not image.algorithm or "sagemaker_program" in static or CODE_CHANNEL in channels:
        return None
    return algorithm(image.name)


def child_request(
    definition: Mapping[str, Any],
    name: str,
    tuned: Mapping[str, str],
    *,
    experiment: str,
    tags: Mapping[str, str],
) -> dict[str, Any]:
    """The CreateTrainingJob request of one trial.

    Args:
        definition: with the name of the objective metric among its static hyperparameters.
        name: of the training job.
        tuned: what the search chose.
        experiment: where its run is kept.
        tags: those of the tuning job, which its training jobs have, too.
    """
    copied = (
        "RoleArn",
        "InputDataConfig",
        "VpcConfig",
        "OutputDataConfig",
        "StoppingCondition",
        "EnableNetworkIsolation",
        "EnableInterContainerTrafficEncryption",
        "EnableManagedSpotTraining",
        "RetryStrategy",
        "Environment",
    )
    request: dict[str, Any] = {
        member: definition[member] for member in copied if member in definition
    }
    request["TrainingJobName"] = name
    request["AlgorithmSpecification"] = _specification(definition)
    request["HyperParameters"] = {**definition.get("StaticHyperParameters", {}), **tuned}
    request["ResourceConfig"] = resources(definition)
    request["ExperimentConfig"] = {"ExperimentName": experiment}
    if "CheckpointConfig" in definition:
        # Each trial has a place of its own: none goes on with what another one left.
        given = definition["CheckpointConfig"]
        uri = f"{given['S3Uri'].rstrip('/')}/{name}"
        request["CheckpointConfig"] = {**given, "S3Uri": uri}
    if tags:
        request["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
    return request


def _specification(definition: Mapping[str, Any]) -> dict[str, Any]:
    """The AlgorithmSpecification of a training job: that of a built-in algorithm may not name
    metrics, not even its own, which Describe shows with a tuning job."""
    found = dict(definition["AlgorithmSpecification"])
    builtin = builtin_of(definition)
    if builtin is not None and all(
        metric in _metrics_of(builtin) for metric in found.get("MetricDefinitions", ())
    ):
        found.pop("MetricDefinitions", None)
    return found


def _metrics_of(builtin: Algorithm) -> list[dict[str, str]]:
    return [{"Name": metric.name, "Regex": metric.regex} for metric in builtin.metric_definitions]


def resources(definition: Mapping[str, Any]) -> dict[str, Any]:
    """The ResourceConfig of a definition's training jobs: the first choice where it has several."""
    if "ResourceConfig" in definition:
        return dict(definition["ResourceConfig"])
    given = definition.get("HyperParameterTuningResourceConfig", {})
    first = next(iter(given.get("InstanceConfigs", ())), given)
    members = ("InstanceType", "InstanceCount", "VolumeSizeInGB")
    found = {member: first[member] for member in members if member in first}
    if "VolumeKmsKeyId" in given:
        found["VolumeKmsKeyId"] = given["VolumeKmsKeyId"]
    return found


def as_shown(definition: Mapping[str, Any], metric: str) -> dict[str, Any]:
    """A definition as Describe shows it, and as training jobs are made of it.

    Among the static hyperparameters is the metric that the training jobs are judged by. There is a
    ResourceConfig also where HyperParameterTuningResourceConfig was sent, a time limit, and the
    metrics of a built-in algorithm: the SageMaker SDK attaches to a tuning job by them.
    """
    specification = dict(definition["AlgorithmSpecification"])
    if (builtin := builtin_of(definition)) is not None:
        specification["MetricDefinitions"] = _metrics_of(builtin)[:MOST_METRICS_SHOWN]
    static = {**definition.get("StaticHyperParameters", {}), OBJECTIVE_HYPERPARAMETER: metric}
    return {
        **definition,
        "AlgorithmSpecification": specification,
        "StaticHyperParameters": static,
        "ResourceConfig": resources(definition),
        "StoppingCondition": {
            "MaxRuntimeInSeconds": DEFAULT_MAX_RUNTIME_SECONDS,
            **definition["StoppingCondition"],
        },
    }
