"""A training job's ``/opt/ml`` in a folder of one's own: for tests of algorithms and scripts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bottega.container.environment import TrainingEnvironment


@dataclass(frozen=True)
class JobFolder:
    """The folder of one host, written as the platform writes it.

    >>> job = JobFolder(Path("/tmp/ml"), {"num_round": "3"})  # doctest: +SKIP
    >>> job.channel("train", "text/csv", {"a.csv": "1,2\\n0,3\\n"})  # doctest: +SKIP
    >>> job.run().returncode  # doctest: +SKIP
    0
    """

    root: Path
    hyperparameters: Mapping[str, str] = field(default_factory=dict)
    image: str = "xgboost"
    hosts: tuple[str, ...] = ("algo-1",)
    host: str = "algo-1"
    environment: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("input/config", "model", "output/data"):
            (self.root / name).mkdir(parents=True, exist_ok=True)
        group = {
            "instance_group_name": "homogeneousCluster",
            "instance_type": "ml.m5.large",
            "hosts": list(self.hosts),
        }
        self.config("hyperparameters", dict(self.hyperparameters))
        self.config("inputdataconfig", {})
        self.config(
            "resourceconfig",
            {
                "current_host": self.host,
                "hosts": list(self.hosts),
                "network_interface_name": "lo",
                "current_instance_type": "ml.m5.large",
                "current_group_name": "homogeneousCluster",
                "instance_groups": [group],
            },
        )

    def config(self, name: str, content: Mapping[str, Any]) -> None:
        """Write one file of ``/opt/ml/input/config``."""
        path = self.root / "input" / "config" / f"{name}.json"
        path.write_text(json.dumps(content))

    def channel(
        self, name: str, content_type: str | None, files: Mapping[str, bytes | str]
    ) -> JobFolder:
        """Add an input channel with these files; returns the job."""
        folder = self.root / "input" / "data" / name
        folder.mkdir(parents=True, exist_ok=True)
        for file, content in files.items():
            path = folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        path = self.root / "input" / "config" / "inputdataconfig.json"
        config = json.loads(path.read_text())
        config[name] = {
            "TrainingInputMode": "File",
            "S3DistributionType": "FullyReplicated",
            "RecordWrapperType": "None",
            **({"ContentType": content_type} if content_type is not None else {}),
        }
        path.write_text(json.dumps(config))
        return self

    def source(self, files: Mapping[str, str]) -> JobFolder:
        """Stage the user's code as the platform does; returns the job."""
        folder = self.root.with_name(f"{self.root.name}-source")
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content)
        with tarfile.open(self.root / "input" / "config" / "sourcedir.tar.gz", "w:gz") as tar:
            for path in sorted(folder.iterdir()):
                tar.add(path, path.name)
        return self

    def variables(self) -> dict[str, str]:
        """The environment of the host's process, without the caller's own."""
        return {
            "BOTTEGA_ML_ROOT": str(self.root),
            "BOTTEGA_IMAGE": self.image,
            "TRAINING_JOB_NAME": self.root.name if len(self.hosts) == 1 else self.root.parent.name,
            "BOTTEGA_HOST_ADDRESSES": json.dumps(dict.fromkeys(self.hosts, "127.0.0.1")),
            **self.environment,
        }

    def read(self) -> TrainingEnvironment:
        """What the job would read of itself."""
        return TrainingEnvironment.read(self.variables())

    def start(self) -> subprocess.Popen[str]:
        """Start the host as a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "bottega.container.train"],
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.root),
                "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry),
                **self.variables(),
            },
            cwd=self.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self) -> subprocess.CompletedProcess[str]:
        """Run the host to its end."""
        return finish([self.start()])[0]

    @property
    def failure(self) -> str:
        """The failure file; empty when there is none."""
        path = self.root / "output" / "failure"
        return path.read_text() if path.exists() else ""


def finish(
    processes: Sequence[subprocess.Popen[str]], *, timeout: float = 120
) -> list[subprocess.CompletedProcess[str]]:
    """Wait for hosts that run together; none is left when this returns."""
    ended = []
    try:
        for process in processes:
            output, errors = process.communicate(timeout=timeout)
            ended.append(
                subprocess.CompletedProcess(process.args, process.returncode, output, errors)
            )
    finally:
        for process in processes:
            process.kill()
            process.wait()
    return ended
