"""Endpoints: what is wanted of them. The controller makes it so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bottega.context import Context
from bottega.errors import ValidationException
from bottega.features.hosting import resources
from bottega.features.hosting.deployments import Deployment, EndpointPlans, VariantPlan, plan
from bottega.features.hosting.refusals import not_found, refuse_members
from bottega.features.hosting.resources import ENDPOINT
from bottega.registry import operation
from bottega.storage.metadata import Resource, ResourceMissing

_IN_PROGRESS = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"})
_RETAINED = {"DesiredWeight": "weight", "DesiredInstanceCount": "instances"}


@operation("CreateEndpoint")
def create_endpoint(context: Context, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Ask for an endpoint; its model servers are started by the controller."""
    refuse_members("", request, ("DeploymentConfig",))
    deployment = plan(context, request["EndpointConfigName"])
    created = resources.create(
        context,
        ENDPOINT,
        request,
        {"EndpointConfigName": deployment.config},
        status="Creating",
        private=EndpointPlans(active=None, target=deployment).to_json(),
    )
    return {"EndpointArn": created.arn}


@operation("DescribeEndpoint")
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
        serving = _serving(context, endpoint.name)
        answer["ProductionVariants"] = [
            _variant_summary(variant, plans.active, serving.get(variant.name, 0))
            for variant in plans.active.variants
        ]
    if plans.target and endpoint.status == "Updating":
        answer["PendingDeploymentSummary"] = {
            "EndpointConfigName": plans.target.config,
            "StartTime": plans.target.started,
            "ProductionVariants": [
                _variant_summary(variant, plans.target, 0)
                | {
                    "InstanceType": variant.instance_type,
                    "VariantStatus": [{"Status": "Creating", "StartTime": plans.target.started}],
                }
                for variant in plans.target.variants
            ],
        }
    return answer


@operation(
    "UpdateEndpoint",
    note="Blue/green, all at once: the new servers take over when all of them are healthy.",
)
def update_endpoint(context: Context, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Ask for another configuration; the old one serves until the new one is healthy."""
    refuse_members("", request, ("DeploymentConfig", "RetainDeploymentConfig"))
    name = request["EndpointName"]
    endpoint = resources.find(context, ENDPOINT, name)
    _refuse_unless_settled(endpoint)
    target = plan(context, request["EndpointConfigName"], _retained(endpoint, request))

    def updating(present: Resource) -> Resource:
        _refuse_unless_settled(present)
        plans = EndpointPlans(active=EndpointPlans.of(present).active, target=target)
        body = {key: value for key, value in present.body.items() if key != "FailureReason"}
        return replace(present, status="Updating", body=body, private=plans.to_json())

    return {"EndpointArn": _modify(context, name, updating).arn}


@operation("DeleteEndpoint")
def delete_endpoint(context: Context, request: Mapping[str, Any]) -> None:
    """Ask for the end of an endpoint; it is gone when its model servers are."""

    def deleting(present: Resource) -> Resource:
        _refuse_in_progress(present)
        return replace(present, status="Deleting")

    _modify(context, request["EndpointName"], deleting)


@operation("ListEndpoints")
def list_endpoints(context: Context, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Endpoints, newest first."""
    return resources.list_page(context, ENDPOINT, request, _summary)


def _summary(endpoint: Resource) -> Mapping[str, Any]:
    return {
        "EndpointName": endpoint.name,
        "EndpointArn": endpoint.arn,
        "CreationTime": endpoint.created,
        "LastModifiedTime": endpoint.modified,
        "EndpointStatus": endpoint.status,
    }


def _modify(context: Context, name: str, change: Any) -> Resource:
    try:
        return context.ports.store.modify(ENDPOINT, name, change)
    except ResourceMissing as error:
        raise not_found(context, ENDPOINT, name) from error


def _refuse_in_progress(endpoint: Resource) -> None:
    if endpoint.status in _IN_PROGRESS:
        raise ValidationException(f'Cannot update in-progress endpoint "{endpoint.arn}".')


def _refuse_unless_settled(endpoint: Resource) -> None:
    _refuse_in_progress(endpoint)
    if endpoint.status != "InService":
        raise ValidationException(
            f'Cannot update endpoint "{endpoint.arn}" with status "{endpoint.status}"; '
            "it can only be deleted."
        )


def _serving(context: Context, name: str) -> Mapping[str, int]:
    """How many servers of each variant answer now."""
    route = context.ports.routes.get(name)
    return {v.name: len(v.instances) for _, v in route.variants()} if route else {}


def _variant_summary(variant: VariantPlan, deployment: Deployment, serving: int) -> dict[str, Any]:
    images = [
        {
            "SpecifiedImage": part.image,
            "ResolvedImage": part.runtime,
            "ResolutionTime": deployment.started,
        }
        for part in variant.model.containers
    ]
    return {
        "VariantName": variant.name,
        "DeployedImages": images,
        "CurrentWeight": variant.weight,
        "DesiredWeight": variant.weight,
        "CurrentInstanceCount": serving,
        "DesiredInstanceCount": variant.instances,
    }


def _retained(endpoint: Resource, request: Mapping[str, Any]) -> Mapping[str, Mapping[str, float]]:
    """What the endpoint's variants keep of their present state, by variant name."""
    active = EndpointPlans.of(endpoint).active
    if not request.get("RetainAllVariantProperties") or active is None:
        return {}
    excluded = {
        entry["VariantPropertyType"]
        for entry in request.get("ExcludeRetainedVariantProperties", ())
    }
    kept = [field for property_, field in _RETAINED.items() if property_ not in excluded]
    return {
        variant.name: {field: float(getattr(variant, field)) for field in kept}
        for variant in active.variants
    }
