"""Writes down what the machine does while a workload runs on it, as SageMaker's profiler does.

One folder for each host, with ``<YYYYMMDDHH>/<epoch minute of its end>.<host>.json`` in it; a line
is one JSON object, one number of one thing at one time. Unlike the samples of ``sampler``, which
are of a host's own processes, these are of the whole machine, core by core: whether a training
waits for a core or a disk is seen only there.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from bottega.compute.local.process_usage import network_counts

INTERVAL = "interval"
"""The file in a host's folder that says how often to sample, in milliseconds; 0, or no file, for
never. Whoever started the workload writes it, at any time."""
_LOOK_SECONDS = 1.0
"""How often that file is looked at."""
_SHARE = 50
"""A sample may take one part in so many of a core's time until the next."""
_SECTOR = 512
_VIRTUAL = ("loop", "ram", "zram", "dm-", "md", "sr", "fd")
"""Block devices that are not disks, or whose work is counted by the disks below them."""

Gpus = Callable[[float], "list[tuple[float, float]]"]
"""Given the seconds between two readings: percent of use and of memory of each GPU, or nothing."""


class MachineProfile:
    """The profile of one workload's hosts. Belongs to the supervisor's one thread."""

    def __init__(self, gpus: Gpus) -> None:
        self._gpus = gpus
        self._hosts: list[_File] = []
        self._interval = 0.0
        self._looked = 0.0
        self._before: _Reading | None = None
        self.due: float | None = None
        """When there is something to do, by the monotonic clock; None for never."""

    def follow(self, host: str, folder: str) -> None:
        """Write for a host, too, from now on, as its folder's interval file wants it."""
        self._hosts.append(_File(host, folder))
        self.due = time.monotonic()

    def take(self) -> None:
        """Look whether a sample is wanted, and take it."""
        began, used = time.monotonic(), time.thread_time()
        if began - self._looked >= _LOOK_SECONDS:
            self._looked = began
            self._interval = self._wanted()
        if not self._interval:
            self._before = None
            self.due = began + _LOOK_SECONDS
            return
        now = _Reading()
        if self._before is not None:
            lines = now.since(self._before, self._gpus(self._interval))
            for file in self._hosts:
                file.write(lines, now.time)
        self._before = now
        cost = time.thread_time() - used
        self.due = max(began + self._interval, time.monotonic() + _SHARE * cost)

    def close(self) -> None:
        """The workload has ended."""
        for file in self._hosts:
            file.close()
        self._hosts, self.due = [], None

    def _wanted(self) -> float:
        """The seconds between samples; 0 for none."""
        milliseconds = 0
        for file in self._hosts[:1]:
            try:
                with open(os.path.join(file.folder, INTERVAL)) as stream:
                    text = stream.read(16).strip()
            except OSError:  # not there: nobody wants a profile
                continue
            milliseconds = int(text) if text.isdigit() else 0
        return milliseconds / 1000


