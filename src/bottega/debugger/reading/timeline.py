"""A profile as a screen shows it: what the machine did and the phases of the training, from one
moment to another, in so many points that a screen cannot tell the difference."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from pathlib import Path
from typing import Any

from bottega.debugger.phases import EVENTS_FOLDER
from bottega.debugger.profiler_rules.profile import events_of, new_lines
from bottega.thinning import thinned

UNITS = {
    "I/OWaitPercentage": "Percent",
    "CPUUtilization": "Percent",
    "GPUUtilization": "Percent",
    "GPUMemoryUtilization": "Percent",
    "MemoryUsedPercent": "Percent",
    "ReadThroughputInBytesPerSecond": "BytesPerSecond",
    "WriteThroughputInBytesPerSecond": "BytesPerSecond",
    "ReceiveBytesPerSecond": "BytesPerSecond",
    "TransmitBytesPerSecond": "BytesPerSecond",
    "IOPS": "PerSecond",
}
_MEANS = ("CPUUtilization", "I/OWaitPercentage")
"""Told of each core, and of all of them together."""
_ORDER = (
    *("CPUUtilization", "I/OWaitPercentage", "MemoryUsedPercent", "GPUUtilization"),
    *("GPUMemoryUtilization", "ReadThroughputInBytesPerSecond"),
    *("WriteThroughputInBytesPerSecond", "IOPS", "ReceiveBytesPerSecond"),
    "TransmitBytesPerSecond",
)
_EVENTS_NAME = re.compile(r"^(\d+)_(.+)_(\d+)_([^_]+)\.json$")
_FEWEST = 20
"""Phases of a lane that are shown at least, however many lanes there are."""


class _Series:
    def __init__(self) -> None:
        self.times = array("d")
        self.values = array("d")

    def add(self, time: float, value: float) -> None:
        self.times.append(time)
        self.values.append(value)

    def window(self, begin: float, end: float, points: int) -> dict[str, Any]:
        low, high = bisect_left(self.times, begin), bisect_right(self.times, end)
        times, values = self.times[low:high], self.values[low:high]
        kept = thinned(values, points)
        return {
            "times": [times[place] for place in kept],
            "values": [values[place] for place in kept],
            "count": len(times),
        }


class _Lane:
    """The phases of one kind in one process, by their beginnings."""

    def __init__(self) -> None:
        self.begins = array("d")
        self.ends = array("d")
        self.steps = array("q")
        self._latest = array("d")
        """The latest end of all phases up to each one, to find those that reach into a window."""
        self._sorted = True

    @property
    def end(self) -> float:
        """When the last of them ended."""
        return self._latest[-1]

    def add(self, begin: float, end: float, step: int) -> None:
        if self.begins and begin < self.begins[-1]:
            self._sorted = False
        self.begins.append(begin)
        self.ends.append(end)
        self.steps.append(step)

    def settle(self) -> None:
        """Everything new is there."""
        if not self._sorted:
            order = sorted(range(len(self.begins)), key=self.begins.__getitem__)
            self.begins = array("d", (self.begins[place] for place in order))
            self.ends = array("d", (self.ends[place] for place in order))
            self.steps = array("q", (self.steps[place] for place in order))
            self._latest = array("d")
            self._sorted = True
        latest = self._latest[-1] if self._latest else 0.0
        for end in self.ends[len(self._latest) :]:
            latest = max(latest, end)
            self._latest.append(latest)

    def places(self, begin: float, end: float) -> list[int]:
        """The phases that are in a window, or reach into it."""
        low, high = bisect_left(self._latest, begin), bisect_right(self.begins, end)
        return [place for place in range(low, high) if self.ends[place] >= begin]

    def shown(self, places: list[int], begin: float, end: float, limit: int) -> dict[str, Any]:
        """At most ``limit`` of these phases: neighbours that are too near are bundled."""
        if len(places) <= limit:
            return {
                "begins": [self.begins[place] for place in places],
                "ends": [self.ends[place] for place in places],
                "steps": [self.steps[place] for place in places],
                "counts": [1] * len(places),
                "busy": [1.0] * len(places),
            }
        width = max(end - begin, 1e-6) / limit
        bundles: list[list[float]] = []
        cell = -1
        for place in places:
            here = int((max(self.begins[place], begin) - begin) / width)
            if not bundles or here != cell:
                bundles.append([self.begins[place], self.ends[place], self.steps[place], 0, 0.0])
                cell = here
            bundle = bundles[-1]
            bundle[1] = max(bundle[1], self.ends[place])
            bundle[3] += 1
            bundle[4] += self.ends[place] - self.begins[place]
        return {
            "begins": [bundle[0] for bundle in bundles],
            "ends": [bundle[1] for bundle in bundles],
            "steps": [int(bundle[2]) for bundle in bundles],
            "counts": [int(bundle[3]) for bundle in bundles],
            "busy": [min(1.0, bundle[4] / max(bundle[1] - bundle[0], 1e-9)) for bundle in bundles],
        }


class ProfileView:
    """The profile in one folder. Reads every byte once, however often it is asked."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._offsets: dict[Path, int] = {}
        self._done: set[Path] = set()
        self._series: dict[str, dict[str, _Series]] = {}
        self._lanes: dict[tuple[str, int, str], _Lane] = {}
        self._cores: dict[tuple[str, str], tuple[float, list[float]]] = {}

    def refresh(self) -> None:
        """Read what is new."""
        self._read_samples()
        self._read_events()
        for lane in self._lanes.values():
            lane.settle()

    def span(self) -> tuple[float, float] | None:
        """The first and the last moment of which anything is known; None without any."""
        series = [one for host in self._series.values() for one in host.values() if one.times]
        lanes = [lane for lane in self._lanes.values() if lane.begins]
        if not series and not lanes:
            return None
        return (
            min([*(one.times[0] for one in series), *(lane.begins[0] for lane in lanes)]),
            max([*(one.times[-1] for one in series), *(lane.end for lane in lanes)]),
        )

    def window(self, begin: float, end: float, points: int, events: int) -> dict[str, Any]:
        """What is in a window.

        Args:
            begin: seconds since the epoch.
            end: likewise.
            points: of each series at most.
            events: phases at most, over all lanes; about, where there are very many lanes.
        """
        there = {key: lane.places(begin, end) for key, lane in sorted(self._lanes.items())}
        there = {key: places for key, places in there.items() if places}
        limit = max(_FEWEST, events // max(1, len(there)))
        return {
            "hosts": {
                host: [
                    {"name": name, "unit": UNITS[name.partition(" ")[0]], **shown}
                    for name, one in sorted(series.items(), key=lambda item: _place(item[0]))
                    if (shown := one.window(begin, end, points))["count"]
                ]
                for host, series in sorted(self._series.items())
            },
            "lanes": [
                {
                    "host": host,
                    "process": process,
                    "name": name,
                    **self._lanes[host, process, name].shown(places, begin, end, limit),
                }
                for (host, process, name), places in there.items()
            ],
            "events": sum(map(len, there.values())),
        }

    def _read_samples(self) -> None:
        for line in new_lines(self._folder, self._offsets):
            self._take(line)

    def _take(self, line: dict[str, Any]) -> None:
        try:
            host, time, value = str(line["NodeId"]), float(line["Timestamp"]), float(line["Value"])
            name, dimension = str(line["Name"]), str(line["Dimension"])
        except (KeyError, TypeError, ValueError):  # it is no sample
            return
        series = self._series.setdefault(host, {})
        if dimension not in UNITS:
            if name in UNITS:
                series.setdefault(name, _Series()).add(time, value)
            return
        series.setdefault(f"{dimension} {name}", _Series()).add(time, value)
        if dimension in _MEANS:
            at, values = self._cores.get((host, dimension), (time, []))
            if at != time:
                series.setdefault(dimension, _Series()).add(at, sum(values) / len(values))
                values = []
            self._cores[host, dimension] = (time, [*values, value])

    def _read_events(self) -> None:
        for path in sorted((self._folder / EVENTS_FOLDER).glob("*/*.json")):
            named = _EVENTS_NAME.match(path.name)
            if path in self._done or named is None:
                continue
            self._done.add(path)
            host, process = named[2], int(named[3])
            for event in events_of(path.read_text(errors="replace"), node=host):
                step = str(event.arguments.get("step_num", -1))
                key = (host, process, event.phase)
                self._lanes.setdefault(key, _Lane()).add(
                    event.start, event.end, int(step) if step.lstrip("-").isdigit() else -1
                )


def _place(name: str) -> tuple[int, int, str]:
    """Where a series stands among the others: means before what they are of."""
    kind, _, of = name.partition(" ")
    digits = re.search(r"\d+$", of)
    return (_ORDER.index(kind), int(digits[0]) if digits else -1, of)
