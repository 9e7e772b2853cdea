"""Rules over what a GPU waits for."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any, ClassVar

from bottega.debugger.profiler_rules.profile import Tick
from bottega.debugger.profiler_rules.profiler_rule import OfGpus
from bottega.debugger.rules.parameters import parameter

MOST_STRETCHES = 200
"""Of a host's bottlenecks that are kept with their times, the first ones."""


@dataclass
class _Host:
    points: int = 0
    low_gpu: int = 0
    bottlenecks: int = 0
    stretches: list[list[float]] = field(default_factory=list)
    """Begin and end of points in a row."""
    inside: bool = False
    """Whether the last point is in the last of them."""
    ill: bool = False


@dataclass
class _Bottleneck(OfGpus):
    """GPUs are idle while something else is busy, for too large a part of the points."""

    what: ClassVar[str]

    threshold: float = parameter(
        50.0, at_least=0, at_most=100, doc="Percentage of bottlenecks among points that is sound."
    )
    gpu_threshold: float = parameter(
        10.0, at_least=0, at_most=100, doc="Below this mean use the GPUs of a host are idle."
    )

    _hosts: dict[str, _Host] = field(default_factory=dict, init=False)

    @abstractmethod
    def busy(self, tick: Tick) -> bool:
        """Whether the other thing is busy."""

    def see_tick(self, tick: Tick) -> None:
        if not tick.gpus:
            return
        self.gpu_seen = True
        host = self._hosts.setdefault(tick.node, _Host())
        host.points += 1
        self.datapoints += 1
        self.most_points = max(self.most_points, host.points)
        low = fmean(tick.gpus.values()) < self.gpu_threshold
        host.low_gpu += low
        bottleneck = low and self.busy(tick)
        if bottleneck:
            host.bottlenecks += 1
            self.violations += 1
        host.inside = bottleneck and self._stretch(host, tick.time)
        if host.points >= self.patience:
            self._judge(tick, host)

    def _stretch(self, host: _Host, time: float) -> bool:
        """Add a point to the stretch that it goes on, or begin one; whether it is kept."""
        if host.inside:
            host.stretches[-1][1] = time
        elif len(host.stretches) < MOST_STRETCHES:
            host.stretches.append([time, time])
        else:
            return False
        return True

    def _judge(self, tick: Tick, host: _Host) -> None:
        share = 100 * host.bottlenecks / host.points
        ill = share > self.threshold
        if ill and not host.ill:
            self.found(
                f"On {tick.node}, GPUs were idle while {self.what} for {share:.3g} % of "
                f"{host.points:,} points; up to {self.threshold:g} % is sound.",
                host.stretches[0][0],
                tick.time,
                tick.node,
                bottleneck_percent=round(share, 2),
                threshold=self.threshold,
                bottlenecks=host.bottlenecks,
                low_gpu_points=host.low_gpu,
                points=host.points,
            )
        host.ill = ill

    def details(self) -> dict[str, Any]:
        return {
            node: {
                "bottlenecks": host.bottlenecks,
                "low_gpu_utilization": host.low_gpu,
                "points": host.points,
                "intervals": host.stretches,
            }
            for node, host in self._hosts.items()
        }


@dataclass
class CPUBottleneck(_Bottleneck):
    """GPUs are idle while a core is busy."""

    looks_for: ClassVar[str] = "GPUs that are idle while a processor core is busy."
    advice: ClassVar[str] = (
        "Prepare data in more processes (num_workers of DataLoader), beforehand, or on the GPU; or "
        "use a machine with more cores for each GPU."
    )
    what: ClassVar[str] = "a core was busy"

    cpu_threshold: float = parameter(
        90.0, at_least=0, at_most=100, doc="Above this use the busiest core is busy."
    )

    def busy(self, tick: Tick) -> bool:
        return tick.busiest is not None and tick.busiest > self.cpu_threshold


@dataclass
class IOBottleneck(_Bottleneck):
    """GPUs are idle while a core waits for a disk."""

    looks_for: ClassVar[str] = "GPUs that are idle while a core waits for a disk."
    advice: ClassVar[str] = (
        "Read fewer, larger files, keep data in memory, read ahead (prefetch_factor of "
        "DataLoader), or use InputMode FastFile or a faster disk."
    )
    what: ClassVar[str] = "a core waited for a disk"

    io_threshold: float = parameter(
        50.0, at_least=0, at_most=100, doc="Above this part of its time a core waits."
    )

    def busy(self, tick: Tick) -> bool:
        return tick.longest_wait is not None and tick.longest_wait > self.io_threshold
