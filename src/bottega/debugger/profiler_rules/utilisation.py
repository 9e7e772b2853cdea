"""Rules over how much the GPUs have to do."""

from __future__ import annotations

from abc import abstractmethod
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from bottega.debugger.profiler_rules.profile import Tick
from bottega.debugger.profiler_rules.profiler_rule import OfGpus, percentile
from bottega.debugger.rules.parameters import parameter

Quantiles = dict[str, float]


@dataclass
class _Gpu:
    """What was seen of one GPU: the last points, by series, and whether the condition holds."""

    window: int
    count: int = 0
    times: deque[float] = field(init=False)
    series: dict[str, deque[float]] = field(default_factory=dict)
    latest: Quantiles = field(default_factory=dict)
    ill: bool = False

    def __post_init__(self) -> None:
        self.times = deque(maxlen=self.window)

    def add(self, time: float, values: Mapping[str, float]) -> None:
        self.count += 1
        self.times.append(time)
        for name, value in values.items():
            self.series.setdefault(name, deque(maxlen=self.window)).append(value)


@dataclass
class _OfWindows(OfGpus):
    """Judges each GPU by percentiles of its last points: when it has seen ``patience`` of them,
    then after every ``window``."""

    window: int = parameter(500, at_least=2, doc="How many points percentiles are computed of.")

    _gpus: dict[tuple[str, str], _Gpu] = field(default_factory=dict, init=False)

    def see_tick(self, tick: Tick) -> None:
        for name, use in tick.gpus.items():
            self.gpu_seen = True
            values = {"gpu": use}
            if tick.cpu is not None:
                values["cpu"] = tick.cpu
            if name in tick.gpu_memory:
                values["gpu_memory"] = tick.gpu_memory[name]
            gpu = self._gpus.setdefault((tick.node, name), _Gpu(self.window))
            gpu.add(tick.time, values)
            self.datapoints += 1
            self.most_points = max(self.most_points, gpu.count)
            if gpu.count >= self.patience and (gpu.count - self.patience) % self.window == 0:
                self._judge_window(tick.node, name, gpu)

    def _judge_window(self, node: str, name: str, gpu: _Gpu) -> None:
        gpu.latest = {
            f"{series}_p{share}": percentile(list(values), share)
            for series, values in gpu.series.items()
            for share in (5, 25, 50, 75, 95)
        }
        said = self.judge(gpu.latest)
        self.violations += bool(said)
        if said and not gpu.ill:
            numbers = {key: round(value, 2) for key, value in gpu.latest.items()}
            message = f"On {node}, {name}: {said}"
            self.found(message, gpu.times[0], gpu.times[-1], node, **numbers)
        gpu.ill = bool(said)

    @abstractmethod
    def judge(self, of: Quantiles) -> str:
        """What is wrong with percentiles such as ``gpu_p95``, as a clause; empty for nothing."""

    def details(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for (node, name), gpu in self._gpus.items():
            if gpu.latest:
                found.setdefault(node, {})[name] = gpu.latest
        return found


@dataclass
class BatchSize(_OfWindows):
    """CPU, GPU and the GPU's memory have all little to do: batches could be larger."""

    looks_for: ClassVar[str] = (
        "A GPU, its memory and the processor that all have room left, so that batches could be "
        "larger."
    )
    advice: ClassVar[str] = (
        "Use larger batches (and a learning rate that fits them), or a smaller machine."
    )

    cpu_threshold_p95: float = parameter(
        70.0, at_least=0, at_most=100, doc="The 95th percentile of CPU use is below this."
    )
    gpu_threshold_p95: float = parameter(
        70.0, at_least=0, at_most=100, doc="The 95th percentile of GPU use is below this."
    )
    gpu_memory_threshold_p95: float = parameter(
        70.0, at_least=0, at_most=100, doc="The 95th percentile of GPU memory is below this."
    )

    def judge(self, of: Quantiles) -> str:
        limits = {
            "cpu_p95": self.cpu_threshold_p95,
            "gpu_p95": self.gpu_threshold_p95,
            "gpu_memory_p95": self.gpu_memory_threshold_p95,
        }
        if not all(of.get(name, 100.0) < limit for name, limit in limits.items()):
            return ""
        return (
            f"the 95th percentiles of CPU ({of['cpu_p95']:.3g} %), GPU ({of['gpu_p95']:.3g} %) "
            f"and GPU memory ({of['gpu_memory_p95']:.3g} %) are all low; batches could be larger."
        )


@dataclass
class LowGPUUtilization(_OfWindows):
    """A GPU is used little, or its use goes up and down."""

    looks_for: ClassVar[str] = "A GPU that has little to do, or that is idle again and again."
    advice: ClassVar[str] = (
        "Look for what the GPU waits for (CPUBottleneck, IOBottleneck, Dataloader), use larger "
        "batches, and avoid steps that block, such as .item() or saving in every step."
    )

    threshold_p95: float = parameter(
        70.0, at_least=0, at_most=100, doc="A 95th percentile below this is little use."
    )
    threshold_p5: float = parameter(
        10.0,
        at_least=0,
        at_most=100,
        doc="A 5th percentile below this, with a high 95th, is use that goes up and down.",
    )

    def judge(self, of: Quantiles) -> str:
        if of["gpu_p95"] < self.threshold_p95:
            return (
                f"the 95th percentile of its use is {of['gpu_p95']:.3g} %, less than "
                f"{self.threshold_p95:g} %."
            )
        if of["gpu_p5"] < self.threshold_p5:
            return (
                f"its use goes up and down: the 95th percentile is {of['gpu_p95']:.3g} %, the 5th "
                f"{of['gpu_p5']:.3g} %, less than {self.threshold_p5:g} %."
            )
        return ""
