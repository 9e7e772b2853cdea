"""Where the things of an endpoint's model servers are, and what each server is called."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bottega.config import Config
from bottega.identifiers import sagemaker_arn
from bottega.serving import sockets
from bottega.serving.routing import component_of


@dataclass(frozen=True)
class InstancePlace:
    """One instance of a variant: its identity and where its things are."""

    config: Config
    endpoint: str
    """The name of its route: an endpoint, or an inference component."""
    deployment: str
    variant: str
    number: int
    """From 0."""

    @property
    def id(self) -> str:
        """``i-`` and 17 hexadecimal digits, always the same for the same instance."""
        key = "\0".join((self.endpoint, self.deployment, self.variant, str(self.number)))
        return "i-" + hashlib.sha256(key.encode()).hexdigest()[:17]

    @property
    def folder(self) -> Path:
        root = deployment_folder(self.config, self.endpoint, self.deployment)
        return root / f"{self.variant}-{self.number}"

    @property
    def key(self) -> tuple[str, int]:
        """Which instance of its deployment it is: the variant and the number."""
        return self.variant, self.number

    @property
    def ml_root(self) -> Path:
        """What the model server sees as ``/opt/ml``."""
        return self.folder / "ml"

    @property
    def runs(self) -> Path:
        """One folder a start of the server, numbered from 1."""
        return self.folder / "runs"

    @property
    def socket_folder(self) -> Path:
        return socket_folder_of(self.config, self.folder)

    @property
    def socket(self) -> Path:
        return sockets.socket_path(self.socket_folder)

    @property
    def log_stream(self) -> str:
        return f"{self.variant}/{self.id}"


def endpoints_folder(config: Config) -> Path:
    """``<home>/work/endpoints``, with one folder an endpoint."""
    return config.home / "work" / "endpoints"


def deployment_folder(config: Config, endpoint: str, deployment: str) -> Path:
    """Where everything of one deployment is."""
    return endpoints_folder(config) / endpoint / deployment


def socket_folder_of(config: Config, instance: Path) -> Path:
    """The folder of the socket of the instance that has this folder."""
    parts = instance.relative_to(endpoints_folder(config)).parts
    return sockets.instance_folder(config.home, *parts)


def staged_folder(config: Config, endpoint: str, deployment: str, variant: str) -> Path:
    """Where a variant's model is unpacked, once for all its instances."""
    return deployment_folder(config, endpoint, deployment) / ".models" / variant


def log_group(endpoint: str) -> str:
    """The log group of the model servers of an endpoint or an inference component."""
    if component := component_of(endpoint):
        return f"/aws/sagemaker/InferenceComponents/{component}"
    return f"/aws/sagemaker/Endpoints/{endpoint}"


def owner_arn(config: Config, endpoint: str) -> str:
    """The ARN of the endpoint or inference component that model servers work for."""
    if component := component_of(endpoint):
        return sagemaker_arn(config.region, config.account, "inference-component", component)
    return sagemaker_arn(config.region, config.account, "endpoint", endpoint)


def found_numbers(config: Config, endpoint: str, deployment: str) -> Mapping[str, list[int]]:
    """The numbers of the instances that have a folder, by variant."""
    root = deployment_folder(config, endpoint, deployment)
    found: dict[str, list[int]] = {}
    for path in root.iterdir() if root.is_dir() else ():
        variant, _, number = path.name.rpartition("-")
        if variant and number.isdigit() and not path.name.startswith("."):
            found.setdefault(variant, []).append(int(number))
    return found
