"""A processing job as its operations and its controller see it: views over a stored resource."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, cast

from bottega.config import Config
from bottega.storage.metadata import Resource

KIND = "ProcessingJob"
LOG_GROUP = "/aws/sagemaker/ProcessingJobs"
SYSTEM_METRICS_GROUP = "/bottega/SystemMetrics"
ML_ROOT = "/opt/ml"
TERMINAL = frozenset({"Completed", "Failed", "Stopped"})

Phase = Literal["Starting", "Pending", "Downloading", "Processing", "Uploading"]
"""Where a job in progress is. SageMaker does not show it, so it is in the resource's private part;
a training job's SecondaryStatus is the same."""


@dataclass(frozen=True)
class ProcessingJob:
    """A processing job over its resource. Methods that change something return a new job."""

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
    def phase(self) -> Phase:
        return cast(Phase, self.resource.private["phase"])

    @property
    def ended(self) -> bool:
        return self.status in TERMINAL

    @property
    def image(self) -> str:
        """The image as the caller named it."""
        return str(self.body["AppSpecification"]["ImageUri"])

    @property
    def isolated(self) -> bool:
        """Whether it has no network."""
        return bool(self.body.get("NetworkConfig", {}).get("EnableNetworkIsolation"))

    @property
    def host_names(self) -> tuple[str, ...]:
        count = self.body["ProcessingResources"]["ClusterConfig"]["InstanceCount"]
        return tuple(f"algo-{n}" for n in range(1, count + 1))

    @property
    def inputs(self) -> list[Mapping[str, Any]]:
        """The members of ProcessingInputs."""
        return list(self.body.get("ProcessingInputs", ()))

    @property
    def outputs(self) -> list[Mapping[str, Any]]:
        """The members of ProcessingOutputConfig.Outputs."""
        return list(self.body.get("ProcessingOutputConfig", {}).get("Outputs", ()))

    def log_stream(self, host: str) -> str:
        """The CloudWatch stream of one host."""
        return f"{self.name}/{host}-{int(self.resource.created)}"

    def at(self, phase: Phase, now: float) -> ProcessingJob:
        """The job in another phase."""
        body = dict(self.body)
        if phase == "Downloading":
            body.setdefault("ProcessingStartTime", now)
        private = {**self.resource.private, "phase": phase}
        return ProcessingJob(replace(self.resource, body=body, private=private))

    def moved(self, status: str, now: float, **members: Any) -> ProcessingJob:
        """The job with another ProcessingJobStatus, and further members of its description."""
        body = {**self.body, "ProcessingJobStatus": status, **members}
        if status in TERMINAL:
            body["ProcessingEndTime"] = now
        return ProcessingJob(replace(self.resource, status=status, body=body))


def below_ml_root(path: str) -> str:
    """A ``LocalPath`` below ``/opt/ml``, without a slash at its ends."""
    return posixpath.relpath(posixpath.normpath(path), ML_ROOT)


@dataclass(frozen=True)
class JobFolders:
    """Where the files of one job live while it runs: ``<home>/work/processing/<job>``."""

    root: Path

    @classmethod
    def of(cls, config: Config, name: str) -> JobFolders:
        return cls(works(config) / name)

    @property
    def supervisor(self) -> Path:
        return self.root / "supervisor"

    def host(self, name: str) -> Path:
        """What the host sees as ``/opt/ml``."""
        return self.root / "hosts" / name

    def linked(self, host: str, number: int) -> Path:
        """What a host sees of input ``number`` where it may not write to it."""
        return self.root / "linked" / host / str(number)

    @property
    def staged(self) -> Path:
        """There once staging is complete; says for which kind of runner."""
        return self.root / "staged"

    def note_staged(self, *, shown: bool) -> None:
        """Staging is complete, for a runner that shows mounts or for one that does not."""
        self.staged.write_text("shown" if shown else "own")

    def is_staged(self, *, shown: bool) -> bool:
        """Whether staging is complete for such a runner."""
        wanted = "shown" if shown else "own"
        return self.staged.exists() and self.staged.read_text() == wanted


def works(config: Config) -> Path:
    """The folder with one folder a job."""
    return config.home / "work" / "processing"
