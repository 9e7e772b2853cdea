"""Endpoint configurations: which models, on how many instances, with which share of the traffic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bottega.context import Context
from bottega.errors import ResourceLimitExceeded, ValidationException
from bottega.features.hosting import resources
from bottega.features.hosting.refusals import not_there_yet, refuse_members
from bottega.features.hosting.resources import ENDPOINT_CONFIG, MODEL
from bottega.registry import operation
from bottega.storage import s3_uris

MOST_INSTANCES = 64
"""Model servers of one endpoint; each is a process of this machine."""

_NOT_THERE = ("ExplainerConfig", "MetricsConfig", "CrossRegionTrafficConfig")
_VARIANT_NOT_THERE = (
    "InstancePools",
    "CoreDumpConfig",
    "ManagedInstanceScaling",
    "CapacityReservationConfig",
    "AcceleratorPartitionLayouts",
    "AcceleratorType",
    "EnableSSMAccess",
)
_ROUTING_THERE = ("LEAST_OUTSTANDING_REQUESTS", "RANDOM")
_NOT_SERVERLESS = (
    "InstanceType",
    "InitialInstanceCount",
    "VolumeSizeInGB",
    "RoutingConfig",
    "ContainerStartupHealthCheckTimeoutInSeconds",
    "ModelDataDownloadTimeoutInSeconds",
)
_MEMORY_SIZES = (1024, 2048, 3072, 4096, 5120, 6144)
_SHOWN = (
    "ProductionVariants",
    "ShadowProductionVariants",
    "DataCaptureConfig",
    "AsyncInferenceConfig",
    "KmsKeyId",
    "ExecutionRoleArn",
    "VpcConfig",
)


@operation(
    "CreateEndpointConfig",
    note="Instance-based, serverless, asynchronous and shadow variants, and variants without a "
    "model for inference components; instance types, memory sizes, volumes, keys and VpcConfig are "
    "kept but change nothing here.",
)
def create_endpoint_config(context: Context, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Keep how an endpoint shall serve. A configuration never changes."""
    refuse_members("", request, _NOT_THERE)
    _check_names(request)
    for member in ("ProductionVariants", "ShadowProductionVariants"):
        for index, variant in enumerate(request.get(member, ())):
            _check_variant(context, f"{member}[{index}].", variant)
    _check_hosts(request)
    _check_weights(request["ProductionVariants"])
    _check_shadows(request)
    _check_count(request)
    _check_capture(request.get("DataCaptureConfig"))
    _check_asynchronous(request)
    body = {key: request[key] for key in _SHOWN if request.get(key)}
    for member in ("ProductionVariants", "ShadowProductionVariants"):
        if member in body:
            body[member] = [{"InitialVariantWeight": 1.0, **variant} for variant in body[member]]
    body["EnableNetworkIsolation"] = bool(request.get("EnableNetworkIsolation"))
    created = resources.create(context, ENDPOINT_CONFIG, request, body)
    return {"EndpointConfigArn": created.arn}


