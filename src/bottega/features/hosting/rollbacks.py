"""ListEndpointDeployments and RollBackEndpoint: what an endpoint served before, and going back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from bottega.context import Context
from bottega.errors import ValidationException
from bottega.features.hosting import resources, rollout
from bottega.features.hosting.changes import change_endpoint
from bottega.features.hosting.deployments import Deployment, EndpointPlans, HostPlan, VariantPlan
from bottega.features.hosting.endpoints import start_update
from bottega.features.hosting.planning import check, new_id
from bottega.features.hosting.policies import Policy
from bottega.features.hosting.resources import ENDPOINT
from bottega.features.hosting.rollout import Rollout
from bottega.registry import operation
from bottega.specs.generated.hosting import (
    DeployedVariant,
    DeploymentPhase,
    DeploymentProgress,
    EndpointDeployment,
    ListEndpointDeploymentsRequest,
    ListEndpointDeploymentsResponse,
    RollBackEndpointRequest,
    RollBackEndpointResponse,
)
from bottega.storage.metadata import Resource


@operation("ListEndpointDeployments", service="bottega", note="The last 50 of each endpoint.")
def list_endpoint_deployments(
    context: Context, request: ListEndpointDeploymentsRequest
) -> ListEndpointDeploymentsResponse:
    """Every configuration that an endpoint had or should have had, newest first."""
    plans = EndpointPlans.of(resources.find(context, ENDPOINT, request["EndpointName"]))
    shown = [_shown(entry, plans) for entry in reversed(plans.history)]
    return {"Deployments": shown}


@operation(
    "RollBackEndpoint",
    service="bottega",
    note="Works from the stored deployment: its model and configuration may be deleted, the "
    "model's data may not.",
)
def roll_back_endpoint(
    context: Context, request: RollBackEndpointRequest
) -> RollBackEndpointResponse:
    """While an endpoint is updated, undo that; else bring back what served before."""
    name = request["EndpointName"]
    endpoint = resources.find(context, ENDPOINT, name)
    plans = EndpointPlans.of(endpoint)
    if endpoint.status == "Updating" and plans.target and "DeploymentId" not in request:
        return {"EndpointArn": _undo(context, name, plans.target.id).arn}
    entry = _entry(plans, request.get("DeploymentId"))
    found = Deployment.from_json(entry["deployment"])
    check(context, found)
    target = replace(
        _with_present_capacity(found, plans.active), id=new_id(), started=context.ports.clock.now()
    )
    return {"EndpointArn": start_update(context, name, target, {}).arn}


def _undo(context: Context, name: str, target: str) -> Resource:
    now = context.ports.clock.now()

    def undone(present: Resource) -> Resource:
        plans = EndpointPlans.of(present)
        if present.status != "Updating" or plans.target is None or plans.target.id != target:
            raise ValidationException(
                f'The update of endpoint "{present.arn}" has come to its end meanwhile. Name the '
                "deployment to go back to."
            )
        reason = f"The deployment was rolled back by {context.caller.arn}."
        state = rollout.roll_back(plans.under_way, plans.target.instances, reason, now)
        kept = replace(plans, rollout=state)
        return replace(present, status="RollingBack", private=kept.to_json())

    return change_endpoint(context, name, undone)


def _entry(plans: EndpointPlans, wanted: str | None) -> Mapping[str, Any]:
    """The deployment to go back to: the one that is named, else the one that served before.

    Raises:
        ValidationException: there is none.
    """
    active = plans.active.id if plans.active else ""
    served = [entry for entry in plans.history if entry["outcome"] == "Succeeded"]
    if wanted is None:
        earlier = [entry for entry in served if entry["deployment"]["id"] != active]
        if not earlier:
            raise ValidationException(
                "The endpoint has had no other deployment that served, so there is none to go "
                "back to."
            )
        return earlier[-1]
    for entry in plans.history:
        if entry["deployment"]["id"] != wanted:
            continue
        if wanted == active:
            raise ValidationException(f"DeploymentId {wanted} is what the endpoint serves now.")
        if entry["outcome"] != "Succeeded":
            raise ValidationException(
                f"DeploymentId {wanted} never served: its outcome is {entry['outcome']}. Name one "
                "that did."
            )
        return entry
    raise ValidationException(
        f"The endpoint has no deployment {wanted!r}. ListEndpointDeployments has those that are "
        "remembered."
    )


def _with_present_capacity(found: Deployment, active: Deployment | None) -> Deployment:
    """As many instances as serve now, where the variant is the same: going back must not make an
    endpoint smaller than its traffic."""
    present = {plan.name: plan for plan in active.all_variants} if active else {}
    return found.with_variants(
        {
            plan.name: replace(plan, instances=max(1, present[plan.name].instances))
            for plan in found.all_variants
            if plan.name in present and not plan.serverless and not present[plan.name].serverless
        }
    )


def _shown(entry: Mapping[str, Any], plans: EndpointPlans) -> EndpointDeployment:
    deployment = Deployment.from_json(entry["deployment"])
    active = plans.active.id if plans.active else ""
    shown: EndpointDeployment = {
        "DeploymentId": deployment.id,
        "EndpointConfigName": deployment.config,
        "Outcome": entry["outcome"],
        "StartTime": entry["started"],
        "Active": deployment.id == active,
        "Policy": Policy.of(entry["policy"]).type,
        "RequestedBy": entry["by"],
        "Variants": [
            *(_variant(plan, plan in deployment.shadows) for plan in deployment.all_variants),
            *map(_host, deployment.hosts),
        ],
    }
    if entry["ended"] is not None:
        shown["EndTime"] = entry["ended"]
    if entry["reason"]:
        shown["Reason"] = entry["reason"]
    if plans.target and deployment.id == plans.target.id and entry["ended"] is None:
        shown["Progress"] = progress(plans.under_way, plans.target)
    return shown


def _variant(plan: VariantPlan, shadow: bool) -> DeployedVariant:
    return {
        "VariantName": plan.name,
        "ModelName": plan.model.name,
        "Image": plan.model.last.image,
        "InstanceType": plan.instance_type,
        "InstanceCount": plan.instances,
        "Weight": plan.weight,
        "Serverless": plan.serverless is not None,
        "Shadow": shadow,
    }


def _host(plan: HostPlan) -> DeployedVariant:
    return {
        "VariantName": plan.name,
        "ModelName": "",
        "Image": "",
        "InstanceType": plan.instance_type,
        "InstanceCount": plan.instances,
        "Weight": plan.weight,
        "Serverless": False,
        "Shadow": False,
    }


def progress(state: Rollout, target: Deployment) -> DeploymentProgress:
    """Where an update that is under way stands."""
    policy = Policy.of(state.policy)
    shown: DeploymentProgress = {
        "Phase": cast(DeploymentPhase, state.phase),  # what has come to its end has no progress
        "PhaseStartTime": state.since,
        "TrafficShare": state.share,
        "Step": state.step,
        "Steps": list(policy.steps(target.instances)),
        "Alarms": list(policy.alarms),
    }
    if math.isfinite(ends := rollout.bake_ends(state)):
        shown["PhaseEndTime"] = ends
    return shown
