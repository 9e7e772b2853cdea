"""The processes of one instance: a model server and a driver, each started again when it ends."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from bottega.compute.log_tail import log_tail
from bottega.compute.runner import Phase, WorkloadSpec
from bottega.features.transform.entities import DRIVER_RUNS, LOG_GROUP, SERVER_RUNS, Instance
from bottega.model_servers.health import PING_TIMEOUT_SECONDS, PingProbe
from bottega.ports import Ports
from bottega.serving.sockets import socket_path

STARTUP_SECONDS = 600.0
"""How long a model server may load before it answers its ping."""
MOST_FAILED_STARTS = 3
"""How many model servers, or drivers, may end in a row without having done anything."""
_QUICK_SECONDS = 2.0
_QUICK_PING_SECONDS = 0.05
_RUNS_KEPT = 3


class InstanceBroken(Exception):
    """The instance cannot go on; the message becomes the job's FailureReason."""


class ServerKeeper:
    """Keeps the model server of one instance running. Not for more than one thread at a time."""

    def __init__(
        self,
        ports: Ports,
        instance: Instance,
        workload: Callable[[Path], WorkloadSpec],
        wake: Callable[[], None],
    ) -> None:
        self._ports = ports
        self._instance = instance
        self._workload = workload
        self._wake = wake
        self._well: Path | None = None
        """The run that has answered a ping."""
        self._counted: Path | None = None
        self._failed_starts = 0

    def tend(self) -> bool:
        """Start the server where none runs; returns whether one has answered a ping.

        Raises:
            InstanceBroken: it does not come up.
            IsolationUnavailable: the runner cannot start it.
        """
        run = latest_run(self._instance.server_runs)
        state = self._ports.runner.state(run) if run else None
        if run is None or state is None or state.phase is Phase.ABSENT:
            self._start(1 if run is None else int(run.name))
            return False
        if state.phase is Phase.RUNNING:
            age = self._ports.clock.now() - (state.started or self._ports.clock.now())
            if self._well == run or self._answers(age):
                self._well, self._failed_starts = run, 0
                return True
            if age > STARTUP_SECONDS:
                raise self._broken(f"did not answer its ping within {STARTUP_SECONDS:g} seconds")
            return False
        if self._well != run and self._counted != run:
            self._counted = run
            self._failed_starts += 1
            if self._failed_starts >= MOST_FAILED_STARTS:
                raise self._broken("ended before it had answered a ping")
        self._start(int(run.name) + 1)
        return False

    def _answers(self, age: float) -> bool:
        folder = self._instance.socket_folder(self._ports.config)
        probe = PingProbe(socket_path(folder))
        # Most are up within a second; one that is slow to load may be slow to answer, too.
        verdict = probe.poll(_QUICK_PING_SECONDS if age < _QUICK_SECONDS else PING_TIMEOUT_SECONDS)
        probe.close()
        return bool(verdict)

    def _start(self, number: int) -> None:
        folder = self._instance.socket_folder(self._ports.config)
        folder.mkdir(mode=0o700, exist_ok=True)
        socket_path(folder).unlink(missing_ok=True)
        run = start_run(self._instance.server_runs, number)
        self._ports.runner.start(self._workload(run))
        self._ports.runner.watch(run, self._wake)

    def _broken(self, what: str) -> InstanceBroken:
        tail = log_tail(self._ports.logs, LOG_GROUP, self._instance.log_stream)
        return InstanceBroken(f"AlgorithmError: the model server {what}: {tail}")


class DriverKeeper:
    """Keeps the driver of one instance running until it has done everything."""

    def __init__(
        self,
        ports: Ports,
        instance: Instance,
        workload: Callable[[Path], WorkloadSpec],
        wake: Callable[[], None],
    ) -> None:
        self._ports = ports
        self._instance = instance
        self._workload = workload
        self._wake = wake
        self._watched: Path | None = None
        self._last = b""
        self._idle_ends = 0

    def tend(self) -> None:
        """Start the driver where none runs.

        Raises:
            InstanceBroken: drivers end again and again without having done anything.
            IsolationUnavailable: the runner cannot start it.
        """
        run = latest_run(self._instance.driver_runs)
        state = self._ports.runner.state(run) if run else None
        if run is None or state is None or state.phase is Phase.ABSENT:
            self._start(1 if run is None else int(run.name))
        elif state.phase is Phase.RUNNING:
            if self._watched != run:
                self._watched = run
                self._ports.runner.watch(run, self._wake)
        else:
            self._check_headway()
            self._start(int(run.name) + 1)

    def _check_headway(self) -> None:
        progress = self._instance.driver.progress
        noted = progress.read_bytes() if progress.exists() else b""
        self._idle_ends = self._idle_ends + 1 if noted == self._last else 1
        self._last = noted
        if self._idle_ends >= MOST_FAILED_STARTS:
            tail = log_tail(self._ports.logs, LOG_GROUP, self._instance.data_log_stream)
            raise InstanceBroken(
                "InternalServerError: the program that sends the records ended "
                f"{self._idle_ends} times: {tail}"
            )

    def _start(self, number: int) -> None:
        run = start_run(self._instance.driver_runs, number)
        self._ports.runner.start(self._workload(run))


def start_run(runs: Path, number: int) -> Path:
    """The folder of a run that is about to start; old ones are removed."""
    runs.mkdir(parents=True, exist_ok=True)
    for outdated in sorted(run_folders(runs), key=lambda run: int(run.name))[:-_RUNS_KEPT]:
        shutil.rmtree(outdated, ignore_errors=True)
    return runs / str(number)


def latest_run(runs: Path) -> Path | None:
    """The folder of the last start; None when there was none."""
    return max(run_folders(runs), key=lambda run: int(run.name), default=None)


def run_folders(runs: Path) -> list[Path]:
    """The folders of every start, in no order."""
    try:
        names = os.listdir(runs)
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [runs / name for name in names if name.isdigit()]


def stop_processes(ports: Ports, root: Path, grace_seconds: float) -> bool:
    """Ask every process of an instance, by its folder, to end; returns whether none runs any
    more.
    """
    quiet = True
    for run in (*run_folders(root / DRIVER_RUNS), *run_folders(root / SERVER_RUNS)):
        if ports.runner.state(run).phase is Phase.RUNNING:
            ports.runner.stop(run, grace_seconds=grace_seconds)
            quiet = False
    return quiet
