"""What a person says about a search for hyperparameters, as the request that the API takes."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from bottega.algorithms.base import Algorithm
from bottega.config import Config
from bottega.errors import ClientFault
from bottega.nearest import ending
from bottega.sdk.client import Client
from bottega.sdk.ranges import parameter_ranges, recommended
from bottega.sdk.training_request import Training
from bottega.sdk.tuning_job import TuningJob

DEFAULT_JOBS = 20
_DEFINITION = (
    *("AlgorithmSpecification", "RoleArn", "InputDataConfig", "OutputDataConfig"),
    *("ResourceConfig", "StoppingCondition", "Environment"),
)
"""What CreateTrainingJob's request and a training job definition have in common."""


@dataclass(frozen=True)
class TuningSearch:
    """A search. The arguments of ``Session.tune`` say what the members mean."""

    objective_metric: str
    objective_type: str | None = None
    ranges: Mapping[str, Any] | None = None
    strategy: str = "Bayesian"
    max_jobs: int | None = None
    max_parallel_jobs: int = 2
    early_stopping: bool = False
    max_runtime: int | None = None
    target_value: float | None = None
    seed: int | None = None
    resources: tuple[int | None, int | None] | None = None
    warm_start: Sequence[str] = ()
    transfer_learning: bool = False

    def start(
        self,
        client: Client,
        config: Config,
        training: Mapping[str, Any],
        reserved: Collection[str] = (),
    ) -> TuningJob:
        """Bring the data into the store and create the tuning job.

        Args:
            client: of the studio.
            config: of the studio.
            training: what each training job does: arguments of ``Session.train``, and
                hyperparameters by name.
            reserved: the names of the caller's own arguments, for a hint at one misspelt.
        """
        planned = self._training(training)
        ranges = self._ranges(planned)
        told = {**planned, "tuned": frozenset(ranges), "make_name": tuning_job_name}
        trained = Training(**told)
        described = parameter_ranges(ranges, trained.builtin)
        objective = self._objective(trained.builtin)  # before anything is sent
        request = trained.request(client, config, reserved)
        name = request["TrainingJobName"]
        definition = {member: request[member] for member in _DEFINITION if member in request}
        create: dict[str, Any] = {
            "HyperParameterTuningJobName": name,
            "HyperParameterTuningJobConfig": self._config(objective, described),
            "TrainingJobDefinition": definition
            | {"StaticHyperParameters": request["HyperParameters"]},
        }
        if "Tags" in request:
            create["Tags"] = request["Tags"]
        if self.warm_start:
            kind = "TransferLearning" if self.transfer_learning else "IdenticalDataAndAlgorithm"
            create["WarmStartConfig"] = {
                "ParentHyperParameterTuningJobs": [
                    {"HyperParameterTuningJobName": parent} for parent in self.warm_start
                ],
                "WarmStartType": kind,
            }
        client.call("sagemaker", "CreateHyperParameterTuningJob", create)
        return TuningJob(client, name)

    def _training(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Members of a training; what is none is a hyperparameter."""
        if "logs" in given:
            raise ClientFault("tune shows no logs; job.best.logs() has those of the best training")
        if "experiment" in given:
            raise ClientFault(
                "SageMaker's tuning jobs have no experiment; the runs of their training jobs "
                "are in one of their own. Leave experiment out"
            )
        own = {item.name for item in fields(Training)} - {"tuned", "make_name"}
        members = {key: value for key, value in given.items() if key in own and value is not None}
        values = {key: value for key, value in given.items() if key not in own}
        members["hyperparameters"] = {**members.get("hyperparameters", {}), **values}
        return members

    def _ranges(self, training: Mapping[str, Any]) -> Mapping[str, Any]:
        fixed = training["hyperparameters"]
        if self.ranges is None:
            builtin = Training(algorithm=training.get("algorithm")).builtin
            if builtin is None:
                raise ClientFault(
                    "say where to look: ranges={'depth': (2, 8), 'rate': (0.01, 0.3, 'log')}"
                )
            return recommended(builtin, fixed)
        both = [name for name in self.ranges if name in fixed]
        if both:
            raise ClientFault(
                f"{', '.join(both)}: a hyperparameter has either a value or a range; leave one out"
            )
        return self.ranges

    def _objective(self, builtin: Algorithm | None) -> dict[str, str]:
        kind = self.objective_type
        if kind is None:
            if builtin is None:
                raise ClientFault(
                    f"say which way is better for {self.objective_metric}: "
                    'objective_type="Minimize" or "Maximize"'
                )
            known = {metric.name: metric.direction for metric in builtin.metric_definitions}
            if self.objective_metric not in known:
                raise ClientFault(
                    f"{builtin.name} has no metric {self.objective_metric!r}"
                    + ending(self.objective_metric, known)
                    + f" It has {', '.join(known)}"
                )
            kind = known[self.objective_metric]
        return {"Type": kind, "MetricName": self.objective_metric}

    def _config(
        self, objective: Mapping[str, str], ranges: Mapping[str, list[dict[str, Any]]]
    ) -> dict[str, Any]:
        jobs = self.max_jobs
        if jobs is None and self.strategy != "Grid":
            jobs = DEFAULT_JOBS
        limits: dict[str, int] = {"MaxParallelTrainingJobs": self.max_parallel_jobs}
        if jobs is not None:
            limits["MaxNumberOfTrainingJobs"] = jobs
        if self.max_runtime is not None:
            limits["MaxRuntimeInSeconds"] = self.max_runtime
        found: dict[str, Any] = {
            "Strategy": self.strategy,
            "HyperParameterTuningJobObjective": dict(objective),
            "ResourceLimits": limits,
            "ParameterRanges": dict(ranges),
            "TrainingJobEarlyStoppingType": "Auto" if self.early_stopping else "Off",
        }
        if self.target_value is not None:
            found["TuningJobCompletionCriteria"] = {"TargetObjectiveMetricValue": self.target_value}
        if self.seed is not None:
            found["RandomSeed"] = self.seed
        if self.resources is not None:
            ends = zip(("MinResource", "MaxResource"), self.resources, strict=True)
            given = {member: end for member, end in ends if end is not None}
            found["StrategyConfig"] = {"HyperbandStrategyConfig": given}
        return found


def tuning_job_name(base: str) -> str:
    """A name of at most 32 characters that nobody else takes."""
    slug = re.sub(r"[^a-zA-Z0-9]+", "-", base).strip("-")[:11].rstrip("-") or "job"
    return f"{slug}-{time.strftime('%y%m%d-%H%M%S')}-{secrets.token_hex(3)}"
