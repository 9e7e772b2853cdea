"""Endpoints: what is wanted of them. The controller makes it so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bottega.context import Context
from bottega.errors import ValidationException
from bottega.features.hosting import history, policies, resources
from bottega.features.hosting.changes import (
    change_endpoint,
    refuse_in_progress,
    refuse_unless_settled,
)
from bottega.features.hosting.component_resources import components_of
from bottega.features.hosting.deployments import Deployment, EndpointPlans
from bottega.features.hosting.planning import plan
from bottega.features.hosting.resources import ENDPOINT
from bottega.features.hosting.rollout import begin
from bottega.registry import operation
from bottega.storage.metadata import Resource

_RETAINED = {"DesiredWeight": "weight", "DesiredInstanceCount": "instances"}
_ALARM = "Alarm"


@operation(
    "CreateEndpoint",
    note="DeploymentConfig is kept for updates with RetainDeploymentConfig.",
)
def create_endpoint(context: Context, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Ask for an endpoint; its model servers are started by the controller."""
    deployment = plan(context, request["EndpointConfigName"])
    policy = request.get("DeploymentConfig", {})
    check_policy(context, policy, deployment)
    kept = history.first(deployment, context.caller.arn, context.ports.clock.now())
    body: dict[str, Any] = {"EndpointConfigName": deployment.config}
    if policy:
        body["LastDeploymentConfig"] = policy
    created = resources.create(
        context, ENDPOINT, request, body, status="Creating", private=kept.to_json()
    )
    return {"EndpointArn": created.arn}


