"""The supervisor of one workload: starts its hosts, writes their logs, ends them, leaves the
result.

It belongs to nobody: its session is its own and the daemon may die. It is one thread around one
``poll``. Each host has a keeper (``keeper``) beneath it; when the supervisor is killed the keepers
notice and end everything. The supervisor adopts whatever loses its parent, and before it writes the
result it ends all that is still beneath it.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time

from bottega.compute.local import folder, kernel, memory_pressure, plan, process_tree, program
from bottega.compute.local.machine_profile import MachineProfile
from bottega.compute.local.sampler import Sampler
from bottega.compute.local.supervised_host import SupervisedHost

_RETRY_SECONDS = 0.5
"""Between attempts to write a log on a full disk."""
_AFTERMATH_SECONDS = 60.0
_PATIENCE = 30.0
"""Seconds to go on trying to write what is left when everything has ended."""


def main(arguments: list[str]) -> None:
    """As a process of its own. Arguments: the workload's folder and the descriptor of its lock."""
    supervise(arguments[0], int(arguments[1]), in_process=False)


def supervise(directory: str, lock: int, *, in_process: bool) -> None:
    """Run the workload of this folder, whose lock is held by ``lock``, and exit.

    Args:
        directory: where ``plan.json`` lies.
        lock: the open lock file; it stays open as long as this process lives.
        in_process: modules run in forks of this very process, which has loaded what they need.
    """
    try:
        program.close_descriptors(keep=(lock,))
        _detach(directory)
        identity = {"pid": os.getpid(), "birth": folder.process_birth(os.getpid())}
        started = {**identity, "started": time.time()}
        supervisor = Supervisor(directory, in_process=in_process)
        if folder.write_once(directory, folder.SUPERVISOR, json.dumps(started).encode()):
            supervisor.run()
    except BaseException:
        sys.excepthook(*sys.exc_info())
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)


def _detach(directory: str) -> None:
    if os.getsid(0) != os.getpid():
        os.setsid()
    os.chdir("/")
    os.umask(0o077)
    null = os.open(os.devnull, os.O_RDWR)
    log = os.open(
        os.path.join(directory, folder.LOG), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600
    )
    for source, number in ((null, 0), (log, 1), (log, 2)):
        os.dup2(source, number)
    os.close(null)
    os.close(log)


