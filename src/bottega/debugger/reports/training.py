"""What a report says of the training itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True)
class ReportedTraining:
    """The training job.

    Attributes:
        name: of the job.
        status: its TrainingJobStatus.
        started: when its processes were started, seconds since 1970; None where unknown.
        ended: when it ended, likewise.
        hosts: names of its instances.
        instance_type: of its instances.
        hyperparameters: as the request had them.
    """

    name: str
    status: str = ""
    started: float | None = None
    ended: float | None = None
    hosts: tuple[str, ...] = ()
    instance_type: str = ""
    hyperparameters: Mapping[str, str] | None = None


def moment(seconds: float) -> str:
    """A time of the day, in UTC.

    >>> moment(1_700_000_000.0)
    '2023-11-14 22:13:20 UTC'
    """
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
