"""What became of an endpoint's deployments: entries of its history, as JSON values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from bottega.features.hosting.deployments import MOST_KEPT, Deployment, EndpointPlans
from bottega.features.hosting.rollout import Rollout

Outcome = Literal["InProgress", "Succeeded", "RolledBack", "Failed"]
History = tuple[Mapping[str, Any], ...]


def begun(history: History, deployment: Deployment, rollout: Rollout) -> History:
    """The history with one more entry, which is under way."""
    entry = {
        "deployment": deployment.to_json(),
        "outcome": "InProgress",
        "policy": dict(rollout.policy),
        "by": rollout.by,
        "started": rollout.started,
        "ended": None,
        "reason": "",
    }
    return (*history, entry)[-MOST_KEPT:]


def first(target: Deployment, by: str, now: float) -> EndpointPlans:
    """The plans of something new: there is no traffic yet that could be moved in steps.

    Args:
        by: the ARN of who asked.
        now: seconds since the epoch.
    """
    rollout = Rollout(by=by, started=now, since=now)
    return EndpointPlans(None, target, rollout, history=begun((), target, rollout))


def ended(history: History, deployment: str, outcome: Outcome, reason: str, now: float) -> History:
    """The history after a deployment has come to its end."""
    return tuple(
        {**entry, "outcome": outcome, "reason": reason, "ended": now}
        if entry["deployment"]["id"] == deployment
        else entry
        for entry in history
    )


def resized(plans: EndpointPlans, active: Deployment) -> EndpointPlans:
    """The plans with other capacities of the deployment that serves; the history's copy of it goes
    along, so that rolling back to it brings what it last had."""
    history = tuple(
        {**entry, "deployment": active.to_json()}
        if entry["deployment"]["id"] == active.id
        else entry
        for entry in plans.history
    )
    return replace(plans, active=active, history=history)
