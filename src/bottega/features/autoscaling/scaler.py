"""The scaler: looks at every scalable target each period, and changes capacities.

It changes a capacity through UpdateEndpointWeightsAndCapacities and, of an inference component,
UpdateInferenceComponentRuntimeConfig alone. What it is about to do is written down first, so that
one that was killed finds out what became of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bottega.controller import Controller
from bottega.errors import BottegaError
from bottega.features.autoscaling import journal as journals
from bottega.features.autoscaling.decisions import Bounds, Decision, Past, Wish, decide
from bottega.features.autoscaling.entities import (
    ACTION,
    INSTANCES,
    TARGET,
    TargetKey,
    changed,
    of_target,
    own_name,
    remove_all,
)
from bottega.features.autoscaling.journal import Change, Journal
from bottega.features.autoscaling.measuring import Call, Measurer
from bottega.features.autoscaling.scheduled import NEXT, due_after
from bottega.features.autoscaling.wishes import wishes_of
from bottega.ports import Ports
from bottega.storage.metadata import Resource, ResourceMissing, ResourceQuery

_POLL_SECONDS = 0.5
_RETRY_SECONDS = 60.0
"""How long nothing is tried after a change failed."""
_TOLD = ("AlreadyAtMaxCapacity", "AlreadyAtMinCapacity")


@dataclass(frozen=True)
class Reckoning:
    """What the scaler made of a target when it last looked."""

    time: float
    capacity: int
    wishes: tuple[Wish, ...]
    decision: Decision


@dataclass
class Reckonings:
    """The last reckoning of every target, by its name; for who asks why."""

    last: dict[str, Reckoning] = field(default_factory=dict)


class Scaler(Controller):
    """Keeps every scalable target at the capacity that its policies ask for.

    Args:
        call: calls operations as the service-linked role.
    """

    kind = TARGET

    def __init__(self, ports: Ports, call: Call) -> None:
        self._ports = ports
        self._call = call
        self._measurer = Measurer(ports, call)
        self._began = ports.clock.now()
        self._described: dict[tuple[str, str], tuple[Resource, Mapping[str, Any]]] = {}
        self._steady: dict[str, tuple[int, float]] = {}
        """By target: the capacity, and since when it has it."""
        self._reckonings = ports.memory.of(Reckonings, Reckonings).last

    def pending(self) -> Iterable[str]:
        query = ResourceQuery(TARGET, descending=False)
        return [found.name for found in self._ports.store.outlines(query)]

    def reconcile(self, name: str) -> float | None:
        """Look at one target, and do what it asks for."""
        key = TargetKey.parse(name)
        try:
            target = self._ports.store.get(TARGET, name)
        except ResourceMissing:
            self._forget(key)
            return None
        try:
            endpoint = self._ports.store.get(key.kind, key.owner)
        except ResourceMissing:
            remove_all(self._ports, key)
            return None
        if endpoint.created > target.created:  # another endpoint of the same name
            remove_all(self._ports, key)
            return None
        due = self._run_scheduled(key, target)
        target = self._ports.store.get(TARGET, name)
        journal = journals.read(self._ports, key)
        described = self._describe(endpoint)
        capacity = capacity_of(described, key)
        if journal.change is not None:
            return self._follow(key, journal, journal.change, endpoint, capacity)
        if endpoint.status != "InService":
            self._steady[name] = (-1, self._ports.clock.now())
            return _POLL_SECONDS
        if capacity is None:  # the endpoint has no such variant now
            return float(self._measurer.grain)
        now = self._ports.clock.now()
        failed = journal.failed_at
        # Other bounds are worth another try at once.
        if failed is not None and target.modified <= failed and now < failed + _RETRY_SECONDS:
            return min(failed + _RETRY_SECONDS - now, due)
        self._decide(key, target, journal, capacity)
        return self._pause(due)

    def _pause(self, due: float) -> float:
        """Until a period's values are there, or a scheduled action is due."""
        grain, now = float(self._measurer.grain), self._ports.clock.now()
        return max(0.05, min(grain - (now - 2.5) % grain, due))

    # Deciding.

    def _decide(self, key: TargetKey, target: Resource, journal: Journal, capacity: int) -> None:
        now = self._ports.clock.now()
        if self._steady.get(key.name, (None,))[0] != capacity:
            # What is not known to have been so before, may have been otherwise.
            first = key.name not in self._steady
            self._steady[key.name] = (capacity, self._began if first else now)
        since = max(self._steady[key.name][1], journal.changed_at)
        wishes = wishes_of(self._ports, self._measurer, key, capacity, since)
        bounds = Bounds(target.body["MinCapacity"], target.body["MaxCapacity"])
        suspended = target.body["SuspendedState"]
        decision = decide(wishes, capacity, bounds, journal.past, now, suspended)
        self._reckonings[key.name] = Reckoning(now, capacity, tuple(wishes), decision)
        if decision.capacity != capacity:
            self._start(key, bounds, decision, capacity)
        else:
            self._tell_refused(key, bounds, decision, journal, capacity)

    def _tell_refused(
        self, key: TargetKey, bounds: Bounds, decision: Decision, journal: Journal, capacity: int
    ) -> None:
        """Write down once why a wish is not fulfilled, as long as it stays so."""
        wish, code = decision.wish, decision.refused
        if wish is None or code not in _TOLD:
            if journal.refused != ("", "") and wish is None:
                journals.write(self._ports, key, lambda one: replace(one, refused=("", "")))
            return
        if journal.refused == (wish.policy, code):
            return
        bound = {"MaxCapacity": bounds.most} if "Max" in code else {"MinCapacity": bounds.least}
        told = journals.activity(
            key,
            self._ports.clock.now(),
            "Attempting to scale due to alarm triggered",
            wish.cause,
            "Failed",
            f"Did not scale: {decision.reason}.",
            details={**dict(wish.asked.details), "arithmetic": wish.asked.arithmetic},
            not_scaled={"Code": code, **bound, "CurrentCapacity": capacity},
        )
        refused = (wish.policy, code)
        journals.write(self._ports, key, lambda one: replace(one.told(told), refused=refused))

    # Changing.

    def _start(self, key: TargetKey, bounds: Bounds, decision: Decision, capacity: int) -> None:
        wanted, wish = decision.capacity, decision.wish
        if wish is not None:
            cause = wish.cause
            details = {**dict(wish.asked.details), "arithmetic": wish.asked.arithmetic}
        else:
            bound = "minimum" if capacity < bounds.least else "maximum"
            cause, details = f"{bound} capacity was set to {wanted}", {}
        told = journals.activity(
            key,
            self._ports.clock.now(),
            f"Setting desired {key.noun} to {wanted}.",
            cause,
            "Pending",
            details=details,
        )
        change = Change(told["ActivityId"], capacity, wanted, wish is not None)
        journals.write(
            self._ports,
            key,
            lambda one: replace(one.told(told), change=change, refused=("", "")),
        )
        self._ask(key, change)

    def _ask(self, key: TargetKey, change: Change) -> None:
        operation, request = _request(key, change.wanted)
        try:
            self._call("sagemaker", operation, request)
        except BottegaError as error:
            if self._busy(key):
                return  # it stays Pending until the endpoint is settled
            self._fail(key, f"Failed to set desired {key.noun} to {change.wanted}: {error.message}")
            return
        text = (
            f"Successfully set desired {key.noun} to {change.wanted}. Waiting for change to be "
            "fulfilled by sagemaker."
        )
        journals.write(self._ports, key, lambda one: one.in_progress(text) if one.change else one)

    def _busy(self, key: TargetKey) -> bool:
        try:
            return self._ports.store.get(key.kind, key.owner).status != "InService"
        except ResourceMissing:
            return True  # the next look deregisters it

    def _fail(self, key: TargetKey, message: str) -> None:
        now = self._ports.clock.now()
        journals.write(
            self._ports,
            key,
            lambda one: replace(one.ended("Failed", message, now), failed_at=now),
        )

    def _follow(
        self,
        key: TargetKey,
        journal: Journal,
        change: Change,
        endpoint: Resource,
        capacity: int | None,
    ) -> float:
        """See what became of a change that is under way."""
        if endpoint.status != "InService":
            return _POLL_SECONDS
        now = self._ports.clock.now()
        if capacity == change.wanted:
            text = (
                f"Successfully set desired {key.noun} to {change.wanted}. Change successfully "
                "fulfilled by sagemaker."
            )
            past = _after(journal.past, change, now) if change.policy else journal.past
            journals.write(
                self._ports,
                key,
                lambda one: replace(one.ended("Successful", text, now), past=past, failed_at=None),
            )
        elif not change.asked:
            self._ask(key, change)
        elif reason := endpoint.body.get("FailureReason"):
            self._fail(key, f"Failed to set desired {key.noun} to {change.wanted}: {reason}")
        else:
            text = f"Another change of the endpoint set its {key.noun} to {capacity}."
            journals.write(self._ports, key, lambda one: one.ended("Overridden", text, now))
        return 0.05

    # Scheduled actions.

    def _run_scheduled(self, key: TargetKey, target: Resource) -> float:
        """Carry out what is due; returns the seconds until something is."""
        now = self._ports.clock.now()
        soonest = float(self._measurer.grain)
        for action in of_target(self._ports, ACTION, key):
            due = action.private.get(NEXT)
            if due is None:
                continue
            if due > now:
                soonest = min(soonest, due - now)
                continue
            if not target.body["SuspendedState"]["ScheduledScalingSuspended"]:
                self._set_bounds(key, action, due)
            following = due_after(action.body, now)
            self._advance(action, following)
        return soonest

    def _set_bounds(self, key: TargetKey, action: Resource, due: float) -> None:
        wanted = action.body["ScalableTargetAction"]
        refused = ""

        def change(present: Resource) -> Resource:
            nonlocal refused
            body = {**present.body, **wanted}
            least, most = body["MinCapacity"], body["MaxCapacity"]
            refused = f"the minimum would be {least} and the maximum {most}" if least > most else ""
            return present if refused else changed(present, body)

        try:
            self._ports.store.modify(TARGET, key.name, change)
        except ResourceMissing:
            return
        names = (("MinCapacity", "min"), ("MaxCapacity", "max"))
        parts = [f"{short} capacity to {wanted[name]}" for name, short in names if name in wanted]
        what = " and ".join(parts)
        told = journals.activity(
            key,
            self._ports.clock.now(),
            f"Setting {what}",
            f"scheduled action name {own_name(action)} was triggered",
            "Failed" if refused else "Successful",
            f"Failed to set {what}: {refused}." if refused else f"Successfully set {what}",
            identity=f"{action.arn}@{due}",
        )
        journals.write(self._ports, key, lambda one: one.told(told))

    def _advance(self, action: Resource, following: float | None) -> None:
        def change(present: Resource) -> Resource:
            if not present.same_as(action):  # it was changed meanwhile, and its time with it
                return present
            return replace(present, private={NEXT: following})

        try:
            self._ports.store.modify(ACTION, action.name, change)
        except ResourceMissing:  # deleted meanwhile
            return

    # What the endpoint has.

    def _describe(self, endpoint: Resource) -> Mapping[str, Any]:
        """What Describe says of an endpoint or a component, asked again only when that has
        changed."""
        key = (endpoint.kind, endpoint.name)
        known = self._described.get(key)
        if known is None or not known[0].same_as(endpoint):
            request = {f"{endpoint.kind}Name": endpoint.name}
            known = (endpoint, self._call("sagemaker", f"Describe{endpoint.kind}", request))
            self._described[key] = known
        return known[1]

    def _forget(self, key: TargetKey) -> None:
        self._steady.pop(key.name, None)
        self._reckonings.pop(key.name, None)
        self._described.pop((key.kind, key.owner), None)
        if journals.read(self._ports, key).change is not None:
            now = self._ports.clock.now()
            text = "The scalable target was deregistered."
            journals.write(
                self._ports,
                key,
                lambda one: one.ended("Overridden", text, now) if one.change else one,
            )


