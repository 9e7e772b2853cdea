"""An alarm as it is stored: what DescribeAlarms shows, and its history beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

from bottega.features.cloudwatch.queries import MetricPart, Queries
from bottega.features.cloudwatch.reading import dimensions_of
from bottega.metrics.alarm_rules import COMPARISONS, Missing, Rule
from bottega.metrics.store import MetricName
from bottega.storage.metadata import Resource

ALARM = "Alarm"
"""The kind; its status is the StateValue."""
HISTORY = "History"
_MOST_HISTORY = 100
_SCALING = ":autoscaling:"
_ACTIONS = {
    "OK": "OKActions",
    "ALARM": "AlarmActions",
    "INSUFFICIENT_DATA": "InsufficientDataActions",
}


def rule_of(body: Mapping[str, Any]) -> Rule:
    """When the alarm changes its state."""
    periods = int(body["EvaluationPeriods"])
    return Rule(
        comparison=body["ComparisonOperator"],
        threshold=float(body["Threshold"]),
        periods=periods,
        datapoints=int(body.get("DatapointsToAlarm", periods)),
        missing=cast(Missing, body.get("TreatMissingData", "missing")),
    )


def queries_of(body: Mapping[str, Any]) -> Queries:
    """What the alarm looks at.

    Raises:
        InvalidParameterValue, MissingParameter: it makes no sense.
    """
    if "Metrics" in body:
        return Queries.read(body["Metrics"])
    return Queries.of_metric(
        MetricPart(
            MetricName(
                body["Namespace"], body["MetricName"], dimensions_of(body.get("Dimensions"))
            ),
            int(body["Period"]),
            body.get("Statistic") or body["ExtendedStatistic"],
            body.get("Unit"),
        )
    )


def in_state(alarm: Resource, state: str, reason: str, reason_data: str, now: float) -> Resource:
    """The alarm in a state that it may have been in before, with what that leaves in its
    history."""
    body = {**alarm.body}
    old = {
        "stateValue": body["StateValue"],
        "stateReason": body["StateReason"],
        "stateReasonData": _json_or_text(body.get("StateReasonData", "")),
    }
    new = {
        "stateValue": state,
        "stateReason": reason,
        "stateReasonData": _json_or_text(reason_data),
    }
    changed = state != alarm.status
    body |= {"StateValue": state, "StateReason": reason, "StateUpdatedTimestamp": now}
    body.pop("StateReasonData", None)
    if reason_data:
        body["StateReasonData"] = reason_data
    if not changed:
        return replace(alarm, body=body)
    body["StateTransitionedTimestamp"] = now
    items = [
        _item(
            now,
            "StateUpdate",
            f"Alarm updated from {alarm.status} to {state}",
            {"version": "1.0", "oldState": old, "newState": new},
        )
    ]
    if body["ActionsEnabled"]:
        # Scaling policies look at the alarms that name them.
        actions = [arn for arn in body[_ACTIONS[state]] if _SCALING not in arn]
        items += [_failed_action(arn, now) for arn in actions]
    return replace(alarm, status=state, body=body, private=remembering(alarm, items))


def configured(alarm: Resource, now: float, what: str) -> Mapping[str, Any]:
    """The alarm's private document after its configuration was written."""
    data = {"version": "1.0", "type": what, "updatedAlarm": alarm.body}
    verb = "created" if what == "Create" else "updated"
    return remembering(
        alarm, [_item(now, "ConfigurationUpdate", f'Alarm "{alarm.name}" {verb}', data)]
    )


def remembering(alarm: Resource, items: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The private document with more history, the oldest of it first."""
    history = [*alarm.private.get(HISTORY, ()), *items]
    return {**alarm.private, HISTORY: history[-_MOST_HISTORY:]}


def _item(now: float, kind: str, summary: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        "Timestamp": now,
        "HistoryItemType": kind,
        "HistorySummary": summary,
        "HistoryData": json.dumps(data),
    }


def _failed_action(arn: str, now: float) -> Mapping[str, Any]:
    return _item(
        now,
        "Action",
        f"Failed to execute action {arn}",
        {
            "actionState": "Failed",
            "notificationResource": arn,
            "error": "there is no service here that carries out actions of alarms",
        },
    )


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text


def reason_for(
    rule: Rule, datapoints: Sequence[tuple[float, float | None]], state: str, old: str
) -> str:
    """Why an alarm is in a state, in CloudWatch's words.

    Args:
        datapoints: time and value of the periods that were looked at, the oldest first.
    """
    there = [(time, value) for time, value in datapoints if value is not None]
    there = there[-rule.periods :]
    if state == "INSUFFICIENT_DATA":
        unknown = rule.periods
        noun = "datapoint was" if unknown == 1 else "datapoints were"
        return f"Insufficient Data: {unknown} {noun} unknown."
    hits = [(time, value) for time, value in there if rule.breaches(value) == (state == "ALARM")]
    listed = ", ".join(f"{value} ({_day(time)})" for time, value in reversed(hits))
    _, words = COMPARISONS[rule.comparison]
    needed = rule.datapoints if state == "ALARM" else rule.periods - rule.datapoints + 1
    if not hits:
        missing = rule.periods - len(there)
        noun = "datapoint was" if missing == 1 else "datapoints were"
        return (
            f"Threshold Crossed: no datapoints were received for {missing} of the last "
            f"{rule.periods} periods and the missing {noun} treated as "
            f"[{'Breaching' if state == 'ALARM' else 'NonBreaching'}]."
        )
    verb = "was" if len(hits) == 1 else "were"
    plural = "datapoint" if needed == 1 else "datapoints"
    negation = "" if state == "ALARM" else "not "
    return (
        f"Threshold Crossed: {len(hits)} out of the last {rule.periods} datapoints [{listed}] "
        f"{verb} {negation}{words} the threshold ({rule.threshold}) (minimum {needed} {plural} for "
        f"{old} -> {state} transition)."
    )


def reason_data_for(
    body: Mapping[str, Any],
    rule: Rule,
    datapoints: Sequence[tuple[float, float | None]],
    period: int,
    now: float,
) -> str:
    """The same for programs."""
    there = [(time, value) for time, value in datapoints if value is not None]
    data: dict[str, Any] = {
        "version": "1.0",
        "queryDate": _iso(now),
        "period": period,
        "recentDatapoints": [value for _, value in there[-rule.periods :]],
        "threshold": rule.threshold,
        "evaluatedDatapoints": [
            {"timestamp": _iso(time), **({} if value is None else {"value": value})}
            for time, value in reversed(datapoints)
        ],
    }
    if datapoints:
        data["startDate"] = _iso(datapoints[0][0])
    for name, member in (("statistic", "Statistic"), ("unit", "Unit")):
        if member in body:
            data[name] = body[member]
    if "ExtendedStatistic" in body:
        data["statistic"] = body["ExtendedStatistic"]
    return json.dumps(data)


def _iso(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def _day(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%d/%m/%y %H:%M:%S")
