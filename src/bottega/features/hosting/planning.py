"""Making a deployment of an endpoint configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bottega.context import Context
from bottega.features.hosting import resources
from bottega.features.hosting.deployments import (
    DOWNLOAD_TIMEOUT_SECONDS,
    STARTUP_TIMEOUT_SECONDS,
    Deployment,
    HostPlan,
    Serverless,
    VariantPlan,
)
from bottega.features.hosting.resources import ENDPOINT_CONFIG, MODEL
from bottega.identifiers import short_id
from bottega.model_servers.plans import check_data, plan_model

Retained = Mapping[str, Mapping[str, float]]


def plan(context: Context, config_name: str, retained: Retained | None = None) -> Deployment:
    """Write down what an endpoint configuration asks for, and check that it can be had.

    Args:
        retained: by variant name, ``weight`` and ``instances`` that replace the configuration's.

    Raises:
        ValidationException: the configuration, a model or a model's data is not there.
    """
    config = resources.find(context, ENDPOINT_CONFIG, config_name)
    isolated = bool(config.body.get("EnableNetworkIsolation"))
    kept = retained or {}
    variants, shadows = (
        tuple(
            _variant(context, variant, isolated, kept.get(variant["VariantName"], {}))
            for variant in config.body.get(member, ())
            if "ModelName" in variant
        )
        for member in ("ProductionVariants", "ShadowProductionVariants")
    )
    deployment = Deployment(
        id=new_id(),
        config=config_name,
        started=context.ports.clock.now(),
        variants=variants,
        shadows=shadows,
        capture=config.body.get("DataCaptureConfig"),
        asynchronous=config.body.get("AsyncInferenceConfig"),
        hosts=tuple(
            _host(variant, isolated, kept.get(variant["VariantName"], {}))
            for variant in config.body["ProductionVariants"]
            if "ModelName" not in variant
        ),
    )
    check(context, deployment)
    return deployment


def check(context: Context, deployment: Deployment) -> None:
    """
    Raises:
        ValidationException: the data of one of its models is not in the object store.
    """
    for variant in deployment.all_variants:
        check_data(context.ports.objects, variant.model)


def new_id() -> str:
    """A name for a deployment and its folder."""
    return f"d-{short_id(10)}"


def _host(variant: Mapping[str, Any], isolated: bool, retained: Mapping[str, float]) -> HostPlan:
    return HostPlan(
        name=variant["VariantName"],
        instances=int(retained.get("instances", variant["InitialInstanceCount"])),
        instance_type=variant["InstanceType"],
        weight=float(retained.get("weight", variant["InitialVariantWeight"])),
        strategy=variant.get("RoutingConfig", {}).get(
            "RoutingStrategy", "LEAST_OUTSTANDING_REQUESTS"
        ),
        isolated=isolated,
    )


def _variant(
    context: Context, variant: Mapping[str, Any], isolated: bool, retained: Mapping[str, float]
) -> VariantPlan:
    model = resources.find(context, MODEL, variant["ModelName"])
    serverless = variant.get("ServerlessConfig")
    routing = variant.get("RoutingConfig", {})
    instances = 0 if serverless else variant["InitialInstanceCount"]
    return VariantPlan(
        name=variant["VariantName"],
        model=plan_model(context.ports.config, model.body, isolated=isolated),
        weight=float(retained.get("weight", variant["InitialVariantWeight"])),
        instances=0 if serverless else int(retained.get("instances", instances)),
        instance_type=variant.get("InstanceType", ""),
        startup_timeout=float(
            variant.get("ContainerStartupHealthCheckTimeoutInSeconds", STARTUP_TIMEOUT_SECONDS)
        ),
        download_timeout=float(
            variant.get("ModelDataDownloadTimeoutInSeconds", DOWNLOAD_TIMEOUT_SECONDS)
        ),
        strategy=routing.get("RoutingStrategy", "LEAST_OUTSTANDING_REQUESTS"),
        serverless=Serverless(
            serverless["MemorySizeInMB"],
            serverless["MaxConcurrency"],
            serverless.get("ProvisionedConcurrency", 0),
        )
        if serverless
        else None,
    )
