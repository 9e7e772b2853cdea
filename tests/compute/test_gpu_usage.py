"""Reading how busy the GPUs are, with a management library that a machine without any has not."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from bottega.compute.local import gpu_usage
from bottega.compute.local.gpu_usage import GpuUsage


class Library(ModuleType):
    """Two GPUs as NVIDIA's library tells of them, until ``fail`` is set."""

    class NVMLError(Exception):
        pass

    def __init__(self) -> None:
        super().__init__("pynvml")
        self.fail = threading.Event()

    def nvmlInit(self) -> None:
        return

    def nvmlDeviceGetCount(self) -> int:
        return 2

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        return index

    def nvmlDeviceGetUtilizationRates(self, device: int) -> Any:
        if self.fail.is_set():
            raise self.NVMLError("the driver went away")
        return SimpleNamespace(gpu=(30, 100)[device])

    def nvmlDeviceGetMemoryInfo(self, device: int) -> Any:
        return SimpleNamespace(used=(1000, 5)[device], total=(4000, 10)[device])


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Library:
    library = Library()
    monkeypatch.setitem(sys.modules, "pynvml", library)
    monkeypatch.setattr(gpu_usage, "_DRIVER", str(tmp_path))
    return library


def until(usage: GpuUsage, known: bool) -> None:
    for _ in range(6000):
        if (usage.latest() is not None) is known:
            return
        threading.Event().wait(0.01)
    raise AssertionError(f"it stays {usage.latest()}")


def test_all_gpus_are_told_together_until_they_are_gone(
    library: Library, capfd: pytest.CaptureFixture[str]
) -> None:
    usage = GpuUsage(0.01)
    until(usage, known=True)
    assert usage.latest() == (130.0, 1005)
    library.fail.set()
    until(usage, known=False)
    assert "the driver went away" in capfd.readouterr().err


def test_without_a_driver_nothing_is_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(gpu_usage, "_DRIVER", str(tmp_path / "none"))
    before = threading.active_count()
    assert GpuUsage(1.0).latest() is None
    assert threading.active_count() == before
