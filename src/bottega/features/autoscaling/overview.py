"""DescribeEndpointScaling: everything about the scaling of one endpoint, for the Studio."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bottega.context import Context
from bottega.features.autoscaling.entities import (
    ACTION,
    POLICY,
    TARGET,
    TargetKey,
    of_target,
    own_name,
)
from bottega.features.autoscaling.journal import Journal, read
from bottega.features.autoscaling.measuring import grain_of, metric_of
from bottega.features.autoscaling.policies import TRACKING, rules_of
from bottega.features.autoscaling.scaler import Reckoning, Reckonings
from bottega.features.autoscaling.scheduled import NEXT
from bottega.registry import operation
from bottega.storage.metadata import Resource, ResourceQuery

_ACTIVITIES = 20


@operation("DescribeEndpointScaling", service="bottega")
def describe_endpoint_scaling(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Targets of an endpoint with what the scaler last made of them."""
    name = request["EndpointName"]
    context.call("sagemaker", "DescribeEndpoint", {"EndpointName": name})
    prefix = f"endpoint/{name}/variant/"
    query = ResourceQuery(TARGET, name_contains=prefix, sort_by="name", descending=False)
    targets = [one for one in context.ports.store.each(query) if one.name.startswith(prefix)]
    return {"Targets": [_target(context, one) for one in targets]}


def _target(context: Context, target: Resource) -> dict[str, Any]:
    ports, key = context.ports, TargetKey.parse(target.name)
    journal = read(ports, key)
    reckoning = ports.memory.of(Reckonings, Reckonings).last.get(target.name)
    policies = [found.body for found in of_target(ports, POLICY, key)]
    answer: dict[str, Any] = {
        "VariantName": key.variant,
        "ScalableDimension": key.dimension,
        "MinCapacity": target.body["MinCapacity"],
        "MaxCapacity": target.body["MaxCapacity"],
        "PeriodSeconds": grain_of(ports.config),
        "Reason": reckoning.decision.reason if reckoning else "",
        "Suspended": [name for name, is_set in target.body["SuspendedState"].items() if is_set],
        "Policies": [_policy(one, reckoning) for one in policies],
        "ScheduledActions": [_action(one) for one in of_target(ports, ACTION, key)],
        "Activities": [_activity(one) for one in journal.activities[:_ACTIVITIES]],
        **_cooldowns(journal, policies, ports.clock.now()),
    }
    if reckoning is not None:
        answer["Capacity"] = reckoning.capacity
        answer["EvaluatedTime"] = reckoning.time
        answer["Desired"] = reckoning.decision.capacity
    return answer


def _cooldowns(journal: Journal, policies: list[Mapping[str, Any]], now: float) -> dict[str, float]:
    """The longest that any policy asks for, where it is in force."""
    rules = [rules_of(policy) for policy in policies]
    found = {
        "ScaleOutCooldownEnds": (journal.past.out_at, [one.out_cooldown for one in rules]),
        "ScaleInCooldownEnds": (journal.past.in_at, [one.in_cooldown for one in rules]),
    }
    return {
        name: at + max(seconds)
        for name, (at, seconds) in found.items()
        if at is not None and seconds and at + max(seconds) > now
    }


def _policy(policy: Mapping[str, Any], reckoning: Reckoning | None) -> dict[str, Any]:
    name = policy["PolicyName"]
    answer: dict[str, Any] = {"PolicyName": name, "PolicyType": policy["PolicyType"], "Metric": ""}
    if TRACKING in policy:
        answer |= {
            "Metric": metric_of(policy),
            "TargetValue": policy[TRACKING]["TargetValue"],
        }
    spoken = [one for one in reckoning.wishes if one.policy == name] if reckoning else []
    for wish in spoken[:1]:
        details = dict(wish.asked.details)
        answer |= {
            "Direction": wish.asked.direction,
            "Desired": wish.asked.capacity,
            "Arithmetic": wish.asked.arithmetic,
        }
        if "metricValue" in details:
            answer["MetricValue"] = details["metricValue"]
    return answer


def _action(action: Resource) -> dict[str, Any]:
    due = action.private.get(NEXT)
    return {
        "ScheduledActionName": own_name(action),
        "Schedule": action.body["Schedule"],
        "Timezone": action.body.get("Timezone", "UTC"),
        **action.body["ScalableTargetAction"],
        **({} if due is None else {"NextTime": due}),
    }


def _activity(activity: Mapping[str, Any]) -> dict[str, Any]:
    shown = ("ActivityId", "Description", "Cause", "StatusCode", "StatusMessage", "StartTime")
    answer = {name: activity[name] for name in (*shown, "EndTime") if name in activity}
    if arithmetic := json.loads(activity.get("Details", "{}")).get("arithmetic"):
        answer["Arithmetic"] = arithmetic
    if reasons := activity.get("NotScaledReasons"):
        answer["NotScaledCode"] = reasons[0]["Code"]
    return answer
