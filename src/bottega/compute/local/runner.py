"""The local runner: workloads as processes of this machine, isolated where it can be."""

from __future__ import annotations

import json
import os
import signal as signals
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bottega.compute.local import folder, fresh, plan, program, watcher
from bottega.compute.local import isolation as isolation_of
from bottega.compute.local.plan import WorkloadPlan
from bottega.compute.local.warm_start import AVAILABLE as WARM_START_AVAILABLE
from bottega.compute.local.warm_start import ForkServer, ForkServerGone
from bottega.compute.runner import Cause, HostResult, Phase, Runner, WorkloadSpec, WorkloadState

_LONGEST_WAIT_FOR_WARMTH = 10.0
"""Seconds. A program that could be forked waits for a fork server that is still loading: an
ordinary start would load the same modules, from the beginning.
"""


class LocalRunner(Runner):
    """Runs workloads on this machine. Several runners, also in several processes, may share
    folders.
    """

    def __init__(
        self,
        *,
        state_dir: Path,
        isolation: str = "auto",
        preload: Sequence[str] = (),
        preload_enabled: bool = True,
    ) -> None:
        """Start the fork server in the background, if it is wanted and can be.

        Args:
            state_dir: a folder of the runner's own, made if missing.
            isolation: ``namespaces``, ``bubblewrap``, ``process``, or ``auto`` for the first that
                works here.
            preload: modules that the fork server loads once.
            preload_enabled: False: every program starts in a new interpreter.
        """
        if isolation not in isolation_of.KINDS:
            raise ValueError(
                f"isolation is one of {', '.join(isolation_of.KINDS)}, not {isolation!r}"
            )
        state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._wanted = isolation
        self._machine = isolation_of.Machine()
        self._watcher = watcher.Watcher()
        self._starters: dict[str, subprocess.Popen[bytes]] = {}
        self._mutex = threading.Lock()
        self._fork_server: ForkServer | None = None
        if preload_enabled and preload and WARM_START_AVAILABLE and isolation != plan.BUBBLEWRAP:
            self._fork_server = ForkServer(preload, log=state_dir / "fork-server.log")
        # What the machine gives is found out by trying, which the first workload need not wait for.
        threading.Thread(target=self._machine.learn, name="isolation-trial", daemon=True).start()

    def start(self, spec: WorkloadSpec) -> None:
        work = isolation_of.make_plan(spec, self._wanted, self._machine)
        directory = os.path.realpath(spec.directory)
        os.makedirs(directory, mode=0o700, exist_ok=True)
        lock = folder.take_lock(directory)
        if lock is None:
            return
        try:
            if folder.exists(directory, folder.SUPERVISOR) or folder.exists(
                directory, folder.RESULT
            ):
                return
            folder.write(directory, "hosts", isolation_of.hosts_file(spec).encode())
            folder.write(directory, folder.PLAN, work.dumps())
            handle = self._start_supervisor(directory, lock, work)
        finally:
            os.close(lock)
        if handle is not None:
            self._watcher.know(directory, handle)

    def state(self, directory: Path) -> WorkloadState:
        place = os.path.realpath(directory)
        if (result := folder.read(place, folder.RESULT)) is not None:
            self._watcher.forget(place)
            return _ended(result)
        if folder.lock_is_held(place):
            return WorkloadState(Phase.RUNNING, started=_started(place))
        self._watcher.forget(place)
        # It may have ended between the two looks.
        if (result := folder.read(place, folder.RESULT)) is not None:
            return _ended(result)
        if folder.exists(place, folder.SUPERVISOR):
            return WorkloadState(Phase.LOST, started=_started(place))
        return WorkloadState(Phase.ABSENT)

    def stop(self, directory: Path, *, grace_seconds: float | None = None) -> None:
        place = os.path.realpath(directory)
        if folder.exists(place, folder.RESULT) or not folder.lock_is_held(place):
            return
        request = json.dumps({"grace_seconds": grace_seconds}).encode()
        # First the request, then the signal: a supervisor that is not up yet looks for it later.
        folder.write(place, folder.STOP, request)
        supervisor = folder.read(place, folder.SUPERVISOR)
        if supervisor is not None:
            _send(supervisor, signals.SIGTERM)

    def signal(self, directory: Path, host: str, number: int) -> None:
        place = os.path.realpath(directory)
        if not folder.lock_is_held(place):
            return
        process = (folder.read(place, folder.HOSTS) or {}).get(host)
        if isinstance(process, dict):
            _send(process, number)

    def watch(self, directory: Path, callback: Callable[[], None]) -> None:
        self._watcher.watch(os.path.realpath(directory), callback)

    def shows_mounts(self) -> bool:
        return self._machine.choose(self._wanted) != plan.PROCESS

    def describe(self) -> Mapping[str, str]:
        machine = self._machine
        answers = {
            "isolation": machine.choose(self._wanted),
            "namespaces": machine.namespaces_refusal or "work",
            "bubblewrap": machine.bubblewrap_refusal or f"works ({machine.bubblewrap})",
        }
        if answers["isolation"] == plan.PROCESS:
            answers["advice"] = (
                "jobs run as plain processes and see your files; install bubblewrap (Linux)"
            )
        server = self._fork_server
        answers["fork server"] = "off" if server is None else server.describe()
        return answers

    def warm(self) -> bool:
        """Whether the fork server is ready."""
        return self._fork_server is not None and self._fork_server.ready

    def wait_warm(self, timeout: float) -> bool:
        """Wait until the fork server is ready or cannot become so. Returns whether it is ready."""
        return self._fork_server is not None and self._fork_server.wait(timeout)

    def close(self) -> None:
        if self._fork_server is not None:
            self._fork_server.close()
        self._watcher.close()
        with self._mutex:
            starters, self._starters = self._starters, {}
        for process in starters.values():
            # It lives on without us, which the garbage collector would take for a mistake.
            process.poll()
            process.returncode = process.returncode or 0

    def _start_supervisor(self, directory: str, lock: int, work: WorkloadPlan) -> int | None:
        """Start it with its lock. Returns a pidfd where there are such."""
        server = self._fork_server
        if server is not None and _can_be_forked(work):
            if server.loading:
                server.wait(_LONGEST_WAIT_FOR_WARMTH)
            if server.ready:
                try:
                    return server.fork_supervisor(directory, lock)
                except ForkServerGone:
                    # If it forked before it went, the second supervisor finds the first and gives
                    # up.
                    pass
        return self._spawn(directory, lock)

    def _spawn(self, directory: str, lock: int) -> int | None:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", program.ENTRY, "supervisor", directory, str(lock)],
            env={"PATH": os.defpath, "LANG": "C.UTF-8"},
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(lock,),
            start_new_session=True,
        )
        with self._mutex:
            self._starters[directory] = process
        # Also collects the dead child, which would stay a zombie otherwise.
        handle = os.pidfd_open(process.pid) if hasattr(os, "pidfd_open") else None
        self._watcher.watch(directory, lambda: self._collect(directory))
        return handle

    def _collect(self, directory: str) -> None:
        with self._mutex:
            process = self._starters.pop(directory, None)
        if process is not None:
            process.wait()


