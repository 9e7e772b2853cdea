"""From what several policies ask for to one change of capacity, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bottega.features.autoscaling.tracking import Asked


@dataclass(frozen=True)
class Bounds:
    """Between which capacities a target is kept."""

    least: int
    most: int

    def clamp(self, capacity: int) -> int:
        return min(max(capacity, self.least), self.most)


@dataclass(frozen=True)
class Rules:
    """What a policy allows, whatever its metric says."""

    out_cooldown: float = 300.0
    in_cooldown: float = 300.0
    scale_in: bool = True
    """Whether it may scale in."""


@dataclass(frozen=True)
class Wish:
    """What one policy asks for, and its rules."""

    policy: str
    asked: Asked
    rules: Rules
    cause: str
    """What triggered it, for the activity."""
    tracking: bool = True
    """Whether it is target tracking, which has to agree before another one scales in."""


@dataclass(frozen=True)
class Past:
    """The last changes that policies made; times in seconds since the epoch."""

    out_at: float | None = None
    out_by: int = 0
    """By how much the last scale out grew."""
    in_at: float | None = None


@dataclass(frozen=True)
class Decision:
    """What to do now."""

    capacity: int
    """The present one where nothing is to be done."""
    wish: Wish | None = None
    """Whose; None where the bounds alone decide or nothing is to be done."""
    refused: str = ""
    """Why a wish is not fulfilled: a code of NotScaledReason, or ``Cooldown`` or ``Suspended``."""
    reason: str = ""
    """The same in words."""
    seconds_left: float = 0.0
    """Of the cooldown."""


def decide(
    wishes: Sequence[Wish],
    capacity: int,
    bounds: Bounds,
    past: Past,
    now: float,
    suspended: Mapping[str, bool],
) -> Decision:
    """The largest capacity that is asked for wins; bounds hold at once and before everything.

    Scaling in needs every target tracking policy that may scale in to have its points and to ask
    for less.
    """
    if bounds.clamp(capacity) != capacity:
        return Decision(bounds.clamp(capacity))
    outs = [wish for wish in wishes if wish.asked.direction == "out"]
    if outs:
        wish = max(outs, key=lambda found: found.asked.capacity)
        return _out(wish, capacity, bounds, past, now, suspended)
    ins = [wish for wish in wishes if wish.asked.direction == "in" and wish.rules.scale_in]
    if not ins:
        return Decision(capacity)
    wish = max(ins, key=lambda found: found.asked.capacity)
    for other in wishes:
        if other.tracking and other.rules.scale_in and other.asked.direction in ("hold", "unknown"):
            return Decision(capacity, wish, "Held", f"policy {other.policy} does not scale in")
    return _in(wish, capacity, bounds, past, now, suspended)


def _out(
    wish: Wish,
    capacity: int,
    bounds: Bounds,
    past: Past,
    now: float,
    suspended: Mapping[str, bool],
) -> Decision:
    if suspended.get("DynamicScalingOutSuspended"):
        return Decision(capacity, wish, "Suspended", "DynamicScalingOutSuspended is set")
    wanted = bounds.clamp(wish.asked.capacity)
    if wanted <= capacity:
        return Decision(capacity, wish, "AlreadyAtMaxCapacity", f"the maximum is {bounds.most}")
    left = _left(past.out_at, wish.rules.out_cooldown, now)
    if left > 0 and not wish.tracking:
        # What the last step added counts as a part of this one.
        wanted -= past.out_by
    if left > 0 and (wanted <= capacity if not wish.tracking else wanted - capacity <= past.out_by):
        text = f"the scale-out cooldown has {left:.0f} s left, and the step is no larger"
        return Decision(capacity, wish, "Cooldown", text, left)
    return Decision(wanted, wish)


def _in(
    wish: Wish,
    capacity: int,
    bounds: Bounds,
    past: Past,
    now: float,
    suspended: Mapping[str, bool],
) -> Decision:
    if suspended.get("DynamicScalingInSuspended"):
        return Decision(capacity, wish, "Suspended", "DynamicScalingInSuspended is set")
    wanted = bounds.clamp(wish.asked.capacity)
    if wanted >= capacity:
        return Decision(capacity, wish, "AlreadyAtMinCapacity", f"the minimum is {bounds.least}")
    left = _left(past.in_at, wish.rules.in_cooldown, now)
    if left > 0:
        text = f"the scale-in cooldown has {left:.0f} s left"
        return Decision(capacity, wish, "Cooldown", text, left)
    return Decision(wanted, wish)


def _left(at: float | None, cooldown: float, now: float) -> float:
    return 0.0 if at is None else at + cooldown - now
