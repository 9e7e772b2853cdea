"""Time as a port, so that tests can hold it still."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod


class Clock(ABC):
    """Where every timestamp comes from. Implementations are safe to call from any thread."""

    @abstractmethod
    def now(self) -> float:
        """The wall clock: seconds since the epoch, UTC, with at least millisecond resolution."""

    @abstractmethod
    def monotonic(self) -> float:
        """Seconds that never go back; only differences mean anything."""


class SystemClock(Clock):
    """The machine's own clock."""

    def now(self) -> float:
        return round(time.time(), 3)

    def monotonic(self) -> float:
        return time.monotonic()


class ManualClock(Clock):
    """A clock that stands still until it is told to go on; for tests."""

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self._now = start

    def now(self) -> float:
        return round(self._now, 3)

    def monotonic(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        """Move both clocks forward by ``seconds``."""
        self._now += seconds
