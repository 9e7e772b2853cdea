"""The runner's side of the fork server: starts it, knows whether it is ready, asks it to fork."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from bottega.compute.local import fresh, kernel, program

AVAILABLE = kernel.AVAILABLE and hasattr(os, "pidfd_open")
_LONGEST_LOADING = 60.0
"""Seconds after which a server that still loads is no longer waited for."""


class ForkServerGone(Exception):
    """It died or cannot fork; whether it forked before is told by the workload's folder."""


class ForkServer:
    """One fork server at a time, restarted when it dies. Methods may be called from any thread."""

    def __init__(self, preload: Sequence[str], *, log: Path) -> None:
        """Launch it in the background. Its standard error goes to ``log``."""
        self._preload = tuple(preload)
        self._log = log
        self._lock = threading.Lock()
        self._loaded = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._began = 0.0
        self._closed = False
        self._problem = ""
        self._report: dict[str, object] = {}
        with self._lock:
            self._launch()

    @property
    def ready(self) -> bool:
        return self._loaded.is_set() and self._control is not None

    @property
    def loading(self) -> bool:
        """It may yet become ready, and soon."""
        young = time.monotonic() - self._began < _LONGEST_LOADING
        return not self._loaded.is_set() and young

    def wait(self, timeout: float) -> bool:
        """Wait until it has loaded everything, or has failed to. Returns whether it is ready."""
        self._loaded.wait(timeout)
        return self.ready

    def fork_supervisor(self, directory: str, lock: int) -> int | None:
        """Fork a supervisor for this folder, which inherits its lock.

        Returns:
            A pidfd of the supervisor, or None if it has ended already.

        Raises:
            ForkServerGone: use the ordinary way; a new server is being started.
        """
        with self._lock:
            control = self._control
            if control is None or not self._loaded.is_set():
                raise ForkServerGone(self._problem or "it is not ready")
            try:
                request = json.dumps({"directory": directory}).encode()
                socket.send_fds(control, [request], [lock])
                answer, descriptors, _, _ = socket.recv_fds(control, 4096, 1)
            except OSError as problem:
                answer, descriptors = b"", []
                self._problem = str(problem)
            if not answer:
                self._dismiss()
                if not self._closed:
                    self._launch()
                raise ForkServerGone(self._problem or "it died")
            content = json.loads(answer)
            if "problem" in content:
                raise ForkServerGone(content["problem"])
            return descriptors[0] if descriptors else None

    def describe(self) -> str:
        if self.ready:
            failed = self._report.get("failed")
            note = f"; could not load {failed}" if failed else ""
            return f"ready, loaded in {self._report['seconds']:.1f} s{note}"
        return self._problem or ("loading" if self.loading else "not running")

    def close(self) -> None:
        """End the server. Supervisors go on."""
        with self._lock:
            self._closed = True
            self._dismiss()
        self._loaded.set()

    def _launch(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._loaded.clear()
        self._began = time.monotonic()
        with theirs, self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    program.ENTRY,
                    "fork-server",
                    str(theirs.fileno()),
                    *self._preload,
                ],
                env={
                    **fresh.SINGLE_THREADED,
                    "PATH": os.defpath,
                    "HOME": "/tmp",
                    "LANG": "C.UTF-8",
                },
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        self._control = ours
        threading.Thread(
            target=self._await_loading, args=(ours,), name="fork-server-loading", daemon=True
        ).start()

    def _await_loading(self, control: socket.socket) -> None:
        try:
            message = control.recv(64 * 1024)
        except OSError:
            message = b""
        with self._lock:
            if control is not self._control:
                return
            if not message:
                self._problem = "it ended while it loaded"
                self._dismiss()
            else:
                self._report = json.loads(message)
                if self._report["threads"]:
                    self._problem = f"loading started threads: {self._report['threads']}"
                    self._dismiss()
                else:
                    self._problem = ""
            self._loaded.set()

    def _dismiss(self) -> None:
        control, self._control = self._control, None
        process, self._process = self._process, None
        if control is not None:
            # Wakes the thread that may be waiting for the first message, which close would not.
            try:
                control.shutdown(socket.SHUT_RDWR)
            except OSError:
                self._problem = self._problem or "it closed its socket"
            control.close()
        if process is not None:
            try:
                process.wait(2)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
