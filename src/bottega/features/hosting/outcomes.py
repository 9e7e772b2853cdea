"""How a change of an endpoint ends, written into its resource in one step."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bottega.features.hosting import history
from bottega.features.hosting.deployments import EndpointPlans
from bottega.features.hosting.failures import LONGEST_REASON
from bottega.storage.metadata import Resource


def succeeded(endpoint: Resource, now: float) -> Resource:
    """The target serves."""
    plans = EndpointPlans.of(endpoint)
    assert plans.target is not None
    body: dict[str, Any] = dict(endpoint.body)
    if not plans.target.endpoint:
        body["EndpointConfigName"] = plans.target.config
    body.pop("FailureReason", None)
    if plans.under_way.policy:
        body["LastDeploymentConfig"] = plans.under_way.policy
    kept = replace(
        plans,
        active=plans.target,
        target=None,
        rollout=None,
        history=history.ended(plans.history, plans.target.id, "Succeeded", "", now),
    )
    return replace(endpoint, status="InService", body=body, private=kept.to_json())


def given_up(endpoint: Resource, reason: str, now: float) -> Resource:
    """The target is dropped: the endpoint serves as before, or has failed where it never did."""
    plans = EndpointPlans.of(endpoint)
    assert plans.target is not None
    outcome: history.Outcome = "RolledBack" if plans.active else "Failed"
    body: dict[str, Any] = {**endpoint.body, "FailureReason": reason[:LONGEST_REASON]}
    if plans.active and plans.under_way.policy:
        body["LastDeploymentConfig"] = plans.under_way.policy
    kept = replace(
        plans,
        target=None,
        rollout=None,
        history=history.ended(
            plans.history, plans.target.id, outcome, reason[:LONGEST_REASON], now
        ),
    )
    status = "InService" if plans.active else "Failed"
    return replace(endpoint, status=status, body=body, private=kept.to_json())


def rollback_failed(endpoint: Resource, reason: str, now: float) -> Resource:
    """The old servers could not be brought back; what runs goes on serving."""
    plans = EndpointPlans.of(endpoint)
    assert plans.target is not None
    text = f"{plans.under_way.reason} Rolling back failed: {reason}"[:LONGEST_REASON]
    kept = replace(
        plans, history=history.ended(plans.history, plans.target.id, "Failed", text, now)
    )
    body = {**endpoint.body, "FailureReason": text}
    return replace(endpoint, status="UpdateRollbackFailed", body=body, private=kept.to_json())


def resized(endpoint: Resource, failure: str = "") -> Resource:
    """The active deployment has the capacity that was asked for, or else the one it had before."""
    plans = EndpointPlans.of(endpoint)
    body: dict[str, Any] = dict(endpoint.body)
    if failure and plans.before:
        body["FailureReason"] = failure[:LONGEST_REASON]
        plans = history.resized(plans, plans.before)
    kept = replace(plans, before=None)
    return replace(endpoint, status="InService", body=body, private=kept.to_json())
