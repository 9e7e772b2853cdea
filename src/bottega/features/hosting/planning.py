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
    variants, shadows = (
        tuple(
            _variant(context, variant, isolated, (retained or {}).get(variant["VariantName"], {}))
            for variant in config.body.get(member, ())
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