class _File:
    """The files of one host, a new one every minute."""

    def __init__(self, host: str, folder: str) -> None:
        self.folder = folder
        self._host = host
        self._minute = 0
        self._file: int | None = None

    def write(self, lines: list[tuple[str, str, str, float]], now: float) -> None:
        """Append one line for each number. On a full disk they are left out."""
        tail = f'"NodeId":"{self._host}","Timestamp":{now:.6f}}}\n'
        text = "".join(
            f'{{"Type":"{kind}","Name":"{name}","Dimension":"{dimension}","Value":{value:.2f},{tail}'
            for kind, name, dimension, value in lines
        )
        try:
            os.write(self._of_minute(now), text.encode())
        except OSError:
            self.close()

    def _of_minute(self, now: float) -> int:
        minute = int(now // 60) * 60
        if self._file is None or minute != self._minute:
            self.close()
            hour = os.path.join(self.folder, time.strftime("%Y%m%d%H", time.gmtime(minute)))
            os.makedirs(hour, 0o700, exist_ok=True)
            path = os.path.join(hour, f"{minute}.{self._host}.json")
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            self._minute = minute
        return self._file

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


class _Reading:
    """What the kernel has counted up to now."""

    def __init__(self) -> None:
        self.time = time.time()
        self._clock = time.monotonic()
        self._cores = _cores()
        self._disk = _disks()
        self._network = network_counts()

    def since(
        self, before: _Reading, gpus: list[tuple[float, float]]
    ) -> list[tuple[str, str, str, float]]:
        """The numbers of the time since an earlier reading: type, name, dimension, value."""
        seconds = max(self._clock - before._clock, 1e-3)
        found: list[tuple[str, str, str, float]] = []
        for name, (total, idle, waiting) in self._cores.items():
            was_total, was_idle, was_waiting = before._cores.get(name, (total, idle, waiting))
            ticks = total - was_total
            if ticks > 0:
                wait = max(0, waiting - was_waiting)
                busy = max(0, ticks - (idle - was_idle) - wait)
                found.append(("cpu", name, "CPUUtilization", 100 * busy / ticks))
                found.append(("cpu", name, "I/OWaitPercentage", 100 * wait / ticks))
        if (used := _memory_percent()) is not None:
            found.append(("memory", "MemoryUsedPercent", "Memory", used))
        if self._disk is not None and before._disk is not None:
            rates = [
                max(0, now - was) / seconds
                for now, was in zip(self._disk, before._disk, strict=True)
            ]
            for name, rate in zip(
                ("IOPS", "ReadThroughputInBytesPerSecond", "WriteThroughputInBytesPerSecond"),
                rates,
                strict=True,
            ):
                found.append(("i/o", name, "Algorithm", rate))
        for name, now, was in zip(
            ("ReceiveBytesPerSecond", "TransmitBytesPerSecond"),
            self._network,
            before._network,
            strict=True,
        ):
            found.append(("network", name, "Algorithm", max(0, now - was) / seconds))
        for number, (use, memory) in enumerate(gpus):
            found.append(("gpu", f"gpu{number}", "GPUUtilization", use))
            found.append(("gpu", f"gpu{number}", "GPUMemoryUtilization", memory))
        return found


def _cores() -> dict[str, tuple[int, int, int]]:
    """Ticks of each core: all, idle, waiting for a disk."""
    found = {}
    with open("/proc/stat", "rb") as file:
        for line in file:
            if not line.startswith(b"cpu"):
                break
            name, *ticks = line.split()
            if name == b"cpu":
                continue
            # The last two are part of the first ones.
            counts = [int(tick) for tick in ticks[:8]]
            found[name.decode()] = (sum(counts), counts[3], counts[4])
    return found


def _memory_percent() -> float | None:
    values = {}
    with open("/proc/meminfo", "rb") as file:
        for line in file:
            name, _, rest = line.partition(b":")
            if name in (b"MemTotal", b"MemAvailable"):
                values[name] = int(rest.split()[0])
                if len(values) == 2:
                    break
    if len(values) < 2 or not values[b"MemTotal"]:
        return None
    return 100 * (1 - values[b"MemAvailable"] / values[b"MemTotal"])


def _disks() -> tuple[int, int, int] | None:
    """Requests, bytes read and bytes written of all disks; None where the kernel does not tell."""
    requests = read = written = 0
    try:
        with open("/proc/diskstats", "rb") as file:
            lines = file.read().splitlines()
    except OSError:
        return None
    names = {line.split(None, 3)[2].decode() for line in lines}
    for line in lines:
        fields = line.split()
        name = fields[2].decode()
        if name.startswith(_VIRTUAL) or _is_part(name, names):
            continue
        requests += int(fields[3]) + int(fields[7])
        read += int(fields[5]) * _SECTOR
        written += int(fields[9]) * _SECTOR
    return requests, read, written


def _is_part(name: str, names: set[str]) -> bool:
    """Whether a block device is a partition of another one: sda1 of sda, nvme0n1p1 of nvme0n1."""
    whole = name.rstrip("0123456789")
    return whole != name and (whole in names or (whole[-1:] == "p" and whole[:-1] in names))
