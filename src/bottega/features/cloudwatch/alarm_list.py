"""The operations that show alarms."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from bottega.context import Context
from bottega.errors import InvalidParameterCombination
from bottega.features.cloudwatch.alarm_entity import ALARM, HISTORY
from bottega.features.cloudwatch.metrics import decoded
from bottega.features.cloudwatch.reading import dimensions_of
from bottega.registry import operation
from bottega.specs import pagination
from bottega.specs.generated.cloudwatch import (
    DescribeAlarmHistoryInput,
    DescribeAlarmHistoryOutput,
    DescribeAlarmsForMetricInput,
    DescribeAlarmsForMetricOutput,
    DescribeAlarmsInput,
    DescribeAlarmsOutput,
)
from bottega.storage.metadata import Resource, ResourceQuery

_PAGE = 50
_HISTORY_PAGE = 100
_ACTIONS = ("OKActions", "AlarmActions", "InsufficientDataActions")


@operation(
    "DescribeAlarms", service="cloudwatch", note="There are metric alarms, no composite ones."
)
def describe_alarms(context: Context, request: DescribeAlarmsInput) -> DescribeAlarmsOutput:
    """Alarms by name."""
    if request.get("AlarmNames") and request.get("AlarmNamePrefix"):
        raise InvalidParameterCombination(
            "Specify either AlarmNames or AlarmNamePrefix, and not both."
        )
    found = [alarm for alarm in _candidates(context, request) if _wanted(alarm.body, request)]
    key = context.ports.credentials.page_key()
    scope = _scope("DescribeAlarms", request)
    if "NextToken" in request:
        after = decoded(request["NextToken"], key, scope)["after"]
        found = [alarm for alarm in found if alarm.name > after]
    limit = request.get("MaxRecords", _PAGE)
    answer: DescribeAlarmsOutput = {
        "MetricAlarms": [_shown(alarm) for alarm in found[:limit]],
        "CompositeAlarms": [],
    }
    if len(found) > limit:
        answer["NextToken"] = pagination.encode(
            {"after": found[limit - 1].name}, key=key, scope=scope
        )
    return answer


def _candidates(context: Context, request: DescribeAlarmsInput) -> list[Resource]:
    composite = request.get("ChildrenOfAlarmName") or request.get("ParentsOfAlarmName")
    if composite or "MetricAlarm" not in request.get("AlarmTypes", ["MetricAlarm"]):
        return []
    if names := request.get("AlarmNames"):
        found = context.ports.store.get_many(ALARM, names)
        return [found[name] for name in sorted(found)]
    return _by_name(context)


def _by_name(context: Context) -> list[Resource]:
    query = ResourceQuery(ALARM, sort_by="name", descending=False)
    return list(context.ports.store.each(query))


def _wanted(body: Mapping[str, Any], request: DescribeAlarmsInput) -> bool:
    prefix = request.get("ActionPrefix", "")
    actions = [arn for member in _ACTIONS for arn in body[member]]
    return (
        body["AlarmName"].startswith(request.get("AlarmNamePrefix", ""))
        and request.get("StateValue", body["StateValue"]) == body["StateValue"]
        and (not prefix or any(arn.startswith(prefix) for arn in actions))
    )


def _shown(alarm: Resource) -> Any:
    return alarm.body


@operation("DescribeAlarmsForMetric", service="cloudwatch")
def describe_alarms_for_metric(
    context: Context, request: DescribeAlarmsForMetricInput
) -> DescribeAlarmsForMetricOutput:
    """The alarms that look at one metric; those of metric math are not among them."""
    wanted = dimensions_of(request.get("Dimensions"))
    members = ("Statistic", "ExtendedStatistic", "Period", "Unit")
    return {
        "MetricAlarms": [
            _shown(alarm)
            for alarm in _by_name(context)
            if alarm.body.get("MetricName") == request["MetricName"]
            and alarm.body.get("Namespace") == request["Namespace"]
            and dimensions_of(alarm.body.get("Dimensions")) == wanted
            and all(
                member not in request or request.get(member) == alarm.body.get(member)
                for member in members
            )
        ]
    }


@operation(
    "DescribeAlarmHistory",
    service="cloudwatch",
    note="The last 100 entries of each alarm that exists.",
)
def describe_alarm_history(
    context: Context, request: DescribeAlarmHistoryInput
) -> DescribeAlarmHistoryOutput:
    """What happened to alarms, newest first unless asked otherwise."""
    items = [item for item in _history(context, request) if _in_range(item, request)]
    newest_first = request.get("ScanBy", "TimestampDescending") == "TimestampDescending"
    items.sort(key=lambda item: (item["Timestamp"], item["Number"]), reverse=newest_first)
    key = context.ports.credentials.page_key()
    scope = _scope("DescribeAlarmHistory", request)
    if "NextToken" in request:
        time, number, name = decoded(request["NextToken"], key, scope)["after"]
        places = [_place(item) for item in items]
        at = places.index([time, number, name]) + 1 if [time, number, name] in places else 0
        items = items[at:]
    limit = request.get("MaxRecords", _HISTORY_PAGE)
    shown: list[Any] = [
        {name: value for name, value in item.items() if name != "Number"} for item in items[:limit]
    ]
    answer: DescribeAlarmHistoryOutput = {"AlarmHistoryItems": shown}
    if len(items) > limit:
        answer["NextToken"] = pagination.encode(
            {"after": _place(items[limit - 1])}, key=key, scope=scope
        )
    return answer


def _history(context: Context, request: DescribeAlarmHistoryInput) -> Iterable[dict[str, Any]]:
    if "MetricAlarm" not in request.get("AlarmTypes", ["MetricAlarm"]):
        return
    alarms: Iterable[Resource] = _by_name(context)
    if name := request.get("AlarmName"):
        alarms = context.ports.store.get_many(ALARM, [name]).values()
    for alarm in alarms:
        for number, item in enumerate(alarm.private.get(HISTORY, ())):
            own = {"AlarmName": alarm.name, "AlarmType": "MetricAlarm", "Number": number}
            yield {**own, **item}


def _in_range(item: Mapping[str, Any], request: DescribeAlarmHistoryInput) -> bool:
    time: float = item["Timestamp"]
    kind: str = item["HistoryItemType"]
    return (
        request.get("StartDate", time) <= time <= request.get("EndDate", time)
        and request.get("HistoryItemType", kind) == kind
    )


def _place(item: Mapping[str, Any]) -> list[Any]:
    return [item["Timestamp"], item["Number"], item["AlarmName"]]


def _scope(operation_name: str, request: Mapping[str, Any]) -> str:
    same = {name: value for name, value in request.items() if name != "NextToken"}
    digest = hashlib.sha256(json.dumps(same, sort_keys=True).encode()).hexdigest()
    return f"{operation_name}:{digest}"