def capacity_of(described: Mapping[str, Any], key: TargetKey) -> int | None:
    """The capacity there shall be now; None where the endpoint has no such variant."""
    if key.is_component:
        return int(described["RuntimeConfig"]["DesiredCopyCount"])
    for one in described.get("ProductionVariants", ()):
        if one["VariantName"] == key.variant:
            if key.dimension == INSTANCES:
                return int(one["DesiredInstanceCount"]) if "DesiredInstanceCount" in one else None
            found = one.get("DesiredServerlessConfig")
            return None if found is None else int(found.get("ProvisionedConcurrency", 0))
    return None


def _request(key: TargetKey, wanted: int) -> tuple[str, dict[str, Any]]:
    """The operation that sets a capacity, and its request."""
    if key.is_component:
        return "UpdateInferenceComponentRuntimeConfig", {
            "InferenceComponentName": key.owner,
            "DesiredRuntimeConfig": {"CopyCount": wanted},
        }
    entry: dict[str, Any] = {"VariantName": key.variant}
    if key.dimension == INSTANCES:
        entry["DesiredInstanceCount"] = wanted
    else:
        entry["ServerlessUpdateConfig"] = {"ProvisionedConcurrency": wanted}
    return "UpdateEndpointWeightsAndCapacities", {
        "EndpointName": key.owner,
        "DesiredWeightsAndCapacities": [entry],
    }


def _after(past: Past, change: Change, now: float) -> Past:
    """What cooldowns look at after a change; a scale out ends the cooldown of the last scale in."""
    if change.wanted > change.before:
        return Past(now, change.wanted - change.before, None)
    return replace(past, in_at=now)
