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

from bottega.algorithms.images import UnsupportedImage, resolve
from bottega.config import Config
from bottega.context import Context
from bottega.errors import ValidationException
from bottega.features.hosting import resources
from bottega.features.hosting.resources import ENDPOINT_CONFIG, MODEL
from bottega.identifiers import short_id
from bottega.serving import sockets
from bottega.storage import s3_uris
from bottega.storage.metadata import Resource
from bottega.storage.objects import BucketMissing, ObjectMissing, ObjectStore

_STARTUP_TIMEOUT_SECONDS = 240.0


@dataclass(frozen=True)
class ModelData:
    """Where a model's files come from."""

    uri: str
    """``s3://bucket/key`` of an archive or a file, or ``s3://bucket/prefix``."""
    archive: bool
    """Whether the object is a tar to be unpacked."""
    prefix: bool = False
    """Whether every object under the URI is a file of the model."""


@dataclass(frozen=True)
class ContainerPlan:
    """One container of a model: what serves, and with which data."""

    image: str
    """As the model names it."""
    runtime: str
    """What it resolves to."""
    environment: Mapping[str, str]
    data: ModelData | None = None

    @property
    def code_uri(self) -> str:
        """The archive with the user's scripts, where the SDK left it outside the model's data."""
        uri = self.environment.get("SAGEMAKER_SUBMIT_DIRECTORY", "")
        return uri if uri.startswith("s3://") else ""


@dataclass(frozen=True)
class VariantPlan:
    """One production variant of a deployment."""

    name: str
    model: str
    image: str
    """As the model names it."""
    runtime: str
    """What it resolves to; goes into BOTTEGA_IMAGE."""
    weight: float
    instances: int
    instance_type: str
    environment: Mapping[str, str]
    network: bool
    startup_timeout: float
    """Seconds a model server has until it answers its first ping."""
    data: ModelData | None = None
    containers: tuple[ContainerPlan, ...] = ()
    """Of an inference pipeline, in the order in which a request goes through them; the members
    above are then those of the last. Empty for a model of one container."""

    @property
    def parts(self) -> tuple[ContainerPlan, ...]:
        """The containers, of a model of one container that one."""
        alone = ContainerPlan(self.image, self.runtime, self.environment, self.data)
        return self.containers or (alone,)


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
        variants = tuple(
            VariantPlan(
                **{
                    **_with_data(plan),
                    "containers": tuple(
                        ContainerPlan(**_with_data(one)) for one in plan.get("containers", ())
                    ),
                }
            )
            for plan in stored["variants"]
        )
        return cls(**{**stored, "variants": variants})


def _with_data(stored: Mapping[str, Any]) -> dict[str, Any]:
    return {**stored, "data": ModelData(**stored["data"]) if stored["data"] else None}


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
        check_data(context.ports.objects, variant)
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
    primary = model.body.get("PrimaryContainer")
    containers = tuple(map(_container, [primary] if primary else model.body["Containers"]))
    last = containers[-1]
    return VariantPlan(
        name=variant["VariantName"],
        model=model.name,
        image=last.image,
        runtime=last.runtime,
        weight=float(retained.get("weight", variant["InitialVariantWeight"])),
        instances=int(retained.get("instances", variant["InitialInstanceCount"])),
        instance_type=variant["InstanceType"],
        environment=last.environment,
        network=not (isolated or model.body["EnableNetworkIsolation"]),
        startup_timeout=float(
            variant.get("ContainerStartupHealthCheckTimeoutInSeconds", _STARTUP_TIMEOUT_SECONDS)
        ),
        data=last.data,
        containers=containers if len(containers) > 1 else (),
    )


def _container(container: Mapping[str, Any]) -> ContainerPlan:
    try:
        image = resolve(container["Image"])
    except UnsupportedImage as error:
        raise ValidationException(str(error)) from error
    return ContainerPlan(
        image=container["Image"],
        runtime=image.name,
        environment=dict(container.get("Environment", {})),
        data=_data(container),
    )


def _data(container: Mapping[str, Any]) -> ModelData | None:
    if url := container.get("ModelDataUrl"):
        return ModelData(url, archive=True)
    if source := container.get("ModelDataSource", {}).get("S3DataSource"):
        return ModelData(
            source["S3Uri"],
            archive=source["CompressionType"] == "Gzip",
            prefix=source["S3DataType"] == "S3Prefix",
        )
    return None


def check_data(objects: ObjectStore, variant: VariantPlan) -> None:
    """Refuse a variant whose model data or code is not in the object store.

    Raises:
        ValidationException: with SageMaker's words.
    """
    uris: list[tuple[str, bool]] = []
    for part in variant.parts:
        uris += [(part.data.uri, part.data.prefix)] if part.data else []
        uris += [(part.code_uri, False)] if part.code_uri else []
    for uri, prefix in uris:
        if not _there(objects, uri, prefix):
            raise ValidationException(f"Could not find model data at {uri}.")


def _there(objects: ObjectStore, uri: str, prefix: bool) -> bool:
    bucket, key = s3_uris.split(uri)
    try:
        if prefix:
            return bool(objects.page(bucket, prefix=key, limit=1).objects)
        objects.info(bucket, key)
    except (BucketMissing, ObjectMissing):
        return False
    return True
