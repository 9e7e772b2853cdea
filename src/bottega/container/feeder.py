"""Feeds the pipes of channels in Pipe mode: a process beside the host's main process.

Runs as a file, with the standard library alone, so that it is there at once and neither shares an
interpreter with the program it feeds nor notices what that does to its own.

``<channel>_0`` in the data folder is there when the feeder starts. For each epoch it makes the next
pipe, waits for a reader of the present one, sends what the channel holds and closes it; a reader
that leaves early has had enough of this epoch. What a channel holds is described in a folder:

=====================  =============================================================================
``plan.json``          ``seed`` (null for the given order), ``gzip`` (objects are to be unpacked),
                       ``recordio`` (each part is to be wrapped as a record), ``sharded`` (hosts
                       share the entries; each sends every n-th of the epoch's order)
``entries``            what belongs together, a line of JSON each: a list of parts, which are the
                       numbers of objects, or texts to be sent as they are
``uris``               the URI of each object, a line of JSON each
``objects/<n>/<m>``    object number m, in folder n = m // 1000
=====================  =============================================================================
"""

from __future__ import annotations

import gzip
import json
import os
import random
import signal
import struct
import sys
import threading
import zlib
from array import array
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

PLAN = "plan.json"
ENTRIES = "entries"
URIS = "uris"
LARGEST_RECORD = (1 << 29) - 1
"""Bytes that a RecordIO record can hold."""

_MAGIC = 0xCED7230A
_CHUNK = 1 << 20
_SET_PIPE_SIZE = 1031


def object_name(number: int) -> str:
    """Where an object lies in the folder of its channel."""
    return f"objects/{number // 1000}/{number}"


class Unfit(Exception):
    """An object cannot be sent as the job asks; the message is for the user."""


