"""Writes down what each host of a workload uses of the machine, from its start to its end.

One record a sample in a stream of ``bottega.compute.logs``: a JSON object of the series that could
be measured, in the units that ``SERIES`` names.
"""

from __future__ import annotations

import json
import time
from resource import struct_rusage

from bottega.compute.local.gpu_usage import GpuUsage
from bottega.compute.local.log_writer import LogWriter
from bottega.compute.local.process_usage import Processes, TreeUsage, Usage, network_counts

EARLY = (0.05, 0.25, 0.5)
"""Seconds after the start: a job that is over in a second has a course, too, and none is in the
way of a program that is just beginning."""
SECONDS = 1.0
LATER = 600.0
LATER_SECONDS = 5.0
"""Between samples, once a host has run for ``LATER`` seconds."""
_SHARE = 100
"""A sample may take one part in so many of a core's time until the next."""
_SHORTEST = 0.1
"""Seconds over which a rate is worth telling: processor time is counted in hundredths."""


class Sampler:
    """Samples the hosts that want it. Belongs to the supervisor's one thread."""

    def __init__(self, *, own_network: bool) -> None:
        """
        Args:
            own_network: this process has a network namespace, and one host alone is in it.
        """
        self._own_network = own_network
        self._hosts: dict[int, _Host] = {}
        self._started = time.monotonic()
        self._taken = 0
        self._gpu: GpuUsage | None = None
        self.due: float | None = None
        """When the next sample is to be taken, by the monotonic clock; None for never."""

    def follow(self, root: int, path: str) -> None:
        """Sample the tree of this process from now on, into this stream."""
        self._hosts[root] = _Host(root, path)
        if self.due is None:
            self._started = time.monotonic()
            self.due = self._started + EARLY[0]

    def take(self) -> None:
        """Sample every host that still runs."""
        began, used = time.monotonic(), time.thread_time()
        self._gpu_usage()
        processes = Processes()
        shared = self._shared()
        for host in self._hosts.values():
            if (usage := host.tree.now(processes)) is not None:
                host.write(usage, shared, began)
        self._taken += 1
        now, cost = time.monotonic(), time.thread_time() - used
        self.due = now + max(self._pause(now - self._started), _SHARE * cost)

    def gpus(self, seconds: float) -> list[tuple[float, float]]:
        """Percent of use and of memory of each GPU, read about every so many seconds."""
        return self._gpu_usage().each(seconds)

    def _gpu_usage(self) -> GpuUsage:
        # Not before the last host was forked: it reads in a thread.
        if self._gpu is None:
            self._gpu = GpuUsage(SECONDS)
        return self._gpu

    def ended(self, root: int, usage: struct_rusage) -> None:
        """A followed process was collected: its last sample, of what is known without it."""
        host = self._hosts.pop(root, None)
        if host is not None:
            host.write(host.tree.at_end(usage), {}, time.monotonic())
            host.close()
        if not self._hosts:
            self.due = None

    def _pause(self, age: float) -> float:
        if self._taken < len(EARLY):
            return max(0.0, EARLY[self._taken] - age)
        return SECONDS if age < LATER else LATER_SECONDS

    def _shared(self) -> dict[str, float]:
        """What is not told by processes: totals of the network, the GPUs' present state."""
        found: dict[str, float] = {}
        if self._own_network:
            found["NetworkReceived"], found["NetworkSent"] = network_counts()
        gpu = None if self._gpu is None else self._gpu.latest()
        if gpu is not None:
            found["GPUUtilization"], found["GPUMemoryUsed"] = gpu
        return found


class _Host:
    def __init__(self, root: int, path: str) -> None:
        self.tree = TreeUsage(root)
        self._writer = LogWriter(path)
        self._since = time.monotonic()
        # The tree and a network of its own began with the host: everything counts from nothing.
        self._totals: dict[str, float] = {}

    def write(self, usage: Usage, shared: dict[str, float], now: float) -> None:
        """One record; rates are over the time since the one before."""
        totals = {"CPUUtilization": usage.cpu_seconds * 100}
        if usage.disk is not None:
            totals["DiskRead"], totals["DiskWritten"] = usage.disk
        record: dict[str, float] = {}
        for name, value in shared.items():
            (totals if name.startswith("Network") else record)[name] = value
        if usage.memory is not None:
            record["MemoryUsed"] = usage.memory
        seconds = now - self._since
        if seconds >= _SHORTEST:
            for name, total in totals.items():
                more = max(0.0, total - self._totals.get(name, 0.0))
                record[name] = round(more / seconds, 1)
            self._since = now
            self._totals |= totals
        if self._writer.blocked:
            self._writer.flush()
        # On a full disk samples are left out rather than kept in memory.
        if record and not self._writer.blocked:
            self._writer.feed(json.dumps(record, separators=(",", ":")).encode() + b"\n")

    def close(self) -> None:
        self._writer.close()
