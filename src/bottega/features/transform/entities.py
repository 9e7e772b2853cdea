"""A transform job as its operations and its controller see it: views over a stored resource."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self, cast

from bottega.config import Config
from bottega.features.transform.progress import DriverFolder
from bottega.identifiers import sagemaker_arn
from bottega.jobs.phased import PhasedJob
from bottega.model_servers.plans import ModelPlan
from bottega.serving.sockets import runtime_folder

KIND = "TransformJob"
LOG_GROUP = "/aws/sagemaker/TransformJobs"
SERVER_RUNS, DRIVER_RUNS = "server", "driver"
"""Folders of an instance, with one folder for each start of its processes."""
WORK = "transform"
"""The folder below ``<home>/work`` with one folder for each job."""
DEFAULT_TIMEOUT_SECONDS = 600
DEFAULT_RETRIES = 3


def arn_of(config: Config, name: str) -> str:
    """The ARN a job has, or would have."""
    return sagemaker_arn(config.region, config.account, "transform-job", name)


@dataclass(frozen=True)
class TransformJob(PhasedJob):
    """A transform job over its resource."""

    NAMED: ClassVar[str] = "Transform"

    @property
    def slots(self) -> int:
        return self.instance_count

    @property
    def model(self) -> ModelPlan:
        """The model as it was when the job was created."""
        return ModelPlan.from_json(self.resource.private["model"])

    @property
    def finished(self) -> float:
        """When its drivers had ended; once the phase is Uploading."""
        return float(self.resource.private["finished"])

    @property
    def source(self) -> Mapping[str, Any]:
        """The input's S3DataSource."""
        return cast(Mapping[str, Any], self.body["TransformInput"]["DataSource"]["S3DataSource"])

    @property
    def output_path(self) -> str:
        return str(self.body["TransformOutput"]["S3OutputPath"])

    @property
    def instance_count(self) -> int:
        return int(self.body["TransformResources"]["InstanceCount"])

    def member(self, *path: str, default: Any = None) -> Any:
        """A member of the description that may be missing."""
        value: Any = self.body
        for part in path:
            value = value.get(part) if value is not None else None
        return default if value is None else value

    def at(self, phase: str, now: float) -> Self:
        job = super().at(phase, now)
        return job.with_private(finished=now) if phase == "Uploading" else job


@dataclass(frozen=True)
class Instance:
    """One instance of a job: its folders, its streams and its socket."""

    job: str
    number: int
    """From 0."""
    created: float
    """When the job was created."""
    root: Path

    @property
    def id(self) -> str:
        """Stays the same for the job's life, and is another one for a later job of its name."""
        text = f"{self.job}\0{self.number}\0{self.created!r}"
        return f"i-{hashlib.sha256(text.encode()).hexdigest()[:17]}"

    @property
    def driver(self) -> DriverFolder:
        """What the driver has as its ML root."""
        return DriverFolder(self.root / "data")

    @property
    def names(self) -> Path:
        """File with the objects' names in the output, in their order."""
        return self.root / "names.json"

    @property
    def ml_root(self) -> Path:
        """The model server's."""
        return self.root / "ml"

    @property
    def server_runs(self) -> Path:
        return self.root / SERVER_RUNS

    @property
    def driver_runs(self) -> Path:
        return self.root / DRIVER_RUNS

    @property
    def log_stream(self) -> str:
        """Of the model server."""
        return f"{self.job}/{self.id}"

    @property
    def data_log_stream(self) -> str:
        """Of the driver."""
        return f"{self.job}/{self.id}/data-log"

    def socket_folder(self, config: Config) -> Path:
        """For the model server's socket: short, as its address has to be."""
        text = f"{self.job}\0{self.number}\0{self.created!r}"
        digest = hashlib.sha256(text.encode()).hexdigest()
        return runtime_folder(config.home) / f"batch-{digest[:16]}"


@dataclass(frozen=True)
class JobFolders:
    """Where the files of one job live while it runs: ``<home>/work/transform/<job>``."""

    root: Path
    instances: tuple[Instance, ...]

    @classmethod
    def of(cls, config: Config, job: TransformJob) -> JobFolders:
        root = config.home / "work" / WORK / job.name
        instances = tuple(
            Instance(job.name, number, job.resource.created, root / "instances" / str(number))
            for number in range(job.instance_count)
        )
        return cls(root, instances)

    @property
    def model(self) -> Path:
        """The model's files, complete as soon as they are there."""
        return self.root / "model"

    @property
    def staged(self) -> Path:
        """There once everything is laid out."""
        return self.root / "staged"
