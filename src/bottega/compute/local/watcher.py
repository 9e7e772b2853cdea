"""Notices when supervisors die: one thread for all, woken by the kernel where it can tell."""

from __future__ import annotations

import logging
import os
import select
import threading
from collections.abc import Callable
from dataclasses import dataclass

from bottega.compute.local import folder

_LOG = logging.getLogger(__name__)
_LOOK_AGAIN_SECONDS = 0.05
"""How often a workload is looked at whose supervisor the kernel does not tell us about."""


@dataclass
class _Watched:
    directory: str
    callbacks: list[Callable[[], None]]
    handle: int | None = None
    """A pidfd of the supervisor."""


class Watcher:
    """Calls back when the lock of a workload is free, that is when nobody is at work in it."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._watched: dict[str, _Watched] = {}
        self._known: dict[str, int] = {}
        self._poller = select.poll()
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        self._poller.register(self._wake_read, select.POLLIN)
        self._closed = False
        self._thread: threading.Thread | None = None

    def know(self, directory: str, handle: int) -> None:
        """Take over a pidfd of the supervisor that was just started in this folder."""
        with self._mutex:
            watched = self._watched.get(directory)
            if watched is not None and watched.handle is None:
                watched.handle = handle
            else:
                previous = self._known.pop(directory, None)
                self._known[directory] = handle
                if previous is not None:
                    os.close(previous)
        self._wake()

    def forget(self, directory: str) -> None:
        """Let go of the pidfd of a supervisor that has ended and was not watched."""
        with self._mutex:
            handle = self._known.pop(directory, None)
        if handle is not None:
            os.close(handle)

    def watch(self, directory: str, callback: Callable[[], None]) -> None:
        with self._mutex:
            watched = self._watched.get(directory)
            if watched is None:
                handle = self._known.pop(directory, None)
                watched = self._watched[directory] = _Watched(directory, [], handle)
            watched.callbacks.append(callback)
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name="workloads", daemon=True)
                self._thread.start()
        self._wake()

    def close(self) -> None:
        with self._mutex:
            self._closed = True
            thread = self._thread
        self._wake()
        if thread is not None and thread is not threading.current_thread():
            thread.join()
        with self._mutex:
            handles = [watched.handle for watched in self._watched.values()]
            for handle in (*handles, *self._known.values()):
                if handle is not None:
                    os.close(handle)
            self._watched.clear()
            self._known.clear()
            if self._wake_write >= 0:
                os.close(self._wake_read)
                os.close(self._wake_write)
                self._wake_read = self._wake_write = -1

    def _wake(self) -> None:
        with self._mutex:
            if self._wake_write < 0:
                return
            try:
                os.write(self._wake_write, b"w")
            except BlockingIOError:
                # The pipe is full of wake-ups already.
                return

    def _run(self) -> None:
        registered: set[int] = set()
        while True:
            with self._mutex:
                if self._closed:
                    return
                current = list(self._watched.values())
            for watched in current:
                if watched.handle is None:
                    watched.handle = open_supervisor(watched.directory)
            wanted = {watched.handle for watched in current if watched.handle is not None}
            for handle in wanted - registered:
                self._poller.register(handle, select.POLLIN)
            registered |= wanted
            blind = any(watched.handle is None for watched in current)
            events = self._poller.poll(_LOOK_AGAIN_SECONDS * 1000 if blind else None)
            dead = {descriptor for descriptor, _ in events}
            if self._wake_read in dead:
                os.read(self._wake_read, 4096)
            for watched in current:
                if watched.handle is None or watched.handle in dead:
                    if watched.handle is not None:
                        self._poller.unregister(watched.handle)
                        registered.discard(watched.handle)
                        os.close(watched.handle)
                        watched.handle = None
                    self._settle(watched)

    def _settle(self, watched: _Watched) -> None:
        """Call back if nobody holds the lock; else the supervisor was another, to be found anew."""
        if folder.lock_is_held(watched.directory):
            return
        with self._mutex:
            del self._watched[watched.directory]
            callbacks = list(watched.callbacks)
        for callback in callbacks:
            try:
                callback()
            except Exception:
                # One listener's fault must not silence the others, nor end this thread.
                _LOG.exception("a listener for the end of %s failed", watched.directory)


def open_supervisor(directory: str) -> int | None:
    """A pidfd of the supervisor of this folder, if it lives and the system has such things."""
    content = folder.read(directory, folder.SUPERVISOR)
    return None if content is None else open_process(content)


def open_process(content: dict[str, object]) -> int | None:
    """A pidfd of the process with this ``pid`` and ``birth``, unless it is gone."""
    pid, birth = content["pid"], content["birth"]
    if not hasattr(os, "pidfd_open") or not isinstance(pid, int):
        return None
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return None
    # The id may belong to another process by now; what is open cannot change any more.
    if folder.process_birth(pid) != birth:
        os.close(handle)
        return None
    return handle