class Feed:
    """One channel of one host.

    Args:
        folder: with the description of what to send.
        pipe: the path of the pipes without the number of the epoch.
        host: which of the hosts this is, from 0.
        hosts: how many there are.
    """

    def __init__(self, folder: str, pipe: str, host: int, hosts: int) -> None:
        self._folder = folder
        self._pipe = pipe
        self._share = (host, hosts)
        with open(os.path.join(folder, PLAN), "rb") as file:
            self._plan: dict[str, Any] = json.load(file)
        self._offsets = array("q", [0])
        with open(os.path.join(folder, ENTRIES), "rb") as entries:
            for line in entries:
                self._offsets.append(self._offsets[-1] + len(line))

    def run(self) -> None:
        """Serve one epoch after another. Does not return.

        Raises:
            Unfit: an object is damaged, or does not fit into a record.
            OSError: a pipe cannot be made, or a file not be read.
        """
        epoch = 0
        while True:
            make_pipe(f"{self._pipe}_{epoch + 1}")
            path = f"{self._pipe}_{epoch}"
            target = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
            _widen(target)
            # After a failure the pipe stays open: its end would look like the end of the data.
            with suppress(BrokenPipeError):
                self._send_epoch(target, epoch)
            # Whoever opened it later would wait for ever.
            with suppress(FileNotFoundError):
                os.unlink(path)
            os.close(target)
            epoch += 1

    def order(self, epoch: int) -> list[int]:
        """The entries that this host sends in an epoch, in their order."""
        numbers = list(range(len(self._offsets) - 1))
        if self._plan["seed"] is not None:
            random.Random(self._plan["seed"] + epoch).shuffle(numbers)
        host, hosts = self._share
        return numbers[host::hosts] if self._plan["sharded"] else numbers

    def _send_epoch(self, target: int, epoch: int) -> None:
        with open(os.path.join(self._folder, ENTRIES), "rb") as entries:
            for number in self.order(epoch):
                begin, end = self._offsets[number], self._offsets[number + 1]
                for part in json.loads(os.pread(entries.fileno(), end - begin, begin)):
                    if isinstance(part, str):
                        self._send_bytes(target, part.encode())
                    else:
                        self._send_object(target, part)

    def _send_object(self, target: int, number: int) -> None:
        path = os.path.join(self._folder, object_name(number))
        if self._plan["gzip"]:
            self._send_unpacked(target, path, number)
            return
        with open(path, "rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            if size <= _CHUNK:
                self._send_bytes(target, file.read())
                return
            if not self._plan["recordio"]:
                _pour(file.fileno(), target)
                return
            self._check_record(size, number)
            _write(target, _header(size))
            _pour(file.fileno(), target)
            _write(target, bytes(-size % 4))

    def _send_unpacked(self, target: int, path: str, number: int) -> None:
        if not self._plan["recordio"]:
            for chunk in self._unpacked(path, number):
                _write(target, chunk)
            return
        # A record begins with its length, which only the end tells.
        chunks: list[bytes] = []
        size = 0
        for chunk in self._unpacked(path, number):
            chunks.append(chunk)
            size += len(chunk)
            self._check_record(size, number)
        for part in (_header(size), *chunks, bytes(-size % 4)):
            _write(target, part)

    def _check_record(self, size: int, number: int) -> None:
        if size > LARGEST_RECORD:
            raise Unfit(too_large(self.uri(number)))

    def _unpacked(self, path: str, number: int) -> Iterator[bytes]:
        try:
            with gzip.open(path) as file:
                while chunk := file.read(_CHUNK):
                    yield chunk
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise Unfit(
                f"{self.uri(number)} cannot be unpacked ({error}); CompressionType Gzip is for "
                "channels all of whose objects are gzip files"
            ) from error

    def _send_bytes(self, target: int, data: bytes) -> None:
        if self._plan["recordio"]:
            data = b"".join((_header(len(data)), data, bytes(-len(data) % 4)))
        _write(target, data)

    def uri(self, number: int) -> str:
        """What the user calls an object."""
        with open(os.path.join(self._folder, URIS), "rb") as file:
            for index, line in enumerate(file):
                if index == number:
                    return str(json.loads(line))
        return f"object {number}"


def make_pipe(path: str) -> None:
    """Make a named pipe, unless it is there."""
    with suppress(FileExistsError):
        os.mkfifo(path, 0o666)


def too_large(uri: str) -> str:
    """What to say of an object that no record can hold."""
    return (
        f"{uri} has more than the {LARGEST_RECORD} bytes that a RecordIO record can hold; cut it "
        "into smaller objects, or leave RecordWrapperType unset"
    )


def _header(size: int) -> bytes:
    return struct.pack("<II", _MAGIC, size)


def _write(target: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(target, view) :]


def _pour(source: int, target: int) -> None:
    """All of a file into a pipe, without a copy of our own where the kernel can do so."""
    if hasattr(os, "splice"):
        try:
            while os.splice(source, target, _CHUNK):
                pass
            return
        except BrokenPipeError:
            raise
        except OSError:
            # This file system cannot: then nothing has moved, as the first call says so.
            if os.lseek(source, 0, os.SEEK_CUR):
                raise
    while chunk := os.read(source, _CHUNK):
        _write(target, chunk)


def _widen(pipe: int) -> None:
    """Let more fit into a pipe than the 64 KiB it has, where the system allows it."""
    import fcntl

    with suppress(OSError):
        fcntl.fcntl(pipe, _SET_PIPE_SIZE, _CHUNK)


def _run(feed: dict[str, Any], failure: str, parent: int) -> None:
    """Feed one channel; what goes wrong ends the job, since its data would not be whole."""
    try:
        Feed(feed["folder"], feed["pipe"], feed["host"], feed["hosts"]).run()
    except Unfit as error:
        reason = f"ClientError: channel {feed['channel']!r}: {error}"
    except BaseException as error:
        reason = f"InternalServerError: channel {feed['channel']!r} cannot be fed: {error!r}"
    print(reason, file=sys.stderr, flush=True)
    _leave(failure, reason)
    if os.getppid() == parent:
        os.kill(parent, signal.SIGKILL)


def _leave(path: str, reason: str) -> None:
    """Write the failure file, unless somebody else has."""
    with suppress(OSError):
        if os.path.exists(path) and os.path.getsize(path):
            return
        os.makedirs(os.path.dirname(path), exist_ok=True)
        draft = f"{path}.feeder"
        with open(draft, "w", encoding="utf-8", errors="replace") as file:
            file.write(reason)
        os.replace(draft, path)


def main(arguments: list[str]) -> None:
    """Feed until standard input ends, which the host's main process holds open. Does not return.

    Arguments: JSON with ``feeds`` (a list of ``channel`` and the arguments of :class:`Feed`),
    ``failure`` (the path of the failure file) and ``parent`` (the id of the main process).
    """
    orders = json.loads(arguments[0])
    for feed in orders["feeds"]:
        threading.Thread(
            target=_run, args=(feed, orders["failure"], orders["parent"]), daemon=True
        ).start()
    while os.read(0, 4096):
        pass
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
