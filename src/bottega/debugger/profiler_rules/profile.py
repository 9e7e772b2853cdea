"""The files of a profile, read as they grow: samples of the machine, and events of the framework.

The layout is that of SageMaker's profiler: ``system/incremental/<hour>/<minute>.<node>.json``, one
number a line, and ``framework/pevents/<hour>/<end usec>_<node>_<pid>_<kind>.json``, Chrome's trace
events.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

from bottega.debugger.phases import EVENTS_FOLDER, START_TIME

SYSTEM_FOLDER = "system/incremental"
_MICRO = 1_000_000
_EVENTS_NAME = re.compile(r"^(\d+)_(.+)_(\d+)_([^_]+)\.json$")
_STEP = re.compile(r"^Step:(?:ModeKeys\.)?(\w+)$")


@dataclass(frozen=True, slots=True)
class Tick:
    """What one host's machine did in the time before one sample; percentages are of 0 to 100.

    Attributes:
        node: the host, ``algo-1``.
        time: when the sample was taken, seconds since 1970.
        cpu: mean use of the cores; None where it was not measured.
        cores: how many cores were measured.
        busiest: use of the core that was used most.
        io_wait: mean part of the cores' time in which they waited for a disk.
        longest_wait: that part of the core that waited most.
        memory: used memory.
        gpus: use of each GPU, by its name.
        gpu_memory: used memory of each GPU.
        rates: other numbers by name, such as ReceiveBytesPerSecond.
    """

    node: str
    time: float
    cpu: float | None = None
    cores: int = 0
    busiest: float | None = None
    io_wait: float | None = None
    longest_wait: float | None = None
    memory: float | None = None
    gpus: Mapping[str, float] = field(default_factory=dict)
    gpu_memory: Mapping[str, float] = field(default_factory=dict)
    rates: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that the framework did.

    Attributes:
        node: the host.
        phase: what kind of thing, such as ``Forward``.
        name: of what, such as a module.
        start: seconds since 1970.
        end: likewise.
        arguments: what else is known, such as ``step_num``.
    """

    node: str
    phase: str
    name: str
    start: float
    end: float
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.end - self.start

    @property
    def step_mode(self) -> str:
        """The mode of a whole step; empty for what is none."""
        match = _STEP.match(self.phase)
        return match[1] if match else ""


@dataclass(frozen=True)
class News:
    """What has come to a profile, in order of time."""

    ticks: tuple[Tick, ...] = ()
    events: tuple[Event, ...] = ()