class Supervisor:
    """What goes on in one workload, from the plan to the result."""

    def __init__(self, directory: str, *, in_process: bool) -> None:
        self._directory = directory
        self._in_process = in_process
        with open(os.path.join(directory, folder.PLAN), "rb") as file:
            self._plan = plan.WorkloadPlan.loads(file.read())
        self._hosts: list[SupervisedHost] = []
        self._poller = select.poll()
        self._paused: set[str] = set()
        self._terminated = False
        self._child_ended = False
        self._cause = "exited"
        self._ending = False
        self._kill_at: float | None = None
        self._begun = time.monotonic()
        self._started = time.time()
        self._sampler = Sampler(own_network=self._plan.own_network and len(self._plan.hosts) == 1)
        self._profile = MachineProfile(self._sampler.gpus)
        self._memory_kills = memory_pressure.kills_so_far()
        self._woken = self._take_signals()

    def run(self) -> None:
        if kernel.LINUX:
            kernel.become_subreaper()
        self._start_hosts()
        self._look_for_stop()
        while not all(host.ended for host in self._hosts):
            self._wait()
            self._note_signals()
            self._keep_time()
            if self._sampler.due is not None and time.monotonic() >= self._sampler.due:
                self._sampler.take()
            if self._profile.due is not None and time.monotonic() >= self._profile.due:
                self._profile.take()
        self._profile.close()
        process_tree.end_all_descendants()
        self._drain()
        self._run_aftermath()
        self._remove_scratch()
        self._write_result()

    def _take_signals(self) -> int:
        program.reset_signals()
        read_end, write_end = os.pipe()
        os.set_blocking(read_end, False)
        os.set_blocking(write_end, False)
        signal.signal(signal.SIGTERM, self._on_terminate)
        signal.signal(signal.SIGCHLD, self._on_child)
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE):
            signal.signal(number, signal.SIG_IGN)
        signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
        self._poller.register(read_end, select.POLLIN)
        return read_end

    def _on_terminate(self, number: int, frame: object) -> None:
        self._terminated = True

    def _on_child(self, number: int, frame: object) -> None:
        self._child_ended = True

    def _start_hosts(self) -> None:
        self._hosts = [SupervisedHost(host) for host in self._plan.hosts]
        try:
            if self._plan.own_user:
                kernel.enter_user_namespace()
            if self._plan.own_network:
                kernel.enter_network_namespace()
        except OSError as problem:
            for host in self._hosts:
                host.fail(f"cannot isolate the workload: {problem}")
            return
        if folder.exists(self._directory, folder.STOP):
            for host in self._hosts:
                host.never_run()
            return
        for host in self._hosts:
            host.start(self._plan, in_process=self._in_process)
            if kernel.LINUX and host.plan.metrics and host.keeper:
                self._sampler.follow(host.keeper, host.plan.metrics)
            if kernel.LINUX and host.plan.profile and host.keeper:
                self._profile.follow(host.name, host.plan.profile)
            for descriptor in (host.output, host.control):
                if descriptor is not None:
                    self._poller.register(descriptor, select.POLLIN)
        if any(host.failed for host in self._hosts):
            self._end(self._plan.stop_grace_seconds)

    def _wait(self) -> None:
        ready = {descriptor for descriptor, _ in self._poller.poll(self._timeout())}
        if self._woken in ready:
            os.read(self._woken, 4096)
        # Messages first: a main process is on record before its first line is.
        for host in self._hosts:
            if host.control in ready:
                self._forget(host.take_messages())
        self._note_main_processes()
        for host in self._hosts:
            if host.output in ready:
                self._forget(host.take_output())
        self._balance_output()

    def _forget(self, descriptors: list[int]) -> None:
        for descriptor in descriptors:
            self._poller.unregister(descriptor)

    def _timeout(self) -> float | None:
        """Milliseconds until something is to be done whatever happens."""
        times = [due for due in (self._sampler.due, self._profile.due) if due is not None]
        if self._kill_at is not None:
            times.append(self._kill_at)
        if self._plan.max_runtime_seconds is not None and not self._ending:
            times.append(self._begun + self._plan.max_runtime_seconds)
        if any(host.blocked for host in self._hosts):
            times.append(time.monotonic() + _RETRY_SECONDS)
        if not times:
            return None
        return max(0.0, (min(times) - time.monotonic()) * 1000 + 1)

    def _balance_output(self) -> None:
        """Read nothing from a host whose log cannot be written; go on when it can."""
        for host in self._hosts:
            if host.output is None or not (host.blocked or host.name in self._paused):
                continue
            host.retry()
            if host.blocked and host.name not in self._paused:
                self._paused.add(host.name)
                self._poller.unregister(host.output)
            elif not host.blocked:
                self._paused.remove(host.name)
                self._poller.register(host.output, select.POLLIN)

    def _note_main_processes(self) -> None:
        new = [host.name for host in self._hosts if host.newly_running()]
        if not new:
            return
        pids = {
            host.name: {"pid": host.main_pid, "birth": folder.process_birth(host.main_pid)}
            for host in self._hosts
            if host.main_pid
        }
        folder.write(self._directory, folder.HOSTS, json.dumps(pids).encode())
        if self._ending:
            self._terminate_hosts()

    def _note_signals(self) -> None:
        if self._terminated:
            self._terminated = False
            if not self._look_for_stop():
                # Not from the runner: the machine goes down, say. That is no wish of the user's.
                self._end(self._plan.stop_grace_seconds)
        if self._child_ended:
            self._child_ended = False
            self._reap()

    def _look_for_stop(self) -> bool:
        request = folder.read(self._directory, folder.STOP)
        if request is None:
            return False
        grace = request["grace_seconds"]
        if not self._ending:
            self._cause = "stopped"
        self._end(grace if isinstance(grace, (int, float)) else self._plan.stop_grace_seconds)
        return True

    def _reap(self) -> None:
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._sampler.ended(pid, usage)
            for host in self._hosts:
                if host.keeper == pid:
                    self._forget(host.keeper_ended(status))
                    if host.failed:
                        self._end(self._plan.stop_grace_seconds)

    def _keep_time(self) -> None:
        now = time.monotonic()
        limit = self._plan.max_runtime_seconds
        if limit is not None and not self._ending and now >= self._begun + limit:
            self._cause = "runtime-exceeded"
            self._end(self._plan.stop_grace_seconds)
        if self._kill_at is not None and now >= self._kill_at:
            process_tree.end_all_descendants()
            for host in self._hosts:
                if not host.ended:
                    self._forget(host.keeper_ended(signal.SIGKILL, ours=True))

    def _end(self, grace_seconds: float) -> None:
        """SIGTERM to every host now, SIGKILL to everything after the grace; the shortest grace
        counts.
        """
        kill_at = time.monotonic() + grace_seconds
        self._kill_at = kill_at if self._kill_at is None else min(self._kill_at, kill_at)
        if not self._ending:
            self._ending = True
            self._terminate_hosts()

    def _terminate_hosts(self) -> None:
        for host in self._hosts:
            host.terminate()

    def _drain(self) -> None:
        """Everything is dead: what is in the pipes is all there will be."""
        give_up = time.monotonic() + _PATIENCE
        for host in self._hosts:
            while not host.drain() and time.monotonic() < give_up:
                time.sleep(_RETRY_SECONDS)
            if host.blocked:
                print(
                    f"{host.plan.log}: the end of the log is lost, the disk is full",
                    file=sys.stderr,
                )
                sys.stderr.flush()

    def _run_aftermath(self) -> None:
        if not self._plan.aftermath:
            return
        import subprocess

        try:
            subprocess.run(
                self._plan.aftermath, stdin=subprocess.DEVNULL, timeout=_AFTERMATH_SECONDS
            )
        except (OSError, subprocess.TimeoutExpired) as problem:
            print(f"the aftermath: {problem}", file=sys.stderr)
            sys.stderr.flush()

    def _remove_scratch(self) -> None:
        for host in self._plan.hosts:
            for path in reversed(host.folders):
                try:
                    os.rmdir(path)
                except FileNotFoundError:
                    continue
                except OSError:
                    import shutil

                    shutil.rmtree(path, ignore_errors=True)

    def _write_result(self) -> None:
        memory = memory_pressure.kills_so_far() > self._memory_kills
        result = {
            "cause": self._cause,
            "started": self._started,
            "ended": time.time(),
            "hosts": [host.result(memory_was_short=memory) for host in self._hosts],
        }
        give_up = time.monotonic() + _PATIENCE
        while True:
            try:
                folder.write(
                    self._directory, folder.RESULT, json.dumps(result).encode(), durable=True
                )
                return
            except OSError:
                if time.monotonic() >= give_up:
                    raise
                time.sleep(_RETRY_SECONDS)
