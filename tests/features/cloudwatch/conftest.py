"""CloudWatch's operations over a store of metrics, and a clock that stands still."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bottega.clock import ManualClock
from bottega.features.cloudwatch import alarm_list, alarms, metric_data, metrics
from bottega.testing.operations import Operations

NOW = 1_700_000_040.0
"""A whole minute."""


class CloudWatch(Operations):
    """The operations, called as boto3 names them."""

    def __init__(self, home: Path) -> None:
        self.clock = ManualClock(NOW)
        modules = (metrics, metric_data, alarms, alarm_list)
        super().__init__(home, *modules, clock=self.clock)

    def do(self, name: str, **request: Any) -> Any:
        """Call an operation of the service."""
        return self.call("cloudwatch", name, **request)

    def put(self, *values: float, at: float = NOW, name: str = "Latency", **more: Any) -> None:
        """Values of a metric in the namespace N."""
        datum = {"MetricName": name, "Values": list(values), "Timestamp": at, **more}
        self.do("PutMetricData", Namespace="N", MetricData=[datum])

    def alarm(self, name: str = "a", **more: Any) -> None:
        """An alarm that is in alarm when the average of Latency is above 5 in one minute."""
        settings = {
            "MetricName": "Latency",
            "Namespace": "N",
            "Statistic": "Average",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 5.0,
            "ComparisonOperator": "GreaterThanThreshold",
            **more,
        }
        wanted = {key: value for key, value in settings.items() if value is not None}
        self.do("PutMetricAlarm", AlarmName=name, **wanted)

    def described(self, name: str = "a") -> Any:
        """An alarm as DescribeAlarms shows it."""
        (found,) = self.do("DescribeAlarms", AlarmNames=[name])["MetricAlarms"]
        return found


@pytest.fixture
def cloudwatch(tmp_path: Path) -> Iterator[CloudWatch]:
    with CloudWatch(tmp_path / "home") as opened:
        yield opened
