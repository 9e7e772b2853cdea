"""Inference components: models that share an endpoint, each with copies of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bottega import listing
from bottega.context import Context
from bottega.errors import ResourceLimitExceeded, ValidationException
from bottega.features.hosting import history, resources
from bottega.features.hosting.changes import (
    change_endpoint,
    refuse_in_progress,
    refuse_unless_settled,
)
from bottega.features.hosting.component_planning import host_of, plan_component
from bottega.features.hosting.component_resources import copies, copies_on
from bottega.features.hosting.deployments import Deployment, EndpointPlans
from bottega.features.hosting.descriptions import serving
from bottega.features.hosting.endpoint_configs import MOST_INSTANCES
from bottega.features.hosting.endpoints import check_alarms, start_update
from bottega.features.hosting.refusals import refuse_members
from bottega.features.hosting.resources import COMPONENT, ENDPOINT
from bottega.registry import Settling, operation
from bottega.serving.routing import component_route
from bottega.storage.metadata import Resource

_IN_PROGRESS = frozenset({"Creating", "Updating", "Deleting"})
"""Statuses that a component leaves by itself."""
_FAILED = ("Failed", "UpdateRollbackFailed")
"""SageMaker has one word for both where components are concerned."""
_PLACE = ("EndpointName", "EndpointArn", "VariantName")


@operation(
    "CreateInferenceComponent",
    note="Each copy is a model server of its own; compute requirements, caching and placement are "
    "kept but change nothing here. Adapters are refused.",
)
def create_inference_component(context: Context, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Ask for a model on an endpoint; its copies are started by the controller."""
    refuse_members("", request, ("Specifications",))
    endpoint = resources.find(context, ENDPOINT, request["EndpointName"])
    host = host_of(endpoint, request.get("VariantName"))
    for member in ("Specification", "RuntimeConfig"):
        if not request.get(member):
            raise ValidationException(f"{member} is missing.")
    wanted = request["RuntimeConfig"]["CopyCount"]
    _check_copies(context, endpoint.name, request["InferenceComponentName"], wanted)
    target = plan_component(context, endpoint.name, host, request["Specification"], wanted)
    kept = history.first(target, context.caller.arn, context.ports.clock.now())
    body = {
        "EndpointName": endpoint.name,
        "EndpointArn": endpoint.arn,
        "VariantName": host.name,
    }
    created = resources.create(
        context, COMPONENT, request, body, status="Creating", private=kept.to_json()
    )
    _claim_host(context, created)
    return {"InferenceComponentArn": created.arn}


