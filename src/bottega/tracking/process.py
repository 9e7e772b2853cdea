"""Keeps MLflow's tracking server running for as long as the daemon lives."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO

from bottega.config import Config

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
STOP_SECONDS = 10.0
LOG_BYTES = 4 * 1024 * 1024

# The child's own definition of this word is in bottega.tracking.server.
READY = b"ready\n"


class TrackingProcess:
    """The tracking server as a child: started in the background, started again when it dies.

    The child ends when its standard input does. The other end of that pipe is in this process only,
    so the child goes with it however it ends, and a kill leaves nothing behind.
    """

    def __init__(self, config: Config, socket: Path) -> None:
        self._config = config
        self._socket = socket
        self._lock = threading.Lock()
        self._ready = threading.Event()
        self._stopping = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None
        self._problem = ""

    @property
    def socket(self) -> Path:
        """Where the server listens."""
        return self._socket

    @property
    def log_file(self) -> Path:
        """What the server has to say."""
        return self._config.home / "mlflow" / "server.log"

    @property
    def pid(self) -> int | None:
        """The server's process; None while there is none."""
        child = self._child
        return child.pid if child is not None else None

    @property
    def problem(self) -> str:
        """Why the server is not there, for a person; empty while it runs or starts."""
        return self._problem

    def start(self) -> None:
        """Start the server and return at once; it answers some seconds later."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._keep, name="tracking", daemon=True)
                self._thread.start()

    def wait_ready(self, timeout: float | None = None) -> bool:
        """Wait until the server answers.

        Args:
            timeout: seconds; None waits as long as it takes.

        Returns:
            Whether it answers.
        """
        return self._ready.wait(timeout)

    def stop(self) -> None:
        """End the server and wait for its end. Requests that it is answering are finished first."""
        self._stopping.set()
        with self._lock:
            if self._child is not None:
                _end(self._child)
        if self._thread is not None:
            self._thread.join(STOP_SECONDS + 5)

    def _keep(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while not self._stopping.is_set():
            try:
                code, was_ready = self._run()
            except OSError as error:
                code, was_ready = None, False
                self._problem = f"the tracking server cannot be started: {error}"
            if self._stopping.is_set():
                return
            pause = FIRST_PAUSE_SECONDS if was_ready else min(pause * 2, LONGEST_PAUSE_SECONDS)
            if code is not None:
                self._problem = f"the tracking server ended with {code}; see {self.log_file}"
            log.warning("%s; starting it again in %.1f s", self._problem, pause)
            self._stopping.wait(pause)

    def _run(self) -> tuple[int, bool]:
        """Run the server until it ends: (exit code, whether it was ready in between)."""
        with self._open_log() as output, self._lock:
            if self._stopping.is_set():
                return 0, False
            child = self._child = subprocess.Popen(
                self._command(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                # Ctrl-C at the daemon's terminal is for the daemon, which ends this orderly.
                start_new_session=True,
            )
        with child:
            assert child.stdout is not None
            was_ready = child.stdout.readline() == READY
            if was_ready:
                self._problem = ""
                self._ready.set()
            try:
                return child.wait(), was_ready
            finally:
                self._ready.clear()
                self._child = None

    def _command(self) -> list[str]:
        home, host = str(self._config.home), self._config.host
        return [
            # -P: the folder that the daemon was started in is no place to import from.
            *(sys.executable, "-P", "-m", "bottega.tracking.server", "--until-eof"),
            *("--home", home, "--socket", str(self._socket), "--host", host),
        ]

    def _open_log(self) -> IO[bytes]:
        file = self.log_file
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if file.exists() and file.stat().st_size > LOG_BYTES:
            file.replace(file.with_suffix(".log.1"))
        return os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.stdin is not None:
        child.stdin.close()
    try:
        child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        log.warning("the tracking server did not end in %.0f s and is killed", STOP_SECONDS)
        child.kill()
        child.wait()
