"""One host as its supervisor sees it: the keeper below, the output that comes, how it ended."""

from __future__ import annotations

import array
import fcntl
import json
import os
import signal
import socket
import sys

from bottega.compute.local import keeper, kernel, plan, program
from bottega.compute.local.log_writer import LogWriter

_CHUNK = 256 * 1024
_SET_PIPE_SIZE = 1031


class SupervisedHost:
    def __init__(self, host: plan.HostPlan) -> None:
        self.plan = host
        self.name = host.name
        self.keeper = 0
        self.main_pid = 0
        self.output: int | None = None
        self.ended = False
        self._handle: int | None = None
        self._control: socket.socket | None = None
        self._received = b""
        self._writer = LogWriter(host.log)
        self._announced = False
        self._terminated = False
        self._killed_by_us = False
        self._exit_code: int | None = None
        self._signal: int | None = None

    @property
    def control(self) -> int | None:
        """The descriptor of the socket to the keeper, while that speaks."""
        return None if self._control is None else self._control.fileno()

    @property
    def failed(self) -> bool:
        return self.ended and self._exit_code != 0

    @property
    def blocked(self) -> bool:
        return self._writer.blocked

    def start(self, workload: plan.WorkloadPlan, *, in_process: bool) -> None:
        """Make the keeper. What goes wrong here ends this host, with its reason in the log."""
        read_end, write_end = os.pipe()
        ours, theirs = socket.socketpair()
        if kernel.LINUX:
            fcntl.fcntl(write_end, _SET_PIPE_SIZE, _CHUNK)
        # A signal between the fork and the keeper's own handling would run our handlers in the
        # keeper.
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            for path in self.plan.folders:
                os.makedirs(path, 0o700, exist_ok=True)
            if workload.isolation == plan.NAMESPACES:
                from bottega.compute.local import namespaces

                self.keeper = kernel.clone(namespaces.FLAGS)
            else:
                self.keeper = os.fork()
            if self.keeper == 0:
                if workload.isolation == plan.BUBBLEWRAP:
                    _become_bubblewrap(self.plan, workload, theirs, write_end)
                host, python = self.plan, workload.python
                keeper.keep(
                    host,
                    theirs,
                    write_end,
                    isolation=workload.isolation,
                    run=lambda: (
                        program.run_in_this_process(host)
                        if in_process and host.module
                        else program.run_command(host, python)
                    ),
                )
        except OSError as problem:
            os.close(read_end)
            ours.close()
            self.fail(f"cannot start {self.name}: {problem}")
            return
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, ())
            os.close(write_end)
            theirs.close()
        os.set_blocking(read_end, False)
        ours.setblocking(False)
        self.output = read_end
        self._control = ours

    def fail(self, reason: str) -> None:
        """The host could not be started; the log says why."""
        self._writer.feed(f"bottega: {reason}\n".encode())
        self._exit_code = keeper.CANNOT_START
        self.ended = True

    def never_run(self) -> None:
        """It was stopped before it began."""
        self._signal = signal.SIGTERM
        self.ended = True

    def take_output(self) -> list[int]:
        """Read what the host says. Returns the descriptor if that was the end of it."""
        descriptor = self.output
        return [] if descriptor is None or self._read_output() else [descriptor]

    def take_messages(self) -> list[int]:
        """Read what the keeper says. Returns the descriptor if that was the end of it."""
        descriptor = self.control
        return [] if descriptor is None or self._read_control() else [descriptor]

    def newly_running(self) -> bool:
        """Whether the main process is known now and was not when last asked."""
        new = bool(self.main_pid) and not self._announced
        self._announced = self._announced or new
        return new

    def terminate(self) -> None:
        """SIGTERM to the main process, once; later if there is none yet."""
        if self._terminated or not self.main_pid or self.ended:
            return
        self._terminated = True
        try:
            if self._handle is not None:
                signal.pidfd_send_signal(self._handle, signal.SIGTERM)
            else:
                os.kill(self.main_pid, signal.SIGTERM)
        except ProcessLookupError:
            # It ended by itself at the same moment; the keeper tells how.
            return

    def keeper_ended(self, status: int, *, ours: bool = False) -> list[int]:
        """The keeper is dead, and with it the host. Returns the descriptors that are no longer of
        use.
        """
        closed = []
        if self._control is not None:
            closed.append(self._control.fileno())
            reading = True
            while reading:
                reading = self._read_control(at_end=True)
        if self._exit_code is None and self._signal is None:
            if os.WIFSIGNALED(status):
                self._signal = signal.SIGKILL
                self._killed_by_us = ours
            else:
                self._exit_code = keeper.CANNOT_START
        self.ended = True
        return closed

    def retry(self) -> None:
        if self._writer.blocked:
            self._writer.flush()

    def drain(self) -> bool:
        """Read and write all that is left. Returns whether nothing is."""
        self.retry()
        while self.output is not None and not self.blocked:
            if not self._read_output(at_end=True):
                self._writer.finish()
        return not self.blocked

    def result(self, *, memory_was_short: bool) -> dict[str, object]:
        killed = self._signal == signal.SIGKILL and not self._killed_by_us
        return {
            "name": self.name,
            "exit_code": self._exit_code,
            "signal": self._signal,
            "out_of_memory": killed and memory_was_short,
        }

    def _read_output(self, *, at_end: bool = False) -> bool:
        assert self.output is not None
        try:
            data = os.read(self.output, _CHUNK)
        except BlockingIOError:
            if not at_end:
                return True
            # Somebody outside the tree keeps the pipe open; nothing of the host's can come any
            # more.
            data = b""
        if data:
            self._writer.feed(data)
            return True
        os.close(self.output)
        self.output = None
        self._writer.finish()
        return False

    def _read_control(self, *, at_end: bool = False) -> bool:
        assert self._control is not None
        room = socket.CMSG_SPACE(array.array("i", [0]).itemsize)
        try:
            data, ancillary, _, _ = self._control.recvmsg(4096, room)
        except BlockingIOError:
            if not at_end:
                return True
            data, ancillary = b"", []
        except ConnectionResetError:
            data, ancillary = b"", []
        if not data:
            self._control.close()
            self._control = None
            return False
        for _, _, content in ancillary:
            self._handle = array.array("i", content[:4])[0]
        *messages, self._received = (self._received + data).split(b"\n")
        for message in messages:
            self._take(message.decode())
        return True

    def _take(self, message: str) -> None:
        kind, _, content = message.partition(" ")
        if kind == "main":
            self.main_pid = int(content) if self._handle is None else _pid_of(self._handle)
        elif kind == "exit":
            status = int(content)
            if os.WIFSIGNALED(status):
                self._signal = os.WTERMSIG(status)
            else:
                self._exit_code = os.WEXITSTATUS(status)
        else:
            self._writer.feed(f"bottega: cannot start {self.name}: {content}\n".encode())
            self._exit_code = keeper.CANNOT_START


def _pid_of(handle: int) -> int:
    """The process id of a pidfd as we see it, whatever namespace it came from."""
    with open(f"/proc/self/fdinfo/{handle}") as file:
        for line in file:
            name, _, value = line.partition(":")
            if name == "Pid":
                return max(0, int(value))
    return 0


def _become_bubblewrap(
    host: plan.HostPlan, workload: plan.WorkloadPlan, control: socket.socket, output: int
) -> None:
    from bottega.compute.local import bubblewrap

    fields = host.as_json()
    fields["view"] = []
    description = os.memfd_create("host")
    os.write(description, json.dumps(fields).encode())
    os.lseek(description, 0, os.SEEK_SET)
    # Whatever bubblewrap itself has to say belongs to the host's log.
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.set_inheritable(control.fileno(), True)
    os.set_inheritable(description, True)
    command = [
        *workload.bubblewrap,
        *bubblewrap.arguments(host),
        "--",
        *(sys.executable, "-I", "-S", program.ENTRY, "keeper"),
        *(str(control.fileno()), str(description), workload.python),
    ]
    program.reset_signals()
    try:
        os.execve(command[0], command, {"PATH": os.defpath, "LANG": "C.UTF-8"})
    finally:
        os._exit(keeper.CANNOT_START)
