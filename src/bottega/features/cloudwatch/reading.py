"""Reading metrics, wherever they are: the store, the logs of jobs, the samples of their hosts."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from bottega.compute.logs import StreamMissing
from bottega.context import Context
from bottega.errors import InvalidParameterValue
from bottega.metrics.statistics import Statistics
from bottega.metrics.store import Dimensions, KnownMetric, MetricName, MetricQuery, Period
from bottega.ports import Ports
from bottega.storage.metadata import ResourceMissing

Call = Callable[[str, str, Mapping[str, Any]], Mapping[str, Any]]
"""Calls an operation by service, name and request."""

TRAINING = "/aws/sagemaker/TrainingJobs"
PROCESSING = "/aws/sagemaker/ProcessingJobs"
SAMPLES = "/bottega/SystemMetrics"
"""The group of the streams in which supervisors write what hosts use."""

OWN = "/bottega/"
"""Namespaces of metrics that are for bottega's own charts."""

_KINDS = {TRAINING: "TrainingJob", PROCESSING: "ProcessingJob"}
_MEMORY = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
_POINTS = 10_000
_MOST_DIMENSIONS = 30
_HOST_UNITS = {
    "CPUUtilization": "Percent",
    "MemoryUtilization": "Percent",
    "GPUUtilization": "Percent",
}


def periods_allowed(period: int) -> None:
    """Refuse a period that CloudWatch does not have.

    Raises:
        InvalidParameterValue: it is neither one below a minute nor whole minutes.
    """
    if period not in (1, 5, 10, 20, 30) and (period < 60 or period % 60):
        raise InvalidParameterValue(
            f"Period must be 1, 5, 10, 20, 30 or a multiple of 60 seconds, not {period}."
        )


def dimensions_of(given: Iterable[Mapping[str, Any]] | None) -> Dimensions:
    """The dimensions of a request, sorted.

    Raises:
        InvalidParameterValue: one is named twice, or there are too many.
    """
    found = tuple(sorted((one["Name"], one["Value"]) for one in given or ()))
    names = [name for name, _ in found]
    if len(set(names)) < len(names):
        raise InvalidParameterValue("The parameter Dimensions names the same dimension twice.")
    if len(found) > _MOST_DIMENSIONS:
        raise InvalidParameterValue(f"A metric has at most {_MOST_DIMENSIONS} dimensions.")
    return found


def shown(dimensions: Dimensions) -> list[Any]:
    """Dimensions as a response has them."""
    return [{"Name": name, "Value": value} for name, value in dimensions]


class MetricReader:
    """Reads metrics for one call."""

    def __init__(self, ports: Ports, call: Call) -> None:
        """
        Args:
            call: asks other operations for what they know of jobs.
        """
        self._ports = ports
        self._call = call

    @classmethod
    def of(cls, context: Context) -> MetricReader:
        """A reader for the caller of an operation."""
        return cls(context.ports, context.call)

    def read(self, query: MetricQuery) -> Sequence[Period]:
        """The periods that have values, by time and then by unit."""
        stored = self._ports.metrics.read(query)
        if stored or query.metric.namespace not in _KINDS:
            return stored
        return _in_periods(self._values_of_job(query.metric, query), query)

    def known(self, namespace: str | None, name: str | None, since: float) -> list[KnownMetric]:
        """The metrics of the store but for bottega's own. Those of jobs are found by their
        dimensions only, as they would be without end."""
        found = self._ports.metrics.metrics(namespace=namespace, name=name, since=since)
        return [known for known in found if not known.metric.namespace.startswith(OWN)]

    def _values_of_job(
        self, metric: MetricName, query: MetricQuery
    ) -> Iterable[tuple[float, float, str]]:
        """Time, value and unit of each value that a job has for a metric."""
        match dict(metric.dimensions):
            case {"TrainingJobName": job, **others} if not others:
                return self._algorithm_values(job, metric.name)
            case {"Host": host, **others} if not others and metric.name in _HOST_UNITS:
                return self._host_values(_KINDS[metric.namespace], host, metric.name, query.start)
        return ()

    def _algorithm_values(self, job: str, name: str) -> Iterable[tuple[float, float, str]]:
        if not self._ports.store.get_many(_KINDS[TRAINING], [job]):
            return ()
        request = {"TrainingJobName": job, "MaxPoints": _POINTS}
        answer = self._call("bottega", "GetTrainingJobMetrics", request)
        return [
            (time, value, "None")
            for course in answer["Metrics"]
            if course["Name"] == name
            for time, value in zip(course["Times"], course["Values"], strict=True)
        ]

    def _host_values(
        self, kind: str, host: str, name: str, start: float
    ) -> Iterable[tuple[float, float, str]]:
        job, _, instance = host.partition("/")
        try:
            created = int(self._ports.store.get(kind, job).created)
            streams = self._ports.logs.streams(SAMPLES, prefix=f"{job}/{instance}-{created}")
        except (ResourceMissing, StreamMissing):
            return
        for stream in streams:
            position = self._ports.logs.seek(SAMPLES, stream.name, int(start * 1000))
            while True:
                chunk = self._ports.logs.read(SAMPLES, stream.name, position=position)
                for event in chunk.events:
                    value = sample(event.message).get(name)
                    if value is not None:
                        yield event.timestamp / 1000, value, _HOST_UNITS[name]
                if not chunk.events:
                    break
                position = chunk.next_position


def sample(text: str) -> Mapping[str, float]:
    """A record of a supervisor as CloudWatch's metrics of hosts; empty where a crash of the machine
    cut it off."""
    try:
        record = json.loads(text)
    except ValueError:
        return {}
    if not isinstance(record, dict):
        return {}
    found = {
        name: float(record[name]) for name in ("CPUUtilization", "GPUUtilization") if name in record
    }
    if "MemoryUsed" in record:
        found["MemoryUtilization"] = 100 * float(record["MemoryUsed"]) / _MEMORY
    return found


def _in_periods(values: Iterable[tuple[float, float, str]], query: MetricQuery) -> Sequence[Period]:
    start = query.start // query.period * query.period
    found: dict[tuple[float, str], list[float]] = {}
    for time, value, unit in values:
        if start <= time < query.end and query.unit in (None, unit) and value == value:
            found.setdefault((time // query.period * query.period, unit), []).append(value)
    return [Period(*key, Statistics.of(found[key])) for key in sorted(found)]
