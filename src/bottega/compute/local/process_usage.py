"""What process trees use of the machine, read from ``/proc``; and when nobody is left to ask, from
what the kernel says of a child that ended.

Not psutil: its import would double the start of a supervisor in a process of its own, and one look
at ``/proc`` serves all hosts of a workload.
"""

from __future__ import annotations

import os
from resource import struct_rusage

_TICK = 1.0 / os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_DISK_BLOCK = 512
"""Bytes of the blocks in which the kernel counts what a process read and wrote."""


class Usage:
    """What one tree of processes has used up to now, and holds now."""

    __slots__ = ("cpu_seconds", "disk", "memory")

    def __init__(
        self, cpu_seconds: float, memory: int | None, disk: tuple[int, int] | None
    ) -> None:
        self.cpu_seconds = cpu_seconds
        self.memory = memory
        """Resident bytes, summed: what processes share counts for each. None when they are gone."""
        self.disk = disk
        """Bytes read from and written to disks; None where the kernel does not tell."""


class Process:
    """One line of ``/proc/<pid>/stat``."""

    __slots__ = ("memory", "parent", "pid", "seconds")

    def __init__(self, pid: int, stat: bytes) -> None:
        # The name, in parentheses, may itself hold spaces and parentheses.
        fields = stat.rpartition(b")")[2].split()
        self.pid = pid
        self.parent = int(fields[1])
        # Its own, and that of children it has waited for.
        self.seconds = sum(map(int, fields[11:15])) * _TICK
        self.memory = int(fields[21]) * _PAGE


class Processes:
    """All processes of the machine at one moment."""

    def __init__(self) -> None:
        self._processes: dict[int, Process] = {}
        self._children: dict[int, list[Process]] = {}
        for name in os.listdir("/proc"):
            if not name.isdigit():
                continue
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    process = Process(int(name), file.read())
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue  # it is gone, or /proc is mounted so that others' are not shown
            self._processes[process.pid] = process
            self._children.setdefault(process.parent, []).append(process)

    def tree(self, root: int) -> list[Process]:
        """A process and everything below it; empty when it is gone."""
        found = [self._processes[root]] if root in self._processes else []
        for process in found:
            found.extend(self._children.get(process.pid, ()))
        return found


class TreeUsage:
    """Follows the tree below one process; totals never run backwards."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._seconds = 0.0
        self._disk = [0, 0]
        self._tells_disk = False
        self._seen: dict[int, tuple[int, int]] = {}

    def now(self, processes: Processes) -> Usage | None:
        """What the tree has used; None when it is gone."""
        tree = processes.tree(self._root)
        if not tree:
            return None
        # A child that nobody waited for takes what it used with it.
        self._seconds = max(self._seconds, sum(process.seconds for process in tree))
        self._read_disk(tree)
        memory = sum(process.memory for process in tree)
        return Usage(self._seconds, memory, self._disk_so_far())

    def at_end(self, usage: struct_rusage) -> Usage:
        """What the tree has used in all, from what was collected with the root."""
        self._seconds = max(self._seconds, usage.ru_utime + usage.ru_stime)
        for index, blocks in enumerate((usage.ru_inblock, usage.ru_oublock)):
            self._disk[index] = max(self._disk[index], blocks * _DISK_BLOCK)
        return Usage(self._seconds, None, self._disk_so_far())

    def _disk_so_far(self) -> tuple[int, int] | None:
        return (self._disk[0], self._disk[1]) if self._tells_disk else None

    def _read_disk(self, tree: list[Process]) -> None:
        seen: dict[int, tuple[int, int]] = {}
        for process in tree:
            counts = _disk_counts(process.pid)
            if counts is None:
                continue
            self._tells_disk = True
            seen[process.pid] = counts
            for index, (now, before) in enumerate(
                zip(counts, self._seen.get(process.pid, (0, 0)), strict=True)
            ):
                # Less than before is another process of the same number.
                self._disk[index] += now - before if now >= before else now
        self._seen = seen


def _disk_counts(pid: int) -> tuple[int, int] | None:
    try:
        with open(f"/proc/{pid}/io", "rb") as file:
            lines = dict(line.split(b": ") for line in file.read().splitlines())
    except OSError:  # it is gone, or not to be looked into, as a keeper
        return None
    return int(lines[b"read_bytes"]), int(lines[b"write_bytes"])


def network_counts() -> tuple[int, int]:
    """Bytes received and sent over all interfaces of this process's network namespace."""
    received = sent = 0
    with open("/proc/self/net/dev", "rb") as file:
        for line in file.read().splitlines()[2:]:
            fields = line.rpartition(b":")[2].split()
            received += int(fields[0])
            sent += int(fields[8])
    return received, sent
