"""Rules over the framework's phases: steps, data loading, the time before the first step."""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass, field
from typing import Any, ClassVar

from bottega.debugger.phases import DATA_LOADING
from bottega.debugger.profiler_rules.profile import Event, Tick
from bottega.debugger.profiler_rules.profiler_rule import NO_STEPS, ProfilerRule
from bottega.debugger.rules.parameters import parameter

MOST_OUTLIERS = 100
"""Outliers that are kept with their times, the first ones."""


@dataclass
class _Durations:
    """Steps of one mode on one host, with their mean and deviation so far (Welford)."""

    seconds: array[float] = field(default_factory=lambda: array("d"))
    mean: float = 0.0
    squares: float = 0.0
    outliers: int = 0
    first: list[list[float]] = field(default_factory=list)
    """Begin and end of outliers."""

    def add(self, seconds: float) -> None:
        self.seconds.append(seconds)
        before = seconds - self.mean
        self.mean += before / len(self.seconds)
        self.squares += before * (seconds - self.mean)

    @property
    def deviation(self) -> float:
        return math.sqrt(self.squares / len(self.seconds)) if self.seconds else 0.0


@dataclass
class StepOutlier(ProfilerRule):
    """Too many steps took far longer than the others."""

    looks_for: ClassVar[str] = "Steps that take far longer than the others, again and again."
    advice: ClassVar[str] = (
        "See in the timeline what happens in these steps: saving checkpoints, evaluation, waiting "
        "for data, garbage collection, or another job on the machine."
    )

    stddev: float = parameter(
        3.0,
        at_least=0,
        doc="How many standard deviations above the mean of all steps so far a step is an outlier.",
    )
    mode: str | None = parameter(
        None,
        kind=str,
        choices=("TRAIN", "EVAL", "PREDICT", "GLOBAL"),
        doc="The mode whose steps are looked at; each mode by itself without.",
    )
    n_outliers: int = parameter(10, at_least=0, doc="How many outliers are let pass.")

    durations: dict[tuple[str, str], _Durations] = field(default_factory=dict, init=False)
    """By host and mode."""

    def see_event(self, event: Event) -> None:
        mode = event.step_mode
        if not mode or self.mode not in (None, mode):
            return
        self.datapoints += 1
        steps = self.durations.setdefault((event.node, mode), _Durations())
        steps.add(event.seconds)
        limit = steps.mean + self.stddev * steps.deviation
        # Equal steps deviate by what rounding leaves.
        if event.seconds <= limit or steps.deviation <= 1e-9 * steps.mean:
            return
        steps.outliers += 1
        self.violations += 1
        if len(steps.first) < MOST_OUTLIERS:
            steps.first.append([event.start, event.end])
        if steps.outliers == self.n_outliers + 1:
            self.found(
                f"On {event.node}, {steps.outliers} of {len(steps.seconds):,} steps of mode {mode} "
                f"took more than {self.stddev:g} standard deviations longer than the mean of "
                f"{steps.mean:.4g} s; the last one took {event.seconds:.4g} s.",
                steps.first[0][0],
                event.end,
                event.node,
                outliers=steps.outliers,
                n_outliers=self.n_outliers,
                mean_seconds=round(steps.mean, 6),
                deviation_seconds=round(steps.deviation, 6),
                seconds=round(event.seconds, 6),
            )

    def remark(self) -> str:
        return "" if self.datapoints else NO_STEPS

    def details(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for (node, mode), steps in self.durations.items():
            found.setdefault(node, {})[mode] = {
                "number_of_steps": len(steps.seconds),
                "number_of_outliers": steps.outliers,
                "mean": steps.mean,
                "stddev": steps.deviation,
                "min": min(steps.seconds),
                "max": max(steps.seconds),
                "outliers": steps.first,
            }
        return found


@dataclass
class MaxInitializationTime(ProfilerRule):
    """The first step came late."""

    looks_for: ClassVar[str] = "A long time from a training's start to its first step."
    advice: ClassVar[str] = (
        "See in the log what happens before the first step: installing packages, reading or "
        "preparing all data, downloading a model. Do it once, beforehand."
    )

    threshold: float = parameter(20.0, at_least=0, doc="Longest time in minutes.")

    first_seen: float = field(default=math.inf, init=False)
    """When the profile begins."""
    first_step: float = field(default=math.inf, init=False)
    """When the first step began."""

    def see_tick(self, tick: Tick) -> None:
        self.first_seen = min(self.first_seen, tick.time)

    def see_event(self, event: Event) -> None:
        self.first_seen = min(self.first_seen, event.start)
        if not event.step_mode or self.first_step < math.inf:
            return
        self.first_step = event.start
        self.datapoints = 1
        minutes = (self.first_step - self.first_seen) / 60
        if minutes > self.threshold:
            self.violations = 1
            self.found(
                f"The first step began {minutes:.3g} minutes after the training; up to "
                f"{self.threshold:g} minutes is sound.",
                self.first_seen,
                self.first_step,
                event.node,
                minutes=round(minutes, 3),
                threshold=self.threshold,
            )

    def remark(self) -> str:
        return "" if self.datapoints else NO_STEPS

    def details(self) -> dict[str, Any]:
        if not self.datapoints:
            return {}
        return {
            "step_num": {
                "first": self.first_step,
                "initialization_in_seconds": self.first_step - self.first_seen,
            }
        }


@dataclass
class Dataloader(ProfilerRule):
    """Far fewer, or far more, processes load data than there are cores."""

    looks_for: ClassVar[str] = "Too few or too many processes that load data, for the cores."
    advice: ClassVar[str] = (
        "Set num_workers of DataLoader to about the number of cores; 0 loads in the training's own "
        "process, which then waits for each batch."
    )

    min_threshold: float = parameter(
        70.0, at_least=0, doc="Fewest processes, as a percentage of the number of cores."
    )
    max_threshold: float = parameter(
        200.0, at_least=0, doc="Most processes, as a percentage of the number of cores."
    )

    _cores: dict[str, int] = field(default_factory=dict, init=False)
    _loaders: dict[str, dict[str, float]] = field(default_factory=dict, init=False)
    """By host: processes, how often a batch was waited for, and how long in all."""
    _ill: dict[str, bool] = field(default_factory=dict, init=False)
    _waiting: dict[str, list[tuple[Event, int]]] = field(default_factory=dict, init=False)
    """Of each host whose cores are not known yet: the first of events with the same number of
    processes, and how many these are."""

    def see_tick(self, tick: Tick) -> None:
        if tick.cores and tick.node not in self._cores:
            self._cores[tick.node] = tick.cores
            for event, times in self._waiting.pop(tick.node, ()):
                self._judge(event, times)

    def see_event(self, event: Event) -> None:
        count = event.arguments.get("worker_count")
        if event.phase != DATA_LOADING or count is None:
            return
        self.datapoints += 1
        loader = self._loaders.setdefault(event.node, {"workers": 0, "batches": 0, "seconds": 0.0})
        loader["workers"] = int(count)
        loader["batches"] += 1
        loader["seconds"] += event.seconds
        if event.node in self._cores:
            self._judge(event, 1)
            return
        waiting = self._waiting.setdefault(event.node, [])
        if waiting and waiting[-1][0].arguments["worker_count"] == count:
            waiting[-1] = (waiting[-1][0], waiting[-1][1] + 1)
        else:
            waiting.append((event, 1))

    def _judge(self, event: Event, times: int) -> None:
        workers, cores = int(event.arguments["worker_count"]), self._cores[event.node]
        percent = 100 * workers / cores
        few, many = percent < self.min_threshold, percent > self.max_threshold
        self.violations += times * (few or many)
        if (few or many) and not self._ill.get(event.node):
            self.found(
                f"On {event.node}, {workers} processes load data for {cores} cores ({percent:.3g} "
                f"%); {self.min_threshold:g} to {self.max_threshold:g} % is sound.",
                event.start,
                event.end,
                event.node,
                workers=workers,
                cores=cores,
                percent=round(percent, 2),
                min_threshold=self.min_threshold,
                max_threshold=self.max_threshold,
            )
        self._ill[event.node] = few or many

    def remark(self) -> str:
        if not self.datapoints:
            return "No data loader was seen; it looks at the DataLoader of PyTorch."
        if not self._cores:
            return "The profile does not say how many cores there are."
        return ""

    def details(self) -> dict[str, Any]:
        return {
            node: {**loader, "cores": self._cores.get(node, 0)}
            for node, loader in self._loaders.items()
        }
