"""Rules over the memory of GPUs, and over GPUs beside one another."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, ClassVar

from bottega.debugger.profiler_rules.profile import Tick
from bottega.debugger.profiler_rules.profiler_rule import NO_GPU, OfGpus
from bottega.debugger.rules.parameters import parameter

BINS = 10
"""Of a histogram of use: 0 to 10 %, 10 to 20 %, ..."""


@dataclass
class _Memory:
    count: int = 0
    total: float = 0.0
    since: float = 0.0
    """When the present window began."""
    points: int = 0
    """In the present window."""
    lowest: float = math.inf
    """The smallest average of a window so far."""
    highest: float = -math.inf
    last: float = 0.0
    ill: bool = False


@dataclass
class GPUMemoryIncrease(OfGpus):
    """The memory that is used on a GPU goes up and up."""

    looks_for: ClassVar[str] = "Memory of a GPU of which more and more is used."
    advice: ClassVar[str] = (
        "Look for what is kept: tensors with their graph in a list (use .detach() or .item()), "
        "caches, a growing batch. Otherwise it will end with an out of memory error."
    )

    increase: float = parameter(
        5.0,
        at_least=0,
        at_most=100,
        doc="By how many percent of all memory the average of a window may be above the lowest one "
        "before it.",
    )
    window: int = parameter(10, at_least=1, doc="How many points are averaged.")

    _gpus: dict[tuple[str, str], _Memory] = field(default_factory=dict, init=False)

    def see_tick(self, tick: Tick) -> None:
        for name, used in tick.gpu_memory.items():
            self.gpu_seen = True
            self.datapoints += 1
            gpu = self._gpus.setdefault((tick.node, name), _Memory())
            gpu.count += 1
            self.most_points = max(self.most_points, gpu.count)
            # The memory that a training takes at its beginning is no leak.
            if gpu.count <= self.patience - self.window:
                continue
            if not gpu.points:
                gpu.since = tick.time
            gpu.points += 1
            gpu.total += used
            if gpu.points == self.window:
                self._judge(tick, name, gpu)
                gpu.points, gpu.total = 0, 0.0

    def _judge(self, tick: Tick, name: str, gpu: _Memory) -> None:
        average = gpu.total / self.window
        rise = average - gpu.lowest
        gpu.lowest = min(gpu.lowest, average)
        gpu.highest, gpu.last = max(gpu.highest, average), average
        ill = rise > self.increase
        self.violations += ill
        if ill and not gpu.ill:
            self.found(
                f"On {tick.node}, {name}: {average:.3g} % of its memory is used, {rise:.3g} % more "
                f"than before; up to {self.increase:g} % is sound.",
                gpu.since,
                tick.time,
                tick.node,
                memory_percent=round(average, 2),
                lowest_percent=round(gpu.lowest, 2),
                rise_percent=round(rise, 2),
                increase=self.increase,
            )
        gpu.ill = ill

    def details(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for (node, name), gpu in self._gpus.items():
            if gpu.highest >= 0:
                found.setdefault(node, {})[name] = {
                    "lowest": gpu.lowest,
                    "highest": gpu.highest,
                    "last": gpu.last,
                }
        return found


@dataclass
class LoadBalancing(OfGpus):
    """GPUs of one training are used differently."""

    looks_for: ClassVar[str] = "GPUs of which one has more to do than another one."
    advice: ClassVar[str] = (
        "Give each GPU as much (DistributedSampler, even shards), and see that work on one of them "
        "alone (evaluation, saving, logging) is short."
    )

    threshold: float = parameter(
        0.5,
        at_least=0,
        at_most=1,
        doc="How different the histograms of use of two GPUs may be: 0 for alike, 1 for having "
        "nothing in common.",
    )

    _counts: dict[tuple[str, str], list[int]] = field(default_factory=dict, init=False)
    _ill: set[tuple[tuple[str, str], tuple[str, str]]] = field(default_factory=set, init=False)
    _since: float = field(default=math.inf, init=False)

    def see_tick(self, tick: Tick) -> None:
        points = 0
        for name, use in tick.gpus.items():
            self.gpu_seen = True
            self.datapoints += 1
            self._since = min(self._since, tick.time)
            counts = self._counts.setdefault((tick.node, name), [0] * BINS)
            counts[min(BINS - 1, max(0, int(use * BINS / 100)))] += 1
            points = sum(counts)
            self.most_points = max(self.most_points, points)
        if points and points % self.patience == 0:
            self._judge(tick.time)

    def _judge(self, now: float) -> None:
        seen = {gpu: counts for gpu, counts in self._counts.items() if sum(counts) >= self.patience}
        for pair in combinations(sorted(seen), 2):
            distance = _distance(seen[pair[0]], seen[pair[1]])
            if distance <= self.threshold:
                self._ill.discard(pair)
                continue
            self.violations += 1
            if pair in self._ill:
                continue
            self._ill.add(pair)
            (node, one), (other_node, other) = pair
            self.found(
                f"{one} of {node} and {other} of {other_node} are used differently: their "
                f"histograms differ by {distance:.3g} (0 to 1); up to {self.threshold:g} is sound.",
                self._since,
                now,
                node if node == other_node else "",
                distance=round(distance, 4),
                threshold=self.threshold,
            )

    def remark(self) -> str:
        if not self.gpu_seen:
            return NO_GPU
        if len(self._counts) < 2:
            return "There is one GPU only, so there is no load to balance."
        return super().remark()

    def details(self) -> dict[str, Any]:
        found: dict[str, Any] = {"workloads": {}, "distances": {}}
        for (node, name), counts in self._counts.items():
            found["workloads"].setdefault(node, {})[name] = counts
        for pair in combinations(sorted(self._counts), 2):
            names = " - ".join("/".join(gpu) for gpu in pair)
            found["distances"][names] = _distance(*(self._counts[gpu] for gpu in pair))
        return found


def _distance(one: list[int], other: list[int]) -> float:
    """Total variation: half the sum of differences of the shares."""
    totals = sum(one), sum(other)
    return sum(abs(a / totals[0] - b / totals[1]) for a, b in zip(one, other, strict=True)) / 2
