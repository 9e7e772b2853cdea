"""DeploymentConfig: in which steps traffic moves to another deployment, and what undoes it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bottega.errors import ValidationException

_Type = Literal["ALL_AT_ONCE", "CANARY", "LINEAR", "ROLLING"]


@dataclass(frozen=True)
class _Bounds:
    """Of a capacity size, in per cent of the instances."""

    least: int
    most: int


_CANARY = _Bounds(0, 50)
_STEP = _Bounds(10, 50)
_BATCH = _Bounds(5, 50)
_ROLLBACK_BATCH = _Bounds(0, 100)


@dataclass(frozen=True)
class Policy:
    """A DeploymentConfig, read."""

    type: _Type = "ALL_AT_ONCE"
    size: Mapping[str, Any] | None = None
    """CapacitySize of a canary, a step or a batch."""
    rollback_size: Mapping[str, Any] | None = None
    wait: float = 0.0
    """Seconds of baking after each step."""
    termination_wait: float = 0.0
    """Seconds from the end of the last baking until the old servers stop."""
    most: float | None = None
    """Seconds that everything may take."""
    alarms: tuple[str, ...] = ()

    @property
    def rolling(self) -> bool:
        """Whether instances are replaced batch by batch, not all brought up beside the old ones."""
        return self.type == "ROLLING"

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Policy:
        """Read a DeploymentConfig that was checked; an empty one is all at once."""
        alarms = config.get("AutoRollbackConfiguration", {}).get("Alarms", ())
        names = tuple(alarm["AlarmName"] for alarm in alarms if alarm.get("AlarmName"))
        if rolling := config.get("RollingUpdatePolicy"):
            return cls(
                type="ROLLING",
                size=rolling["MaximumBatchSize"],
                rollback_size=rolling.get("RollbackMaximumBatchSize"),
                wait=float(rolling["WaitIntervalInSeconds"]),
                most=rolling.get("MaximumExecutionTimeoutInSeconds"),
                alarms=names,
            )
        blue_green = config.get("BlueGreenUpdatePolicy")
        if not blue_green:
            return cls(alarms=names)
        routing = blue_green["TrafficRoutingConfiguration"]
        return cls(
            type=routing["Type"],
            size=routing.get("CanarySize") or routing.get("LinearStepSize"),
            wait=float(routing["WaitIntervalInSeconds"]),
            termination_wait=float(blue_green.get("TerminationWaitInSeconds", 0)),
            most=blue_green.get("MaximumExecutionTimeoutInSeconds"),
            alarms=names,
        )

    def steps(self, instances: int) -> tuple[float, ...]:
        """The target's share of the traffic after each step; the last one is 1.

        Args:
            instances: of the target, those of all its variants.
        """
        if self.size is None:
            return (1.0,)
        first = self._share(self.size, instances)
        if self.type == "CANARY":
            return (first, 1.0)
        count = math.ceil(1 / first - 1e-9)  # a third is a little less than a third
        return (*(first * number for number in range(1, count)), 1.0)

    def rollback_step(self, instances: int) -> float:
        """How much of the traffic goes back at once when a rolling update is undone."""
        return self._share(self.rollback_size, instances) if self.rollback_size else 1.0

    def _share(self, size: Mapping[str, Any], instances: int) -> float:
        value: int = size["Value"]
        if size["Type"] != "CAPACITY_PERCENT":  # a count, of instances or of copies
            return min(1.0, value / max(1, instances))
        if self.rolling:  # whole instances are replaced
            return min(1.0, max(1, instances * value // 100) / max(1, instances))
        return value / 100


def check(config: Mapping[str, Any], instances: int, *, serverless: bool) -> None:
    """Refuse a DeploymentConfig that cannot be followed.

    Args:
        instances: of the target, those of all its variants.
        serverless: whether a variant of the target has no instances.

    Raises:
        ValidationException: naming the member and what to do.
    """
    if not config:
        return
    blue_green, rolling = config.get("BlueGreenUpdatePolicy"), config.get("RollingUpdatePolicy")
    if blue_green and rolling:
        raise ValidationException(
            "DeploymentConfig has BlueGreenUpdatePolicy and RollingUpdatePolicy; use one of them."
        )
    if not (blue_green or rolling):
        raise ValidationException(
            "DeploymentConfig has neither BlueGreenUpdatePolicy nor RollingUpdatePolicy; it needs "
            "one of them."
        )
    type_ = Policy.of(config).type
    if serverless and type_ != "ALL_AT_ONCE":
        raise ValidationException(
            f"DeploymentConfig asks for {type_}, and a serverless variant has no instances to move "
            "by; use BlueGreenUpdatePolicy with Type ALL_AT_ONCE."
        )
    if rolling:
        where = "DeploymentConfig.RollingUpdatePolicy."
        _check_size(where + "MaximumBatchSize", rolling["MaximumBatchSize"], _BATCH, instances)
        if back := rolling.get("RollbackMaximumBatchSize"):
            _check_size(where + "RollbackMaximumBatchSize", back, _ROLLBACK_BATCH, instances)
    elif blue_green:
        _check_routing(blue_green["TrafficRoutingConfiguration"], instances)
    for index, alarm in enumerate(config.get("AutoRollbackConfiguration", {}).get("Alarms", ())):
        if not alarm.get("AlarmName"):
            raise ValidationException(
                f"DeploymentConfig.AutoRollbackConfiguration.Alarms[{index}].AlarmName is missing."
            )


def _check_routing(routing: Mapping[str, Any], instances: int) -> None:
    where = "DeploymentConfig.BlueGreenUpdatePolicy.TrafficRoutingConfiguration."
    wanted = {"CANARY": "CanarySize", "LINEAR": "LinearStepSize"}.get(routing["Type"])
    for member in ("CanarySize", "LinearStepSize"):
        if member == wanted:
            if not routing.get(member):
                raise ValidationException(
                    f"{where}{member} is missing: Type {routing['Type']} needs it."
                )
            bounds = _CANARY if member == "CanarySize" else _STEP
            _check_size(where + member, routing[member], bounds, instances)
        elif routing.get(member):
            raise ValidationException(
                f"{where}{member} does not go with Type {routing['Type']}; leave it out."
            )


def _check_size(where: str, size: Mapping[str, Any], bounds: _Bounds, instances: int) -> None:
    value = size["Value"]
    percent = value if size["Type"] == "CAPACITY_PERCENT" else value * 100 / max(1, instances)
    if not bounds.least <= percent <= bounds.most:
        of_all = f"{bounds.least} to {bounds.most}" if bounds.least else f"at most {bounds.most}"
        raise ValidationException(
            f"{where}.Value {value} ({size['Type']}) is {percent:g}% of the {instances} instances; "
            f"it must be {of_all}%."
        )
