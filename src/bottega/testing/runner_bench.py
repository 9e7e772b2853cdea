"""Makes workloads for the shared cases of runners, and looks at what came of them.

Whether a process tree is really gone is told by a pipe with a name: every process of the tree
inherits its writing end, so the reading end ends when the last of them is gone, and not before.
"""

from __future__ import annotations

import os
import sys
import tempfile
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bottega.compute.runner import (
    HostSpec,
    Mount,
    Program,
    Runner,
    WorkloadSpec,
    WorkloadState,
)

PATIENCE = 60
"""Seconds after which a test gives up; none waits that long when all is well."""

HOLD_PIPE = """
import os
holder = os.open(os.environ["ML"] + "/alive", os.O_WRONLY)
os.set_inheritable(holder, True)
"""
_FIND_ML = """
import os, sys, signal, socket, subprocess, time
os.environ["ML"] = ml = os.environ.get("BOTTEGA_ML_ROOT", "/opt/ml")
def say(*words): os.write(1, (" ".join(map(str, words)) + "\\n").encode())
"""


class Bench:
    """Makes workloads in one folder and looks at what came of them."""

    def __init__(self, folder: Path, case: RunnerFixtures) -> None:
        self.folder = folder
        self._case = case

    def spec(self, script: str, name: str = "work", *, hosts: int = 1) -> WorkloadSpec:
        """A workload whose hosts all run ``script``, each with an ML folder of its own."""
        names = [f"algo-{number}" for number in range(1, hosts + 1)]
        for host in names:
            (self.folder / name / host).mkdir(parents=True)
            os.mkfifo(self.folder / name / host / "alive")
        return WorkloadSpec(
            directory=self.folder / name / "supervised",
            program=self._case.program(_FIND_ML + textwrap.dedent(script)),
            hosts=tuple(
                HostSpec(
                    name=host,
                    log=self.folder / "logs" / name / host,
                    environment={"THIS_HOST": host},
                    mounts=(Mount(self.folder / name / host, "/opt/ml"),),
                )
                for host in names
            ),
            stop_grace_seconds=PATIENCE,
        )

    def ml(self, name: str = "work", host: str = "algo-1") -> Path:
        return self.folder / name / host

    def lines(self, spec: WorkloadSpec, host: int = 0) -> list[str]:
        """The messages of the log; their times must not run backwards."""
        path = spec.hosts[host].log
        if not path.exists():
            return []
        times, messages = [], []
        content = path.read_bytes()
        assert content.endswith(b"\n") or not content
        for record in content.split(b"\n")[:-1]:
            time, _, message = record.partition(b" ")
            times.append(int(time))
            messages.append(message.decode(errors="replace"))
        assert times == sorted(times)
        return messages

    def wait_for(self, spec: WorkloadSpec, message: str) -> None:
        """Until the first host has said this."""
        for _ in range(PATIENCE * 100):
            if message in self.lines_so_far(spec):
                return
            threading.Event().wait(0.01)
        raise AssertionError(f"{message!r} did not come: {self.lines_so_far(spec)}")

    def lines_so_far(self, spec: WorkloadSpec) -> list[str]:
        path = spec.hosts[0].log
        whole = path.read_bytes().rpartition(b"\n")[0] if path.exists() else b""
        return [record.partition(b" ")[2].decode() for record in whole.split(b"\n")]

    def alive_pipe(self, name: str = "work", host: str = "algo-1") -> int:
        """The reading end of the pipe that a program holds after ``HOLD_PIPE``."""
        return os.open(self.ml(name, host) / "alive", os.O_RDONLY | os.O_NONBLOCK)


def ended(runner: Runner, directory: Path) -> WorkloadState:
    """Wait until the workload is not running any more."""
    event = threading.Event()
    runner.watch(directory, event.set)
    assert event.wait(PATIENCE), "the workload did not end"
    return runner.state(directory)


def run(runner: Runner, spec: WorkloadSpec) -> WorkloadState:
    runner.start(spec)
    return ended(runner, spec.directory)


def nobody_holds(pipe: int) -> bool:
    """Whether no process has the writing end open. What the pipe holds is read away."""
    try:
        while os.read(pipe, 65536):
            continue
    except BlockingIOError:
        return False
    finally:
        os.close(pipe)
    return True


def source_of(spec: WorkloadSpec) -> str:
    """Python source that leaves this workload in the variable ``spec``."""
    return (
        f"from pathlib import *\nfrom bottega.compute.runner import *\nspec = {spec!r}\n".replace(
            "PosixPath(", "Path("
        )
    )


class RunnerFixtures:
    """What a subclass of the shared cases may change."""

    isolated = True
    """Whether hosts have a view of their own; the others are tested for saying that they have
    not.
    """

    def program(self, script: str) -> Program:
        return Program(argv=(sys.executable, "-c", script))

    def kill_supervisor(self, directory: Path) -> None:
        raise AssertionError("a subclass says how")

    @pytest.fixture
    def bench(self, tmp_path: Path) -> Bench:
        return Bench(tmp_path, self)

    @pytest.fixture
    def socket_folder(self) -> Iterator[Path]:
        """A folder whose path is short, as paths of sockets have to be, in one that can be
        hidden.
        """
        with tempfile.TemporaryDirectory(prefix="bs-") as parent:
            folder = Path(parent) / "sockets"
            folder.mkdir()
            yield folder
