"""What a model is made of, as it was when somebody began to serve it.

A plan holds everything its servers need, so that a model that is deleted later changes nothing, and
who was killed in the middle finds the same plan again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from bottega.algorithms.images import DOCKER, UnsupportedImage
from bottega.config import Config
from bottega.errors import ValidationException
from bottega.model_servers.images import check_docker, resolve
from bottega.storage import s3_uris
from bottega.storage.objects import BucketMissing, ObjectMissing, ObjectStore


@dataclass(frozen=True)
class ModelData:
    """Where a model's files come from."""

    uri: str
    """``s3://bucket/key`` of an archive or a file, or ``s3://bucket/prefix``."""
    archive: bool
    """Whether the object is a tar to be unpacked."""
    prefix: bool = False
    """Whether every object under the URI is a file of the model."""
    several: bool = False
    """Whether the objects under the URI are models, each fetched when it is first asked for."""


@dataclass(frozen=True)
class ContainerPlan:
    """One container of a model: what serves, and with which data."""

    image: str
    """As the model names it."""
    runtime: str
    """What it resolves to; goes into BOTTEGA_IMAGE."""
    environment: Mapping[str, str]
    data: ModelData | None = None
    hostname: str = ""
    """``ContainerHostname``."""

    @property
    def docker(self) -> bool:
        """Whether a Docker engine runs it."""
        return self.runtime == DOCKER

    @property
    def code_uri(self) -> str:
        """The archive with the user's scripts, where the SDK left it outside the model's data."""
        uri = self.environment.get("SAGEMAKER_SUBMIT_DIRECTORY", "")
        return uri if uri.startswith("s3://") else ""

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Read back what :func:`dataclasses.asdict` gave."""
        data = ModelData(**stored["data"]) if stored["data"] else None
        return cls(**{**stored, "data": data})


@dataclass(frozen=True)
class ModelPlan:
    """A model to be served."""

    name: str
    containers: tuple[ContainerPlan, ...]
    """At least one; of an inference pipeline, in the order in which a request goes through them."""
    network: bool
    """Whether its servers may reach a network."""
    direct: bool = False
    """Whether a request names the container that answers it, instead of going through all."""

    @property
    def multi_model(self) -> bool:
        """Whether requests name the model that answers them."""
        return any(container.data and container.data.several for container in self.containers)

    @property
    def last(self) -> ContainerPlan:
        """The container whose answer the caller gets."""
        return self.containers[-1]

    @property
    def pipeline(self) -> bool:
        """Whether several containers answer one after the other."""
        return len(self.containers) > 1

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Read back what :func:`dataclasses.asdict` gave."""
        containers = tuple(ContainerPlan.from_json(one) for one in stored["containers"])
        return cls(**{**stored, "containers": containers})


def plan_model(
    config: Config,
    model: Mapping[str, Any],
    *,
    isolated: bool = False,
    environment: Mapping[str, str] | None = None,
) -> ModelPlan:
    """Write down what a model is made of.

    Args:
        model: what DescribeModel shows of it.
        isolated: whether its servers shall have no network, whatever the model says.
        environment: variables that every container gets over its own.

    Raises:
        ValidationException: an image does not run here.
    """
    primary = model.get("PrimaryContainer")
    described = [primary] if primary else model["Containers"]
    check_docker(described, isolated=isolated or model["EnableNetworkIsolation"])
    return ModelPlan(
        name=model["ModelName"],
        containers=tuple(_container(config, one, environment or {}) for one in described),
        network=not (isolated or model["EnableNetworkIsolation"]),
        direct=model.get("InferenceExecutionConfig", {}).get("Mode") == "Direct",
    )


def check_data(objects: ObjectStore, model: ModelPlan) -> None:
    """Refuse a model whose data or code is not in the object store.

    Raises:
        ValidationException: with SageMaker's words.
    """
    uris: list[tuple[str, bool]] = []
    for container in model.containers:
        if container.data and not container.data.several:  # whose models may come later
            uris.append((container.data.uri, container.data.prefix))
        uris += [(container.code_uri, False)] if container.code_uri else []
    for uri, prefix in uris:
        if not _there(objects, uri, prefix):
            raise ValidationException(f"Could not find model data at {uri}.")


def _container(
    config: Config, container: Mapping[str, Any], environment: Mapping[str, str]
) -> ContainerPlan:
    try:
        image = resolve(config, container["Image"])
    except UnsupportedImage as error:
        raise ValidationException(str(error)) from error
    return ContainerPlan(
        image=container["Image"],
        runtime=image.name,
        environment={**_multi_model(container), **container.get("Environment", {}), **environment},
        data=_data(container),
        hostname=container.get("ContainerHostname", ""),
    )


def _multi_model(container: Mapping[str, Any]) -> Mapping[str, str]:
    if container.get("Mode") != "MultiModel":
        return {}
    cache = container.get("MultiModelConfig", {}).get("ModelCacheSetting", "Enabled")
    return {"SAGEMAKER_MULTI_MODEL": "true", "SAGEMAKER_MULTI_MODEL_CACHE": cache}


def _data(container: Mapping[str, Any]) -> ModelData | None:
    if container.get("Mode") == "MultiModel":
        return ModelData(_prefix_of(container), archive=False, several=True)
    if url := container.get("ModelDataUrl"):
        return ModelData(url, archive=True)
    if source := container.get("ModelDataSource", {}).get("S3DataSource"):
        return ModelData(
            source["S3Uri"],
            archive=source["CompressionType"] == "Gzip",
            prefix=source["S3DataType"] == "S3Prefix",
        )
    return None


def _prefix_of(container: Mapping[str, Any]) -> str:
    """Where the models of a container in MultiModel mode lie."""
    source = container.get("ModelDataSource", {}).get("S3DataSource")
    return str(source["S3Uri"] if source else container["ModelDataUrl"])


def _there(objects: ObjectStore, uri: str, prefix: bool) -> bool:
    bucket, key = s3_uris.split(uri)
    try:
        if prefix:
            return bool(objects.page(bucket, prefix=key, limit=1).objects)
        objects.info(bucket, key)
    except (BucketMissing, ObjectMissing):
        return False
    return True
