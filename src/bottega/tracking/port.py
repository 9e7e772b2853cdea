"""The tracking port: what bottega needs of an experiment tracker."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


class TrackingUnavailable(Exception):
    """The tracker does not answer now; the same call may succeed later."""


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
    """One tracker. Every method is idempotent: repeating it with the same arguments changes nothing."""

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
    ) -> TrackedRun:
        """The run that belongs to ``arn``, made when there is none, marked as running.

        Raises:
            TrackingUnavailable.
        """

    @abstractmethod
    def log_metrics(self, run_id: str, points: Sequence[MetricPoint]) -> None:
        """Add points. Raises: TrackingUnavailable."""

    @abstractmethod
    def log_artifact(self, run_id: str, path: Path, name: str) -> None:
        """Keep a file under ``name`` (slashes make folders). Raises: TrackingUnavailable."""

    @abstractmethod
    def close_run(
        self, run_id: str, *, status: Literal["FINISHED", "FAILED", "KILLED"], ended: float
    ) -> None:
        """Mark the run as ended. Raises: TrackingUnavailable."""

    @abstractmethod
    def set_tags(self, run_id: str, tags: Mapping[str, str]) -> None:
        """Raises: TrackingUnavailable."""

    @property
    @abstractmethod
    def client_environment(self) -> Mapping[str, str]:
        """The variables with which a plain mlflow client logs to this tracker."""
