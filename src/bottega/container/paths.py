"""Where everything of the container contract lies.

``/opt/ml``, or the folder that ``BOTTEGA_ML_ROOT`` names where ``/opt/ml`` cannot be the job's own.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ContainerPaths:
    """The folders and files below one ML root."""

    root: Path

    @classmethod
    def of(cls, environment: Mapping[str, str] | None = None) -> ContainerPaths:
        """The paths of this process, or of a process with that environment."""
        environment = os.environ if environment is None else environment
        return cls(Path(environment.get("BOTTEGA_ML_ROOT") or "/opt/ml"))

    @property
    def input(self) -> Path:
        return self.root / "input"

    @property
    def config(self) -> Path:
        return self.input / "config"

    @property
    def data(self) -> Path:
        return self.input / "data"

    @property
    def code(self) -> Path:
        """Where the user's code is unpacked to."""
        return self.root / "code"

    @property
    def model(self) -> Path:
        return self.root / "model"

    @property
    def output(self) -> Path:
        return self.root / "output"

    @property
    def output_data(self) -> Path:
        return self.output / "data"

    @property
    def output_intermediate(self) -> Path:
        return self.output / "intermediate"

    @property
    def failure(self) -> Path:
        """Its first 1024 characters become the job's FailureReason."""
        return self.output / "failure"

    @property
    def packages(self) -> Path:
        """Where this job's own requirements are installed."""
        return self.root / "packages"

    @property
    def programs(self) -> Path:
        """Commands that stand before the machine's own, in every job."""
        return self.root / "bin"

    @property
    def source_archive(self) -> Path:
        """The user's code as the platform staged it, where it did."""
        return self.config / "sourcedir.tar.gz"

    @property
    def hyperparameters_file(self) -> Path:
        return self.config / "hyperparameters.json"

    @property
    def input_data_config_file(self) -> Path:
        return self.config / "inputdataconfig.json"

    @property
    def resource_config_file(self) -> Path:
        return self.config / "resourceconfig.json"

    @property
    def checkpoint_config_file(self) -> Path:
        return self.config / "checkpointconfig.json"

    def channel(self, name: str) -> Path:
        """The folder of one input channel."""
        return self.data / name

    def pipe(self, name: str) -> Path:
        """What a channel in Pipe mode holds, for the one who feeds its pipes."""
        return self.input / ".pipe" / name

    def checkpoints(self, local_path: str = "/opt/ml/checkpoints") -> Path:
        """The checkpoint folder for a ``CheckpointConfig.LocalPath``."""
        return self.placed(local_path)

    def placed(self, local_path: str) -> Path:
        """The folder for a ``LocalPath`` of a request.

        A path below ``/opt/ml`` means one below this root; any other stands for itself.
        """
        try:
            return self.root / Path(local_path).relative_to("/opt/ml")
        except ValueError:
            return Path(local_path)
