"""The folder of a workload: how the runner, the supervisor and a restarted daemon know of each
other.

=================  ==========  =====================================================================
file               written by  meaning
=================  ==========  =====================================================================
``lock``           runner      locked from before the supervisor is started until it has died: the
                               runner takes the lock and hands the open file on
``plan.json``      runner      what to do (``plan.WorkloadPlan``)
``supervisor.json``  supervisor  who it is, and since when; made once, before any host: a second
                               supervisor of this folder gives up here
``hosts.json``     supervisor  the main process of each host
``stop.json``      runner      somebody wants it to stop
``result.json``    supervisor  how it ended; made once, durable
``supervisor.log``  supervisor  only if it could not do its own work
=================  ==========  =====================================================================

So: a result means ended, a held lock means running, a supervisor without either is lost, and
neither means that nothing has run yet.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import struct
import sys
import time

LOCK = "lock"
PLAN = "plan.json"
SUPERVISOR = "supervisor.json"
HOSTS = "hosts.json"
STOP = "stop.json"
RESULT = "result.json"
LOG = "supervisor.log"

_FLOCK64 = "hhqqi4x"
"""struct flock of 64-bit Linux: type, whence, start, length, pid."""
_OPEN_FILE_LOCKS = (
    sys.platform == "linux" and struct.calcsize("P") == 8 and hasattr(fcntl, "F_OFD_SETLK")
)


def take_lock(directory: str) -> int | None:
    """The open lock file when nobody held the lock, else None. Whoever has the file open holds
    it.
    """
    descriptor = os.open(
        os.path.join(directory, LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
    )
    # Where looking at a lock means trying it, somebody may just be looking.
    for attempt in range(1 if _OPEN_FILE_LOCKS else 20):
        if attempt:
            time.sleep(0.005)
        try:
            if _OPEN_FILE_LOCKS:
                request = struct.pack(_FLOCK64, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
                fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, request)
            else:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as problem:
            if problem.errno not in (errno.EAGAIN, errno.EACCES):
                os.close(descriptor)
                raise
        else:
            return descriptor
    os.close(descriptor)
    return None


def lock_is_held(directory: str) -> bool:
    """Whether a supervisor, or a runner that is starting one, is alive."""
    try:
        descriptor = os.open(os.path.join(directory, LOCK), os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        if _OPEN_FILE_LOCKS:
            request = struct.pack(_FLOCK64, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
            answer = fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, request)
            kind: int = struct.unpack(_FLOCK64, answer)[0]
            return kind != fcntl.F_UNLCK
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False
    finally:
        os.close(descriptor)


def write(directory: str, name: str, content: bytes, *, durable: bool = False) -> None:
    """Replace a file whole, so that it is never seen half-written."""
    temporary = _write_temporary(directory, name, content, durable=durable)
    os.replace(temporary, os.path.join(directory, name))
    if durable:
        _sync_folder(directory)


def write_once(directory: str, name: str, content: bytes) -> bool:
    """Make a file unless it is there already. Returns whether this call made it."""
    temporary = _write_temporary(directory, name, content, durable=False)
    try:
        os.link(temporary, os.path.join(directory, name))
    except FileExistsError:
        return False
    finally:
        os.unlink(temporary)
    return True


def read(directory: str, name: str) -> dict[str, object] | None:
    """The content of one of the JSON files, or None when it is not there."""
    try:
        with open(os.path.join(directory, name), "rb") as file:
            content = json.load(file)
    except FileNotFoundError:
        return None
    if not isinstance(content, dict):
        raise ValueError(f"{os.path.join(directory, name)} should hold a JSON object")
    return content


def exists(directory: str, name: str) -> bool:
    return os.path.exists(os.path.join(directory, name))


def process_birth(pid: int) -> int:
    """When a process began, in clock ticks since boot: with its id this names it for good.

    0 where that cannot be known, or the process is gone.
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # The name, in parentheses, may itself hold spaces and parentheses.
            return int(file.read().rpartition(b")")[2].split()[19])
    except (OSError, IndexError, ValueError):
        return 0


def _write_temporary(directory: str, name: str, content: bytes, *, durable: bool) -> str:
    temporary = os.path.join(directory, f".{name}.{os.getpid()}.{time.monotonic_ns()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(descriptor, view) :]
        if durable:
            os.fsync(descriptor)
    except OSError:
        os.unlink(temporary)
        raise
    finally:
        os.close(descriptor)
    return temporary


def _sync_folder(directory: str) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
