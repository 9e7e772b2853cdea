"""The tracking port: what bottega needs of an experiment tracker."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


class TrackingUnavailable(Exception):
    """The tracker does not answer now; the same call may succeed later."""


class TrackingUnreachable(TrackingUnavailable):
    """Nothing listens there: the request was not sent."""


class TrackingRefused(Exception):
    """The tracker refuses for good: the run was deleted in it, say. Repeating is useless.

    Attributes:
        reason: the tracker's own words, for the person who asked.
    """

    def __init__(self, message: str, *, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason or message


class TrackingMissing(TrackingRefused):
    """What the request names does not exist."""


class TrackingExists(TrackingRefused):
    """What the request would make exists."""


@dataclass(frozen=True)
class MetricPoint:
    name: str
    value: float
    timestamp: int
    """Milliseconds since the epoch."""
    step: int


@dataclass(frozen=True)
class TrackedRun:
    run_id: str
    experiment_id: str


class Tracking(ABC):
    """One tracker. Every method is idempotent: the same arguments again change nothing.

    Names and values that the tracker cannot keep as they are, are changed as little as needed:
    other characters in names become ``_``, values that are too long end in an ellipsis.

    Every method raises :class:`TrackingUnavailable` when the tracker does not answer now, and
    :class:`TrackingRefused` when it never will.
    """

    @abstractmethod
    def open_run(
        self,
        *,
        experiment: str,
        name: str,
        arn: str,
        started: float,
        tags: Mapping[str, str],
        parameters: Mapping[str, str],
        component: str = "",
        reused: bool = False,
        trial: str | None = None,
    ) -> TrackedRun:
        """The run that belongs to ``arn``, made when there is none, marked as running.

        Args:
            experiment: its name; made when there is none, brought back when it was deleted.
            name: what the run is called on the screen.
            arn: what the run is found by again.
            started: seconds since the epoch.
            tags: further facts.
            parameters: what the job was started with.
            component: the name of the trial component that the run is, which an earlier run of this
                name loses; the run's id where it is empty.
            reused: take the run of the component of this name, whoever made it, if there is one.
            trial: which trial the component is to belong to, made when there is none; empty for the
                default one of the experiment, None for no trial.
        """

    @abstractmethod
    def log_metrics(self, run_id: str, points: Sequence[MetricPoint]) -> None:
        """Add points, in their order."""

    @abstractmethod
    def log_artifact(self, run_id: str, path: Path, name: str) -> None:
        """Keep a file under ``name`` (slashes make folders), in place of what is there."""

    @abstractmethod
    def close_run(
        self, run_id: str, *, status: Literal["FINISHED", "FAILED", "KILLED"], ended: float
    ) -> None:
        """Mark the run as ended.

        Args:
            run_id: what :meth:`open_run` gave.
            status: how it ended.
            ended: seconds since the epoch.
        """

    @abstractmethod
    def set_tags(self, run_id: str, tags: Mapping[str, str]) -> None:
        """Set tags, over those of the same names."""

    @property
    @abstractmethod
    def client_environment(self) -> Mapping[str, str]:
        """The variables with which a plain mlflow client logs to this tracker."""
