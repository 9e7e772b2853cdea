"""What there is to say about a training job, from what the studio answers about it."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bottega.errors import BottegaError
from bottega.sdk.client import Client
from bottega.sdk.notebook_job import CELL_METRIC, CELLS_VARIABLE
from bottega.sdk.training_job import LOG_GROUP, TrainingJob

MOST_POINTS = 200
"""Of each metric: more than a small chart has pixels for."""
TAIL_LINES = 200
ENDED = ("Completed", "Failed", "Stopped")
_ROUNDS = ("num_round", "epochs", "n_estimators")


@dataclass(frozen=True)
class Progress:
    """How far a job is."""

    done: int
    total: int
    seconds_left: float | None
    """None while nobody can tell."""


@dataclass(frozen=True)
class JobView:
    """One job at one moment.

    Attributes:
        description: DescribeTrainingJob's answer.
        courses: the ``Metrics`` of GetTrainingJobMetrics.
        lines: the last lines of the log.
        rules: ``Rules`` of DescribeTrainingJobDebugger.
        seen: when, in seconds since the epoch.
    """

    description: Mapping[str, Any]
    courses: Sequence[Mapping[str, Any]] = ()
    lines: Sequence[str] = ()
    seen: float = field(default_factory=time.time)
    rules: Sequence[Mapping[str, Any]] = ()

    @classmethod
    def read(cls, job: TrainingJob) -> JobView:
        """Ask the studio.

        Raises:
            ResourceNotFound: there is no such job.
        """
        description = job.describe()
        request = {"TrainingJobName": job.name, "MaxPoints": MOST_POINTS}
        courses = job.client.call("bottega", "GetTrainingJobMetrics", request)["Metrics"]
        lines = tail(job.client, job.name)
        return cls(description, courses, lines, rules=rules_of(job.client, description))

    @property
    def name(self) -> str:
        return str(self.description["TrainingJobName"])

    @property
    def status(self) -> str:
        return str(self.description["TrainingJobStatus"])

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @property
    def failure(self) -> str:
        return str(self.description.get("FailureReason", ""))

    @property
    def steps(self) -> Sequence[Mapping[str, Any]]:
        """The statuses it went through, with their times."""
        found: Sequence[Mapping[str, Any]] = self.description.get("SecondaryStatusTransitions", ())
        return found

    @property
    def progress(self) -> Progress | None:
        """None where the job does not say how far it has to go."""
        total = self._total()
        if total is None:
            return None
        if self.status == "Completed":
            return Progress(total, total, 0.0)
        done = min(total, max((int(course["Points"]) for course in self.courses), default=0))
        start = next((s["StartTime"] for s in self.steps if s["Status"] == "Training"), None)
        if self.ended or start is None or not done:
            return Progress(done, total, None)
        return Progress(done, total, max(0.0, self.seen - start) / done * (total - done))

    def _total(self) -> int | None:
        if any(course["Name"] == CELL_METRIC for course in self.courses):
            return int(self.description.get("Environment", {})[CELLS_VARIABLE])
        values = self.description.get("HyperParameters", {})
        texts = (str(values.get(name, "")).strip('"') for name in _ROUNDS)
        return next((int(text) for text in texts if text.isdigit() and int(text)), None)

    @property
    def curves(self) -> list[tuple[str, list[tuple[float, float]]]]:
        """(metric, points) of every metric that has a number to show."""
        found = []
        for course in self.courses:
            points = points_of(course)
            if points and course["Name"] != CELL_METRIC:
                found.append((str(course["Name"]), points))
        return found


def points_of(course: Mapping[str, Any]) -> list[tuple[float, float]]:
    """The steps and values of a course that are numbers."""
    pairs = zip(course["Steps"], course["Values"], strict=True)
    return [(float(x), float(y)) for x, y in pairs if math.isfinite(float(y))]


def rules_of(client: Client, description: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """``Rules`` of DescribeTrainingJobDebugger; a job without rules is not asked about.

    Args:
        client: asks.
        description: DescribeTrainingJob's answer.
    """
    members = ("DebugRuleEvaluationStatuses", "ProfilerRuleEvaluationStatuses")
    if not any(description.get(member) for member in members):
        return []
    request = {"TrainingJobName": description["TrainingJobName"]}
    found: list[Mapping[str, Any]] = client.call("bottega", "DescribeTrainingJobDebugger", request)[
        "Rules"
    ]
    return found


def tail(client: Client, name: str) -> list[str]:
    """The last lines of a job's log; of several hosts with the host's name in front."""
    request = {"logGroupName": LOG_GROUP, "logStreamNamePrefix": f"{name}/"}
    try:
        found = client.call("logs", "DescribeLogStreams", request)["logStreams"]
    except BottegaError as error:
        if error.code == "ResourceNotFoundException":  # nothing was written yet
            return []
        raise
    lines: list[str] = []
    for stream in (item["logStreamName"] for item in found):
        host = stream.rpartition("/")[2].rpartition("-")[0]
        prefix = f"{host} | " if len(found) > 1 else ""
        answer = client.call(
            "bottega",
            "ReadLogLines",
            {"LogGroupName": LOG_GROUP, "LogStreamName": stream, "MaxLines": TAIL_LINES},
        )
        lines += [prefix + line["Message"] for line in answer["Lines"]]
    return lines
