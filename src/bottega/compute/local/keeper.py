"""The keeper: one process for each host, between the supervisor and the host's main process.

It is the first process of the host's PID namespace where there is one: it collects orphans, and
when it ends the kernel ends everything in the namespace. Without a namespace it ends the tree
itself. So a program's main process is never process 1, where signals would not have their usual
meaning.

It talks to the supervisor over a socket, one line a message: ``main <pid>`` (with a pidfd where
there are such), ``exit <wait status>``, ``fail <what could not be set up>``. When the supervisor's
end is closed, the supervisor is dead or wants the tree dead.
"""

from __future__ import annotations

import array
import json
import os
import select
import signal
import socket
from collections.abc import Callable

from bottega.compute.local import kernel, plan, process_tree, program

CANNOT_START = 125
"""The exit code of a host whose surroundings could not be made, as Docker has it."""


def keep(
    host: plan.HostPlan,
    control: socket.socket,
    output: int,
    *,
    isolation: str,
    run: Callable[[], None],
) -> None:
    """Set the host up, fork its main process, which calls ``run``, and see to its end. Does not
    return.
    """
    try:
        # Until the main process has its own signal handling, nothing may be lost in ours.
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        program.close_descriptors(keep=(control.fileno(), output))
        _set_up(host, isolation)
        woken = _watch_children()
        gate, opener = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(opener)
            _be_main_process(host, output, run, gate)
        os.close(output)
        os.close(gate)
        if isolation != plan.PROCESS:
            # The program has our user id: it must not take our socket, nor stop us for good.
            kernel.refuse_to_be_traced()
        _announce(control, pid)
        os.write(opener, b"g")
        os.close(opener)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        _wait(control, pid, woken)
    except Exception as problem:
        _report(control, f"fail {type(problem).__name__}: {problem}")
    finally:
        if isolation == plan.PROCESS:
            process_tree.end_all_descendants()
        os._exit(0)


def main(arguments: list[str]) -> None:
    """Under bubblewrap: everything is set up already. Arguments: control and plan descriptors,
    python.
    """
    control_number, plan_number, python = int(arguments[0]), int(arguments[1]), arguments[2]
    with open(plan_number, "rb") as file:
        host = plan.HostPlan.from_json(json.load(file))
    control = socket.socket(fileno=control_number)
    output = os.dup(1)
    keep(
        host,
        control,
        output,
        isolation=plan.BUBBLEWRAP,
        run=lambda: program.run_command(host, python),
    )


def _be_main_process(host: plan.HostPlan, output: int, run: Callable[[], None], gate: int) -> None:
    try:
        # Whoever has seen a line of the program may signal it: the supervisor has to know it first.
        if not os.read(gate, 1):
            return
        program.become_main_process(host, output)
        run()
    except BaseException as problem:
        os.write(output, f"bottega: cannot start {host.name}: {problem}\n".encode())
    finally:
        # Neither the keeper's nor the supervisor's code below may run in this process.
        os._exit(CANNOT_START)


def _set_up(host: plan.HostPlan, isolation: str) -> None:
    if isolation == plan.NAMESPACES:
        from bottega.compute.local import namespaces

        socket.sethostname(host.name)
        namespaces.build_view(host.view)
        kernel.drop_privileges()
        kernel.die_with_parent(signal.SIGKILL)
    elif isolation == plan.PROCESS and kernel.LINUX:
        kernel.become_subreaper()


def _watch_children() -> int:
    """A descriptor that becomes readable when a child ends."""
    read_end, write_end = os.pipe()
    os.set_blocking(read_end, False)
    os.set_blocking(write_end, False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
    return read_end


def _announce(control: socket.socket, pid: int) -> None:
    message = f"main {pid}\n".encode()
    if hasattr(os, "pidfd_open"):
        handle = os.pidfd_open(pid)
        control.sendmsg(
            [message], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [handle]))]
        )
        os.close(handle)
    else:
        control.sendall(message)


def _wait(control: socket.socket, main_pid: int, woken: int) -> None:
    """Collect children until the main process has ended, or the supervisor is gone."""
    poller = select.poll()
    poller.register(woken, select.POLLIN)
    poller.register(control.fileno(), select.POLLIN)
    while True:
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == main_pid:
                _report(control, f"exit {status}")
                return
            if pid == 0:
                break
        for descriptor, _ in poller.poll():
            if descriptor == woken:
                os.read(woken, 4096)
            elif not control.recv(1):
                return


def _report(control: socket.socket, message: str) -> None:
    try:
        control.sendall(message.replace("\n", " ").encode() + b"\n")
    except (BrokenPipeError, ConnectionResetError):
        # Nobody is left to tell; the tree is ended all the same.
        return
