"""How traffic moves from one deployment to the next, as a value and its next value.

Nothing here looks at a clock, a store or a server: the controller says what is, and writes down
what comes of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from bottega.features.hosting.policies import Policy

Phase = Literal[
    "Creating",  # servers of the target are brought up
    "ActivatingTraffic",  # the share was moved
    "Baking",  # everybody watches whether the target does well
    "Terminating",  # all traffic is on the target, and the old servers are kept for a while
    "RollingBack",  # traffic goes back
    "Succeeded",
    "RolledBack",
]
_TINY = 1e-9
"""Against the rounding of shares such as 3 x 0.1."""


@dataclass(frozen=True)
class Rollout:
    """Where the update of an endpoint stands. JSON values only."""

    policy: Mapping[str, Any] = field(default_factory=dict)
    """DeploymentConfig."""
    by: str = ""
    """The ARN of who asked."""
    started: float = 0.0
    """Seconds since the epoch."""
    phase: Phase = "Creating"
    since: float = 0.0
    """When the phase began, in seconds since the epoch."""
    step: int = 0
    """How many steps are done."""
    share: float = 0.0
    """Of the traffic, on the target."""
    goal: float = 1.0
    """The share after the step that is under way."""
    reason: str = ""
    """Why it is rolled back."""


@dataclass(frozen=True)
class Seen:
    """What the controller sees when it asks what comes next."""

    now: float
    """Seconds since the epoch."""
    target_ready: bool
    """Whether every server of the target that is wanted now answers."""
    active_ready: bool
    """Whether every server of the old deployment that is wanted now answers."""
    alarming: tuple[str, ...] = ()
    """Alarms of the policy that are in ALARM."""
    missing: tuple[str, ...] = ()
    """Alarms of the policy that are no more."""


def begin(policy: Mapping[str, Any], instances: int, now: float, by: str) -> Rollout:
    """The start of an update to a target of so many instances."""
    first = Policy.of(policy).steps(instances)[0]
    return Rollout(policy=policy, by=by, started=now, since=now, goal=first)


def advance(rollout: Rollout, instances: int, seen: Seen) -> Rollout:
    """What comes next; the same rollout when there is nothing to do but wait.

    Args:
        instances: of the target, those of all its variants.
    """
    policy = Policy.of(rollout.policy)
    if rollout.phase == "RollingBack":
        return _go_back(rollout, policy, instances, seen)
    if rollout.phase == "Terminating":
        over = seen.now - rollout.since >= policy.termination_wait
        return _enter(rollout, "Succeeded", seen.now) if over else rollout
    if problem := _problem(rollout, policy, seen):
        return roll_back(rollout, instances, problem, seen.now)
    if rollout.phase == "Creating":
        if not seen.target_ready:
            return rollout
        return replace(_enter(rollout, "ActivatingTraffic", seen.now), share=rollout.goal)
    if rollout.phase == "ActivatingTraffic":
        rollout = _enter(rollout, "Baking", seen.now)
    if rollout.phase == "Baking" and seen.now - rollout.since >= policy.wait:
        return _next_step(rollout, policy, policy.steps(instances), seen.now)
    return rollout


def roll_back(rollout: Rollout, instances: int, reason: str, now: float) -> Rollout:
    """Begin to undo the update; of a blue/green one all traffic goes back at once."""
    policy = Policy.of(rollout.policy)
    going = replace(_enter(rollout, "RollingBack", now), reason=reason)
    if not policy.rolling:
        return replace(going, share=0.0, goal=0.0)
    return replace(going, goal=_less(rollout.share, policy, instances))


def wanted_of_target(rollout: Rollout, instances: int) -> int:
    """How many servers of a variant of the target shall run, of ``instances`` in the end."""
    if not Policy.of(rollout.policy).rolling:
        return instances
    share = rollout.share if rollout.phase == "RollingBack" else max(rollout.share, rollout.goal)
    return math.ceil(instances * share - _TINY)


def wanted_of_active(rollout: Rollout, instances: int) -> int:
    """How many servers of a variant of the old deployment shall run, of ``instances`` before."""
    if not Policy.of(rollout.policy).rolling:
        return instances
    moved = rollout.goal if rollout.phase == "RollingBack" else rollout.share
    return instances - math.floor(instances * moved + _TINY)


def bake_ends(rollout: Rollout) -> float:
    """When the present phase ends by itself, in seconds since the epoch; infinity if it does
    not."""
    policy = Policy.of(rollout.policy)
    if rollout.phase == "Baking":
        return rollout.since + policy.wait
    if rollout.phase == "Terminating":
        return rollout.since + policy.termination_wait
    return math.inf


def _problem(rollout: Rollout, policy: Policy, seen: Seen) -> str:
    if seen.alarming:
        return (
            "One or more configured alarms have been triggered. The deployment is rolled back: "
            f"alarm {', '.join(seen.alarming)} is in ALARM."
        )
    if seen.missing:
        return (
            "The deployment is rolled back because alarms of AutoRollbackConfiguration were "
            f"deleted: {', '.join(seen.missing)}."
        )
    if policy.most is not None and seen.now - rollout.started >= policy.most:
        return (
            f"The deployment took longer than MaximumExecutionTimeoutInSeconds, {policy.most:g} "
            "seconds, and is rolled back."
        )
    return ""


def _next_step(rollout: Rollout, policy: Policy, steps: Sequence[float], now: float) -> Rollout:
    step = rollout.step + 1
    if step >= len(steps):
        last: Phase = "Terminating" if policy.termination_wait else "Succeeded"
        return replace(_enter(rollout, last, now), step=step)
    going = replace(rollout, step=step, goal=steps[step])
    if policy.rolling:
        return _enter(going, "Creating", now)
    return replace(_enter(going, "ActivatingTraffic", now), share=going.goal)


def _go_back(rollout: Rollout, policy: Policy, instances: int, seen: Seen) -> Rollout:
    if not seen.active_ready:
        return rollout
    if rollout.goal <= 0:
        return replace(_enter(rollout, "RolledBack", seen.now), share=0.0)
    return replace(rollout, share=rollout.goal, goal=_less(rollout.goal, policy, instances))


def _less(share: float, policy: Policy, instances: int) -> float:
    less = share - policy.rollback_step(instances)
    return less if less > _TINY else 0.0


def _enter(rollout: Rollout, phase: Phase, now: float) -> Rollout:
    return replace(rollout, phase=phase, since=now)
