"""When each phase of a training began and ended, as Chrome's trace events in files."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bottega.container.debugging.profiling import ProfilerSettings
from bottega.debugger import phases

_MICRO = 1_000_000
_HOUR = 3600
_EVENT_BYTES = 160
"""About what an event takes in a file."""


_Event = tuple[str, str, float, float, int | None, Mapping[str, Any] | None]
"""Phase, name, begin and end in seconds since 1970, step, further arguments."""


class Timeline:
    """Keeps events in memory and writes them together, so that one costs next to nothing.

    A file is written when it is large or old enough, when the hour changes, and at the end. It is
    whole or not there.

    Args:
        settings: when files are closed.
        folder: where the profile is.
        node: the host's name, as it is in file names.
    """

    def __init__(self, settings: ProfilerSettings, folder: Path, node: str) -> None:
        self._folder = folder
        self._node = node.replace("_", "-")
        self._process = os.getpid()
        self._events: list[_Event] = []
        self._lock = threading.Lock()
        self._last_name = 0
        self._limit = max(1, settings.file_bytes // _EVENT_BYTES)
        self._seconds = settings.file_seconds
        self._until = 0.0
        self._on = settings.enabled
        self.settings = settings

    @property
    def active(self) -> bool:
        """Whether events are kept."""
        return self._on

    def follow(self, settings: ProfilerSettings, folder: Path) -> None:
        """Keep events as other settings say, from now on. May be called from any thread.

        Args:
            folder: where the profile is by now.
        """
        self._folder = folder
        self._limit = max(1, settings.file_bytes // _EVENT_BYTES)
        self._seconds = settings.file_seconds
        self.settings = settings
        self._on = settings.enabled

    def add(
        self,
        phase: str,
        name: str,
        start: float,
        end: float,
        step: int | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep an event.

        Args:
            phase: which phase it is an instance of.
            name: of what: a module, an estimator, a round.
            start: its begin, in seconds since 1970.
            end: its end, likewise.
            step: the step that it belongs to.
            more: further arguments of the event.
        """
        if self._on:
            if end > self._until or len(self._events) >= self._limit:
                self.flush()
                self._until = min(end + self._seconds, (end // _HOUR + 1) * _HOUR)
            self._events.append((phase, name, start, end, step, more))

    def flush(self) -> None:
        """Write what is kept."""
        with self._lock:
            events, self._events = self._events, []
        if not events or os.getpid() != self._process:
            return
        try:
            self._write(events)
        except OSError as error:
            self._on = False
            print(
                f"Debugger: no more phases are recorded, for writing them failed: {error}",
                file=sys.stderr,
                flush=True,
            )

    def _write(self, events: list[_Event]) -> None:
        end = max(event[3] for event in events)
        hour = time.strftime("%Y%m%d%H", time.gmtime(end))
        folder = self._folder / phases.EVENTS_FOLDER / hour
        folder.mkdir(parents=True, exist_ok=True)
        # No two files of a process have one name.
        self._last_name = max(round(end * _MICRO), self._last_name + 1)
        name = f"{self._last_name}_{self._node}_{self._process}_{phases.KIND}.json"
        draft = folder / f".{name}"
        draft.write_text("[\n" + ",\n".join(self._lines(events)) + "\n]\n")
        os.replace(draft, folder / name)

    def _lines(self, events: list[_Event]) -> list[str]:
        base = round(min(event[2] for event in events) * _MICRO)
        numbers: dict[str, int] = {}
        found: list[dict[str, Any]] = [_meta(0, {phases.START_TIME: base})]
        for phase, name, start, end, step, more in events:
            if phase not in numbers:
                numbers[phase] = len(numbers) + 1
                found.append(_meta(numbers[phase], {"name": phase}))
            arguments: dict[str, Any] = {"pid": self._process}
            if step is not None:
                arguments["step_num"] = str(step)
            found.append(
                {
                    "name": name,
                    "ph": "X",
                    "pid": numbers[phase],
                    "tid": 0,
                    "ts": round(start * _MICRO) - base,
                    "dur": max(0, round((end - start) * _MICRO)),
                    "args": arguments | dict(more or {}),
                }
            )
        return [json.dumps(one) for one in found]


def _meta(number: int, arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": "process_name", "ph": "M", "pid": number, "args": dict(arguments)}