@operation(
    "UpdateEndpoint",
    note="Blue/green (all at once, canary, linear) and rolling, with alarms that roll back.",
)
def update_endpoint(context: Context, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Ask for another configuration; the old one serves until the new one is healthy, and takes
    the traffic back when an alarm says so."""
    name = request["EndpointName"]
    endpoint = resources.find(context, ENDPOINT, name)
    refuse_unless_settled(endpoint)
    target = plan(context, request["EndpointConfigName"], _retained(endpoint, request))
    active = EndpointPlans.of(endpoint).active
    if active and _keeps(request, "DataCaptureConfig"):
        target = replace(target, capture=active.capture)
    _refuse_another_kind(active, target)
    policy = _policy(endpoint, request)
    check_policy(context, policy, target)
    return {"EndpointArn": start_update(context, name, target, policy).arn}


@operation("DeleteEndpoint")
def delete_endpoint(context: Context, request: Mapping[str, Any]) -> None:
    """Ask for the end of an endpoint; it is gone when its model servers are."""

    name = request["EndpointName"]

    def deleting(present: Resource) -> Resource:
        refuse_in_progress(present)
        if on_it := components_of(context.ports, name):
            raise ValidationException(
                f'Cannot delete endpoint "{present.arn}" with inference components '
                f"({', '.join(on_it)}); delete them first."
            )
        return replace(present, status="Deleting")

    change_endpoint(context, name, deleting)


@operation("ListEndpoints")
def list_endpoints(context: Context, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Endpoints, newest first."""
    return resources.list_page(context, ENDPOINT, request, _summary)


def start_update(
    context: Context,
    name: str,
    target: Deployment,
    policy: Mapping[str, Any],
    kind: str = ENDPOINT,
) -> Resource:
    """Have ``target`` take over in the steps of ``policy``.

    Raises:
        ValidationException: the endpoint is not there or not settled.
    """
    rollout = begin(policy, target.instances, context.ports.clock.now(), context.caller.arn)

    def updating(present: Resource) -> Resource:
        refuse_unless_settled(present)
        plans = EndpointPlans.of(present)
        if kind == ENDPOINT:
            _refuse_other_hosts(context, name, plans.active, target)
        kept = replace(
            plans,
            target=target,
            rollout=rollout,
            before=None,
            history=history.begun(plans.history, target, rollout),
        )
        body = {key: value for key, value in present.body.items() if key != "FailureReason"}
        return replace(present, status="Updating", body=body, private=kept.to_json())

    return change_endpoint(context, name, updating, kind)


def check_policy(context: Context, policy: Mapping[str, Any], target: Deployment) -> None:
    """
    Raises:
        ValidationException: the DeploymentConfig cannot be followed, or names an alarm that is not
            there.
    """
    serverless = any(variant.serverless for variant in target.variants)
    policies.check(policy, target.instances, serverless=serverless)
    check_alarms(context, policy)


def check_alarms(context: Context, policy: Mapping[str, Any]) -> None:
    """
    Raises:
        ValidationException: the DeploymentConfig names an alarm that is not there.
    """
    names = policies.Policy.of(policy).alarms
    found = context.ports.store.get_many(_ALARM, names) if names else {}
    for index, name in enumerate(names):
        if name not in found:
            raise ValidationException(
                f"DeploymentConfig.AutoRollbackConfiguration.Alarms[{index}]: could not find the "
                f"alarm {name!r}. Make it with PutMetricAlarm first."
            )


def _policy(endpoint: Resource, request: Mapping[str, Any]) -> Mapping[str, Any]:
    given: Mapping[str, Any] | None = request.get("DeploymentConfig")
    if not request.get("RetainDeploymentConfig"):
        return given or {}
    if given:
        raise ValidationException(
            "DeploymentConfig and RetainDeploymentConfig are both given; use one of them."
        )
    kept: Mapping[str, Any] = endpoint.body.get("LastDeploymentConfig", {})
    return kept


def _refuse_other_hosts(
    context: Context, name: str, active: Deployment | None, target: Deployment
) -> None:
    """An endpoint keeps the variants that inference components are on, as the components were
    planned for them."""
    before = {host.name: host for host in active.hosts} if active else {}
    after = {host.name: host for host in target.hosts}
    for component, variant in components_of(context.ports, name).items():
        if variant not in after:
            raise ValidationException(
                f"EndpointConfigName {target.config} has no variant {variant!r} without a model, "
                f"which the inference component {component} is on."
            )
        for member, what in (("isolated", "EnableNetworkIsolation"), ("strategy", "RoutingConfig")):
            if variant in before and getattr(before[variant], member) != getattr(
                after[variant], member
            ):
                raise ValidationException(
                    f"EndpointConfigName {target.config} has another {what} for variant "
                    f"{variant!r}, which the inference component {component} is on; delete the "
                    "component first."
                )


def _refuse_another_kind(active: Deployment | None, target: Deployment) -> None:
    """An endpoint whose callers send and fetch must not begin to answer, nor the other way."""
    if active and (active.asynchronous is None) != (target.asynchronous is None):
        raise ValidationException(
            f"EndpointConfigName {target.config} "
            + ("has" if target.asynchronous else "has no")
            + " AsyncInferenceConfig, unlike the endpoint's present configuration; make another "
            "endpoint for it."
        )


def _summary(endpoint: Resource) -> Mapping[str, Any]:
    return {
        "EndpointName": endpoint.name,
        "EndpointArn": endpoint.arn,
        "CreationTime": endpoint.created,
        "LastModifiedTime": endpoint.modified,
        "EndpointStatus": endpoint.status,
    }


def _keeps(request: Mapping[str, Any], property_: str) -> bool:
    """Whether UpdateEndpoint shall keep a property of the variants."""
    excluded = [
        entry["VariantPropertyType"]
        for entry in request.get("ExcludeRetainedVariantProperties", ())
    ]
    return bool(request.get("RetainAllVariantProperties")) and property_ not in excluded


def _retained(endpoint: Resource, request: Mapping[str, Any]) -> Mapping[str, Mapping[str, float]]:
    """What the endpoint's variants keep of their present state, by variant name."""
    active = EndpointPlans.of(endpoint).active
    kept = [field for property_, field in _RETAINED.items() if _keeps(request, property_)]
    if active is None:
        return {}
    hosts = {
        host.name: {field: float(getattr(host, field)) for field in kept} for host in active.hosts
    }
    return hosts | {
        variant.name: {
            field: float(getattr(variant, field))
            for field in kept
            if not (field == "instances" and variant.serverless)
        }
        for variant in active.all_variants
    }
