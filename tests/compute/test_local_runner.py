"""The local runner, by every isolation that this machine gives."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bottega.compute.local import folder
from bottega.compute.local.isolation import Machine
from bottega.compute.local.runner import LocalRunner
from bottega.compute.runner import Program, Runner
from bottega.testing.runner_case import RunnerCase

MACHINE = Machine()


class LocalRunnerCase(RunnerCase):
    isolation = ""

    @pytest.fixture
    def runner(self, tmp_path: Path) -> Iterator[Runner]:
        runner = LocalRunner(state_dir=tmp_path / "runner", isolation=self.isolation)
        yield runner
        runner.close()

    @pytest.fixture
    def opening(self, tmp_path: Path) -> str:
        return (
            "from bottega.compute.local.runner import LocalRunner\n"
            f"runner = LocalRunner(state_dir=Path({str(tmp_path / 'runner')!r}),"
            f" isolation={self.isolation!r})"
        )

    def kill_supervisor(self, directory: Path) -> None:
        content = folder.read(str(directory), folder.SUPERVISOR)
        assert content is not None
        pid = content["pid"]
        assert isinstance(pid, int)
        os.kill(pid, signal.SIGKILL)


@pytest.mark.skipif(MACHINE.namespaces_refusal is not None, reason=str(MACHINE.namespaces_refusal))
class TestNamespaces(LocalRunnerCase):
    isolation = "namespaces"


@pytest.mark.skipif(MACHINE.bubblewrap_refusal is not None, reason=str(MACHINE.bubblewrap_refusal))
class TestBubblewrap(LocalRunnerCase):
    isolation = "bubblewrap"


class TestProcess(LocalRunnerCase):
    isolation = "process"
    isolated = False


_warm = pytest.mark.skipif(sys.platform != "linux", reason="the fork server needs Linux")
_PRELOAD = ("json", "subprocess", "tempfile", "socket", "bottega.testing.script_program")


@pytest.fixture(scope="module")
def warm_runners(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[str], LocalRunner]]:
    """One warm runner for each isolation; its fork server has to outlive all tests."""
    runners: dict[str, LocalRunner] = {}

    def warm(isolation: str) -> LocalRunner:
        if isolation not in runners:
            folder = tmp_path_factory.mktemp("runner")
            runners[isolation] = LocalRunner(
                state_dir=folder, isolation=isolation, preload=_PRELOAD
            )
        runner = runners[isolation]
        assert runner.wait_warm(60), runner.describe()
        return runner

    yield warm
    for runner in runners.values():
        assert runner.warm(), runner.describe()
        runner.close()


class WarmCase(LocalRunnerCase):
    """Every program is a module, forked from the fork server."""

    def program(self, script: str) -> Program:
        return Program("bottega.testing.script_program", (script,))

    @pytest.fixture
    def runner(self, warm_runners: Callable[[str], LocalRunner]) -> Runner:
        return warm_runners(self.isolation)

    @pytest.fixture
    def opening(self, tmp_path: Path) -> str:
        return (
            "from bottega.compute.local.runner import LocalRunner\n"
            f"runner = LocalRunner(state_dir=Path({str(tmp_path / 'runner')!r}),"
            f" isolation={self.isolation!r}, preload={_PRELOAD!r})\n"
            "runner.wait_warm(60)"
        )


@_warm
@pytest.mark.skipif(MACHINE.namespaces_refusal is not None, reason=str(MACHINE.namespaces_refusal))
class TestWarmNamespaces(WarmCase):
    isolation = "namespaces"


@_warm
class TestWarmProcess(WarmCase):
    isolation = "process"
    isolated = False
