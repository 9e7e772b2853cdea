"""Ends whole process trees, however their members hide."""

from __future__ import annotations

import os
import signal
import time

from bottega.compute.local import kernel

_PATIENCE = 30.0
"""Seconds."""


def end_all_descendants() -> None:
    """Kill and reap until this process has no descendant left.

    On Linux the caller is a subreaper, so whatever a descendant does (double forks, new sessions)
    it stays in the tree. Elsewhere a process that leaves its parent and its session between two
    looks can escape. So can one that runs as another user (``sudo`` in a job without isolation): it
    is given up after a while.
    """
    pause = 0.0005
    give_up = time.monotonic() + _PATIENCE
    while time.monotonic() < give_up:
        for pid in descendants():
            try:
                os.kill(pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                continue
        if not _reap():
            return
        time.sleep(pause)
        pause = min(pause * 2, 0.05)


def descendants() -> list[int]:
    """The process ids of everything below this process, itself not counted."""
    if not kernel.LINUX:
        import psutil

        return [process.pid for process in psutil.Process().children(recursive=True)]
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                parent = int(file.read().rpartition(b")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        children.setdefault(parent, []).append(int(name))
    found: list[int] = []
    generation = [os.getpid()]
    while generation:
        generation = [child for parent in generation for child in children.get(parent, ())]
        found.extend(generation)
    return found


def _reap() -> bool:
    """Collect the children that have ended. Returns whether any child is left."""
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return False
        if pid == 0:
            return True
