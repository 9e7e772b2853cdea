"""The process that reads tensors and profiles for screens, and the folders it reads from.

Objects are linked into a folder for each job; the process is started when it is first needed and
ends when nobody asks for a while. All of it can be made anew at any time.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from bottega.context import Context
from bottega.errors import ServiceUnavailable, ValidationException
from bottega.jobs.debugging import configuration
from bottega.jobs.debugging.outputs import link_objects, session_name
from bottega.jobs.debugging.session import KIND as SESSION
from bottega.jobs.debugging.session import TRAINING
from bottega.ports import Ports
from bottega.storage.metadata import Resource, ResourceMissing
from bottega.storage.objects import BucketMissing

ANSWER_SECONDS = 60.0
_LINK_SECONDS = 1.0
"""How often a job's folder is filled at most."""
_FOLDERS = 16
"""Of how many jobs folders are kept: those that were asked for last."""


class DebugReaders:
    """The studio's reading process. Methods may be called from any thread."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._work = ports.config.home / "work" / "readings"
        self._lock = threading.Lock()
        self._asking = threading.Lock()
        self._folders: OrderedDict[str, _Folder] = OrderedDict()
        self._process: _Process | None = None
        shutil.rmtree(self._work, ignore_errors=True)

    @classmethod
    def of(cls, context: Context) -> DebugReaders:
        """The studio's."""
        ports = context.ports
        return ports.memory.of(cls, lambda: cls(ports))

    def tensors(self, training: Resource, method: str, **arguments: Any) -> Any:
        """Ask about a job's tensors; None where it saves none.

        Raises:
            ValidationException: the process refuses.
            ServiceUnavailable: it ended, or does not answer.
        """
        uri = configuration.tensors_uri(training.body)
        return self._ask(training, "tensors", uri, method, arguments) if uri else None

    def timeline(self, training: Resource, **arguments: Any) -> Any:
        """Ask about a job's profile; None where it has none. Raises: as :meth:`tensors`."""
        uri = configuration.profile_uri(training.body)
        return self._ask(training, "profile", uri, "timeline", arguments) if uri else None

    def close(self) -> None:
        """End the process."""
        with self._asking:
            if self._process is not None:
                self._process.end()
            self._process = None

    def _ask(
        self, training: Resource, part: str, uri: str, method: str, arguments: dict[str, Any]
    ) -> Any:
        folder = self._folder(training, part)
        folder.fill(self._ports, uri, training)
        request = {"method": method, "folder": str(folder.path), "arguments": arguments}
        with self._asking:
            answer = self._answer(request)
        if "refusal" in answer:
            # The user knows the object, and not the folder that it was laid into.
            raise ValidationException(answer["refusal"].replace(str(folder.path), uri.rstrip("/")))
        if "failure" in answer:
            raise RuntimeError(f"the reading process failed:\n{answer['failure']}")
        return answer["result"]

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        for last in (False, True):
            if self._process is None:
                self._process = _Process()
            try:
                return self._process.ask(request)
            except (OSError, EOFError) as error:
                # It may have gone because nobody had asked for so long.
                self._process.end()
                self._process = None
                if last:
                    raise ServiceUnavailable(
                        "The process that reads tensors ended before it answered. Nothing is lost; "
                        "try again."
                    ) from error
        raise AssertionError("a loop of two rounds returns or raises")

    def _folder(self, training: Resource, part: str) -> _Folder:
        key = f"{session_name(training)}.{part}"
        with self._lock:
            if key not in self._folders:
                self._folders[key] = _Folder(self._work / key)
                while len(self._folders) > _FOLDERS:
                    _, oldest = self._folders.popitem(last=False)
                    shutil.rmtree(oldest.path, ignore_errors=True)
            self._folders.move_to_end(key)
            return self._folders[key]


class _Folder:
    """The objects of one job, as files."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._filled = 0.0
        self._complete = False

    def fill(self, ports: Ports, uri: str, training: Resource) -> None:
        """Lay there what is in the store, unless that was done just now or nothing more comes."""
        with self._lock:
            if self._complete or time.monotonic() - self._filled < _LINK_SECONDS:
                return
            # Asked before: what comes after that is missed otherwise.
            complete = _is_over(ports, training)
            try:
                link_objects(ports.objects, uri, self.path, link=True)
            except BucketMissing:
                self.path.mkdir(parents=True, exist_ok=True)
            self._filled = time.monotonic()
            self._complete = complete


def _is_over(ports: Ports, training: Resource) -> bool:
    """Whether the Debugger is done with a job."""
    try:
        ports.store.get(SESSION, session_name(training))
    except ResourceMissing:
        return training.status not in ("InProgress", "Stopping")
    return False


class _Process:
    """One reading process."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        self._connection = Connection(ours.detach())
        with theirs:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "bottega.debugger.reading.process"),
                    str(theirs.fileno()),
                ],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Raises: OSError, EOFError when it is gone or does not answer."""
        self._connection.send_bytes(json.dumps(request).encode())
        if not self._connection.poll(ANSWER_SECONDS):
            raise TimeoutError("the reading process does not answer")
        answer: dict[str, Any] = json.loads(self._connection.recv_bytes())
        return answer

    def end(self) -> None:
        """End it, whatever it is doing."""
        self._connection.close()
        self._process.kill()
        self._process.wait()


def find_training(context: Context, name: str) -> Resource:
    """The training job of this name.

    Raises:
        ValidationException: there is none, in SageMaker's words.
    """
    try:
        return context.ports.store.get(TRAINING, name)
    except ResourceMissing as error:
        raise ValidationException("Requested resource not found.") from error
