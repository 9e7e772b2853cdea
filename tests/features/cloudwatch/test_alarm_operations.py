"""Alarms: how they are written, shown and evaluated."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bottega.errors import (
    InvalidParameterCombination,
    InvalidParameterValue,
    MissingParameter,
    ResourceNotFound,
)
from bottega.features.cloudwatch.alarm_controller import SETTLE_SECONDS, AlarmController

NOW = 1_700_000_040.0


@pytest.fixture
def controller(cloudwatch: Any) -> AlarmController:
    return AlarmController(
        cloudwatch.ports, lambda service, name, request: cloudwatch.call(service, name, **request)
    )


def evaluated(cloudwatch: Any, controller: AlarmController, name: str = "a") -> str:
    """The state after the present minute is over."""
    now = cloudwatch.clock.now()
    cloudwatch.clock.advance(60 - now % 60 + SETTLE_SECONDS)
    controller.reconcile(name)
    return str(cloudwatch.described(name)["StateValue"])


def history(cloudwatch: Any, **request: Any) -> list[str]:
    return [
        item["HistorySummary"]
        for item in cloudwatch.do("DescribeAlarmHistory", **request)["AlarmHistoryItems"]
    ]


def test_a_new_alarm_is_shown_as_it_was_asked_for(cloudwatch: Any) -> None:
    cloudwatch.alarm(AlarmActions=["arn:aws:sns:us-east-1:000000000000:t"], Unit="Seconds")
    assert cloudwatch.described() == {
        "AlarmName": "a",
        "AlarmArn": "arn:aws:cloudwatch:us-east-1:000000000000:alarm:a",
        "AlarmConfigurationUpdatedTimestamp": NOW,
        "ActionsEnabled": True,
        "OKActions": [],
        "AlarmActions": ["arn:aws:sns:us-east-1:000000000000:t"],
        "InsufficientDataActions": [],
        "StateValue": "INSUFFICIENT_DATA",
        "StateReason": "Unchecked: Initial alarm creation",
        "StateUpdatedTimestamp": NOW,
        "StateTransitionedTimestamp": NOW,
        "MetricName": "Latency",
        "Namespace": "N",
        "Statistic": "Average",
        "Dimensions": [],
        "Period": 60,
        "Unit": "Seconds",
        "EvaluationPeriods": 1,
        "Threshold": 5.0,
        "ComparisonOperator": "GreaterThanThreshold",
    }


def test_an_alarm_follows_its_metric(cloudwatch: Any, controller: AlarmController) -> None:
    cloudwatch.alarm(AlarmActions=["arn:aws:sns:us-east-1:000000000000:t"])
    cloudwatch.put(9.0, 7.0)
    assert evaluated(cloudwatch, controller) == "ALARM"
    found = cloudwatch.described()
    assert found["StateReason"] == (
        "Threshold Crossed: 1 out of the last 1 datapoints [8.0 (14/11/23 22:14:00)] was greater "
        "than the threshold (5.0) (minimum 1 datapoint for INSUFFICIENT_DATA -> ALARM transition)."
    )
    reasons = json.loads(found["StateReasonData"])
    assert (reasons["recentDatapoints"], reasons["threshold"]) == ([8.0], 5.0)
    assert reasons["statistic"] == "Average"
    cloudwatch.put(1.0, at=cloudwatch.clock.now())
    assert evaluated(cloudwatch, controller) == "OK"
    for _ in range(2):
        evaluated(cloudwatch, controller)
    assert evaluated(cloudwatch, controller) == "INSUFFICIENT_DATA"
    assert history(cloudwatch, AlarmName="a") == [
        "Alarm updated from OK to INSUFFICIENT_DATA",
        "Alarm updated from ALARM to OK",
        "Failed to execute action arn:aws:sns:us-east-1:000000000000:t",
        "Alarm updated from INSUFFICIENT_DATA to ALARM",
        'Alarm "a" created',
    ]


def test_several_datapoints_are_needed(cloudwatch: Any, controller: AlarmController) -> None:
    cloudwatch.alarm(EvaluationPeriods=3, DatapointsToAlarm=2, TreatMissingData="notBreaching")
    states = []
    for value in (9.0, 1.0, 9.0, 1.0, 1.0):
        cloudwatch.put(value, at=cloudwatch.clock.now())
        states.append(evaluated(cloudwatch, controller))
    assert states == ["OK", "OK", "ALARM", "OK", "OK"]


def test_an_alarm_of_high_resolution_follows_within_seconds(
    cloudwatch: Any, controller: AlarmController
) -> None:
    cloudwatch.alarm(Period=10)
    cloudwatch.put(9.0, at=NOW + 1, StorageResolution=1)
    pause = controller.reconcile("a")
    assert pause is not None
    assert pause <= 10 + SETTLE_SECONDS
    cloudwatch.clock.advance(10 + SETTLE_SECONDS)
    controller.reconcile("a")
    assert cloudwatch.described()["StateValue"] == "ALARM"


def test_an_expression_is_watched(cloudwatch: Any, controller: AlarmController) -> None:
    def metric(name: str) -> dict[str, Any]:
        wanted = {"Metric": {"Namespace": "N", "MetricName": name}, "Period": 60, "Stat": "Sum"}
        return {"MetricStat": wanted, "ReturnData": False}

    cloudwatch.do(
        "PutMetricAlarm",
        AlarmName="a",
        EvaluationPeriods=1,
        Threshold=0.1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        Metrics=[
            {"Id": "e1", "Expression": "errors / FILL(all, 1)"},
            {"Id": "errors", **metric("Errors")},
            {"Id": "all", **metric("Requests")},
        ],
    )
    cloudwatch.put(*[1.0] * 5, name="Errors")
    cloudwatch.put(*[1.0] * 20, name="Requests")
    assert evaluated(cloudwatch, controller) == "ALARM"
    assert "MetricName" not in cloudwatch.described()


def test_a_percentile_is_watched(cloudwatch: Any, controller: AlarmController) -> None:
    cloudwatch.alarm(Statistic=None, ExtendedStatistic="p90")
    cloudwatch.put(*[1.0] * 8, 9.0, 9.0)
    assert evaluated(cloudwatch, controller) == "ALARM"


def test_a_state_that_somebody_set_holds_until_the_next_period_is_over(
    cloudwatch: Any, controller: AlarmController
) -> None:
    cloudwatch.alarm(TreatMissingData="notBreaching")
    assert evaluated(cloudwatch, controller) == "OK"
    cloudwatch.do("SetAlarmState", AlarmName="a", StateValue="ALARM", StateReason="a drill")
    controller.reconcile("a")
    found = cloudwatch.described()
    assert (found["StateValue"], found["StateReason"]) == ("ALARM", "a drill")
    assert cloudwatch.ports.store.get("Alarm", "a").status == "ALARM"
    assert evaluated(cloudwatch, controller) == "OK"
    with pytest.raises(ResourceNotFound):
        cloudwatch.do("SetAlarmState", AlarmName="b", StateValue="OK", StateReason="r")


def test_another_configuration_is_evaluated_at_once(
    cloudwatch: Any, controller: AlarmController
) -> None:
    cloudwatch.alarm()
    cloudwatch.put(9.0)
    assert evaluated(cloudwatch, controller) == "ALARM"
    cloudwatch.alarm(Threshold=50.0)
    assert cloudwatch.described()["StateValue"] == "ALARM", "writing it changes no state"
    controller.reconcile("a")
    assert cloudwatch.described()["StateValue"] == "OK"
    assert 'Alarm "a" updated' in history(cloudwatch)


def test_a_restart_changes_nothing(cloudwatch: Any, controller: AlarmController) -> None:
    cloudwatch.alarm()
    cloudwatch.put(9.0)
    assert evaluated(cloudwatch, controller) == "ALARM"
    again = AlarmController(cloudwatch.ports, lambda service, name, request: {})
    assert list(again.pending()) == ["a"]
    before = cloudwatch.ports.store.get("Alarm", "a")
    again.reconcile("a")
    assert cloudwatch.ports.store.get("Alarm", "a") == before
    cloudwatch.do("DeleteAlarms", AlarmNames=["a"])
    assert again.reconcile("a") is None


def test_alarms_are_found_by_name_state_and_action(cloudwatch: Any) -> None:
    for name in ("a1", "a2", "b1"):
        cloudwatch.alarm(name, OKActions=[f"arn:aws:sns:us-east-1:000000000000:{name}"])
    cloudwatch.do("SetAlarmState", AlarmName="a2", StateValue="OK", StateReason="r")

    def names(**request: Any) -> list[str]:
        found = cloudwatch.do("DescribeAlarms", **request)
        return [alarm["AlarmName"] for alarm in found["MetricAlarms"]]

    assert names() == ["a1", "a2", "b1"]
    assert names(AlarmNamePrefix="a") == ["a1", "a2"]
    assert names(AlarmNames=["b1", "c", "a1"]) == ["a1", "b1"]
    assert names(StateValue="OK") == ["a2"]
    assert names(ActionPrefix="arn:aws:sns:us-east-1:000000000000:b") == ["b1"]
    assert names(AlarmTypes=["CompositeAlarm"]) == []
    first = cloudwatch.do("DescribeAlarms", MaxRecords=2)
    assert names(MaxRecords=2, NextToken=first["NextToken"]) == ["b1"]
    with pytest.raises(InvalidParameterCombination):
        names(AlarmNames=["a1"], AlarmNamePrefix="a")


def test_the_alarms_of_a_metric(cloudwatch: Any) -> None:
    own = [{"Name": "A", "Value": "1"}]
    cloudwatch.alarm("plain")
    cloudwatch.alarm("own", Dimensions=own)
    cloudwatch.alarm("slow", Period=300)

    def names(**request: Any) -> list[str]:
        found = cloudwatch.do(
            "DescribeAlarmsForMetric", Namespace="N", MetricName="Latency", **request
        )
        return [alarm["AlarmName"] for alarm in found["MetricAlarms"]]

    assert names() == ["plain", "slow"]
    assert names(Dimensions=own) == ["own"]
    assert names(Period=300, Statistic="Average") == ["slow"]
    assert names(Statistic="Sum") == []


def test_actions_can_be_switched(cloudwatch: Any, controller: AlarmController) -> None:
    cloudwatch.alarm(AlarmActions=["arn:aws:sns:us-east-1:000000000000:t"])
    cloudwatch.do("DisableAlarmActions", AlarmNames=["a", "unknown"])
    assert cloudwatch.described()["ActionsEnabled"] is False
    cloudwatch.put(9.0)
    assert evaluated(cloudwatch, controller) == "ALARM"
    assert not [text for text in history(cloudwatch) if "action" in text]
    cloudwatch.do("EnableAlarmActions", AlarmNames=["a"])
    assert cloudwatch.described()["ActionsEnabled"] is True


def test_an_action_that_scales_is_left_to_scaling(
    cloudwatch: Any, controller: AlarmController
) -> None:
    arn = "arn:aws:autoscaling:us-east-1:000000000000:scalingPolicy:1:resource/sagemaker/x"
    cloudwatch.alarm(AlarmActions=[arn])
    cloudwatch.put(9.0)
    assert evaluated(cloudwatch, controller) == "ALARM"
    assert not [text for text in history(cloudwatch) if "Failed" in text]


def test_the_history_comes_in_pages_and_parts(cloudwatch: Any) -> None:
    for name in ("a", "b"):
        cloudwatch.alarm(name)
        cloudwatch.clock.advance(1)
        cloudwatch.do("SetAlarmState", AlarmName=name, StateValue="OK", StateReason="r")
        cloudwatch.clock.advance(1)
    whole = history(cloudwatch)
    assert whole == [
        "Alarm updated from INSUFFICIENT_DATA to OK",
        'Alarm "b" created',
        "Alarm updated from INSUFFICIENT_DATA to OK",
        'Alarm "a" created',
    ]
    assert history(cloudwatch, ScanBy="TimestampAscending") == whole[::-1]
    assert history(cloudwatch, HistoryItemType="ConfigurationUpdate", AlarmName="a") == [
        'Alarm "a" created'
    ]
    assert len(history(cloudwatch, StartDate=NOW + 2)) == 2
    first = cloudwatch.do("DescribeAlarmHistory", MaxRecords=3)
    assert history(cloudwatch, MaxRecords=3, NextToken=first["NextToken"]) == whole[3:]


def test_deleting_is_all_or_nothing(cloudwatch: Any) -> None:
    cloudwatch.alarm("a")
    cloudwatch.alarm("b")
    with pytest.raises(ResourceNotFound, match="none was deleted"):
        cloudwatch.do("DeleteAlarms", AlarmNames=["a", "c"])
    cloudwatch.do("DeleteAlarms", AlarmNames=["a", "b"])
    assert cloudwatch.do("DescribeAlarms")["MetricAlarms"] == []


@pytest.mark.parametrize(
    ("wrong", "refusal", "message"),
    [
        ({"Metrics": []}, InvalidParameterCombination, "either MetricName or Metrics"),
        ({"Threshold": None}, MissingParameter, "Threshold"),
        ({"Namespace": None}, MissingParameter, "Namespace"),
        ({"Period": 45}, InvalidParameterValue, "multiple of 60"),
        ({"DatapointsToAlarm": 2}, InvalidParameterValue, "DatapointsToAlarm"),
        ({"TreatMissingData": "guess"}, InvalidParameterValue, "TreatMissingData"),
        ({"ExtendedStatistic": "p90"}, InvalidParameterCombination, "ExtendedStatistic"),
        ({"Statistic": None, "ExtendedStatistic": "q"}, InvalidParameterValue, "no statistic"),
        ({"ComparisonOperator": "LessThanLowerThreshold"}, InvalidParameterValue, "anomaly"),
        ({"ThresholdMetricId": "t1"}, InvalidParameterValue, "not there"),
        ({"EvaluateLowSampleCountPercentile": "ignore"}, InvalidParameterValue, "evaluate"),
        ({"EvaluationPeriods": 2000}, InvalidParameterCombination, "are allowed"),
    ],
)
def test_an_alarm_that_makes_no_sense_is_refused(
    cloudwatch: Any, wrong: dict[str, Any], refusal: type[Exception], message: str
) -> None:
    with pytest.raises(refusal, match=message):
        cloudwatch.alarm(**wrong)
    assert cloudwatch.do("DescribeAlarms")["MetricAlarms"] == []


def test_exactly_one_metric_returns_data(cloudwatch: Any) -> None:
    wanted = {"Metric": {"Namespace": "N", "MetricName": "x"}, "Period": 60, "Stat": "Sum"}
    with pytest.raises(InvalidParameterValue, match="Exactly one"):
        cloudwatch.do(
            "PutMetricAlarm",
            AlarmName="a",
            EvaluationPeriods=1,
            Threshold=1.0,
            ComparisonOperator="LessThanThreshold",
            Metrics=[{"Id": "m1", "MetricStat": wanted}, {"Id": "m2", "MetricStat": wanted}],
        )
