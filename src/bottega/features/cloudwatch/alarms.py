"""The operations that write alarms."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bottega.context import Context
from bottega.errors import (
    InvalidParameterCombination,
    InvalidParameterValue,
    MissingParameter,
    ResourceNotFound,
)
from bottega.features.cloudwatch.alarm_entity import ALARM, configured, in_state, queries_of
from bottega.features.cloudwatch.metrics import check_extended
from bottega.features.cloudwatch.reading import dimensions_of, periods_allowed
from bottega.metrics.alarm_rules import COMPARISONS
from bottega.registry import operation
from bottega.specs.generated.cloudwatch import (
    DeleteAlarmsInput,
    DisableAlarmActionsInput,
    EnableAlarmActionsInput,
    PutMetricAlarmInput,
    SetAlarmStateInput,
)
from bottega.storage.metadata import Resource, ResourceExists, ResourceMissing

_METRIC_MEMBERS = (
    "MetricName",
    "Namespace",
    "Statistic",
    "ExtendedStatistic",
    "Dimensions",
    "Period",
    "Unit",
)
_NOT_THERE = (
    "ThresholdMetricId",
    "EvaluationWindow",
    "WarmUpConfiguration",
    "EvaluationCriteria",
    "EvaluationInterval",
    "ActionConfiguration",
)
_MISSING = ("breaching", "notBreaching", "ignore", "missing")
_DAY = 86_400
_HOUR = 3600


@operation(
    "PutMetricAlarm",
    service="cloudwatch",
    note="Evaluated within seconds of the end of each period, also of periods of 1 and 5 seconds. "
    "There is no SNS here: a failed action in the alarm's history says so. Anomaly detection is "
    "refused.",
)
def put_metric_alarm(context: Context, request: PutMetricAlarmInput) -> dict[str, Any]:
    """Make an alarm, or give one another configuration; its state stays until it is evaluated."""
    _check(request)
    ports, name = context.ports, request["AlarmName"]
    now = ports.clock.now()
    arn = f"arn:aws:cloudwatch:{ports.config.region}:{ports.config.account}:alarm:{name}"
    settings = _settings(request, arn, now)
    unknown = "INSUFFICIENT_DATA"
    state = {
        "StateValue": unknown,
        "StateReason": "Unchecked: Initial alarm creation",
        "StateUpdatedTimestamp": now,
        "StateTransitionedTimestamp": now,
    }
    alarm = Resource(ALARM, name, arn, unknown, now, now, {**settings, **state})
    alarm = replace(alarm, private=configured(alarm, now, "Create"))
    tags = {tag["Key"]: tag["Value"] for tag in request.get("Tags", ())}

    def change(present: Resource) -> Resource:
        kept = {key: value for key, value in present.body.items() if key.startswith("State")}
        written = replace(present, body={**settings, **kept})
        return replace(written, private=configured(written, now, "Update"))

    while True:
        try:
            ports.store.create(alarm, tags=tags)
            return {}
        except ResourceExists:
            pass
        try:
            ports.store.modify(ALARM, name, change)
            return {}
        except ResourceMissing:  # deleted meanwhile
            continue


def _settings(request: PutMetricAlarmInput, arn: str, now: float) -> Mapping[str, Any]:
    given = {key: value for key, value in request.items() if key != "Tags"}
    lists = ("OKActions", "AlarmActions", "InsufficientDataActions")
    defaults: dict[str, Any] = {key: [] for key in lists} | {"ActionsEnabled": True}
    if "MetricName" in request:
        defaults["Dimensions"] = []
    return {
        **defaults,
        **given,
        "AlarmArn": arn,
        "AlarmConfigurationUpdatedTimestamp": now,
    }


def _check(request: PutMetricAlarmInput) -> None:
    for member in _NOT_THERE:
        if request.get(member):
            raise InvalidParameterValue(
                f"{member} is not there: alarms here compare a metric or an expression with a "
                "Threshold. Leave it out and send the request again."
            )
    if ("MetricName" in request) == ("Metrics" in request):
        raise InvalidParameterCombination("Specify either MetricName or Metrics, and not both.")
    for member in ("EvaluationPeriods", "ComparisonOperator", "Threshold"):
        if member not in request:
            raise MissingParameter(f"The parameter {member} is required.")
    if request["ComparisonOperator"] not in COMPARISONS:
        raise InvalidParameterValue(
            f"The ComparisonOperator {request['ComparisonOperator']} is for anomaly detection, "
            f"which is not there. Use one of {', '.join(COMPARISONS)}."
        )
    periods = request["EvaluationPeriods"]
    if not 1 <= request.get("DatapointsToAlarm", periods) <= periods:
        raise InvalidParameterValue(
            "The parameter DatapointsToAlarm must not be greater than EvaluationPeriods."
        )
    if request.get("TreatMissingData", "missing") not in _MISSING:
        raise InvalidParameterValue(
            f"The parameter TreatMissingData must be one of {', '.join(_MISSING)}."
        )
    if request.get("EvaluateLowSampleCountPercentile", "evaluate") != "evaluate":
        raise InvalidParameterValue(
            "The parameter EvaluateLowSampleCountPercentile can only be evaluate: percentiles are "
            "evaluated however few samples there are."
        )
    period = _check_metric(request) if "MetricName" in request else _check_metrics(request)
    longest = 7 * _DAY if period >= _HOUR else _DAY
    if period * periods > longest:
        raise InvalidParameterCombination(
            f"EvaluationPeriods times Period is {period * periods} seconds; {longest} are allowed."
        )


def _check_metric(request: PutMetricAlarmInput) -> int:
    for member in ("Namespace", "Period"):
        if member not in request:
            raise MissingParameter(f"The parameter {member} is required.")
    if ("Statistic" in request) == ("ExtendedStatistic" in request):
        raise InvalidParameterCombination(
            "Specify either Statistic or ExtendedStatistic, and not both."
        )
    if "ExtendedStatistic" in request:
        check_extended(request["ExtendedStatistic"])
    periods_allowed(request["Period"])
    dimensions_of(request.get("Dimensions"))
    return request["Period"]


def _check_metrics(request: PutMetricAlarmInput) -> int:
    if extra := [member for member in _METRIC_MEMBERS if member in request]:
        raise InvalidParameterCombination(f"{extra[0]} cannot be specified beside Metrics.")
    returned = [query for query in queries_of(request).all if query.returned]
    if len(returned) != 1:
        raise InvalidParameterValue(
            f"Exactly one element of Metrics must return data; {len(returned)} do. Set ReturnData "
            "to false on the others."
        )
    return returned[0].period


@operation("SetAlarmState", service="cloudwatch")
def set_alarm_state(context: Context, request: SetAlarmStateInput) -> dict[str, Any]:
    """Put an alarm into a state until it is evaluated again."""
    now = context.ports.clock.now()
    state, reason = request["StateValue"], request["StateReason"]
    data = request.get("StateReasonData", "")
    try:
        context.ports.store.modify(
            ALARM, request["AlarmName"], lambda alarm: in_state(alarm, state, reason, data, now)
        )
    except ResourceMissing as error:
        raise ResourceNotFound(f"There is no alarm {request['AlarmName']}.") from error
    return {}


@operation("EnableAlarmActions", service="cloudwatch")
def enable_alarm_actions(context: Context, request: EnableAlarmActionsInput) -> dict[str, Any]:
    """Carry out the actions of alarms; names of alarms that do not exist are passed over."""
    return _actions(context, request["AlarmNames"], enabled=True)


@operation("DisableAlarmActions", service="cloudwatch")
def disable_alarm_actions(context: Context, request: DisableAlarmActionsInput) -> dict[str, Any]:
    """Carry out no actions of alarms; names of alarms that do not exist are passed over."""
    return _actions(context, request["AlarmNames"], enabled=False)


def _actions(context: Context, names: Sequence[str], *, enabled: bool) -> dict[str, Any]:
    now = context.ports.clock.now()

    def change(alarm: Resource) -> Resource:
        if alarm.body["ActionsEnabled"] == enabled:
            return alarm
        stamps = {"ActionsEnabled": enabled, "AlarmConfigurationUpdatedTimestamp": now}
        written = replace(alarm, body={**alarm.body, **stamps})
        return replace(written, private=configured(written, now, "Update"))

    _modify_those_there(context, names, change)
    return {}


def _modify_those_there(
    context: Context, names: Sequence[str], change: Callable[[Resource], Resource]
) -> None:
    for name in context.ports.store.get_many(ALARM, names):
        try:
            context.ports.store.modify(ALARM, name, change)
        except ResourceMissing:  # deleted meanwhile
            continue


@operation("DeleteAlarms", service="cloudwatch", note="The history of an alarm goes with it.")
def delete_alarms(context: Context, request: DeleteAlarmsInput) -> dict[str, Any]:
    """Delete all of these alarms, or none where one does not exist."""
    names = request["AlarmNames"]
    found = context.ports.store.get_many(ALARM, names)
    if missing := [name for name in names if name not in found]:
        raise ResourceNotFound(f"There is no alarm {missing[0]}; none was deleted.")
    for name in found:
        try:
            context.ports.store.delete(ALARM, name)
        except ResourceMissing:  # somebody else was faster
            continue
    return {}
