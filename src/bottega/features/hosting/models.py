"""Models: images, where their data lies, and their environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bottega.algorithms.images import DATA_WRANGLER, UnsupportedImage, resolve
from bottega.context import Context
from bottega.errors import ValidationException
from bottega.features.hosting import resources
from bottega.features.hosting.refusals import not_there_yet, refuse_members
from bottega.features.hosting.resources import MODEL
from bottega.registry import operation
from bottega.storage import s3_uris

_SHOWN = (
    "PrimaryContainer",
    "Containers",
    "ExecutionRoleArn",
    "VpcConfig",
    "EnableNetworkIsolation",
    "InferenceExecutionConfig",
)
_CONTAINER_MEMBERS_NOT_THERE = (
    "ModelPackageName",
    "InferenceSpecificationName",
    "AdditionalModelDataSources",
    "MultiModelConfig",
    "ContainerMetricsConfig",
)
_SOURCE_MEMBERS_NOT_THERE = ("HubAccessConfig", "ManifestS3Uri", "ETag", "ManifestEtag")
_RESERVED_VARIABLES = "BOTTEGA_"


@operation(
    "CreateModel",
    note="One container in SingleModel mode, or up to 15 in a serial inference pipeline; VpcConfig "
    "and the role are kept but change nothing here.",
)
def create_model(context: Context, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Keep what a model is made of; its data is read when an endpoint deploys it."""
    for where, container in _containers(request):
        _check_container(where, container)
    if request.get("InferenceExecutionConfig", {}).get("Mode", "Serial") != "Serial":
        raise not_there_yet("InferenceExecutionConfig.Mode Direct")
    body = {key: request[key] for key in _SHOWN if request.get(key)}
    body["EnableNetworkIsolation"] = bool(request.get("EnableNetworkIsolation"))
    return {"ModelArn": resources.create(context, MODEL, request, body).arn}


@operation("DescribeModel")
def describe_model(context: Context, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Show one model."""
    return resources.find(context, MODEL, request["ModelName"]).body


@operation("DeleteModel")
def delete_model(context: Context, request: Mapping[str, Any]) -> None:
    """Forget a model. Endpoints that serve it go on, because they have their own copy."""
    resources.delete(context, MODEL, request["ModelName"])


@operation("ListModels")
def list_models(context: Context, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Models, newest first."""
    return resources.list_page(context, MODEL, request)


def _containers(request: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """The containers of a CreateModel request, each with its path in the request."""
    primary, several = request.get("PrimaryContainer"), request.get("Containers")
    if primary is not None and several:
        raise ValidationException(
            "PrimaryContainer and Containers are both given; a model has one or the other."
        )
    if primary is not None:
        return [("PrimaryContainer.", primary)]
    if not several:
        raise ValidationException("PrimaryContainer is missing: a model needs a container.")
    return [(f"Containers[{index}].", container) for index, container in enumerate(several)]


def _check_container(where: str, container: Mapping[str, Any]) -> None:
    refuse_members(where, container, _CONTAINER_MEMBERS_NOT_THERE)
    if container.get("Mode", "SingleModel") != "SingleModel":
        raise not_there_yet(f"{where}Mode {container['Mode']}")
    if container.get("ImageConfig", {}).get("RepositoryAccessMode", "Platform") != "Platform":
        refuse_members(where, container, ("ImageConfig",))
    if not container.get("Image"):
        raise ValidationException(f"{where}Image is missing: it says what serves the model.")
    try:
        image = resolve(container["Image"])
    except UnsupportedImage as error:
        raise ValidationException(f"{where}Image: {error}") from error
    if image.name == DATA_WRANGLER and not (
        container.get("ModelDataUrl") or container.get("ModelDataSource")
    ):
        raise ValidationException(
            f"{where}ModelDataUrl is missing: the image {image.name} serves a fitted flow, which a "
            "processing job leaves as model.tar.gz beside its fitted.flow."
        )
    _check_data(where, container)
    for variable in container.get("Environment", {}):
        if variable.startswith(_RESERVED_VARIABLES):
            raise ValidationException(
                f"{where}Environment: {variable} is reserved; names that begin with "
                f"{_RESERVED_VARIABLES} are set by bottega."
            )


def _check_data(where: str, container: Mapping[str, Any]) -> None:
    url, source = container.get("ModelDataUrl"), container.get("ModelDataSource")
    if url and source:
        raise ValidationException(
            f"{where}ModelDataUrl and {where}ModelDataSource are both given; use one of them."
        )
    if url:
        _check_archive(f"{where}ModelDataUrl", url)
    if not source:
        return
    s3 = source.get("S3DataSource")
    if not s3:
        raise ValidationException(f"{where}ModelDataSource.S3DataSource is missing.")
    refuse_members(f"{where}ModelDataSource.S3DataSource.", s3, _SOURCE_MEMBERS_NOT_THERE)
    member = f"{where}ModelDataSource.S3DataSource.S3Uri"
    if s3["CompressionType"] == "Gzip":
        if s3["S3DataType"] != "S3Object":
            raise ValidationException(
                f"{where}ModelDataSource.S3DataSource: CompressionType Gzip needs S3DataType "
                "S3Object."
            )
        _check_archive(member, s3["S3Uri"])
    else:
        _split(member, s3["S3Uri"])


def _check_archive(member: str, uri: str) -> None:
    _, key = _split(member, uri)
    if not key or key.endswith("/"):
        raise ValidationException(
            f"{member} is {uri!r}, which names no object; it must name a model.tar.gz."
        )


def _split(member: str, uri: str) -> tuple[str, str]:
    try:
        return s3_uris.split(uri)
    except ValidationException as error:
        raise ValidationException(f"{member}: {error.message}") from error
