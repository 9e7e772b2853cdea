"""What the instances of a job use of the machine, from the samples that its supervisor writes."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Mapping

from bottega.compute.logs import LogStore, StreamMissing
from bottega.context import Context
from bottega.features.training.courses import Course, Points
from bottega.features.training.entities import SYSTEM_METRICS_GROUP
from bottega.features.training.jobs import find_job
from bottega.ports import Ports
from bottega.registry import operation
from bottega.specs.generated.training import (
    GetTrainingJobSystemMetricsRequest,
    GetTrainingJobSystemMetricsResponse,
    SystemUnit,
)

_POINTS = 600
_RECENT = 32
"""Of how many instances the samples are remembered: those that were asked for last."""

UNITS: Mapping[str, SystemUnit] = {
    "CPUUtilization": "Percent",
    "MemoryUsed": "Bytes",
    "DiskRead": "BytesPerSecond",
    "DiskWritten": "BytesPerSecond",
    "NetworkReceived": "BytesPerSecond",
    "NetworkSent": "BytesPerSecond",
    "GPUUtilization": "Percent",
    "GPUMemoryUsed": "Bytes",
}
"""Every series that a supervisor may measure."""


@operation("GetTrainingJobSystemMetrics", service="bottega")
def get_training_job_system_metrics(
    context: Context, request: GetTrainingJobSystemMetricsRequest
) -> GetTrainingJobSystemMetricsResponse:
    """The series of each instance of one job; an instance that has none yet is there all the
    same."""
    job = find_job(context, request["TrainingJobName"])
    samples = _samples(context.ports)
    limit = request.get("MaxPoints", _POINTS)
    return {
        "Hosts": [
            {
                "HostName": host,
                "Series": [
                    {
                        "Name": name,
                        "Unit": UNITS[name],
                        "Times": list(points.times),
                        "Values": list(points.values),
                    }
                    for name, points in samples.series(job.log_stream(host), limit).items()
                ],
            }
            for host in job.host_names
        ]
    }


class Samples:
    """Reads every sample once, however often screens ask."""

    def __init__(self, logs: LogStore) -> None:
        self._logs = logs
        self._lock = threading.Lock()
        self._streams: OrderedDict[str, _Stream] = OrderedDict()

    def series(self, stream: str, limit: int) -> dict[str, Points]:
        """Each series of one instance in at most ``limit`` points, in the order of ``UNITS``."""
        with self._lock:
            followed = self._streams.setdefault(stream, _Stream(self._logs, stream))
            self._streams.move_to_end(stream)
            while len(self._streams) > _RECENT:
                self._streams.popitem(last=False)
        return followed.read(limit)


class _Stream:
    def __init__(self, logs: LogStore, name: str) -> None:
        self._logs = logs
        self._name = name
        self._lock = threading.Lock()
        self._position = 0
        self._courses = {name: Course() for name in UNITS}

    def read(self, limit: int) -> dict[str, Points]:
        with self._lock:
            self._advance()
            return {
                name: course.thinned(limit)
                for name, course in self._courses.items()
                if course.count
            }

    def _advance(self) -> None:
        while True:
            try:
                chunk = self._logs.read(SYSTEM_METRICS_GROUP, self._name, position=self._position)
            except StreamMissing:
                return
            if not chunk.events:
                return
            for event in chunk.events:
                for name, value in _sample(event.message).items():
                    course = self._courses[name]
                    course.append(course.count, event.timestamp / 1000, value)
            self._position = chunk.next_position


def _sample(text: str) -> dict[str, float]:
    """One record; empty where a crash of the machine cut it off."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    if not isinstance(found, dict):
        return {}
    return {n: float(v) for n, v in found.items() if n in UNITS and isinstance(v, (int, float))}


def _samples(ports: Ports) -> Samples:
    return ports.memory.of(Samples, lambda: Samples(ports.logs))
