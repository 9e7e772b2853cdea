"""Evaluates every alarm when a period of its metric is over."""

from __future__ import annotations

import math
from collections.abc import Iterable

from bottega.controller import Controller
from bottega.errors import BottegaError
from bottega.features.cloudwatch.alarm_entity import (
    ALARM,
    in_state,
    queries_of,
    reason_data_for,
    reason_for,
    rule_of,
)
from bottega.features.cloudwatch.reading import Call, MetricReader
from bottega.ports import Ports
from bottega.storage.metadata import Resource, ResourceMissing, ResourceQuery

SETTLE_SECONDS = 2.5
"""So long after its end a period's values are there: the collector comes by each second."""
_LONGEST_PAUSE = 60.0


class AlarmController(Controller):
    """Moves alarms between OK, ALARM and INSUFFICIENT_DATA."""

    kind = ALARM

    def __init__(self, ports: Ports, call: Call) -> None:
        """
        Args:
            call: asks other operations for what they know of jobs.
        """
        self._ports = ports
        self._reader = MetricReader(ports, call)
        self._evaluated: dict[str, tuple[float, float]] = {}
        """By name, the configuration's time and the end of the last period that was evaluated: a
        state that somebody set holds until the next one is over."""

    def pending(self) -> Iterable[str]:
        return [found.name for found in self._ports.store.outlines(ResourceQuery(ALARM))]

    def reconcile(self, name: str) -> float | None:
        try:
            alarm = self._ports.store.get(ALARM, name)
        except ResourceMissing:
            self._evaluated.pop(name, None)
            return None
        queries = queries_of(alarm.body)
        period = next(query.period for query in queries.all if query.returned)
        now = self._ports.clock.now()
        end = math.floor((now - SETTLE_SECONDS) / period) * period
        configuration = alarm.body["AlarmConfigurationUpdatedTimestamp"]
        if self._evaluated.get(name) != (configuration, end):
            self._evaluate(alarm, end, period)
            self._evaluated[name] = (configuration, end)
        return min(_LONGEST_PAUSE, max(0.01, end + period + SETTLE_SECONDS - now))

    def _evaluate(self, alarm: Resource, end: float, period: int) -> None:
        rule = rule_of(alarm.body)
        start = end - rule.looked_at * period
        try:
            results = queries_of(alarm.body).results(self._reader, start, end)
        except BottegaError as error:
            self._write(alarm, "INSUFFICIENT_DATA", error.message, "")
            return
        if len(results) != 1:
            message = f"The expression came to {len(results)} time series; an alarm needs one."
            self._write(alarm, "INSUFFICIENT_DATA", message, "")
            return
        series = results[0].series
        times = [start + number * period for number in range(rule.looked_at)]
        datapoints = [(time, series.get(time)) for time in times]
        state = rule.evaluate([value for _, value in datapoints])
        if state is None or state == alarm.status:
            return
        reason = reason_for(rule, datapoints, state, alarm.status)
        now = self._ports.clock.now()
        data = reason_data_for(alarm.body, rule, datapoints, period, now)
        self._write(alarm, state, reason, data)

    def _write(self, alarm: Resource, state: str, reason: str, data: str) -> None:
        """Write a state, unless the alarm has changed since it was read: then it is reconciled
        again."""
        now = self._ports.clock.now()

        def change(present: Resource) -> Resource:
            unchanged = present.same_as(alarm)
            return in_state(present, state, reason, data, now) if unchanged else present

        if state != alarm.status or reason != alarm.body["StateReason"]:
            try:
                self._ports.store.modify(ALARM, alarm.name, change)
            except ResourceMissing:
                return
