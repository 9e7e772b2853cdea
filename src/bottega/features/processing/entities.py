"""A processing job as its operations and its controller see it: views over a stored resource."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from bottega.config import Config
from bottega.jobs.phased import PhasedJob

KIND = "ProcessingJob"
LOG_GROUP = "/aws/sagemaker/ProcessingJobs"
SYSTEM_METRICS_GROUP = "/bottega/SystemMetrics"
WORK = "processing"
"""The folder below ``<home>/work`` with one folder for each job."""


@dataclass(frozen=True)
class ProcessingJob(PhasedJob):
    """A processing job over its resource."""

    NAMED: ClassVar[str] = "Processing"

    @property
    def slots(self) -> int:
        return int(self.body["ProcessingResources"]["ClusterConfig"]["InstanceCount"])

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
        return tuple(f"algo-{n}" for n in range(1, self.slots + 1))

    @property
    def docker(self) -> bool:
        """Whether a Docker engine runs the image."""
        return bool(self.resource.private.get("docker"))

    @property
    def run_id(self) -> str:
        """The MLflow run of this job; empty before there is one."""
        return str(self.resource.private.get("run_id", ""))

    @property
    def inputs(self) -> list[Mapping[str, Any]]:
        """The members of ProcessingInputs that are brought to the job."""
        return ours(self.body.get("ProcessingInputs", ()))

    @property
    def outputs(self) -> list[Mapping[str, Any]]:
        """The members of ProcessingOutputConfig.Outputs that are uploaded."""
        return ours(self.body.get("ProcessingOutputConfig", {}).get("Outputs", ()))

    def log_stream(self, host: str) -> str:
        """The CloudWatch stream of one host."""
        return f"{self.name}/{host}-{int(self.resource.created)}"


def ours(entries: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The inputs or outputs without those that are ``AppManaged``, which the program fetches or
    brings to the store by itself."""
    return [entry for entry in entries if not entry.get("AppManaged")]


@dataclass(frozen=True)
class JobFolders:
    """Where the files of one job live while it runs: ``<home>/work/processing/<job>``."""

    root: Path

    @classmethod
    def of(cls, config: Config, name: str) -> JobFolders:
        return cls(config.home / "work" / WORK / name)

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
