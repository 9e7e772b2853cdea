"""The fork server: a process that has loaded the heavy libraries once and forks supervisors.

It stays single-threaded and runs no numerical code, so that whatever a child does with OpenMP or
BLAS is sound. It talks over one socket with the daemon that started it and ends when that is
closed. Its children, the supervisors, are in sessions of their own and go on.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import socket
import time

from bottega.compute.local import fresh, kernel, program
from bottega.compute.local.supervisor import supervise

_LONGEST_REQUEST = 64 * 1024


def main(arguments: list[str]) -> None:
    """Arguments: the descriptor of the socket, then the modules to load."""
    control = socket.socket(fileno=int(arguments[0]))
    program.close_descriptors(keep=(control.fileno(),))
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    report = _load(arguments[1:])
    control.send(json.dumps(report).encode())
    if report["threads"]:
        return
    # Children whose end nobody awaits leave no trace.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    _serve(control)


def _load(modules: list[str]) -> dict[str, object]:
    """Load what can be loaded; say how long it took, what failed, and which threads were
    started.
    """
    began = time.monotonic()
    failed = {}
    ours = ("namespaces", "keeper", "supervised_host")
    for module in (*(f"bottega.compute.local.{name}" for name in ours), *modules):
        try:
            importlib.import_module(module)
        except Exception as problem:
            failed[module] = f"{type(problem).__name__}: {problem}"
    fresh.prepare()
    gc.collect()
    # What is loaded now is shared with every child for good: the collector need not touch it.
    gc.freeze()
    kernel.collapse_own_memory()
    return {
        "pid": os.getpid(),
        "seconds": time.monotonic() - began,
        "failed": failed,
        "threads": _other_threads(),
    }


def _other_threads() -> list[str]:
    names = []
    for task in os.listdir("/proc/self/task"):
        if int(task) != os.getpid():
            with open(f"/proc/self/task/{task}/comm") as file:
                names.append(file.read().strip())
    return names


def _serve(control: socket.socket) -> None:
    while True:
        request, descriptors, _, _ = socket.recv_fds(control, _LONGEST_REQUEST, 1)
        if not request:
            return
        (lock,) = descriptors
        try:
            pid = os.fork()
        except OSError as problem:
            control.send(json.dumps({"problem": str(problem)}).encode())
            os.close(lock)
            continue
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            supervise(json.loads(request)["directory"], lock, in_process=True)
        os.close(lock)
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            control.send(json.dumps({"pid": pid}).encode())
            continue
        socket.send_fds(control, [json.dumps({"pid": pid}).encode()], [handle])
        os.close(handle)