class ProfileReader:
    """Reads a profile's files, each byte once.

    Args:
        folder: with ``system`` and ``framework`` in it; need not be there yet.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._offsets: dict[Path, int] = {}
        self._done: set[Path] = set()
        self._open: dict[str, _Sample] = {}

    def news(self, *, over: bool = False) -> News:
        """What has come since the last time.

        Args:
            over: nothing more comes, so that the last sample is whole, too.
        """
        ticks = sorted(self._ticks(over), key=lambda tick: tick.time)
        events = sorted(self._events(), key=lambda event: event.end)
        return News(tuple(ticks), tuple(events))

    def _ticks(self, over: bool) -> Iterator[Tick]:
        for line in new_lines(self._folder, self._offsets):
            if not _is_sample(line):
                continue
            node, time = str(line["NodeId"]), float(line["Timestamp"])
            sample = self._open.get(node)
            if sample is None or sample.time != time:
                if sample is not None:
                    yield sample.tick(node)
                sample = self._open[node] = _Sample(time)
            sample.add(line)
        if over:
            for node, sample in self._open.items():
                yield sample.tick(node)
            self._open = {}

    def _events(self) -> Iterator[Event]:
        for path in sorted((self._folder / EVENTS_FOLDER).glob("*/*.json")):
            named = _EVENTS_NAME.match(path.name)
            if path in self._done or named is None:
                continue
            self._done.add(path)
            yield from events_of(path.read_text(errors="replace"), node=named[2])


def new_lines(folder: Path, offsets: dict[Path, int]) -> Iterator[dict[str, Any]]:
    """Objects of whole lines of the machine's samples that were not read yet, each host's in order.

    Args:
        folder: the profile's.
        offsets: up to where each file was read; goes on with the files.
    """
    # By minute, as a host's samples have to come in order.
    for path in sorted((folder / SYSTEM_FOLDER).glob("*/*.json"), key=_minute):
        begin = offsets.get(path, 0)
        if path.stat().st_size <= begin:
            continue
        with path.open("rb") as file:
            file.seek(begin)
            content = file.read()
        whole = content.rfind(b"\n") + 1
        offsets[path] = begin + whole
        for text in content[:whole].splitlines():
            try:
                line = json.loads(text)
            except ValueError:  # a crash of the machine cut it off
                continue
            if isinstance(line, dict):
                yield line


def _minute(path: Path) -> tuple[int, str]:
    minute, _, host = path.name.partition(".")
    return (int(minute) if minute.isdigit() else 0, host)


def events_of(text: str, node: str) -> Iterator[Event]:
    """The events of one file; those of a file that was cut short are read up to the cut.

    Args:
        text: a JSON array of trace events.
        node: the host that it is of.
    """
    phases: dict[Any, str] = {}
    base = 0.0
    for entry in _entries(text):
        arguments = entry.get("args")
        arguments = arguments if isinstance(arguments, dict) else {}
        if entry.get("ph") == "M":
            if START_TIME in arguments:
                base = float(arguments[START_TIME])
            elif entry.get("name") == "process_name" and "name" in arguments:
                phases[entry.get("pid")] = str(arguments["name"])
        elif entry.get("ph") == "X" and _is_number(entry.get("ts"), entry.get("dur")):
            start = (base + float(entry["ts"])) / _MICRO
            yield Event(
                node,
                phases.get(entry.get("pid"), "other"),
                str(entry.get("name", "")),
                start,
                start + float(entry["dur"]) / _MICRO,
                arguments,
            )


def _entries(text: str) -> list[dict[str, Any]]:
    try:
        found = json.loads(text)
    except ValueError:
        found = _entries_up_to_the_cut(text)
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def _entries_up_to_the_cut(text: str) -> list[Any]:
    decoder, found = json.JSONDecoder(), []
    at = text.find("{")
    while at >= 0:
        try:
            entry, at = decoder.raw_decode(text, at)
        except ValueError:
            break
        found.append(entry)
        at = text.find("{", at)
    return found


class _Sample:
    """The lines of one sample, so far."""

    def __init__(self, time: float) -> None:
        self.time = time
        self._numbers: dict[str, dict[str, float]] = {}

    def add(self, line: Mapping[str, Any]) -> None:
        dimension, name = str(line["Dimension"]), str(line["Name"])
        # Rates and memory are told apart by their names, cores and GPUs by their dimension.
        self._numbers.setdefault(dimension, {})[name] = float(line["Value"])

    def tick(self, node: str) -> Tick:
        cores = self._numbers.get("CPUUtilization", {})
        waits = self._numbers.get("I/OWaitPercentage", {})
        memory = self._numbers.get("Memory", {})
        return Tick(
            node,
            self.time,
            cpu=fmean(cores.values()) if cores else None,
            cores=len(cores),
            busiest=max(cores.values(), default=None),
            io_wait=fmean(waits.values()) if waits else None,
            longest_wait=max(waits.values(), default=None),
            memory=next(iter(memory.values()), None),
            gpus=self._numbers.get("GPUUtilization", {}),
            gpu_memory=self._numbers.get("GPUMemoryUtilization", {}),
            rates=self._numbers.get("Algorithm", {}),
        )


def _is_sample(line: Mapping[str, Any]) -> bool:
    texts = all(isinstance(line.get(name), str) for name in ("Dimension", "Name", "NodeId"))
    return texts and _is_number(line.get("Value"), line.get("Timestamp"))


def _is_number(*values: object) -> bool:
    return all(isinstance(value, int | float) and value == value for value in values)
