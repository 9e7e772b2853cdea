"""The workers: processes that keep the tables of open flows at hand."""

from __future__ import annotations

import itertools
import logging
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import uuid
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any

from bottega.errors import ServiceUnavailable, ValidationException
from bottega.wrangler.worker.protocol import Channel, Closed

log = logging.getLogger(__name__)

MOST_WORKERS = 3
"""Folders that are open at once; the one that was asked least lately makes room."""
IDLE_SECONDS = 15 * 60.0
_END_SECONDS = 5.0


class WorkerEnded(ServiceUnavailable):
    """The worker's process ended before it answered."""


class Worker:
    """One process. Calls may come from several threads.

    Args:
        work: a folder for it alone, which is made and at last removed.
    """

    def __init__(self, work: Path) -> None:
        ours, theirs = socket.socketpair()
        work.mkdir(parents=True, mode=0o700)
        self.work = work
        self.used = time.monotonic()
        self._numbers = itertools.count()
        self._waiting: dict[int, Future[dict[str, Any]]] = {}
        self._lock = threading.Lock()
        self._channel = Channel(ours)
        with theirs:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "bottega.wrangler.worker.process",
                    str(theirs.fileno()),
                    str(work),
                ],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                # A signal to the daemon's group, Ctrl-C say, is the daemon's business.
                start_new_session=True,
            )
        threading.Thread(target=self._receive, daemon=True, name="wrangler-worker").start()

    def begin(self, folder: str | None) -> None:
        """Say where paths of files begin, once; None where files must not be read."""
        with suppress(Closed), self._lock:  # who asks it something is told that it ended
            self._channel.send({"folder": folder})

    @property
    def is_alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    @property
    def is_busy(self) -> bool:
        """Whether somebody waits for an answer."""
        return bool(self._waiting)

    def call(self, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Ask, and wait for the answer.

        Raises:
            ValidationException: it refuses; node and parameter are in the error's members.
            WorkerEnded: it ended before it answered.
        """
        self.used = time.monotonic()
        number, answer = next(self._numbers), Future[dict[str, Any]]()
        try:
            with self._lock:
                self._waiting[number] = answer
                self._channel.send({"id": number, "method": method, "arguments": arguments})
            message = answer.result()
        except Closed:
            raise WorkerEnded(self._obituary()) from None
        finally:
            self._waiting.pop(number, None)
            self.used = time.monotonic()
        if "refusal" in message:
            raise refusal(message["refusal"])
        if "failure" in message:
            raise RuntimeError(f"the wrangler's worker failed:\n{message['failure']}")
        result: dict[str, Any] = message["result"]
        return result

    def end(self) -> None:
        """End it, whatever it is doing."""
        self._channel.close()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self.work, ignore_errors=True)

    def _receive(self) -> None:
        try:
            while True:
                message = self._channel.receive()
                if waiting := self._waiting.get(message["id"]):
                    waiting.set_result(message)
        except Closed:
            with self._lock:
                for waiting in list(self._waiting.values()):
                    if not waiting.done():
                        waiting.set_exception(Closed())

    def _obituary(self) -> str:
        try:
            code = self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            code = None
        how = f"with signal {-code}" if code is not None and code < 0 else f"with code {code}"
        reason = " It may have used more memory than there is." if code == -9 else ""
        return (
            f"The process that prepares the data ended {how}.{reason} Nothing of the flow is lost; "
            "try again."
        )


def refusal(told: dict[str, Any]) -> ValidationException:
    """The error that a worker's refusal is over the wire."""
    members = {
        name: told[key]
        for name, key in (("NodeId", "node"), ("Parameter", "parameter"))
        if told.get(key)
    }
    return ValidationException(told["message"], members=members)


class WorkerPool:
    """One worker for each folder and caller, started when it is first needed; and one that stands
    ready for the next folder, since a start takes longer than anything that is asked first.

    Args:
        work: the folder in which workers have theirs; what former ones left in it is removed.
    """

    def __init__(self, work: Path) -> None:
        self._work = work
        self.objects = work / "objects"
        """Where objects are linked for the workers to read."""
        self._lock = threading.Lock()
        self._workers: dict[tuple[str, str | None], Worker] = {}
        self._ready: Worker | None = None
        shutil.rmtree(work, ignore_errors=True)

    def call(
        self, caller: str, folder: str | None, method: str, arguments: dict[str, Any]
    ) -> dict[str, Any]:
        """Ask the worker of a folder; see :meth:`Worker.call`."""
        return self._worker(caller, folder).call(method, arguments)

    def stand_ready(self) -> None:
        """Start the worker of the next folder, unless it is there."""
        with self._lock:
            if self._ready is None or not self._ready.is_alive:
                self._ready = Worker(self._work / uuid.uuid4().hex)

    def close(self) -> None:
        """End all workers."""
        with self._lock:
            workers, self._workers = list(self._workers.values()), {}
            if self._ready is not None:
                workers.append(self._ready)
            self._ready = None
        for worker in workers:
            worker.end()

    def _worker(self, caller: str, folder: str | None) -> Worker:
        key = (caller, folder)
        leaving: list[Worker] = []
        with self._lock:
            now = time.monotonic()
            for other, worker in list(self._workers.items()):
                idle = not worker.is_busy and now - worker.used > IDLE_SECONDS
                if not worker.is_alive or (idle and other != key):
                    leaving.append(self._workers.pop(other))
            if key not in self._workers and len(self._workers) >= MOST_WORKERS:
                rested = sorted(self._workers, key=lambda k: self._workers[k].used)
                oldest = next((k for k in rested if not self._workers[k].is_busy), rested[0])
                leaving.append(self._workers.pop(oldest))
            is_new = key not in self._workers
            if is_new:
                ready, self._ready = self._ready, None
                if ready is None or not ready.is_alive:
                    ready = Worker(self._work / uuid.uuid4().hex)
                ready.begin(folder)
                self._workers[key] = ready
            found = self._workers[key]
        for worker in leaving:
            worker.end()
        if is_new:
            self.stand_ready()
        return found


def folder_of(text: str | None) -> str | None:
    """The folder of a request, absolute, on this machine.

    Raises:
        ValidationException: it is no absolute path, or not there.
    """
    if not text:
        return None
    path = Path(text).expanduser()
    if not path.is_absolute():
        raise ValidationException(f"Folder {text!r} is no absolute path.")
    if not path.is_dir():
        raise ValidationException(f"Folder {text!r} is not there on this machine.")
    return os.path.realpath(path)
