"""A training job as its operations and its controller see it: views over a stored resource."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, cast

from bottega.config import Config
from bottega.jobs.debugging.places import TrainingPlaces, log_stream
from bottega.jobs.trial_courses import OBJECTIVE_HYPERPARAMETER
from bottega.storage.metadata import Resource

KIND = "TrainingJob"
LOG_GROUP = "/aws/sagemaker/TrainingJobs"
SYSTEM_METRICS_GROUP = "/bottega/SystemMetrics"
"""Samples of what each instance uses, in a stream that is called like its log's."""

Secondary = Literal[
    "Pending",
    "Starting",
    "Downloading",
    "Training",
    "Uploading",
    "Restarting",
    "Stopping",
    "Stopped",
    "MaxRuntimeExceeded",
    "Completed",
    "Failed",
]

PRIMARY: Mapping[str, str] = {
    "Pending": "InProgress",
    "Starting": "InProgress",
    "Downloading": "InProgress",
    "Training": "InProgress",
    "Uploading": "InProgress",
    "Restarting": "InProgress",
    "Stopping": "Stopping",
    "Stopped": "Stopped",
    "MaxRuntimeExceeded": "Stopped",
    "Completed": "Completed",
    "Failed": "Failed",
}
"""The TrainingJobStatus that belongs to each SecondaryStatus."""

TERMINAL = frozenset({"Completed", "Failed", "Stopped"})

MESSAGES: Mapping[str, str] = {
    "Starting": "Starting the training job...",
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Uploading": "Uploading generated training model",
    "Restarting": "Restarting the training job",
    "Stopping": "Stopping the training job",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds",
    "Completed": "Training job completed",
}
"""The StatusMessage of each transition, in SageMaker's words."""


@dataclass(frozen=True)
class TrainingJob:
    """A training job over its resource. Methods that change something return a new job."""

    resource: Resource

    @property
    def name(self) -> str:
        return self.resource.name

    @property
    def body(self) -> Mapping[str, Any]:
        return self.resource.body

    @property
    def status(self) -> str:
        return self.resource.status

    @property
    def secondary(self) -> Secondary:
        return cast(Secondary, self.body["SecondaryStatus"])

    @property
    def ended(self) -> bool:
        return self.status in TERMINAL

    @property
    def host_names(self) -> tuple[str, ...]:
        count = self.body["ResourceConfig"]["InstanceCount"]
        return tuple(f"algo-{n}" for n in range(1, count + 1))

    @property
    def hyperparameters(self) -> Mapping[str, str]:
        return cast(Mapping[str, str], self.body.get("HyperParameters", {}))

    @property
    def image(self) -> str:
        """The image as the caller named it."""
        algorithm = self.body["AlgorithmSpecification"]
        return str(algorithm.get("TrainingImage") or algorithm["AlgorithmName"])

    @property
    def attempt(self) -> int:
        """How often the job was started over after bottega lost it; part of its folder's name."""
        return int(self.resource.private.get("attempt", 0))

    @property
    def run_id(self) -> str:
        """The MLflow run that follows this job; empty before there is one."""
        return str(self.resource.private.get("run_id", ""))

    @property
    def cores(self) -> int | None:
        """How many cores it should count on; None for all of the machine."""
        return self.resource.private.get("cores")

    @property
    def live_seconds(self) -> float | None:
        """How often its log is to be read while it runs; None for as often as any job's."""
        return self.resource.private.get("live_seconds")

    @property
    def tuning_objective(self) -> str:
        """The metric that a tuning job judges it by; empty for a job that no tuning job started."""
        if "TuningJobArn" not in self.body:
            return ""
        return self.hyperparameters.get(OBJECTIVE_HYPERPARAMETER, "")

    @property
    def output_prefix(self) -> str:
        """``s3://.../<job>/output``, where the artifacts go."""
        return f"{self.body['OutputDataConfig']['S3OutputPath'].rstrip('/')}/{self.name}/output"

    def log_stream(self, host: str) -> str:
        """The CloudWatch stream of one host."""
        return log_stream(self.resource, host)

    def with_private(self, **values: Any) -> TrainingJob:
        return TrainingJob(
            replace(self.resource, private={**self.resource.private, **values}),
        )

    def with_body(self, **values: Any) -> TrainingJob:
        return TrainingJob(replace(self.resource, body={**self.body, **values}))

    def moved(self, to: Secondary, now: float, message: str = "") -> TrainingJob:
        """The job after a change of status.

        A new transition is appended only when the status changes; otherwise the present one gets
        the new message, as SageMaker does it.
        """
        transitions = [dict(item) for item in self.body["SecondaryStatusTransitions"]]
        text = message or MESSAGES.get(to, to)
        if transitions and transitions[-1]["Status"] == to:
            transitions[-1]["StatusMessage"] = text
        else:
            if transitions:
                transitions[-1].setdefault("EndTime", now)
            transitions.append({"Status": to, "StartTime": now, "StatusMessage": text})
        changes: dict[str, Any] = {
            "TrainingJobStatus": PRIMARY[to],
            "SecondaryStatus": to,
            "SecondaryStatusTransitions": transitions,
        }
        if to == "Downloading":
            changes.setdefault("TrainingStartTime", self.body.get("TrainingStartTime", now))
        if PRIMARY[to] in TERMINAL:
            transitions[-1]["EndTime"] = now
            changes["TrainingEndTime"] = now
            if "TrainingStartTime" in self.body:
                seconds = max(1, round(now - self.body["TrainingStartTime"]))
                changes["TrainingTimeInSeconds"] = seconds
                changes["BillableTimeInSeconds"] = seconds
        resource = replace(self.resource, status=PRIMARY[to], body={**self.body, **changes})
        return TrainingJob(resource)

    def failed(self, reason: str, now: float) -> TrainingJob:
        """The job after a failure; the reason is cut to the 1024 characters SageMaker keeps."""
        job = self.moved("Failed", now, reason[:1024])
        return job.with_body(FailureReason=reason[:1024])

    @property
    def ran(self) -> bool:
        """Whether hosts were started at all."""
        return any(item["Status"] == "Training" for item in self.body["SecondaryStatusTransitions"])


