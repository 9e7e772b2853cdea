"""What a ProfilerConfig asks of the process that trains."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bottega.debugger.phases import LOCAL_PATH

_TRAILING_COMMA = re.compile(r",(\s*[}\]])")
_MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Window:
    """The part of a training that something is recorded in; all of it, without limits."""

    start_step: int | None = None
    steps: int | None = None
    start_time: float | None = None
    """Seconds since 1970."""
    duration: float | None = None
    """Seconds."""

    def has(self, step: int, now: float | None = None) -> bool:
        """Whether a step is in it, that is made now."""
        if self.start_step is not None and step < self.start_step:
            return False
        if self.steps is not None and step >= (self.start_step or 0) + self.steps:
            return False
        if self.start_time is None and self.duration is None:
            return True
        moment = time.time() if now is None else now
        start = self.start_time if self.start_time is not None else 0.0
        return moment >= start and (
            self.duration is None or self.start_time is None or moment < start + self.duration
        )

    @classmethod
    def read(cls, text: str) -> Window:
        """From the value of a profiling parameter, which need not be valid JSON.

        >>> Window.read('{"StartStep": 5, "NumSteps": 1, }')
        Window(start_step=5, steps=1, start_time=None, duration=None)
        """
        found = lenient(text)
        return cls(
            start_step=_number(found.get("StartStep")),
            steps=_number(found.get("NumSteps")),
            start_time=_decimal(found.get("StartTimeInSecSinceEpoch")),
            duration=_decimal(found.get("DurationInSeconds")),
        )


@dataclass(frozen=True)
class ProfilerSettings:
    """A ProfilerConfig, understood as far as a framework's phases go."""

    enabled: bool = False
    local_path: str = LOCAL_PATH
    file_bytes: int = 10 * _MEGABYTE
    """A file is closed when it is larger."""
    file_seconds: float = 60.0
    """A file is closed when it is older."""
    data_loading: Window | None = field(default_factory=Window)
    operators: Window | None = None
    """When PyTorch's operators are recorded; they cost what the phases do not."""

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> ProfilerSettings:
        """From the request's ProfilerConfig; what cannot be understood is as by default."""
        if str(document.get("DisableProfiler", False)).lower() == "true":
            return cls()
        given = document.get("ProfilingParameters") or {}
        loading, detailed = given.get("DataloaderProfilingConfig"), None
        if "DetailedProfilingConfig" in given:
            detailed = Window.read(given["DetailedProfilingConfig"])
        return cls(
            enabled=True,
            local_path=str(given.get("LocalPath") or LOCAL_PATH),
            file_bytes=_number(given.get("RotateMaxFileSizeInBytes")) or 10 * _MEGABYTE,
            file_seconds=_decimal(given.get("RotateFileCloseIntervalInSeconds")) or 60.0,
            data_loading=Window.read(loading) if loading else Window(),
            operators=detailed,
        )


def lenient(text: Any) -> dict[str, Any]:
    """A JSON object that may have commas before its ends; empty where it is none at all."""
    if isinstance(text, Mapping):
        return dict(text)
    try:
        found = json.loads(_TRAILING_COMMA.sub(r"\1", str(text)))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _decimal(given: Any) -> float | None:
    try:
        return float(given)
    except (TypeError, ValueError):
        return None


def _number(given: Any) -> int | None:
    found = _decimal(given)
    return None if found is None else int(found)
