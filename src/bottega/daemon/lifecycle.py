"""Starting, finding and stopping the daemon of a home, from any process."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import urllib3

from bottega.config import Config
from bottega.errors import BottegaError

START_SECONDS = 60.0
POLL_SECONDS = 0.02
TAKEN_SECONDS = 0.25
"""How long to wait for whoever has the home, before another daemon is tried."""
_WITHDRAWING_SECONDS = 10.0
ALREADY_RUNNING_EXIT = 3
"""The exit code of a daemon that found the home taken."""


class DaemonNotStarted(BottegaError):
    """The daemon did not come up; the message has the end of its log."""

    code = "DaemonNotStarted"
    status = 503


class AlreadyRunning(BottegaError):
    """Another process has this home open."""

    code = "AlreadyRunning"
    status = 409
    retryable = False


@dataclass(frozen=True)
class DaemonRecord:
    """``daemon.json``: who serves this home, or served it last."""

    pid: int
    host: str
    port: int
    version: str
    started: float
    """Seconds since the epoch."""

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"


def record_file(config: Config) -> Path:
    return config.home / "daemon.json"


def read_record(config: Config) -> DaemonRecord | None:
    """The last daemon of this home, running or not; None when there never was one."""
    try:
        return DaemonRecord(**json.loads(record_file(config).read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def write_record(config: Config, record: DaemonRecord) -> None:
    draft = config.home / f".daemon-{os.getpid()}.json"
    draft.write_text(json.dumps(asdict(record)))
    draft.replace(record_file(config))


@contextmanager
def home_lock(config: Config) -> Iterator[None]:
    """Hold the home for this process; the lock goes with the process, however it ends.

    Raises:
        AlreadyRunning: another process holds it.
    """
    config.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(config.home / "daemon.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            record = read_record(config)
            who = f"process {record.pid} at {record.url}" if record else "another process"
            raise AlreadyRunning(f"the home {config.home} is served by {who} already") from None
        yield
    finally:
        os.close(descriptor)


def running(config: Config) -> DaemonRecord | None:
    """The daemon that answers for this home now, or None."""
    record = read_record(config)
    if record is None:
        return None
    pool = urllib3.HTTPConnectionPool(record.host, record.port, retries=False)
    try:
        answer = pool.request("GET", "/-/health", timeout=2.0)
        if answer.status == 200 and answer.json().get("pid") == record.pid:
            return record
        return None
    except (urllib3.exceptions.HTTPError, ValueError):
        return None
    finally:
        pool.close()


def start(config: Config) -> DaemonRecord:
    """The daemon of this home, started if it does not run.

    Raises:
        DaemonNotStarted: it did not come up.
    """
    if record := running(config):
        return record
    config.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    log = config.home / "daemon.log"
    pid = _spawn(config, log)
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if record := running(config):
            if record.pid == pid or not _withdraw(pid) or running(config) == record:
                return record
            # The other one ended meanwhile, and ours had perhaps taken its place.
            pid = _spawn(config, log)
        ended = _exit_code(pid)
        if ended is not None:
            if ended != ALREADY_RUNNING_EXIT:
                raise DaemonNotStarted(
                    f"the daemon ended with code {ended} while starting. "
                    f"The end of {log}:\n{_tail(log)}"
                )
            # Another daemon has the home: it is coming up, or it is ending and we take its place.
            time.sleep(TAKEN_SECONDS)
            pid = _spawn(config, log)
        time.sleep(POLL_SECONDS)
    raise DaemonNotStarted(f"the daemon did not answer within {START_SECONDS:.0f} s; see {log}")


def _spawn(config: Config, log: Path) -> int:
    """Start the process in a session of its own; it outlives us, so nothing here waits for it."""
    command = [sys.executable, "-m", "bottega.daemon.main", "--home", str(config.home)]
    command += ["--host", config.host, "--port", str(config.port)]
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, output, 1),
            (os.POSIX_SPAWN_DUP2, output, 2),
        ]
        return os.posix_spawn(
            sys.executable,
            command,
            os.environ | _settings(config),
            file_actions=actions,
            setsid=True,
        )
    finally:
        os.close(output)


def _settings(config: Config) -> dict[str, str]:
    """The settings as the environment that the daemon reads them from."""
    values = {field.name: getattr(config, field.name) for field in fields(config)}
    return {f"BOTTEGA_{name.upper()}": str(value) for name, value in values.items()}


def _exit_code(pid: int) -> int | None:
    """How a child of ours ended; None while it runs."""
    ended, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None


def _withdraw(pid: int) -> bool:
    """End a daemon of ours that came second, before the first one is stopped and it takes over;
    returns whether it still ran."""
    if _exit_code(pid) is not None:
        return False
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + _WITHDRAWING_SECONDS
    while time.monotonic() < deadline:
        if _exit_code(pid) is not None:
            return True
        time.sleep(POLL_SECONDS)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return True


def stop(config: Config, *, timeout: float = 30.0) -> DaemonRecord | None:
    """Stop the daemon gracefully; returns what was stopped, or None when nothing ran.

    Training jobs go on by themselves and are taken up again at the next start.

    Raises:
        TimeoutError: it has not ended within ``timeout`` seconds.
    """
    record = running(config)
    if record is None:
        return None
    os.kill(record.pid, signal.SIGTERM)
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        try:
            with home_lock(config):
                return record
        except AlreadyRunning:
            if read_record(config) != record:
                return record  # another one was started, and serves the home since
            time.sleep(POLL_SECONDS)
    raise TimeoutError(f"the daemon (process {record.pid}) has not ended after {timeout:.0f} s")


def _tail(log: Path, lines: int = 20) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
