"""What a training job knows about itself, and the ``SM_*`` variables a script sees."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from bottega.container.paths import ContainerPaths

# Hyperparameters of the SDK and the platform: not the script's.
RESERVED = frozenset(
    {
        "sagemaker_program",
        "sagemaker_submit_directory",
        "sagemaker_enable_cloudwatch_metrics",
        "sagemaker_container_log_level",
        "sagemaker_job_name",
        "sagemaker_region",
        "sagemaker_s3_output",
        "_tuning_objective_metric",
    }
)
_DISTRIBUTIONS = (
    "sagemaker_mpi_enabled",
    "sagemaker_parameter_server_enabled",
    "sagemaker_torch_distributed_enabled",
)
_INFO = 20


class ConfigurationMissing(Exception):
    """A file of the container contract is absent or unreadable; the platform is at fault."""


@dataclass(frozen=True)
class TrainingEnvironment:
    """A snapshot of the job on this host, from ``/opt/ml/input/config`` and the environment."""

    paths: ContainerPaths
    raw_hyperparameters: Mapping[str, str]
    """As in the request: every value a string."""
    input_data_config: Mapping[str, Mapping[str, Any]]
    resource_config: Mapping[str, Any]
    checkpoint_config: Mapping[str, str] | None = None
    """None when the job has no CheckpointConfig."""
    environment: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, environment: Mapping[str, str] | None = None) -> TrainingEnvironment:
        """Read the configuration of this host.

        Raises:
            ConfigurationMissing: a file that every job has is not there.
        """
        environment = dict(os.environ) if environment is None else environment
        paths = ContainerPaths.of(environment)
        return cls(
            paths=paths,
            raw_hyperparameters=_read(paths.hyperparameters_file, required=True),
            input_data_config=_read(paths.input_data_config_file, required=True),
            resource_config=_read(paths.resource_config_file, required=True),
            checkpoint_config=_read(paths.checkpoint_config_file, required=False) or None,
            environment=environment,
        )

    @cached_property
    def decoded_hyperparameters(self) -> dict[str, Any]:
        """Every value decoded from JSON where it is JSON, else the string itself.

        Framework estimators send JSON (``"\\"x\\""``), plain ones strings (``"x"``); both give
        ``x``.
        """
        return {name: _decode(value) for name, value in self.raw_hyperparameters.items()}

    @cached_property
    def user_hyperparameters(self) -> dict[str, Any]:
        """Decoded, without those of the SDK and the platform."""
        return {
            name: value
            for name, value in self.decoded_hyperparameters.items()
            if name not in RESERVED and not name.startswith("sagemaker_")
        }

    @cached_property
    def framework_parameters(self) -> dict[str, Any]:
        """The ``sagemaker_*`` ones that are not the SDK's standard ones."""
        return {
            name: value
            for name, value in self.decoded_hyperparameters.items()
            if name.startswith("sagemaker_") and name not in RESERVED
        }

    @property
    def channels(self) -> dict[str, Path]:
        """Each channel's folder, by name in order."""
        return {name: self.paths.channel(name) for name in sorted(self.input_data_config)}

    @property
    def hosts(self) -> tuple[str, ...]:
        return tuple(self.resource_config["hosts"])

    @property
    def current_host(self) -> str:
        return str(self.resource_config["current_host"])

    @property
    def master(self) -> str:
        """The host that leads when hosts work together: the first one."""
        return self.hosts[0]

    @property
    def is_master(self) -> bool:
        return self.current_host == self.master

    def address(self, host: str) -> str:
        """The name or address under which to connect to a host of this job.

        Hosts resolve by name; where they cannot, ``BOTTEGA_HOST_ADDRESSES`` maps them.
        """
        addresses = json.loads(self.environment.get("BOTTEGA_HOST_ADDRESSES") or "{}")
        return str(addresses.get(host, host))

    @property
    def job_name(self) -> str:
        name = self.environment.get("TRAINING_JOB_NAME") or ""
        return name or str(self.decoded_hyperparameters.get("sagemaker_job_name", ""))

    @property
    def program(self) -> str:
        """The user's entry point; empty when there is none."""
        given = self.environment.get("SAGEMAKER_PROGRAM") or ""
        return given or str(self.decoded_hyperparameters.get("sagemaker_program") or "")

    @property
    def submit_directory(self) -> str:
        """Where the user's code comes from; empty when it is nowhere but here."""
        given = self.environment.get("SAGEMAKER_SUBMIT_DIRECTORY") or ""
        return given or str(self.decoded_hyperparameters.get("sagemaker_submit_directory") or "")

    @property
    def log_level(self) -> int:
        try:
            return int(self.decoded_hyperparameters.get("sagemaker_container_log_level", _INFO))
        except (TypeError, ValueError):
            return _INFO

    @property
    def checkpoints(self) -> Path | None:
        """The checkpoint folder; None when the job keeps none."""
        if self.checkpoint_config is None:
            return None
        return self.paths.checkpoints(
            self.checkpoint_config.get("LocalPath") or "/opt/ml/checkpoints"
        )

    @cached_property
    def cpus(self) -> int:
        """Cores this host may use."""
        if given := self.environment.get("BOTTEGA_CPUS"):
            return max(1, int(given))
        return (
            len(os.sched_getaffinity(0))
            if hasattr(os, "sched_getaffinity")
            else os.cpu_count() or 1
        )

    @cached_property
    def gpus(self) -> int:
        """NVIDIA GPUs this host may use."""
        visible = self.environment.get("CUDA_VISIBLE_DEVICES")
        if visible is not None:
            return len([part for part in visible.split(",") if part.strip() not in ("", "-1")])
        return _count_gpus()

    def user_arguments(self) -> list[str]:
        """The user's hyperparameters as a command line: ``--name value`` ordered by name."""
        found: list[str] = []
        for name, value in sorted(self.user_hyperparameters.items()):
            found += [f"--{name}" if len(name) > 1 else f"-{name}", _argument(value)]
        return found

    def variables(self) -> dict[str, str]:
        """The ``SM_*`` variables, named and written as the training toolkit does."""
        values: dict[str, Any] = self._facts()
        channels = {name: str(path) for name, path in self.channels.items()}
        values |= {
            "hps": self.user_hyperparameters,
            "framework_params": self.framework_parameters,
            "channels": list(channels),
            "user_args": self.user_arguments(),
            "training_env": self._training_env(values, channels),
        }
        del values["job_name"]
        values |= {f"channel_{name}": path for name, path in channels.items()}
        values |= {f"hp_{name}": value for name, value in self.user_hyperparameters.items()}
        return {f"SM_{name.upper()}": _variable(value) for name, value in values.items()}

    def _facts(self) -> dict[str, Any]:
        """What the variables and ``SM_TRAINING_ENV`` both say, under the same names."""
        config, paths = self.resource_config, self.paths
        groups = {g["instance_group_name"]: g for g in config.get("instance_groups", ())}
        group = config.get("current_group_name", "homogeneousCluster")
        spread = any(self.framework_parameters.get(name) for name in _DISTRIBUTIONS)
        return {
            "hosts": list(self.hosts),
            "current_host": self.current_host,
            "network_interface_name": config.get("network_interface_name", "eth0"),
            "resource_config": config,
            "input_data_config": self.input_data_config,
            "current_instance_type": config.get("current_instance_type", "local"),
            "current_instance_group": group,
            "current_instance_group_hosts": groups.get(group, {}).get("hosts", []),
            "instance_groups": list(groups),
            "instance_groups_dict": groups,
            "distribution_instance_groups": self.framework_parameters.get(
                "sagemaker_distribution_instance_groups", [group] if spread else []
            ),
            "is_hetero": len(groups) > 1,
            "user_entry_point": self.program or None,
            "module_name": self.program.removesuffix(".py") or None,
            "module_dir": self.submit_directory or str(paths.code),
            "framework_module": self.environment.get("SAGEMAKER_TRAINING_MODULE"),
            "log_level": self.log_level,
            "num_cpus": self.cpus,
            "num_gpus": self.gpus,
            "num_neurons": 0,
            "model_dir": str(paths.model),
            "input_dir": str(paths.input),
            "input_config_dir": str(paths.config),
            "output_dir": str(paths.output),
            "output_data_dir": str(paths.output_data),
            "output_intermediate_dir": str(paths.output_intermediate),
            "job_name": self.job_name,
        }

    def _training_env(
        self, facts: Mapping[str, Any], channels: Mapping[str, str]
    ) -> dict[str, Any]:
        return {
            **facts,
            "hyperparameters": self.user_hyperparameters,
            "additional_framework_parameters": self.framework_parameters,
            "channel_input_dirs": channels,
            "master_hostname": self.master,
            "is_master": self.is_master,
            "distribution_hosts": [
                host
                for name in facts["distribution_instance_groups"]
                for host in facts["instance_groups_dict"].get(name, {}).get("hosts", [])
            ],
        }


def _read(path: Path, *, required: bool) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except FileNotFoundError as error:
        if not required:
            return {}
        raise ConfigurationMissing(f"{path} is missing; the platform writes it.") from error
    except (OSError, json.JSONDecodeError) as error:
        raise ConfigurationMissing(f"{path} cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise ConfigurationMissing(f"{path} holds no JSON object.")
    return found


def _decode(value: str) -> Any:
    try:
        return json.loads(value)
    except (ValueError, TypeError):
        return value


def _argument(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):
        return ",".join(f"{name}={item}" for name, item in sorted(value.items()))
    return str(value)


def _variable(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _count_gpus() -> int:
    if (tool := shutil.which("nvidia-smi")) is None:
        return 0
    listing = subprocess.run([tool, "--list-gpus"], capture_output=True, text=True, check=False)
    return sum(line.startswith("GPU ") for line in listing.stdout.splitlines())
