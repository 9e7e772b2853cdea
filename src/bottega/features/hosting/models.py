"""Models: images, where their data lies, and their environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bottega.algorithms.images import DATA_WRANGLER, UnsupportedImage
from bottega.config import Config
from bottega.context import Context
from bottega.errors import ValidationException
from bottega.features.hosting import resources
from bottega.features.hosting.model_packages import with_package
from bottega.features.hosting.refusals import not_there_yet, refuse_members
from bottega.features.hosting.resources import MODEL
from bottega.model_servers.images import check_docker, resolve
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
    "AdditionalModelDataSources",
    "ContainerMetricsConfig",
)
_SOURCE_MEMBERS_NOT_THERE = ("HubAccessConfig", "ManifestS3Uri", "ETag", "ManifestEtag")
_RESERVED_VARIABLES = "BOTTEGA_"


@operation(
    "CreateModel",
    note="One container in SingleModel or MultiModel mode, or up to 15 in an inference pipeline, "
    "Serial or Direct; of a model package, DescribeModel shows what it resolves to. VpcConfig and "
    "the role are kept but change nothing here.",
)
def create_model(context: Context, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Keep what a model is made of; its data is read when an endpoint deploys it."""
    found = [
        (where, with_package(context, where, container))
        for where, container in _containers(request)
    ]
    for where, container in found:
        _check_container(context.ports.config, where, container)
    check_docker(
        [container for _, container in found],
        isolated=bool(request.get("EnableNetworkIsolation")),
    )
    _check_mode(request, [container for _, container in found])
    body = {key: request[key] for key in _SHOWN if request.get(key)}
    if "PrimaryContainer" in body:
        body["PrimaryContainer"] = found[0][1]
    else:
        body["Containers"] = [container for _, container in found]
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


def _check_container(config: Config, where: str, container: Mapping[str, Any]) -> None:
    refuse_members(where, container, _CONTAINER_MEMBERS_NOT_THERE)
    if container.get("ImageConfig", {}).get("RepositoryAccessMode", "Platform") != "Platform":
        refuse_members(where, container, ("ImageConfig",))
    if not container.get("Image"):
        raise ValidationException(f"{where}Image is missing: it says what serves the model.")
    try:
        image = resolve(config, container["Image"])
    except UnsupportedImage as error:
        raise ValidationException(f"{where}Image: {error}") from error
    if image.name == DATA_WRANGLER and not (
        container.get("ModelDataUrl") or container.get("ModelDataSource")
    ):
        raise ValidationException(
            f"{where}ModelDataUrl is missing: the image {image.name} serves a fitted flow, which a "
            "processing job leaves as model.tar.gz beside its fitted.flow."
        )
    if container.get("Mode") == "MultiModel":
        _check_prefix(where, container)
    else:
        _refuse_cache_setting(where, container)
        _check_data(where, container)
    for variable in container.get("Environment", {}):
        if variable.startswith(_RESERVED_VARIABLES):
            raise ValidationException(
                f"{where}Environment: {variable} is reserved; names that begin with "
                f"{_RESERVED_VARIABLES} are set by bottega."
            )


def _check_mode(request: Mapping[str, Any], containers: list[Mapping[str, Any]]) -> None:
    """What several containers need, and what they may not be."""
    if len(containers) > 1:
        for index, container in enumerate(containers):
            if container.get("Mode") == "MultiModel":
                raise not_there_yet(f"Containers[{index}].Mode MultiModel of several containers")
    hostnames = [one["ContainerHostname"] for one in containers if one.get("ContainerHostname")]
    for name in hostnames:
        if hostnames.count(name) > 1:
            raise ValidationException(
                f"Containers has the ContainerHostname {name!r} twice; each needs its own."
            )
    if request.get("InferenceExecutionConfig", {}).get("Mode") == "Direct":
        if len(containers) < 2:
            raise ValidationException(
                "InferenceExecutionConfig.Mode Direct needs several Containers, of which each "
                "request names one."
            )
        if len(hostnames) < len(containers):
            raise ValidationException(
                "InferenceExecutionConfig.Mode Direct needs a ContainerHostname for each of "
                "Containers, for requests to name."
            )


def _check_prefix(where: str, container: Mapping[str, Any]) -> None:
    """Of a container in MultiModel mode, whose models lie under a prefix."""
    url = container.get("ModelDataUrl")
    source = container.get("ModelDataSource", {}).get("S3DataSource")
    if bool(url) == bool(source):
        raise ValidationException(
            f"{where}Mode MultiModel needs either {where}ModelDataUrl or {where}ModelDataSource, "
            "the S3 prefix under which its models lie."
        )
    if source and (source["S3DataType"] != "S3Prefix" or source["CompressionType"] != "None"):
        raise ValidationException(
            f"{where}ModelDataSource.S3DataSource: Mode MultiModel needs S3DataType S3Prefix and "
            "CompressionType None."
        )
    _split(f"{where}ModelDataUrl", url or source["S3Uri"])


def _refuse_cache_setting(where: str, container: Mapping[str, Any]) -> None:
    """
    Raises:
        ValidationException: a container with one model has settings for several.
    """
    if container.get("MultiModelConfig"):
        raise ValidationException(f"{where}MultiModelConfig needs {where}Mode MultiModel.")


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
