"""How busy the machine's GPUs are, by NVIDIA's management library, where there is a driver.

In a thread of its own: the library may take a second to begin, and the supervisor has logs to
write. The thread starts after the last fork, and only on machines with a driver.
"""

from __future__ import annotations

import os
import sys
import time

_DRIVER = "/dev/nvidiactl"


class GpuUsage:
    """The latest reading of all GPUs together."""

    def __init__(self, seconds: float) -> None:
        """
        Args:
            seconds: between two readings.
        """
        self._seconds = seconds
        self._each: list[tuple[float, float]] = []
        self._latest: tuple[float, int] | None = None
        if os.path.exists(_DRIVER):
            import threading

            threading.Thread(target=self._read_on, name="gpu-usage", daemon=True).start()

    def latest(self) -> tuple[float, int] | None:
        """Percent of one GPU and bytes of their memory in use, summed over GPUs and whoever uses
        them; None where that is not known.
        """
        return self._latest

    def each(self, seconds: float) -> list[tuple[float, float]]:
        """Percent of use and of memory in use, of each GPU; empty where that is not known.

        Args:
            seconds: between two readings, from now on, where that is more often than before.
        """
        self._seconds = min(self._seconds, seconds)
        return self._each

    def _read_on(self) -> None:
        try:
            # Of a bottega that is not installed but linked, supervisors in processes of their own
            # see the standard library alone.
            import pynvml
        except ImportError as problem:
            print(f"no GPU metrics: {problem}", file=sys.stderr)
            return
        try:
            pynvml.nvmlInit()
            devices = [
                pynvml.nvmlDeviceGetHandleByIndex(index)
                for index in range(pynvml.nvmlDeviceGetCount())
            ]
            while devices:
                rates = [pynvml.nvmlDeviceGetUtilizationRates(device).gpu for device in devices]
                memory = [pynvml.nvmlDeviceGetMemoryInfo(device) for device in devices]
                self._each = [
                    (float(rate), 100.0 * held.used / held.total)
                    for rate, held in zip(rates, memory, strict=True)
                ]
                self._latest = (float(sum(rates)), int(sum(held.used for held in memory)))
                time.sleep(self._seconds)
        except pynvml.NVMLError as problem:
            print(f"no GPU metrics: {problem}", file=sys.stderr)
            self._latest, self._each = None, []