@operation("DescribeEndpointConfig")
def describe_endpoint_config(context: Context, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Show one configuration."""
    return resources.find(context, ENDPOINT_CONFIG, request["EndpointConfigName"]).body


@operation("DeleteEndpointConfig")
def delete_endpoint_config(context: Context, request: Mapping[str, Any]) -> None:
    """Forget a configuration. Endpoints made from it go on."""
    resources.delete(context, ENDPOINT_CONFIG, request["EndpointConfigName"])


@operation("ListEndpointConfigs")
def list_endpoint_configs(context: Context, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Configurations, newest first."""
    return resources.list_page(context, ENDPOINT_CONFIG, request)


def _check_names(request: Mapping[str, Any]) -> None:
    production = [variant["VariantName"] for variant in request["ProductionVariants"]]
    for name in production:
        if production.count(name) > 1:
            raise ValidationException(
                f"ProductionVariants names {name!r} twice; each variant needs a name of its own."
            )
    for shadow in request.get("ShadowProductionVariants", ()):
        if shadow["VariantName"] in production:
            raise ValidationException(
                f"ShadowProductionVariants names {shadow['VariantName']!r}, as ProductionVariants "
                "does; each variant needs a name of its own."
            )


def _check_variant(context: Context, where: str, variant: Mapping[str, Any]) -> None:
    refuse_members(where, variant, _VARIANT_NOT_THERE)
    strategy = variant.get("RoutingConfig", {}).get("RoutingStrategy", _ROUTING_THERE[0])
    if strategy not in _ROUTING_THERE:
        raise not_there_yet(f"{where}RoutingConfig.RoutingStrategy {strategy}")
    if serverless := variant.get("ServerlessConfig"):
        _check_serverless(where, variant, serverless)
    else:
        for member in ("InstanceType", "InitialInstanceCount"):
            if not variant.get(member):
                raise ValidationException(f"{where}{member} is missing.")
        if variant["InitialInstanceCount"] < 1:
            raise ValidationException(f"{where}InitialInstanceCount must be at least 1.")
    if "ModelName" in variant:
        resources.find(context, MODEL, variant["ModelName"])


def _check_hosts(request: Mapping[str, Any]) -> None:
    """A variant without a model is for inference components."""
    variants = request["ProductionVariants"]
    without = [index for index, variant in enumerate(variants) if "ModelName" not in variant]
    for index, shadow in enumerate(request.get("ShadowProductionVariants", ())):
        if "ModelName" not in shadow:
            raise ValidationException(f"ShadowProductionVariants[{index}].ModelName is missing.")
    if not without:
        return
    where = f"ProductionVariants[{without[0]}]"
    if len(without) < len(variants):
        raise ValidationException(
            f"{where}.ModelName is missing, and other variants have one: an endpoint is either for "
            "inference components or for models of its own."
        )
    for index, variant in enumerate(variants):
        if variant.get("ServerlessConfig"):
            raise ValidationException(
                f"ProductionVariants[{index}].ModelName is missing: a variant with "
                "ServerlessConfig needs it, as inference components run on instances."
            )
    for member in ("AsyncInferenceConfig", "ShadowProductionVariants"):
        if request.get(member):
            raise ValidationException(
                f"{where}.ModelName is missing: it is needed with {member}, which does not go with "
                "inference components."
            )
    if not request.get("ExecutionRoleArn"):
        raise ValidationException(
            f"ExecutionRoleArn is missing: {where} has no ModelName, so the endpoint is for "
            "inference components, whose servers take their role from it."
        )


def _check_serverless(
    where: str, variant: Mapping[str, Any], serverless: Mapping[str, Any]
) -> None:
    for member in _NOT_SERVERLESS:
        if variant.get(member):
            raise ValidationException(
                f"{where}{member} does not go with {where}ServerlessConfig; leave one of them out."
            )
    if serverless["MemorySizeInMB"] not in _MEMORY_SIZES:
        raise ValidationException(
            f"{where}ServerlessConfig.MemorySizeInMB is {serverless['MemorySizeInMB']}; it must be "
            f"one of {', '.join(map(str, _MEMORY_SIZES))}."
        )
    check_concurrency(f"{where}ServerlessConfig.", serverless)


def check_concurrency(where: str, serverless: Mapping[str, Any]) -> None:
    """
    Raises:
        ValidationException: more is kept warm than may run, or than this machine bears.
    """
    provisioned = serverless.get("ProvisionedConcurrency", 0)
    if provisioned > serverless["MaxConcurrency"]:
        raise ValidationException(
            f"{where}ProvisionedConcurrency is {provisioned}, more than MaxConcurrency, "
            f"{serverless['MaxConcurrency']}."
        )
    if provisioned > MOST_INSTANCES:
        raise ResourceLimitExceeded(
            f"{where}ProvisionedConcurrency asks for more than {MOST_INSTANCES} servers. Each is a "
            "process of this machine; lower it."
        )


def _check_weights(variants: list[Mapping[str, Any]]) -> None:
    if not any(variant.get("InitialVariantWeight", 1.0) for variant in variants):
        raise ValidationException(
            "ProductionVariants gives every variant an InitialVariantWeight of 0, so that none "
            "would get a request; give at least one of them more."
        )


def _check_shadows(request: Mapping[str, Any]) -> None:
    shadows, variants = request.get("ShadowProductionVariants"), request["ProductionVariants"]
    if not shadows:
        return
    if len(shadows) != 1 or len(variants) != 1:
        raise ValidationException(
            f"ShadowProductionVariants has {len(shadows)} and ProductionVariants {len(variants)} "
            "entries; a shadow needs exactly one of each."
        )
    for member, variant in (
        ("ShadowProductionVariants", shadows[0]),
        ("ProductionVariants", variants[0]),
    ):
        if variant.get("ServerlessConfig"):
            raise ValidationException(
                f"{member}[0].ServerlessConfig does not go with ShadowProductionVariants; give the "
                "variant instances."
            )
    if request.get("AsyncInferenceConfig"):
        raise ValidationException(
            "AsyncInferenceConfig does not go with ShadowProductionVariants; leave one of them out."
        )


def _check_count(request: Mapping[str, Any]) -> None:
    everyone = [*request["ProductionVariants"], *request.get("ShadowProductionVariants", ())]
    if sum(variant.get("InitialInstanceCount", 0) for variant in everyone) > MOST_INSTANCES:
        raise ResourceLimitExceeded(
            f"ProductionVariants asks for more than {MOST_INSTANCES} instances together. Each is a "
            "process of this machine; lower InitialInstanceCount."
        )


def _check_capture(capture: Mapping[str, Any] | None) -> None:
    if capture:
        _check_uri("DataCaptureConfig.DestinationS3Uri", capture["DestinationS3Uri"])
        for index, option in enumerate(capture["CaptureOptions"]):
            if not option.get("CaptureMode"):
                raise ValidationException(
                    f"DataCaptureConfig.CaptureOptions[{index}].CaptureMode is missing."
                )


def _check_asynchronous(request: Mapping[str, Any]) -> None:
    asynchronous = request.get("AsyncInferenceConfig")
    if not asynchronous:
        return
    output = asynchronous["OutputConfig"]
    for member in ("S3OutputPath", "S3FailurePath"):
        if output.get(member):
            _check_uri(f"AsyncInferenceConfig.OutputConfig.{member}", output[member])
    for index, variant in enumerate(request["ProductionVariants"]):
        if variant.get("ServerlessConfig"):
            raise ValidationException(
                f"ProductionVariants[{index}].ServerlessConfig does not go with "
                "AsyncInferenceConfig; give the variant instances."
            )


def _check_uri(member: str, uri: str) -> None:
    try:
        s3_uris.split(uri)
    except ValidationException as error:
        raise ValidationException(f"{member}: {error.message}") from error
