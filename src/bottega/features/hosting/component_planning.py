"""Making a deployment of an inference component's specification."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bottega.context import Context
from bottega.errors import ValidationException
from bottega.features.hosting import resources
from bottega.features.hosting.deployments import (
    DOWNLOAD_TIMEOUT_SECONDS,
    STARTUP_TIMEOUT_SECONDS,
    Deployment,
    EndpointPlans,
    HostPlan,
    VariantPlan,
)
from bottega.features.hosting.planning import check, new_id
from bottega.features.hosting.refusals import not_there_yet, refuse_members
from bottega.features.hosting.resources import MODEL
from bottega.model_servers.plans import ModelPlan, plan_model
from bottega.storage.metadata import Resource

_WHERE = "Specification."
_NOT_THERE = ("BaseInferenceComponentName", "InstanceType")


def host_of(endpoint: Resource, wanted: str | None) -> HostPlan:
    """The variant that an inference component goes to.

    Args:
        wanted: its name; None for the only one there is.

    Raises:
        ValidationException: the endpoint has no such variant, or does not take components now.
    """
    if endpoint.status in ("Deleting", "Failed"):
        raise ValidationException(
            f'Cannot create an inference component on endpoint "{endpoint.arn}" with status '
            f'"{endpoint.status}".'
        )
    plans = EndpointPlans.of(endpoint)
    # While it is updated, those that it has now and will have.
    lasting = [{host.name: host for host in one.hosts} for one in plans.deployments]
    hosts = {name: host for name, host in lasting[-1].items() if all(name in x for x in lasting)}
    if not hosts:
        raise ValidationException(
            f"EndpointName {endpoint.name!r} serves models of its own. Inference components need "
            "an endpoint whose configuration has variants without ModelName."
        )
    if wanted is None and len(hosts) > 1:
        raise ValidationException(
            f"VariantName is missing: the endpoint has {', '.join(sorted(hosts))}; name one."
        )
    found = hosts.get(wanted) if wanted is not None else next(iter(hosts.values()))
    if found is None:
        raise ValidationException(
            f"VariantName is {wanted!r}; the endpoint's variants are {', '.join(sorted(hosts))}."
        )
    return found


def plan_component(
    context: Context,
    endpoint: str,
    host: HostPlan,
    specification: Mapping[str, Any],
    copies: int,
) -> Deployment:
    """Write down what a specification asks for, and check that it can be had.

    Raises:
        ValidationException: it makes no sense, or the model or its data is not there.
    """
    refuse_members(_WHERE, specification, _NOT_THERE)
    _check_resources(specification)
    startup = specification.get("StartupParameters", {})
    variant = VariantPlan(
        name=host.name,
        model=_model(context, host, specification),
        weight=1.0,
        instances=copies,
        instance_type=host.instance_type,
        startup_timeout=float(
            startup.get("ContainerStartupHealthCheckTimeoutInSeconds", STARTUP_TIMEOUT_SECONDS)
        ),
        download_timeout=float(
            startup.get("ModelDataDownloadTimeoutInSeconds", DOWNLOAD_TIMEOUT_SECONDS)
        ),
        strategy=host.strategy,
    )
    name = new_id()
    deployment = Deployment(
        id=name,
        config=name,
        started=context.ports.clock.now(),
        variants=(variant,),
        endpoint=endpoint,
        specification=specification,
    )
    check(context, deployment)
    return deployment


def _model(context: Context, host: HostPlan, specification: Mapping[str, Any]) -> ModelPlan:
    name, container = specification.get("ModelName"), specification.get("Container")
    if bool(name) == bool(container):
        raise ValidationException(
            f"{_WHERE}ModelName and {_WHERE}Container: give one of them, and not both."
        )
    if name:
        described = resources.find(context, MODEL, name).body
    else:
        assert container is not None
        refuse_members(f"{_WHERE}Container.", container, ("ContainerMetricsConfig",))
        if not container.get("Image"):
            raise ValidationException(f"{_WHERE}Container.Image is missing.")
        primary = {key: container[key] for key in ("Image", "Environment") if key in container}
        if "ArtifactUrl" in container:
            primary["ModelDataUrl"] = container["ArtifactUrl"]
        described = {"ModelName": "", "PrimaryContainer": primary, "EnableNetworkIsolation": False}
    plan = plan_model(context.ports.config, described, isolated=host.isolated)
    if plan.multi_model or plan.direct:
        what = "a container of the Mode MultiModel" if plan.multi_model else "the Mode Direct"
        raise not_there_yet(f"{_WHERE}ModelName {name} with {what}")
    return plan


def _check_resources(specification: Mapping[str, Any]) -> None:
    wanted = specification.get("ComputeResourceRequirements")
    if not wanted:
        raise ValidationException(f"{_WHERE}ComputeResourceRequirements is missing.")
    least, most = wanted["MinMemoryRequiredInMb"], wanted.get("MaxMemoryRequiredInMb")
    if most is not None and most < least:
        raise ValidationException(
            f"{_WHERE}ComputeResourceRequirements.MaxMemoryRequiredInMb is {most}, less than "
            f"MinMemoryRequiredInMb, {least}."
        )
