"""Rules that never fire: they measure, for the report."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any, ClassVar

from bottega.debugger.phases import OPERATORS
from bottega.debugger.profiler_rules.profile import Event, Tick
from bottega.debugger.profiler_rules.profiler_rule import NO_STEPS, ProfilerRule, percentile

UNITS = {
    "CPU": "percentage",
    "GPU": "percentage",
    "CPU memory": "percentage",
    "GPU memory": "percentage",
    "I/O": "percentage",
    "Network": "bytes/s",
    "Disk": "bytes/s",
}
"""What the report tells of each host, and in which unit."""

_NETWORK = ("ReceiveBytesPerSecond", "TransmitBytesPerSecond")
_DISK = ("ReadThroughputInBytesPerSecond", "WriteThroughputInBytesPerSecond")
MOST_NAMES = 200
"""Of modules or operators in one phase; later ones are counted together."""


def statistics(values: Iterable[float]) -> dict[str, float]:
    """The numbers that the report gives of a series: max, p99, p95, p50, min."""
    ordered = sorted(values)
    return {
        "max": ordered[-1],
        **{f"p{share}": percentile(ordered, share) for share in (99, 95, 50)},
        "min": ordered[0],
    }


@dataclass
class OverallSystemUsage(ProfilerRule):
    """What each host's machine did over the whole training."""

    looks_for: ClassVar[str] = "Nothing: it measures what each machine did."
    advice: ClassVar[str] = ""

    times: dict[str, dict[str, array[float]]] = field(default_factory=dict, init=False)
    """By host and series: when each value was measured."""
    series: dict[str, dict[str, array[float]]] = field(default_factory=dict, init=False)
    """By host: the series of :data:`UNITS`, as far as they were measured."""
    gpus: dict[str, dict[str, array[float]]] = field(default_factory=dict, init=False)
    """By host: use of each GPU."""

    def see_tick(self, tick: Tick) -> None:
        self.datapoints += 1
        values = {"CPU": tick.cpu, "CPU memory": tick.memory, "I/O": tick.io_wait}
        if tick.gpus:
            values["GPU"] = fmean(tick.gpus.values())
        if tick.gpu_memory:
            values["GPU memory"] = fmean(tick.gpu_memory.values())
        for name, parts in (("Network", _NETWORK), ("Disk", _DISK)):
            found = [tick.rates[part] for part in parts if part in tick.rates]
            values[name] = sum(found) if found else None
        for name, value in values.items():
            if value is not None:
                self.series.setdefault(tick.node, {}).setdefault(name, array("d")).append(value)
                self.times.setdefault(tick.node, {}).setdefault(name, array("d")).append(tick.time)
        for gpu, use in tick.gpus.items():
            self.gpus.setdefault(tick.node, {}).setdefault(gpu, array("d")).append(use)

    def remark(self) -> str:
        return "" if self.datapoints else "The profile has no samples of the machine."

    def details(self) -> dict[str, Any]:
        return {
            node: {
                name: {"unit": UNITS[name], **statistics(series[name])}
                for name in UNITS
                if name in series
            }
            for node, series in self.series.items()
        }


@dataclass
class _Total:
    count: int = 0
    seconds: float = 0.0

    def add(self, seconds: float) -> None:
        self.count += 1
        self.seconds += seconds


@dataclass
class OverallFrameworkMetrics(ProfilerRule):
    """How long the framework's phases took in all."""

    looks_for: ClassVar[str] = "Nothing: it measures how long each phase took."
    advice: ClassVar[str] = ""

    first: float | None = field(default=None, init=False)
    """When the first step began."""
    last: float | None = field(default=None, init=False)
    """When the last step ended."""
    phases: dict[str, _Total] = field(default_factory=dict, init=False)
    names: dict[str, dict[str, _Total]] = field(default_factory=dict, init=False)
    """By phase: modules, operators."""

    def see_event(self, event: Event) -> None:
        self.datapoints += 1
        if event.step_mode:
            self.first = event.start if self.first is None else min(self.first, event.start)
            self.last = event.end if self.last is None else max(self.last, event.end)
        self.phases.setdefault(event.phase, _Total()).add(event.seconds)
        names = self.names.setdefault(event.phase, {})
        name = event.name if event.name in names or len(names) < MOST_NAMES else "others"
        names.setdefault(name, _Total()).add(event.seconds)

    def remark(self) -> str:
        return "" if self.datapoints else NO_STEPS

    def details(self) -> dict[str, Any]:
        if self.first is None or self.last is None:
            return {}
        steps = {
            phase.removeprefix("Step:ModeKeys."): total.seconds
            for phase, total in self.phases.items()
            if phase.startswith("Step:")
        }
        loop = self.last - self.first
        parts = {**steps, "others": max(0.0, loop - sum(steps.values()))}
        phases = {
            phase: total.seconds
            for phase, total in self.phases.items()
            if not phase.startswith("Step:")
        }
        return {
            "phase": _shares(parts),
            "phase_time": parts,
            "general": _shares({key: value for key, value in phases.items() if key != OPERATORS}),
            "general_time": phases,
            "operators": {
                name: {"count": total.count, "seconds": total.seconds}
                for name, total in sorted(
                    self.names.get(OPERATORS, {}).items(), key=lambda one: -one[1].seconds
                )[:20]
            },
        }


def _shares(seconds: Mapping[str, float]) -> dict[str, float]:
    """Percentages of the sum."""
    total = sum(seconds.values())
    return {name: 100 * value / total if total else 0.0 for name, value in seconds.items()}
