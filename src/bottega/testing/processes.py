"""The processes behind a test, looked for while some of them end."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

import psutil


def command_line(process: psutil.Process) -> str:
    """The words a process was started with; nothing when it is gone."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def descendants(process: psutil.Process) -> list[psutil.Process]:
    """What a process has started, and what that has; nothing when it is gone."""
    try:
        return list(process.children(recursive=True))
    except psutil.NoSuchProcess:
        return []


def holders(folder: Path) -> list[psutil.Process]:
    """The processes that have anything under a folder open."""
    return [process for process in psutil.process_iter() if _holds(process, str(folder))]


def kill(processes: Iterable[psutil.Process]) -> None:
    """``kill -9`` of each that still runs."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def _holds(process: psutil.Process, folder: str) -> bool:
    # /proc names the descriptors of every kind, also those psutil does not count as regular files.
    descriptors = Path(f"/proc/{process.pid}/fd")
    try:
        if not descriptors.is_dir():
            return any(file.path.startswith(folder) for file in process.open_files())
        names = os.listdir(descriptors)
    except (OSError, psutil.Error):
        return False
    for name in names:
        with contextlib.suppress(OSError):  # closed since
            if os.readlink(descriptors / name).startswith(folder):
                return True
    return False