def _can_be_forked(work: WorkloadPlan) -> bool:
    return work.isolation != plan.BUBBLEWRAP and all(
        host.module and fresh.needs_new_process(host.environment) is None for host in work.hosts
    )


def _started(directory: str) -> float | None:
    content = folder.read(directory, folder.SUPERVISOR)
    started = None if content is None else content["started"]
    return started if isinstance(started, float) else None


def _ended(result: Mapping[str, object]) -> WorkloadState:
    hosts = result["hosts"]
    started, ended = result["started"], result["ended"]
    assert isinstance(hosts, list)
    assert isinstance(started, float)
    assert isinstance(ended, float)
    return WorkloadState(
        Phase.ENDED,
        started=started,
        ended=ended,
        cause=Cause(result["cause"]),
        hosts=tuple(HostResult(**host) for host in hosts),
    )


def _send(process: dict[str, object], number: int) -> None:
    """Send a signal to exactly this process, if it is still there."""
    pid, birth = process["pid"], process["birth"]
    assert isinstance(pid, int)
    handle = watcher.open_process(process)
    try:
        if handle is not None:
            signals.pidfd_send_signal(handle, number)
        elif not hasattr(os, "pidfd_open") and folder.process_birth(pid) == birth:
            os.kill(pid, number)
    except ProcessLookupError:
        # It ended at the same moment.
        return
    finally:
        if handle is not None:
            os.close(handle)
