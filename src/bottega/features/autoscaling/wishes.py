"""What every policy of a target asks for at this moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bottega.errors import BottegaError
from bottega.features.autoscaling import stepping
from bottega.features.autoscaling.decisions import Wish
from bottega.features.autoscaling.entities import POLICY, TargetKey, of_target
from bottega.features.autoscaling.measuring import Measurer, metric_of
from bottega.features.autoscaling.policies import STEPS, TRACKING, rules_of
from bottega.features.autoscaling.tracking import Asked, track
from bottega.ports import Ports
from bottega.storage.metadata import ResourceQuery

_ALARM = "Alarm"


def wishes_of(
    ports: Ports, measurer: Measurer, key: TargetKey, capacity: int, since: float
) -> list[Wish]:
    """One wish for each policy, and for each alarm of a step policy that is in ALARM.

    Args:
        since: when the capacity last changed.
    """
    policies = [found.body for found in of_target(ports, POLICY, key)]
    alarms: Sequence[Mapping[str, Any]] = ()
    if any(policy["PolicyType"] == "StepScaling" for policy in policies):
        query = ResourceQuery(_ALARM, statuses=("ALARM",), sort_by="name", descending=False)
        alarms = [found.body for found in ports.store.each(query) if found.body["ActionsEnabled"]]
    found: list[Wish] = []
    for policy in policies:
        if policy["PolicyType"] == "StepScaling":
            named = [one for one in alarms if policy["PolicyARN"] in one["AlarmActions"]]
            found += [_of_step(measurer, policy, alarm, capacity) for alarm in named]
        else:
            found.append(_of_tracking(measurer, key, policy, capacity, since))
    return found


def _of_tracking(
    measurer: Measurer, key: TargetKey, policy: Mapping[str, Any], capacity: int, since: float
) -> Wish:
    name, target = policy["PolicyName"], float(policy[TRACKING]["TargetValue"])
    try:
        points = measurer.points(key, policy, capacity, since)
    except BottegaError as error:
        asked = Asked("unknown", capacity, f"the metric cannot be read: {error.message}")
    else:
        asked = track(points, target, capacity)
    side = "below" if asked.direction == "in" else "above"
    cause = f"metric {metric_of(policy)} {side} its target {target:.6g} triggered policy {name}"
    return Wish(name, asked, rules_of(policy), cause)


def _of_step(
    measurer: Measurer, policy: Mapping[str, Any], alarm: Mapping[str, Any], capacity: int
) -> Wish:
    name, configuration = policy["PolicyName"], policy[STEPS]
    cause = f"monitor alarm {alarm['AlarmName']} in state ALARM triggered policy {name}"
    threshold = float(alarm["Threshold"])
    try:
        values = measurer.of_alarm(alarm)
    except BottegaError as error:
        text = f"the metric cannot be read: {error.message}"
        return Wish(name, Asked("hold", capacity, text), rules_of(policy), cause, tracking=False)
    # An alarm may be one because its metric is missing: then nothing says how large the breach is.
    value = stepping.aggregated(configuration, values) if values else threshold
    change = stepping.adjustment(configuration, value - threshold)
    if change is None:
        text = f"no step is for {value:.6g} - {threshold:.6g} = {value - threshold:.6g}"
        return Wish(name, Asked("hold", capacity, text), rules_of(policy), cause, tracking=False)
    wanted = stepping.adjusted(configuration, capacity, change)
    text = (
        f"{value:.6g} - {threshold:.6g} = {value - threshold:.6g} calls for "
        f"{configuration['AdjustmentType']} {change:+d}: {capacity} to {wanted}"
    )
    direction = "out" if wanted > capacity else "in" if wanted < capacity else "hold"
    details = (
        ("metricValue", value),
        ("threshold", threshold),
        ("scalingAdjustment", change),
        ("capacity", capacity),
        ("desired", wanted),
    )
    asked = Asked(direction, wanted, text, details)  # type: ignore[arg-type]
    return Wish(name, asked, rules_of(policy), cause, tracking=False)
