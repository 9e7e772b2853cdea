"""The local runner, by every isolation that this machine gives."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bottega.compute.local import folder
from bottega.compute.local.isolation import Machine
from bottega.compute.local.runner import LocalRunner
from bottega.compute.runner import Phase, Program, Runner
from bottega.testing.runner_bench import Bench, run
from bottega.testing.runner_case import RunnerCase
from bottega.testing.runner_usage_case import BURN, integral, sampled, samples

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

    def test_a_network_of_its_own_is_measured(self, runner: Runner, bench: Bench) -> None:
        spec = sampled(
            bench.spec(f"""
            server = socket.create_server(("127.0.0.1", 0))
            client = socket.create_connection(server.getsockname())
            client.sendall(b"x" * 100_000)
            {BURN}
        """)
        )
        state = run(runner, replace(spec, network=False))
        assert state.started is not None
        assert integral(samples(spec), "NetworkSent", state.started) > 100_000


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

    @pytest.mark.skipif(sys.platform != "linux", reason="counts what /proc shows")
    def test_workloads_that_nobody_watched_leave_nothing_open(
        self, runner: Runner, bench: Bench
    ) -> None:
        def descriptors_after(name: str) -> int:
            spec = bench.spec("pass", name)
            runner.start(spec)
            while runner.state(spec.directory).phase is not Phase.ENDED:
                time.sleep(0.01)
            return len(os.listdir("/proc/self/fd"))

        descriptors_after("first")
        before = descriptors_after("second")
        assert [descriptors_after(f"later-{number}") for number in range(3)] == [before] * 3


@_warm
@pytest.mark.skipif(MACHINE.namespaces_refusal is not None, reason=str(MACHINE.namespaces_refusal))
class TestWarmNamespaces(WarmCase):
    isolation = "namespaces"

    def test_a_program_cannot_take_hold_of_its_keeper(self, runner: Runner, bench: Bench) -> None:
        script = """
            import ctypes
            libc = ctypes.CDLL(None, use_errno=True)
            seize = 0x4206
            say("traced", libc.ptrace(seize, 1, None, None))
            keeper, pidfd_getfd = os.pidfd_open(1), 438
            taken = [libc.syscall(pidfd_getfd, keeper, number, 0) for number in range(20)]
            say("taken", [each for each in taken if each >= 0])
        """
        spec = bench.spec(script)
        assert run(runner, spec).succeeded
        assert bench.lines(spec) == ["traced -1", "taken []"]


@_warm
class TestWarmProcess(WarmCase):
    isolation = "process"
    isolated = False
