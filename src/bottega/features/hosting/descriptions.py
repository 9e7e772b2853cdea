"""DescribeEndpoint: an endpoint as it stands now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bottega.context import Context
from bottega.features.hosting import resources
from bottega.features.hosting.deployments import (
    Deployment,
    EndpointPlans,
    HostPlan,
    Serverless,
    VariantPlan,
)
from bottega.features.hosting.places import InstancePlace
from bottega.features.hosting.resources import ENDPOINT
from bottega.features.hosting.rollout import Rollout
from bottega.registry import Settling, operation
from bottega.serving.routing import VariantRoute

_SHOWN_PHASES = ("Creating", "ActivatingTraffic", "Baking")


@operation("DescribeEndpoint", settling=Settling(ENDPOINT, "EndpointName", resources.IN_PROGRESS))
def describe_endpoint(context: Context, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Show an endpoint as it stands now."""
    endpoint = resources.find(context, ENDPOINT, request["EndpointName"])
    plans = EndpointPlans.of(endpoint)
    answer: dict[str, Any] = {
        **endpoint.body,
        "EndpointStatus": endpoint.status,
        "LastModifiedTime": endpoint.modified,
    }
    if plans.active:
        answer |= _variants(context, endpoint.name, plans.active, plans.before)
        answer |= _settings(plans.active)
    if plans.target and plans.active:
        answer["PendingDeploymentSummary"] = {
            "EndpointConfigName": plans.target.config,
            "StartTime": plans.under_way.started or plans.target.started,
            **_variants(context, endpoint.name, plans.target, None, plans.under_way),
        }
    return answer


def serving(context: Context, endpoint: str, deployment: Deployment) -> Mapping[str, int]:
    """How many servers of each variant of a deployment get requests now."""
    routed = set()
    route = context.ports.routes.get(endpoint)
    if route is not None:
        variants: list[VariantRoute] = [variant for _, variant in route.variants()]
        if route.shadow:
            variants.append(route.shadow.variant)
        routed = {instance.id for variant in variants for instance in variant.instances}
    # An instance that is on its way out has a number beyond those that are wanted, or is not
    # routed any more.
    return {
        plan.name: sum(
            InstancePlace(context.ports.config, endpoint, deployment.id, plan.name, number).id
            in routed
            for number in range(_most(plan, len(routed)))
        )
        for plan in deployment.all_variants
    }


def _most(plan: VariantPlan, routed: int) -> int:
    return max(plan.instances, routed)


def _variants(
    context: Context,
    endpoint: str,
    deployment: Deployment,
    before: Deployment | None,
    rollout: Rollout | None = None,
) -> dict[str, Any]:
    counts = serving(context, endpoint, deployment)
    earlier = {plan.name: plan for plan in before.all_variants} if before else {}

    def shown(plans: tuple[VariantPlan, ...]) -> list[dict[str, Any]]:
        return [
            _summary(plan, deployment, counts[plan.name], earlier.get(plan.name), rollout)
            for plan in plans
        ]

    hosts = [_host(plan) for plan in deployment.hosts]
    answer = {"ProductionVariants": [*shown(deployment.variants), *hosts]}
    if deployment.shadows:
        answer["ShadowProductionVariants"] = shown(deployment.shadows)
    return answer


def _summary(
    plan: VariantPlan,
    deployment: Deployment,
    count: int,
    before: VariantPlan | None,
    rollout: Rollout | None,
) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "VariantName": plan.name,
        "DeployedImages": [
            {
                "SpecifiedImage": part.image,
                "ResolvedImage": part.runtime,
                "ResolutionTime": deployment.started,
            }
            for part in plan.model.containers
        ],
        "CurrentWeight": (before or plan).weight,
        "DesiredWeight": plan.weight,
    }
    if plan.serverless:
        current = (before or plan).serverless or plan.serverless
        answer["CurrentServerlessConfig"] = _serverless(current)
        answer["DesiredServerlessConfig"] = _serverless(plan.serverless)
    else:
        answer["CurrentInstanceCount"] = count
        answer["DesiredInstanceCount"] = plan.instances
    if plan.strategy != "LEAST_OUTSTANDING_REQUESTS":
        answer["RoutingConfig"] = {"RoutingStrategy": plan.strategy}
    if rollout is not None:
        if plan.instance_type:
            answer["InstanceType"] = plan.instance_type
        if rollout.phase in _SHOWN_PHASES:
            answer["VariantStatus"] = [
                {"Status": rollout.phase, "StartTime": rollout.since or deployment.started}
            ]
    elif before is not None and before != plan:
        answer["VariantStatus"] = [{"Status": "Updating"}]
    return answer


def _host(plan: HostPlan) -> dict[str, Any]:
    """A variant for inference components: its instances are this machine, which is there."""
    answer: dict[str, Any] = {
        "VariantName": plan.name,
        "CurrentWeight": plan.weight,
        "DesiredWeight": plan.weight,
        "CurrentInstanceCount": plan.instances,
        "DesiredInstanceCount": plan.instances,
    }
    if plan.strategy != "LEAST_OUTSTANDING_REQUESTS":
        answer["RoutingConfig"] = {"RoutingStrategy": plan.strategy}
    return answer


def _serverless(found: Serverless) -> dict[str, int]:
    answer = {"MemorySizeInMB": found.memory_mb, "MaxConcurrency": found.max_concurrency}
    if found.provisioned:
        answer["ProvisionedConcurrency"] = found.provisioned
    return answer


def _settings(active: Deployment) -> dict[str, Any]:
    """What concerns all variants."""
    answer: dict[str, Any] = {}
    if active.asynchronous:
        answer["AsyncInferenceConfig"] = active.asynchronous
    if capture := active.capture:
        enabled = capture.get("EnableCapture", True)
        answer["DataCaptureConfig"] = {
            "EnableCapture": enabled,
            "CaptureStatus": "Started" if enabled else "Stopped",
            "CurrentSamplingPercentage": capture["InitialSamplingPercentage"],
            "DestinationS3Uri": capture["DestinationS3Uri"],
            "KmsKeyId": capture.get("KmsKeyId", ""),
        }
    return answer
