"""One job's log, read as it grows: its metric points for the tracker, its last values for
Describe.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bottega.algorithms.images import resolve
from bottega.algorithms.registry import algorithm
from bottega.compute.logs import LogStore, StreamMissing
from bottega.features.training.entities import LOG_GROUP, TrainingJob
from bottega.features.training.metrics import MetricScraper
from bottega.features.training.rules import script_mode
from bottega.tracking.port import MetricPoint


def _definitions(job: TrainingJob) -> Sequence[Mapping[str, Any]]:
    """What to look for: an algorithm's own metrics, of which Describe shows the first 40 only."""
    image = resolve(job.image)
    if script_mode(image, job.body):
        given: Sequence[Mapping[str, Any]] = job.body["AlgorithmSpecification"].get(
            "MetricDefinitions", []
        )
        return given
    own = algorithm(image.name).metric_definitions
    return [{"Name": metric.name, "Regex": metric.regex} for metric in own]


class JobLog:
    """Reads every line once, however many ask; safe to use from several threads."""

    def __init__(self, logs: LogStore, job: TrainingJob, *, keep_points: bool) -> None:
        self._logs = logs
        self._keep = keep_points
        self._lock = threading.Lock()
        self._positions = {job.log_stream(host): 0 for host in job.host_names}
        self._scraper = MetricScraper.of(_definitions(job))
        self._unsent: list[MetricPoint] = []

    def advance(self) -> None:
        """Read what was written since the last call."""
        if not self._scraper.definitions:
            return
        with self._lock:
            for stream, start in self._positions.items():
                position = start
                while True:
                    try:
                        chunk = self._logs.read(LOG_GROUP, stream, position=position)
                    except StreamMissing:
                        break
                    points = self._scraper.feed(chunk.events)
                    if self._keep:
                        self._unsent.extend(points)
                    else:
                        _exhaust(points)
                    position = chunk.next_position
                    if not chunk.events:
                        break
                self._positions[stream] = position

    def take_points(self) -> Sequence[MetricPoint]:
        """The points nobody has taken yet; give them back with :meth:`return_points` on a
        failure.
        """
        with self._lock:
            taken, self._unsent = self._unsent, []
        return taken

    def return_points(self, points: Sequence[MetricPoint]) -> None:
        with self._lock:
            self._unsent = [*points, *self._unsent]

    def final_metrics(self) -> list[dict[str, Any]]:
        """FinalMetricDataList as of what was read."""
        with self._lock:
            return self._scraper.final()


def _exhaust(points: Iterator[MetricPoint]) -> None:
    for _ in points:
        pass


class JobLogs:
    """The logs of the jobs that are being followed, by name, time of creation and attempt."""

    def __init__(self, logs: LogStore, *, keep_points: bool) -> None:
        self._logs = logs
        self._keep = keep_points
        self._lock = threading.Lock()
        self._open: dict[tuple[str, float, int], JobLog] = {}

    def of(self, job: TrainingJob) -> JobLog:
        """The log of this job's present attempt, opened when need be."""
        key = (job.name, job.resource.created, job.attempt)
        with self._lock:
            if key not in self._open:
                self._open[key] = JobLog(self._logs, job, keep_points=self._keep)
            return self._open[key]

    def forget(self, name: str) -> None:
        """Let go of everything kept for a job."""
        with self._lock:
            self._open = {key: log for key, log in self._open.items() if key[0] != name}
