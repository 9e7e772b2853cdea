"""The operations on scaling policies."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bottega.context import Context
from bottega.errors import LimitExceededException, ObjectNotFoundException, ValidationException
from bottega.features.autoscaling import entities, stepping
from bottega.features.autoscaling.decisions import Rules
from bottega.features.autoscaling.entities import COPIES, INSTANCES, POLICY, PROVISIONED, TargetKey
from bottega.registry import operation
from bottega.specs.generated.autoscaling import (
    DeleteScalingPolicyRequest,
    DescribeScalingPoliciesRequest,
    PutScalingPolicyRequest,
)
from bottega.storage.metadata import Resource, ResourceExists, ResourceMissing, ResourceQuery

INVOCATIONS = "SageMakerVariantInvocationsPerInstance"
CONCURRENCY = "SageMakerVariantConcurrentRequestsPerModelHighResolution"
UTILIZATION = "SageMakerVariantProvisionedConcurrencyUtilization"
COPY_INVOCATIONS = "SageMakerInferenceComponentInvocationsPerCopy"
COPY_CONCURRENCY = "SageMakerInferenceComponentConcurrentRequestsPerCopyHighResolution"
TRACKING = "TargetTrackingScalingPolicyConfiguration"
STEPS = "StepScalingPolicyConfiguration"
_PREDEFINED = {
    INSTANCES: (INVOCATIONS, CONCURRENCY),
    PROVISIONED: (UTILIZATION,),
    COPIES: (COPY_INVOCATIONS, COPY_CONCURRENCY),
}
_MOST_POLICIES = 50
_COOLDOWN = 300


@operation(
    "PutScalingPolicy",
    service="application-autoscaling",
    note="Target tracking and step scaling; predictive scaling is refused. A target tracking "
    "policy looks at its metric itself, by periods of autoscaling_period_seconds, and makes no "
    "alarms.",
)
def put_scaling_policy(context: Context, request: PutScalingPolicyRequest) -> dict[str, Any]:
    """Make a policy of a scalable target, or give one another configuration."""
    ports, key = context.ports, TargetKey.of(request)
    entities.find_target(ports, key)
    name = key.below(request["PolicyName"])
    now = ports.clock.now()
    while True:
        try:
            present = ports.store.get(POLICY, name)
        except ResourceMissing:
            arn = entities.arn(ports, key, "scalingPolicy", "policyName", request["PolicyName"])
            body = {
                **key.members,
                "PolicyARN": arn,
                "PolicyName": request["PolicyName"],
                "CreationTime": now,
                **_configuration(key, request, ""),
            }
            if len(entities.of_target(ports, POLICY, key)) >= _MOST_POLICIES:
                raise LimitExceededException(
                    f"{key.resource_id} has {_MOST_POLICIES} policies, which is the most there can "
                    "be; delete one first."
                ) from None
            try:
                ports.store.create(Resource(POLICY, name, arn, "", now, now, body))
            except ResourceExists:
                continue
            return {"PolicyARN": arn, "Alarms": []}
        settings = _configuration(key, request, present.body["PolicyType"])
        try:
            ports.store.modify(
                POLICY,
                name,
                lambda found: replace(found, body={**found.body, **settings}),  # noqa: B023
            )
        except ResourceMissing:  # deleted meanwhile
            continue
        return {"PolicyARN": present.arn, "Alarms": []}


def _configuration(
    key: TargetKey, request: PutScalingPolicyRequest, present: str
) -> dict[str, Any]:
    """PolicyType and its configuration.

    Args:
        present: the type of the policy that is changed; empty for a new one.

    Raises:
        ValidationException: they make no sense.
    """
    kind = request.get("PolicyType") or present or "StepScaling"
    if present and kind != present:
        raise ValidationException(
            f"PolicyType is {kind}, and the policy that is there is {present}; delete it first, or "
            "use another PolicyName."
        )
    if kind == "PredictiveScaling":
        raise ValidationException(
            "PolicyType PredictiveScaling is not there; use TargetTrackingScaling or StepScaling."
        )
    member = TRACKING if kind == "TargetTrackingScaling" else STEPS
    other = STEPS if member == TRACKING else TRACKING
    if other in request:
        raise ValidationException(f"{other} does not go with PolicyType {kind}; leave it out.")
    found: Mapping[str, Any] | None = request.get(member)  # type: ignore[assignment]
    if found is None:
        raise ValidationException(f"{member} is missing: PolicyType {kind} needs it.")
    if member == TRACKING:
        _check_tracking(key, found)
    else:
        stepping.check(found)
    return {"PolicyType": kind, member: found}


def _check_tracking(key: TargetKey, found: Mapping[str, Any]) -> None:
    if not (found["TargetValue"] > 0 and math.isfinite(found["TargetValue"])):
        raise ValidationException(
            f"{TRACKING}.TargetValue is {found['TargetValue']}; it must be above 0."
        )
    for member in ("ScaleOutCooldown", "ScaleInCooldown"):
        if found.get(member, 0) < 0:
            raise ValidationException(f"{TRACKING}.{member} must not be negative.")
    predefined = found.get("PredefinedMetricSpecification")
    customized = found.get("CustomizedMetricSpecification")
    if (predefined is None) == (customized is None):
        raise ValidationException(
            f"{TRACKING} needs either PredefinedMetricSpecification or "
            "CustomizedMetricSpecification, and not both."
        )
    if predefined is not None:
        kind, known = predefined["PredefinedMetricType"], _PREDEFINED[key.dimension]
        if kind not in known:
            raise ValidationException(
                f"{TRACKING}.PredefinedMetricSpecification.PredefinedMetricType is {kind!r}; for "
                f"{key.dimension} use {' or '.join(known)}."
            )
        return
    assert customized is not None
    where = f"{TRACKING}.CustomizedMetricSpecification"
    simple = [name for name in ("MetricName", "Namespace", "Statistic") if name in customized]
    if queries := customized.get("Metrics"):
        if simple:
            raise ValidationException(f"{where}.{simple[0]} does not go with Metrics; give one.")
        returned = [one for one in queries if one.get("ReturnData", True)]
        if len(returned) != 1:
            raise ValidationException(
                f"{where}.Metrics has {len(returned)} elements that return data; one must. Set "
                "ReturnData to false on the others."
            )
    elif len(simple) < 3:
        raise ValidationException(f"{where} needs MetricName, Namespace and Statistic, or Metrics.")


def rules_of(body: Mapping[str, Any]) -> Rules:
    """What a policy allows."""
    if body["PolicyType"] == "StepScaling":
        cooldown = float(body[STEPS].get("Cooldown", _COOLDOWN))
        return Rules(cooldown, cooldown)
    found = body[TRACKING]
    return Rules(
        float(found.get("ScaleOutCooldown", _COOLDOWN)),
        float(found.get("ScaleInCooldown", _COOLDOWN)),
        not found.get("DisableScaleIn", False),
    )


@operation("DeleteScalingPolicy", service="application-autoscaling")
def delete_scaling_policy(context: Context, request: DeleteScalingPolicyRequest) -> dict[str, Any]:
    """Delete a policy; the capacity stays as it is."""
    key, name = TargetKey.of(request), request["PolicyName"]
    try:
        context.ports.store.delete(POLICY, key.below(name))
    except ResourceMissing as error:
        raise ObjectNotFoundException(
            f"No scaling policy found for service namespace: sagemaker, resource ID: "
            f"{key.resource_id}, scalable dimension: {key.dimension}, policy name: {name}"
        ) from error
    return {}


@operation("DescribeScalingPolicies", service="application-autoscaling")
def describe_scaling_policies(
    context: Context, request: DescribeScalingPoliciesRequest
) -> dict[str, Any]:
    """The policies, by resource and name."""
    query = ResourceQuery(POLICY, sort_by="name", descending=False)
    found = [{**one.body, "Alarms": []} for one in context.ports.store.each(query)]
    kept = entities.matching(request, found, request.get("PolicyNames", ()), "PolicyName")
    shown, token = entities.page(
        context, "DescribeScalingPolicies", request, kept, lambda one: str(one["PolicyARN"])
    )
    return {"ScalingPolicies": shown, **token}