_STAGED = {True: "shown", False: "own"}


@dataclass(frozen=True)
class JobFolders:
    """Where the files of one job live while it runs: ``<home>/work/training/<job>[-attempt]``."""

    root: Path

    @classmethod
    def of(cls, config: Config, job: TrainingJob) -> JobFolders:
        return cls(TrainingPlaces.of(config, job.resource).root)

    @classmethod
    def all(cls, config: Config, name: str) -> tuple[Path, ...]:
        """The folders of all attempts that are there; no job's name has a dot in it."""
        root = config.home / "work" / "training"
        return tuple(path for path in (root / name, *root.glob(f"{name}.*")) if path.exists())

    @property
    def supervisor(self) -> Path:
        return self.root / "supervisor"

    def host(self, name: str) -> Path:
        """What the host sees as ``/opt/ml``."""
        return TrainingPlaces(self.root).host(name)

    def profile(self, host: str) -> Path:
        """What the supervisor writes of the machine while the host runs; no host sees it."""
        return TrainingPlaces(self.root).profile(host)

    def linked(self, host: str, channel: str) -> Path:
        """What a host sees of a channel in FastFile mode, read-only."""
        return self.root / "linked" / host / channel

    def pipe(self, channel: str) -> Path:
        """What the feeders of all hosts see of a channel in Pipe mode, read-only."""
        return self.root / "pipes" / channel

    @property
    def staged(self) -> Path:
        """There once staging is complete; says for which kind of runner, see ``is_staged``."""
        return self.root / "staged"

    def note_staged(self, *, shown: bool) -> None:
        """Staging is complete, for a runner that shows mounts or for one that does not."""
        self.staged.write_text(_STAGED[shown])

    def is_staged(self, *, shown: bool) -> bool:
        """Whether staging is complete for such a runner; a bottega that was restarted may have
        another one."""
        return self.staged.exists() and self.staged.read_text() == _STAGED[shown]
