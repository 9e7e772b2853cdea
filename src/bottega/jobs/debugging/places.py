"""Where the files of a debugged training job are on this machine."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from bottega.config import Config
from bottega.storage.metadata import Resource


@dataclass(frozen=True)
class TrainingPlaces:
    """The folder of a training job while it runs, as its controller lays it out."""

    root: Path

    @classmethod
    def of(cls, config: Config, training: Resource) -> TrainingPlaces:
        """Below the home: ``work/training/<job>[.attempt]``."""
        attempt = int(training.private.get("attempt", 0))
        suffix = f".{attempt}" if attempt else ""
        return cls(config.home / "work" / "training" / f"{training.name}{suffix}")

    def host(self, name: str) -> Path:
        """What the host sees as ``/opt/ml``."""
        return self.root / "hosts" / name

    def profile(self, host: str) -> Path:
        """What the supervisor writes of the machine while the host runs; no host sees it."""
        return self.root / "profile" / host

    def journal(self, uri: str, host: str) -> Path:
        """The file that notes what of the host is below an address in the store."""
        digest = hashlib.sha256(f"{host}\0{uri}".encode()).hexdigest()[:16]
        return self.root / "stored" / digest


@dataclass(frozen=True)
class EvaluationPlaces:
    """The folder of the process that evaluates rules, below the home: ``work/debugger/<session>``.

    The daemon fills ``input``, which the process can only read; it writes to ``output``.
    """

    root: Path

    @classmethod
    def of(cls, config: Config, session: str) -> EvaluationPlaces:
        return cls(config.home / "work" / "debugger" / session)

    def supervisor(self, attempt: int) -> Path:
        return self.root / f"supervisor.{attempt}"

    @property
    def host(self) -> Path:
        """What the process sees as ``/opt/ml``."""
        return self.root / "host"

    @property
    def input(self) -> Path:
        return self.host / "input"

    @property
    def tensors(self) -> Path:
        return self.input / "tensors"

    @property
    def profile(self) -> Path:
        return self.input / "profile"


def host_names(training: Resource) -> tuple[str, ...]:
    """``algo-1`` and so on."""
    count = int(training.body["ResourceConfig"]["InstanceCount"])
    return tuple(f"algo-{n}" for n in range(1, count + 1))


def log_stream(training: Resource, host: str) -> str:
    """The CloudWatch stream of one host of a training job."""
    attempt = int(training.private.get("attempt", 0))
    suffix = f"-{attempt}" if attempt else ""
    return f"{training.name}/{host}-{int(training.created)}{suffix}"
