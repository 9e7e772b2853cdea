"""What the scaler did and has to remember of one target: activities, cooldowns, a change under
way.

It is one resource, so that an activity and what follows from it are written in one step.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from bottega.features.autoscaling.decisions import Past
from bottega.features.autoscaling.entities import ACTIVITIES, TargetKey
from bottega.ports import Ports
from bottega.storage.metadata import Resource, ResourceExists, ResourceMissing

KEPT_SECONDS = 42 * 86400.0
"""For how long activities are kept."""
_MOST_KEPT = 200
_MOST_IDLE = 50
"""Of those that tell why nothing was scaled."""
UNSETTLED = ("Pending", "InProgress")


@dataclass(frozen=True)
class Change:
    """A change of capacity that is under way."""

    activity: str
    before: int
    wanted: int
    policy: bool
    """Whether a policy asked for it, so that cooldowns follow."""
    asked: bool = False
    """Whether the endpoint was told."""


@dataclass(frozen=True)
class Journal:
    """Everything remembered of one target."""

    activities: tuple[Mapping[str, Any], ...] = ()
    """As DescribeScalingActivities shows them, the newest first."""
    past: Past = field(default_factory=Past)
    change: Change | None = None
    changed_at: float = 0.0
    """When the capacity last changed, or a change failed: points from before do not count."""
    failed_at: float | None = None
    refused: tuple[str, str] = ("", "")
    """Policy and reason of the last wish that was not fulfilled, so that it is told once."""

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Journal:
        """Read back what :meth:`to_json` gave."""
        if not stored:
            return cls()
        change = stored["change"]
        return cls(
            activities=tuple(stored["activities"]),
            past=Past(**stored["past"]),
            change=Change(**change) if change else None,
            changed_at=stored["changed_at"],
            failed_at=stored["failed_at"],
            refused=(stored["refused"][0], stored["refused"][1]),
        )

    def to_json(self) -> dict[str, Any]:
        """What goes into the store."""
        return {
            "activities": list(self.activities),
            "past": asdict(self.past),
            "change": asdict(self.change) if self.change else None,
            "changed_at": self.changed_at,
            "failed_at": self.failed_at,
            "refused": list(self.refused),
        }

    def told(self, activity: Mapping[str, Any]) -> Journal:
        """With one more activity; one that has its id already is left as it is."""
        if any(one["ActivityId"] == activity["ActivityId"] for one in self.activities):
            return self
        oldest = activity["StartTime"] - KEPT_SECONDS
        kept = [one for one in self.activities if one["StartTime"] > oldest]
        idle = [one["ActivityId"] for one in kept if "NotScaledReasons" in one][_MOST_IDLE:]
        kept = [one for one in kept if one["ActivityId"] not in idle]
        return replace(self, activities=(activity, *kept)[:_MOST_KEPT])

    def ended(self, status: str, message: str, now: float) -> Journal:
        """With the activity of the change under way at its end, and no change under way."""
        assert self.change is not None
        end = {"StatusCode": status, "StatusMessage": message, "EndTime": now}
        activities = tuple(
            {**one, **end} if one["ActivityId"] == self.change.activity else one
            for one in self.activities
        )
        return replace(self, activities=activities, change=None, changed_at=now)

    def in_progress(self, message: str) -> Journal:
        """With the endpoint told of the change."""
        assert self.change is not None
        state = {"StatusCode": "InProgress", "StatusMessage": message}
        activities = tuple(
            {**one, **state} if one["ActivityId"] == self.change.activity else one
            for one in self.activities
        )
        return replace(self, activities=activities, change=replace(self.change, asked=True))


def activity(
    key: TargetKey,
    now: float,
    description: str,
    cause: str,
    status: str,
    message: str = "",
    *,
    identity: str = "",
    details: Mapping[str, Any] | None = None,
    not_scaled: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """One activity as DescribeScalingActivities shows it.

    Args:
        identity: what it stands for, where telling it twice must not make two of it.
    """
    own = uuid.uuid5(uuid.NAMESPACE_URL, identity) if identity else uuid.uuid4()
    made: dict[str, Any] = {
        **key.members,
        "ActivityId": str(own),
        "Description": description,
        "Cause": cause,
        "StartTime": now,
        "StatusCode": status,
    }
    if message:
        made["StatusMessage"] = message
    if details:
        made["Details"] = json.dumps(details)
    if not_scaled:
        made["NotScaledReasons"] = [dict(not_scaled)]
    if status not in UNSETTLED:
        made["EndTime"] = now
    return made


def read(ports: Ports, key: TargetKey) -> Journal:
    """The journal of a target; an empty one where nothing was ever written."""
    try:
        return Journal.of(ports.store.get(ACTIVITIES, key.name).private)
    except ResourceMissing:
        return Journal()


def write(ports: Ports, key: TargetKey, change: Callable[[Journal], Journal]) -> Journal:
    """Change the journal; returns it as it is then."""
    now = ports.clock.now()
    while True:
        try:
            found = ports.store.modify(ACTIVITIES, key.name, lambda one: _written(one, change))
            return Journal.of(found.private)
        except ResourceMissing:
            made = change(Journal())
            arn = f"{ACTIVITIES}:{key.name}"
            new = Resource(ACTIVITIES, key.name, arn, "", now, now, private=made.to_json())
            try:
                ports.store.create(new)
                return made
            except ResourceExists:  # somebody else was faster
                continue


def _written(present: Resource, change: Callable[[Journal], Journal]) -> Resource:
    before = Journal.of(present.private)
    after = change(before)
    return present if after == before else replace(present, private=after.to_json())
