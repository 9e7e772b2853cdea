"""What there is to say about a training job's Debugger, from what the studio answers about it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bottega.sdk.client import Client
from bottega.sdk.training_job import TrainingJob
from bottega.widgets.job_view import ENDED, MOST_POINTS, points_of

SETTLED = ("NoIssuesFound", "IssuesFound", "Error", "Stopped")
SHOWN_TENSORS = 6
_FIRST = ("losses", "metrics")
"""The collections that say most at first sight."""

Rule = Mapping[str, Any]
"""A member of ``Rules`` of DescribeTrainingJobDebugger."""


@dataclass(frozen=True)
class DebuggerView:
    """The Debugger of one job at one moment.

    Attributes:
        description: DescribeTrainingJob's answer.
        found: DescribeTrainingJobDebugger's.
        courses: the ``Courses`` of GetTensorCourses, of the tensors that say most.
        seen: when, in seconds since the epoch.
    """

    description: Mapping[str, Any]
    found: Mapping[str, Any]
    courses: Sequence[Mapping[str, Any]] = ()
    seen: float = field(default_factory=time.time)

    @classmethod
    def read(cls, job: TrainingJob) -> DebuggerView:
        """Ask the studio.

        Raises:
            ResourceNotFound: there is no such job.
        """
        description = job.describe()
        found = job.client.call(
            "bottega", "DescribeTrainingJobDebugger", {"TrainingJobName": job.name}
        )
        return cls(description, found, _courses(job.client, job.name, found))

    @property
    def name(self) -> str:
        return str(self.description["TrainingJobName"])

    @property
    def status(self) -> str:
        """The job's."""
        return str(self.description["TrainingJobStatus"])

    @property
    def ended(self) -> bool:
        """Whether the job has ended and every rule has come to its last word."""
        rules = all(rule["Status"] in SETTLED for rule in self.rules)
        return self.status in ENDED and rules

    @property
    def rules(self) -> Sequence[Rule]:
        found: Sequence[Rule] = self.found["Rules"]
        return found

    @property
    def reports(self) -> list[tuple[str, str]]:
        """(rule, URI) of every page that a rule has written."""
        return [
            (str(rule["RuleConfigurationName"]), str(file["S3Uri"]))
            for rule in self.rules
            for file in rule["Reports"]
            if file["Name"].endswith(".html")
        ]

    @property
    def curves(self) -> list[tuple[str, list[tuple[float, float]]]]:
        """(tensor, points) of every course that has a number to show."""
        names = [course["TensorName"] for course in self.courses]
        curves = []
        for course in self.courses:
            points = points_of(course)
            name = str(course["TensorName"])
            if names.count(name) > 1:
                name = f"{name} {course['Mode']}"
            if points:
                curves.append((name, points))
        return curves


def _courses(client: Client, name: str, found: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    saved = {item["Name"] for item in found["Collections"] if item["TensorCount"]}
    collection = next((wanted for wanted in _FIRST if wanted in saved), None)
    if collection is None:
        return []
    request = {
        "TrainingJobName": name,
        "Collection": collection,
        "MaxPoints": MOST_POINTS,
        "MaxTensors": SHOWN_TENSORS,
    }
    courses: list[Mapping[str, Any]] = client.call("bottega", "GetTensorCourses", request)[
        "Courses"
    ]
    return courses
