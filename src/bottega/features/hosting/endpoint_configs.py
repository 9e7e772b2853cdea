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

MOST_INSTANCES = 64
"""Model servers of one endpoint; each is a process of this machine."""

_NOT_THERE = (
    "DataCaptureConfig",
    "AsyncInferenceConfig",
    "ExplainerConfig",
    "ShadowProductionVariants",
    "MetricsConfig",
    "CrossRegionTrafficConfig",
)
_VARIANT_NOT_THERE = (
    "ServerlessConfig",
    "InstancePools",
    "CoreDumpConfig",
    "ManagedInstanceScaling",
    "CapacityReservationConfig",
    "AcceleratorPartitionLayouts",
    "AcceleratorType",
    "EnableSSMAccess",
)
_ROUTING_THERE = "LEAST_OUTSTANDING_REQUESTS"
_SHOWN = ("ProductionVariants", "KmsKeyId", "ExecutionRoleArn", "VpcConfig")


@operation(
    "CreateEndpointConfig",
    note="Instance-based variants; instance types, volumes, keys and VpcConfig are kept but change "
    "nothing here.",
)
def create_endpoint_config(context: Context, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Keep how an endpoint shall serve. A configuration never changes."""
    refuse_members("", request, _NOT_THERE)
    variants = request["ProductionVariants"]
    names = [variant["VariantName"] for variant in variants]
    for name in names:
        if names.count(name) > 1:
            raise ValidationException(
                f"ProductionVariants names {name!r} twice; each variant needs a name of its own."
            )
    for index, variant in enumerate(variants):
        _check_variant(context, f"ProductionVariants[{index}].", variant)
    if sum(variant["InitialInstanceCount"] for variant in variants) > MOST_INSTANCES:
        raise ResourceLimitExceeded(
            f"ProductionVariants asks for more than {MOST_INSTANCES} instances together. Each is a "
            "process of this machine; lower InitialInstanceCount."
        )
    body = {key: request[key] for key in _SHOWN if request.get(key)}
    body["ProductionVariants"] = [{"InitialVariantWeight": 1.0, **variant} for variant in variants]
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


def _check_variant(context: Context, where: str, variant: Mapping[str, Any]) -> None:
    refuse_members(where, variant, _VARIANT_NOT_THERE)
    strategy = variant.get("RoutingConfig", {}).get("RoutingStrategy", _ROUTING_THERE)
    if strategy != _ROUTING_THERE:
        raise not_there_yet(f"{where}RoutingConfig.RoutingStrategy {strategy}")
    if not variant.get("ModelName"):
        raise not_there_yet(f"{where}ModelName is missing, and a variant for inference components")
    for member in ("InstanceType", "InitialInstanceCount"):
        if not variant.get(member):
            raise ValidationException(f"{where}{member} is missing.")
    if variant["InitialInstanceCount"] < 1:
        raise ValidationException(f"{where}InitialInstanceCount must be at least 1.")
    resources.find(context, MODEL, variant["ModelName"])
