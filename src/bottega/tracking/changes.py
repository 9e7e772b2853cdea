"""Tells the studio that runs have changed, at most about twice a second."""

from __future__ import annotations

import threading
import time

from bottega.events import EventBus, TrackingChanged

INTERVAL_SECONDS = 0.5


class ChangeNotices:
    """Folds many changes into few events.

    The first change is told at once; those of the next half second together at its end. Nobody is
    told before :meth:`tell`, as there is no bus yet when the tracker is opened.
    """

    def __init__(self, interval: float = INTERVAL_SECONDS) -> None:
        self._interval = interval
        self._lock = threading.Lock()
        self._bus: EventBus | None = None
        self._waiting: set[str] = set()
        self._timer: threading.Timer | None = None

    def tell(self, bus: EventBus) -> None:
        """Publish on this bus from now on."""
        self._bus = bus

    def note(self, experiment: str = "") -> None:
        """Something changed in an experiment, by its id; empty where it is not known.

        May be called in any thread, and returns at once.
        """
        with self._lock:
            if self._bus is None:
                return
            if self._timer is not None:
                self._waiting.add(experiment)
                return
            self._pause()
        self._publish(experiment)

    def close(self) -> None:
        """Tell nobody any more."""
        with self._lock:
            self._bus = None
            if self._timer is not None:
                self._timer.cancel()

    def _pause(self) -> None:
        self._timer = threading.Timer(self._interval, self._paused)
        self._timer.daemon = True
        self._timer.start()

    def _paused(self) -> None:
        with self._lock:
            waiting, self._waiting, self._timer = self._waiting, set(), None
            if not waiting or self._bus is None:
                return
            self._pause()
        self._publish(waiting.pop() if len(waiting) == 1 else "")

    def _publish(self, experiment: str) -> None:
        bus = self._bus
        if bus is not None:
            bus.publish(TrackingChanged(time.time(), experiment))
