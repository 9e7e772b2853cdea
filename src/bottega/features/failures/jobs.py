"""Where everything is that tells of a failed job, for each kind of job.

Their features keep them in the store under SageMaker's names; of their documents only what Describe
shows is read here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bottega.compute.logs import LogEvent, LogStore, StreamMissing
from bottega.errors import ValidationException
from bottega.failures.job import JobKind, Machine
from bottega.failures.tracebacks import Line
from bottega.ports import Ports
from bottega.storage.metadata import Resource, ResourceMissing

SYSTEM_METRICS_GROUP = "/bottega/SystemMetrics"
TAIL_LINES = 600
"""How many last lines of each host's log are read."""
MOST_STREAMS = 8
LONGEST_LINE = 4000
"""Characters of a line that are looked at."""
SAMPLES = 600
_MEMORY_INFO = re.compile(r"^MemTotal:\s+(\d+) kB$", re.MULTILINE)


@dataclass(frozen=True)
class Kind:
    """A kind of job."""

    resource: str
    """Its name in the store."""
    log_group: str


KINDS: Mapping[JobKind, Kind] = {
    "Training": Kind("TrainingJob", "/aws/sagemaker/TrainingJobs"),
    "Processing": Kind("ProcessingJob", "/aws/sagemaker/ProcessingJobs"),
    "Transform": Kind("TransformJob", "/aws/sagemaker/TransformJobs"),
}


@dataclass(frozen=True)
class Tail:
    """The end of one stream."""

    stream: str
    first: int
    """The number of its first line."""
    events: Sequence[LogEvent]

    @property
    def lines(self) -> tuple[Line, ...]:
        return tuple(
            Line(number, event.message[:LONGEST_LINE])
            for number, event in enumerate(self.events, self.first)
        )


def find(ports: Ports, kind: JobKind, name: str) -> Resource:
    """The job.

    Raises:
        ValidationException: there is none of that kind and name.
    """
    try:
        return ports.store.get(KINDS[kind].resource, name)
    except ResourceMissing as error:
        raise ValidationException(f"There is no {kind.lower()} job {name!r}.") from error


def tails(logs: LogStore, group: str, job: Resource) -> list[Tail]:
    """The ends of the logs that a job's present attempt wrote, by stream."""
    try:
        streams = logs.streams(group, prefix=f"{job.name}/")
    except StreamMissing:
        return []
    # An earlier job of this name, or an earlier attempt, has left its streams, too.
    own = [stream for stream in streams if stream.created >= job.created - 1]
    names = [stream.name for stream in own or streams]
    found = []
    for name in _last_attempt(names)[:MOST_STREAMS]:
        try:
            total = logs.count_lines(group, name)
            end = logs.line_position(group, name, total)
            events = logs.read_backward(group, name, end=end, limit=TAIL_LINES).events
        except StreamMissing:
            continue
        found.append(Tail(name, total - len(events), events))
    return found


def _last_attempt(names: Sequence[str]) -> list[str]:
    """Of streams ``<job>/<host>-<time>`` and ``...-<time>-<attempt>`` those of the last attempt."""
    attempts: dict[str, tuple[int, str]] = {}
    for name in names:
        found = re.fullmatch(r"(.+/algo-\d+-\d+)(?:-(\d+))?", name)
        key, number = (found[1], int(found[2] or 0)) if found else (name, 0)
        attempts[key] = max(attempts.get(key, (number, name)), (number, name))
    return sorted(name for _, name in attempts.values())


def machine(logs: LogStore, streams: Sequence[str]) -> Machine:
    """What the machine has, and the most that the job was seen to use of it."""
    peaks = [peak for stream in streams if (peak := _peak(logs, stream)) is not None]
    return Machine(memory=_total_memory(), peak_memory=max(peaks, default=None))


def _peak(logs: LogStore, stream: str) -> int | None:
    try:
        events = logs.read_backward(SYSTEM_METRICS_GROUP, stream, limit=SAMPLES).events
    except StreamMissing:
        return None
    return max((used for event in events if (used := _memory(event.message))), default=None)


def _memory(sample: str) -> int:
    """MemoryUsed of a sample; 0 where a crash of the machine cut it off."""
    try:
        found: Any = json.loads(sample)
    except ValueError:
        return 0
    used = found.get("MemoryUsed", 0) if isinstance(found, dict) else 0
    return int(used) if isinstance(used, (int, float)) else 0


def _total_memory() -> int | None:
    """Bytes of the machine's memory; None where the system does not say it in Linux' way."""
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            found = _MEMORY_INFO.search(file.read())
    except OSError:
        return None
    return int(found[1]) * 1024 if found else None
