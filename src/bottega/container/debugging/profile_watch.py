"""Hears of a ProfilerConfig that was changed while the process runs.

A thread looks at the file's mark once a second, so that a step of the training pays nothing.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from pathlib import Path

SECONDS = 1.0
"""How often the file is looked at."""

_Mark = tuple[int, int, int] | None


class ProfileWatch:
    """Looks at one file until it is stopped, or the process ends.

    Args:
        file: ``profilerconfig.json``; who changes it puts another file in its place.
        changed: called in the watch's thread when it is another one.
        idle: called there after every look.
    """

    def __init__(self, file: Path, changed: Callable[[], None], idle: Callable[[], None]) -> None:
        self._file = file
        self._changed = changed
        self._idle = idle
        self._seen = self._mark()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="profile-watch", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stopping.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(SECONDS)

    def _run(self) -> None:
        while not self._stopping.wait(SECONDS):
            try:
                mark = self._mark()
                if mark != self._seen:
                    self._seen = mark
                    self._changed()
                self._idle()
            except (OSError, ValueError) as error:
                print(
                    f"Debugger: the changed ProfilerConfig cannot be followed: {error}",
                    file=sys.stderr,
                    flush=True,
                )

    def _mark(self) -> _Mark:
        try:
            status = self._file.stat()
        except FileNotFoundError:
            return None
        return status.st_ino, status.st_mtime_ns, status.st_size
