"""Tuning jobs for tests: requests, and a bench whose training jobs end as a test says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bottega.features.training.entities import KIND as TRAINING_JOB
from bottega.features.training.entities import Secondary, TrainingJob
from bottega.features.tuning.controller import ROLE, TuningController
from bottega.features.tuning.entities import KIND, TuningJob
from bottega.features.tuning.records import TrialRecord, trial_records
from bottega.jobs.trial_courses import RECORD, ObjectiveCourse, live_courses
from bottega.service_calls import ServiceCaller
from bottega.storage.metadata import Resource
from bottega.studio import Studio
from bottega.testing.requests import XGBOOST_IMAGE, channel

METRIC = "validation:rmse"


def ranges(**given: Any) -> dict[str, Any]:
    """ParameterRanges: (low, high) or (low, high, scaling) with floats, the same with integers, or
    a list of categories.

    >>> ranges(max_depth=(2, 8))
    {'IntegerParameterRanges': [{'Name': 'max_depth', 'MinValue': '2', 'MaxValue': '8'}]}
    """
    found: dict[str, Any] = {}
    for name, values in given.items():
        if isinstance(values, list):
            entry: dict[str, Any] = {"Name": name, "Values": values}
            found.setdefault("CategoricalParameterRanges", []).append(entry)
            continue
        low, high, *scaling = values
        entry = {"Name": name, "MinValue": str(low), "MaxValue": str(high)}
        if scaling:
            entry["ScalingType"] = scaling[0]
        kind = "Integer" if isinstance(low, int) else "Continuous"
        found.setdefault(f"{kind}ParameterRanges", []).append(entry)
    return found


def definition(bucket: str, role: str, **changes: Any) -> dict[str, Any]:
    """A TrainingJobDefinition of XGBoost; ``changes`` replace or add members."""
    found: dict[str, Any] = {
        "StaticHyperParameters": {"num_round": "10", "objective": "reg:squarederror"},
        "AlgorithmSpecification": {"TrainingImage": XGBOOST_IMAGE, "TrainingInputMode": "File"},
        "RoleArn": role,
        "InputDataConfig": [
            channel("train", f"s3://{bucket}/tuning/train", "text/libsvm"),
            channel("validation", f"s3://{bucket}/tuning/validation", "text/libsvm"),
        ],
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/output"},
        "ResourceConfig": {
            "InstanceType": "ml.m5.large",
            "InstanceCount": 1,
            "VolumeSizeInGB": 10,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
    }
    return {name: value for name, value in {**found, **changes}.items() if value is not None}


def tuning_job(
    name: str,
    bucket: str,
    role: str,
    *,
    strategy: str = "Random",
    trials: int | None = 4,
    parallel: int = 2,
    metric: str = METRIC,
    direction: str = "Minimize",
    tuned: Mapping[str, Any] | None = None,
    config: Mapping[str, Any] | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """A CreateHyperParameterTuningJob request of one definition.

    Args:
        tuned: ParameterRanges; eta and max_depth when None.
        config: further members of HyperParameterTuningJobConfig.
        changes: to the training job definition.
    """
    limits = {"MaxParallelTrainingJobs": parallel}
    if trials is not None:
        limits["MaxNumberOfTrainingJobs"] = trials
    if tuned is None:
        tuned = ranges(eta=(0.01, 0.5, "Logarithmic"), max_depth=(2, 8))
    return {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobConfig": {
            "Strategy": strategy,
            "HyperParameterTuningJobObjective": {"Type": direction, "MetricName": metric},
            "ResourceLimits": limits,
            "ParameterRanges": dict(tuned),
            "RandomSeed": 7,
            **(config or {}),
        },
        "TrainingJobDefinition": definition(bucket, role, **changes),
    }


class TuningBench:
    """A studio that runs nothing by itself, and a tuning controller that goes step by step.

    Training jobs are created by their own operation, and end when a test says so.
    """

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.ports = studio.ports
        bucket = self.ports.config.bucket
        for part in ("train", "validation"):
            self.ports.objects.put(bucket, f"tuning/{part}/a", b"1 0:1\n2 0:2\n")
        self.woken: list[str] = []
        self.restart()

    def restart(self) -> None:
        """Another process goes on: nothing is remembered."""
        self.ports.memory.close()
        caller = ServiceCaller(self.studio.registry, self.ports, ROLE, "tuning")
        self.controller = TuningController(self.ports, caller.call, wake=self.woken.append)

    def request(self, name: str = "tune", **changes: Any) -> dict[str, Any]:
        config = self.ports.config
        return tuning_job(name, config.bucket, config.role_arn, **changes)

    def call(self, operation: str, service: str = "sagemaker", /, **request: Any) -> Any:
        return self.studio.registry.call(service, operation, request, self.studio.owner("sdk"))

    def create(self, name: str = "tune", **changes: Any) -> None:
        self.call("CreateHyperParameterTuningJob", **self.request(name, **changes))

    def describe(self, name: str = "tune") -> Any:
        return self.call("DescribeHyperParameterTuningJob", HyperParameterTuningJobName=name)

    def job(self, name: str = "tune") -> TuningJob:
        return TuningJob(self.ports.store.get(KIND, name))

    def reconcile(self, name: str = "tune") -> float | None:
        return self.controller.reconcile(name)

    def records(self, name: str = "tune") -> Sequence[TrialRecord]:
        return trial_records(self.ports).all(self.job(name))

    def children(self, name: str = "tune") -> list[TrainingJob]:
        """The training jobs that are there, in order of creation."""
        found = self.ports.store.get_many(TRAINING_JOB, [one.job for one in self.records(name)])
        return [TrainingJob(found[one.job]) for one in self.records(name) if one.job in found]

    def running(self, name: str = "tune") -> list[TrainingJob]:
        return [child for child in self.children(name) if not child.ended]

    def train(self, child: TrainingJob, *values: float) -> None:
        """A training job has told these values of its objective."""
        course = ObjectiveCourse(len(values), list(range(1, len(values) + 1)), list(values))
        live_courses(self.ports.memory).note(child.name, child.resource.created, course)

    def end(
        self,
        child: TrainingJob,
        *values: float,
        status: Secondary = "Completed",
        reason: str = "AlgorithmError: , exit code: 1",
    ) -> None:
        """A training job ends, having told these values of its objective."""
        course = ObjectiveCourse(len(values), list(range(1, len(values) + 1)), list(values))
        now = self.ports.clock.now()

        def ended(present: Resource) -> Resource:
            job = TrainingJob(present).moved("Downloading", now)
            job = job.failed(reason, now) if status == "Failed" else job.moved(status, now)
            return job.with_private(**{RECORD: course.as_json()}).resource

        self.ports.store.modify(TRAINING_JOB, child.name, ended)
