"""What there is to say about a tuning job, from what the studio answers about it."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bottega.sdk.tuning_job import RUNNING, TuningJob

MOST_POINTS = 400
"""Of the course of the best: more than a small chart has pixels for."""
SHOWN_TRIALS = 10


@dataclass(frozen=True)
class TuningView:
    """One tuning job at one moment.

    Attributes:
        progress: DescribeTuningProgress's answer.
        trials: the best of ListTuningTrials, best first.
        seen: when, in seconds since the epoch.
    """

    progress: Mapping[str, Any]
    trials: Sequence[Mapping[str, Any]] = ()
    seen: float = field(default_factory=time.time)

    @classmethod
    def read(cls, job: TuningJob) -> TuningView:
        """Ask the studio.

        Raises:
            ResourceNotFound: there is no such tuning job.
        """
        progress = job.progress(MOST_POINTS)
        return cls(progress, best_trials(job, progress))

    @property
    def name(self) -> str:
        return str(self.progress["TuningJobName"])

    @property
    def status(self) -> str:
        return str(self.progress["Status"])

    @property
    def ended(self) -> bool:
        return self.status not in RUNNING

    @property
    def failure(self) -> str:
        return str(self.progress.get("FailureReason", ""))

    @property
    def metric(self) -> str:
        """What the trials are judged by; of several definitions, the first's."""
        return str(self.progress["Objectives"][0]["MetricName"])

    @property
    def best(self) -> Mapping[str, Any] | None:
        """The best trial; None before there is one."""
        found: Mapping[str, Any] | None = self.progress.get("BestTrial")
        return found

    @property
    def done(self) -> int:
        """How many trials have ended."""
        counts = self.progress["Trials"]
        return int(counts["Total"] - counts["InProgress"])

    @property
    def limit(self) -> int | None:
        """How many trials there will be at most."""
        limit = self.progress["Trials"].get("Limit")
        return None if limit is None else int(limit)

    @property
    def counters(self) -> str:
        """``12 of 20 trials ended: 9 completed, 2 stopped early, 1 failed; 2 running``."""
        counts = self.progress["Trials"]
        of = f" of {self.limit}" if self.limit is not None else ""
        early = int(self.progress.get("StoppedEarly", 0))
        kinds = [
            (counts["Completed"], "completed"),
            (early, "stopped early"),
            (counts["Stopped"] - early, "stopped"),
            (counts["Failed"], "failed"),
        ]
        ended = ", ".join(f"{number} {word}" for number, word in kinds if number > 0)
        running = f"; {counts['InProgress']} running" if counts["InProgress"] else ""
        return f"{self.done}{of} trials ended{': ' if ended else ''}{ended}{running}"

    @property
    def course(self) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
        """(ended trials so far, objective) and (ended trials so far, best so far)."""
        best = self.progress["Best"]

        def points(values: Sequence[float]) -> list[tuple[float, float]]:
            pairs = enumerate(map(float, values), 1)
            return [(float(at), value) for at, value in pairs if math.isfinite(value)]

        return points(best["Values"]), points(best["Best"])


def best_trials(job: TuningJob, progress: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The best trials that have an objective."""
    better = progress["Objectives"][0]["Type"]
    answer = job.client.call(
        "bottega",
        "ListTuningTrials",
        {
            "TuningJobName": job.name,
            "SortBy": "Objective",
            "SortOrder": "Descending" if better == "Maximize" else "Ascending",
            "MaxResults": SHOWN_TRIALS,
            "CoursePoints": 0,
        },
    )
    return [trial for trial in answer["Trials"] if "Objective" in trial]