@operation(
    "DescribeInferenceComponent",
    settling=Settling(COMPONENT, "InferenceComponentName", _IN_PROGRESS),
)
def describe_inference_component(context: Context, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Show an inference component as it stands now."""
    component = resources.find(context, COMPONENT, request["InferenceComponentName"])
    plans, route = EndpointPlans.of(component), component_route(component.name)
    deployment = _deployment(plans)
    answering = sum(sum(serving(context, route, one).values()) for one in plans.deployments)
    return {
        **component.body,
        "Specification": _specification(deployment),
        "RuntimeConfig": {
            "DesiredCopyCount": deployment.instances,
            "CurrentCopyCount": answering,
        },
        "InferenceComponentStatus": _status(component),
        "LastModifiedTime": component.modified,
    }


@operation("ListInferenceComponents")
def list_inference_components(context: Context, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Inference components, newest first."""
    shown: list[Mapping[str, Any]] = []
    asked = dict(request)
    while True:  # until there is one to show, as a page may have none of the endpoint's
        page = listing.page(
            context,
            "ListInferenceComponents",
            COMPONENT,
            asked,
            statuses=_FAILED if request.get("StatusEquals") == "Failed" else (),
        )
        shown += [_summary(found) for found in page.resources if _is_wanted(found, request)]
        if shown or not page.next_token:
            break
        asked["NextToken"] = page.next_token
    answer: dict[str, Any] = {"InferenceComponents": shown}
    if page.next_token:
        answer["NextToken"] = page.next_token
    return answer


@operation("UpdateInferenceComponent", note="All copies at once, or rolling.")
def update_inference_component(context: Context, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Ask for another model or another number of copies; the old copies serve until the new ones
    are healthy."""
    refuse_members("", request, ("Specifications",))
    name, runtime = request["InferenceComponentName"], request.get("RuntimeConfig")
    specification = request.get("Specification")
    if specification is None:
        if runtime is None:
            raise ValidationException(
                "Specification and RuntimeConfig are missing; give what shall change."
            )
        if request.get("DeploymentConfig"):
            raise ValidationException("DeploymentConfig goes with Specification, which is missing.")
        return {"InferenceComponentArn": _resize(context, name, runtime["CopyCount"]).arn}
    component = resources.find(context, COMPONENT, name)
    refuse_unless_settled(component)
    wanted = runtime["CopyCount"] if runtime else copies(component)
    on = component.body["EndpointName"]
    _check_copies(context, on, name, wanted)
    endpoint = resources.find(context, ENDPOINT, on)
    host = host_of(endpoint, component.body["VariantName"])
    target = plan_component(context, on, host, specification, wanted)
    policy = request.get("DeploymentConfig", {})
    check_alarms(context, policy)
    return {"InferenceComponentArn": start_update(context, name, target, policy, COMPONENT).arn}


@operation("UpdateInferenceComponentRuntimeConfig")
def update_inference_component_runtime_config(
    context: Context, request: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Ask for another number of copies; those that go answer first what they have."""
    wanted = request["DesiredRuntimeConfig"]["CopyCount"]
    return {
        "InferenceComponentArn": _resize(context, request["InferenceComponentName"], wanted).arn
    }


@operation("DeleteInferenceComponent")
def delete_inference_component(context: Context, request: Mapping[str, Any]) -> None:
    """Ask for the end of an inference component; it is gone when its copies are."""

    def deleting(present: Resource) -> Resource:
        refuse_in_progress(present)
        return replace(present, status="Deleting")

    change_endpoint(context, request["InferenceComponentName"], deleting, COMPONENT)


def _claim_host(context: Context, created: Resource) -> None:
    """Make the endpoint a newer one: who is about to delete it, or to take the variant away, has to
    look again, and finds the component. One that comes too late is taken back.

    Raises:
        ValidationException: it came too late.
    """

    def claimed(endpoint: Resource) -> Resource:
        host_of(endpoint, created.body["VariantName"])
        return replace(endpoint)

    try:
        change_endpoint(context, created.body["EndpointName"], claimed)
    except ValidationException:
        change_endpoint(
            context, created.name, lambda present: replace(present, status="Deleting"), COMPONENT
        )
        raise


def _resize(context: Context, name: str, wanted: int) -> Resource:
    def updating(present: Resource) -> Resource:
        refuse_unless_settled(present)
        _check_copies(context, present.body["EndpointName"], name, wanted)
        plans = EndpointPlans.of(present)
        assert plans.active is not None
        (plan,) = plans.active.variants
        resized = plans.active.with_variants({plan.name: replace(plan, instances=wanted)})
        body = {key: value for key, value in present.body.items() if key != "FailureReason"}
        kept = replace(history.resized(plans, resized), before=plans.active)
        return replace(present, status="Updating", body=body, private=kept.to_json())

    return change_endpoint(context, name, updating, COMPONENT)


def _check_copies(context: Context, endpoint: str, component: str, wanted: int) -> None:
    if wanted + copies_on(context.ports, endpoint, but=component) > MOST_INSTANCES:
        raise ResourceLimitExceeded(
            f"CopyCount {wanted} would give the inference components of endpoint {endpoint} more "
            f"than {MOST_INSTANCES} copies together. Each is a process of this machine; lower it."
        )


def _deployment(plans: EndpointPlans) -> Deployment:
    """What serves or shall serve; of a component that has failed, what should have served."""
    return plans.active or plans.target or Deployment.from_json(plans.history[-1]["deployment"])


def _specification(deployment: Deployment) -> Mapping[str, Any]:
    found: dict[str, Any] = dict(deployment.specification or {})
    if container := found.get("Container"):
        served = deployment.variants[0].model.last
        found["Container"] = {
            "DeployedImage": {
                "SpecifiedImage": served.image,
                "ResolvedImage": served.runtime,
                "ResolutionTime": deployment.started,
            },
            **{key: value for key, value in container.items() if key != "Image"},
        }
    return found


def _status(component: Resource) -> str:
    return "Failed" if component.status in _FAILED else component.status


def _is_wanted(component: Resource, request: Mapping[str, Any]) -> bool:
    return all(
        component.body[member] == request[f"{member}Equals"]
        for member in ("EndpointName", "VariantName")
        if f"{member}Equals" in request
    )


def _summary(component: Resource) -> Mapping[str, Any]:
    return {
        "InferenceComponentName": component.name,
        "InferenceComponentArn": component.arn,
        "InferenceComponentStatus": _status(component),
        "CreationTime": component.created,
        "LastModifiedTime": component.modified,
        **{member: component.body[member] for member in _PLACE},
    }
