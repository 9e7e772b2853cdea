"""PyTorch's own operators in a few steps of a training, where a DetailedProfilingConfig asks.

torch's profiler sees every operator and slows the steps that it sees; outside of them it is off.
"""

from __future__ import annotations

import importlib
import time
from typing import Any

from bottega.container.debugging.timeline import Timeline
from bottega.debugger import phases

_MICRO = 1_000_000


class Operators:
    """Turns torch's profiler on and off.

    Args:
        timeline: what keeps the events; its settings say in which steps, counted over all modes.
    """

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._profile: Any = None
        self._began = 0.0
        self._step = 0

    def begin(self, step: int) -> None:
        """A step begins."""
        window = self._timeline.settings.operators
        if window is None or not window.has(step):
            return
        profiler: Any = importlib.import_module("torch.profiler")
        self._profile = profiler.profile(activities=profiler.supported_activities())
        self._profile.start()
        self._began, self._step = time.time(), step

    def end(self) -> None:
        """The step is over: keep what was seen in it."""
        if self._profile is None:
            return
        profile, self._profile = self._profile, None
        profile.stop()
        for event in profile.events() or ():
            on_gpu = event.device_type.name == "CUDA"
            phase = phases.gpu_operators(event.device_index) if on_gpu else phases.OPERATORS
            start, end = (
                self._began + micros / _MICRO
                for micros in (event.time_range.start, event.time_range.end)
            )
            self._timeline.add(phase, event.name, start, end, self._step)
