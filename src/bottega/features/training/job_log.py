"""One job's log, read as it grows: the courses of its metrics for screens, their points for the
tracker, their last values for Describe.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from bottega.algorithms.images import resolve
from bottega.algorithms.registry import algorithm
from bottega.compute.logs import LogStore, StreamMissing
from bottega.events import MetricsChanged
from bottega.features.training.courses import Course, Points
from bottega.features.training.entities import KIND, LOG_GROUP, TrainingJob
from bottega.features.training.metrics import MetricScraper
from bottega.features.training.objective import TREND, Objective, objective_metric
from bottega.features.training.rules import script_mode
from bottega.jobs.trial_courses import MOST_POINTS, NO_COURSE, ObjectiveCourse
from bottega.ports import Ports
from bottega.tracking.port import MetricPoint

ANNOUNCE_SECONDS = 0.5
"""New points of one job are told at most so often."""
_RECENT = 8
"""How many logs that nobody follows are kept, as a screen asks for the same one again and again."""

_Key = tuple[str, float, int]


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


def judged_by(job: TrainingJob, present: Iterable[str]) -> str | None:
    """The metric among ``present`` that says how good the job's model is."""
    image = resolve(job.image)
    own = (
        () if script_mode(image, job.body) else algorithm(image.name).judged_by(job.hyperparameters)
    )
    defined = [definition["Name"] for definition in _definitions(job)]
    return objective_metric(set(present), defined, own)


class JobLog:
    """Reads every line once, however many ask; safe to use from several threads."""

    def __init__(
        self,
        logs: LogStore,
        job: TrainingJob,
        *,
        keep_points: bool,
        announce: Callable[[str], None] | None = None,
    ) -> None:
        """
        Args:
            keep_points: keep every point until it is taken.
            announce: is told the job's name when points have come that were not there before.
        """
        self._logs = logs
        self._job = job
        self._keep = keep_points
        self._announce = announce
        self._announced = 0.0
        self._news = False
        self._lock = threading.Lock()
        self._positions = {job.log_stream(host): 0 for host in job.host_names}
        self._scraper = MetricScraper.of(_definitions(job))
        self._courses: dict[str, Course] = {}
        self._unsent: list[MetricPoint] = []

    def advance(self) -> None:
        """Read what was written between the last call and this one.

        No more than that: a job may write faster than this reads, and must be stoppable then.
        """
        if not self._scraper.definitions:
            return
        for stream in self._positions:
            last = self._last_record(stream)
            while self._positions[stream] <= last and self._read_on(stream):
                continue
        if self._announce is not None and self._due_news():
            self._announce(self._job.name)

    def _last_record(self, stream: str) -> int:
        """Where the newest record begins; -1 where there is none."""
        try:
            newest = self._logs.read_backward(LOG_GROUP, stream, limit=1).events
        except StreamMissing:
            return -1
        return newest[0].position if newest else -1

    def _read_on(self, stream: str) -> bool:
        """Read one chunk, so that nobody waits for a whole log; returns whether there was any."""
        with self._lock:
            try:
                chunk = self._logs.read(LOG_GROUP, stream, position=self._positions[stream])
            except StreamMissing:
                return False
            for point in self._scraper.feed(chunk.events):
                course = self._courses.setdefault(point.name, Course())
                course.append(point.step, point.timestamp / 1000, point.value)
                self._news = True
                if self._keep:
                    self._unsent.append(point)
            self._positions[stream] = chunk.next_position
            return bool(chunk.events)

    def _due_news(self) -> bool:
        with self._lock:
            now = time.monotonic()
            if not self._news or now - self._announced < ANNOUNCE_SECONDS:
                return False
            self._news, self._announced = False, now
            return True

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

    def release(self) -> None:
        """Nobody will take points any more."""
        with self._lock:
            self._keep, self._unsent = False, []

    def final_metrics(self) -> list[dict[str, Any]]:
        """FinalMetricDataList as of what was read."""
        with self._lock:
            return self._scraper.final()

    def courses(self, limit: int) -> dict[str, tuple[int, Points]]:
        """Each metric's number of points, and at most ``limit`` of them, as of what was read."""
        with self._lock:
            return {
                name: (course.count, course.thinned(limit))
                for name, course in sorted(self._courses.items())
            }

    def course(self, metric: str) -> ObjectiveCourse:
        """The course of one metric, as tuning sees it, as of what was read."""
        with self._lock:
            if (course := self._courses.get(metric)) is None:
                return NO_COURSE
            points = course.thinned(MOST_POINTS)
            return ObjectiveCourse(course.count, [step + 1 for step in points.steps], points.values)

    def objective(self) -> Objective | None:
        """How good the model is by now; None before there is a value."""
        with self._lock:
            name = judged_by(self._job, self._courses)
            if name is None:
                return None
            values = self._courses[name].thinned(TREND).values
            return Objective(name, values[-1], values)


class JobLogs:
    """The logs of jobs by name, time of creation and attempt: of those that are being followed, and
    of a few that were asked for lately."""

    def __init__(
        self,
        logs: LogStore,
        *,
        keep_points: bool,
        announce: Callable[[str], None] | None = None,
    ) -> None:
        """
        Args:
            keep_points: whether somebody takes the points of followed jobs.
            announce: is told the name of a followed job that has new points.
        """
        self._logs = logs
        self._keep = keep_points
        self._announce = announce
        self._lock = threading.Lock()
        self._open: dict[_Key, JobLog] = {}
        self._recent: OrderedDict[_Key, JobLog] = OrderedDict()

    def of(self, job: TrainingJob) -> JobLog:
        """The log of this job's present attempt, to be followed until :meth:`forget`."""
        key = _key(job)
        with self._lock:
            if key not in self._open:
                self._open[key] = JobLog(
                    self._logs, job, keep_points=self._keep, announce=self._announce
                )
            return self._open[key]

    def reading(self, job: TrainingJob) -> JobLog:
        """The same log for somebody who only wants to look."""
        key = _key(job)
        with self._lock:
            if key in self._open:
                return self._open[key]
            if key not in self._recent:
                self._keep_recent(key, JobLog(self._logs, job, keep_points=False))
            self._recent.move_to_end(key)
            return self._recent[key]

    def objective(self, name: str) -> Objective | None:
        """How good the model of a followed job is by now, without reading anything."""
        with self._lock:
            followed = [log for key, log in self._open.items() if key[0] == name]
        return followed[-1].objective() if followed else None

    def forget(self, name: str) -> None:
        """A job is not followed any more."""
        with self._lock:
            for key in [key for key in self._open if key[0] == name]:
                log = self._open.pop(key)
                log.release()
                self._keep_recent(key, log)

    def _keep_recent(self, key: _Key, log: JobLog) -> None:
        self._recent[key] = log
        self._recent.move_to_end(key)
        while len(self._recent) > _RECENT:
            self._recent.popitem(last=False)


def _key(job: TrainingJob) -> _Key:
    return (job.name, job.resource.created, job.attempt)


def job_logs(ports: Ports) -> JobLogs:
    """The logs of a studio's jobs, which its controllers follow and its operations look into."""

    def announce(name: str) -> None:
        ports.events.publish(MetricsChanged(ports.clock.now(), KIND, name))

    return ports.memory.of(
        JobLogs,
        lambda: JobLogs(ports.logs, keep_points=ports.tracking is not None, announce=announce),
    )
