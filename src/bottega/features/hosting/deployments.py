"""Deployments: one attempt to serve an endpoint configuration, as it was when it was asked for.

A deployment holds everything its model servers need, so that a model or configuration that is
deleted later changes nothing, and a controller killed at any line finds the same plan again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bottega.config import Config
from bottega.context import Context
from bottega.features.hosting import resources
from bottega.features.hosting.resources import ENDPOINT_CONFIG, MODEL
from bottega.identifiers import short_id
from bottega.model_servers.plans import ModelPlan, check_data, plan_model
from bottega.serving import sockets
from bottega.storage.metadata import Resource

_STARTUP_TIMEOUT_SECONDS = 240.0


@dataclass(frozen=True)
class VariantPlan:
    """One production variant of a deployment."""

    name: str
    model: ModelPlan
    weight: float
    instances: int
    instance_type: str
    startup_timeout: float
    """Seconds a model server has until it answers its first ping."""

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> VariantPlan:
        """Read back what :func:`dataclasses.asdict` gave."""
        return cls(**{**stored, "model": ModelPlan.from_json(stored["model"])})


@dataclass(frozen=True)
class Deployment:
    """What shall be served, and under which id its folders are kept."""

    id: str
    config: str
    """The endpoint configuration's name."""
    started: float
    """Seconds since the epoch."""
    variants: tuple[VariantPlan, ...]

    def to_json(self) -> dict[str, Any]:
        """What goes into the store."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Deployment:
        """Read back what :meth:`to_json` gave."""
        variants = tuple(VariantPlan.from_json(plan) for plan in stored["variants"])
        return cls(**{**stored, "variants": variants})


@dataclass(frozen=True)
class EndpointPlans:
    """The deployments of an endpoint as its resource has them."""

    active: Deployment | None
    """What serves."""
    target: Deployment | None
    """What shall serve instead as soon as all of it is healthy."""

    @classmethod
    def of(cls, endpoint: Resource) -> EndpointPlans:
        """Read them from the resource's private part."""
        found = {
            key: Deployment.from_json(stored) if stored else None
            for key, stored in (
                ("active", endpoint.private.get("active")),
                ("target", endpoint.private.get("target")),
            )
        }
        return cls(**found)

    def to_json(self) -> dict[str, Any]:
        """The private part."""
        return {
            "active": self.active.to_json() if self.active else None,
            "target": self.target.to_json() if self.target else None,
        }


@dataclass(frozen=True)
class InstancePlace:
    """One instance of a variant: its identity and where its things are."""

    config: Config
    endpoint: str
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
    """The log group of an endpoint's model servers."""
    return f"/aws/sagemaker/Endpoints/{endpoint}"


def places(config: Config, endpoint: str, deployment: Deployment) -> list[InstancePlace]:
    """Every instance of a deployment, by variant and number."""
    return [
        InstancePlace(config, endpoint, deployment.id, variant.name, number)
        for variant in deployment.variants
        for number in range(variant.instances)
    ]


def plan(
    context: Context,
    config_name: str,
    retained: Mapping[str, Mapping[str, float]] | None = None,
) -> Deployment:
    """Write down what an endpoint configuration asks for, and check that it can be had.

    Args:
        retained: by variant name, ``weight`` and ``instances`` that replace the configuration's.

    Raises:
        ValidationException: the configuration, a model or a model's data is not there.
    """
    config = resources.find(context, ENDPOINT_CONFIG, config_name)
    isolated = bool(config.body.get("EnableNetworkIsolation"))
    variants = [
        _variant(context, variant, isolated, (retained or {}).get(variant["VariantName"], {}))
        for variant in config.body["ProductionVariants"]
    ]
    for variant in variants:
        check_data(context.ports.objects, variant.model)
    return Deployment(
        id=f"d-{short_id(10)}",
        config=config_name,
        started=context.ports.clock.now(),
        variants=tuple(variants),
    )


def _variant(
    context: Context, variant: Mapping[str, Any], isolated: bool, retained: Mapping[str, float]
) -> VariantPlan:
    model = resources.find(context, MODEL, variant["ModelName"])
    return VariantPlan(
        name=variant["VariantName"],
        model=plan_model(model.body, isolated=isolated),
        weight=float(retained.get("weight", variant["InitialVariantWeight"])),
        instances=int(retained.get("instances", variant["InitialInstanceCount"])),
        instance_type=variant["InstanceType"],
        startup_timeout=float(
            variant.get("ContainerStartupHealthCheckTimeoutInSeconds", _STARTUP_TIMEOUT_SECONDS)
        ),
    )
