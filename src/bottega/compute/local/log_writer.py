"""Turns the bytes a host writes into the records of its log (``bottega.compute.logs``)."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable

LONGEST_LINE = 256 * 1024
"""Bytes; a longer line becomes several records."""

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class LogWriter:
    """Appends to one log file. Lines go to the file as soon as they are whole.

    When the disk is full the records wait here: ``blocked`` is then true, the caller reads no more
    from the host and calls ``flush`` from time to time.
    """

    def __init__(self, path: str, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._partial = b""
        self._unwritten = b""
        self._last = 0
        os.makedirs(os.path.dirname(path), exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._file = os.open(path, flags, 0o600)
        self._continue_file()

    @property
    def blocked(self) -> bool:
        """Whether records wait for room on the disk."""
        return bool(self._unwritten)

    def feed(self, data: bytes) -> None:
        """Take what the host wrote; whole lines are in the file when this returns, unless
        blocked.
        """
        *lines, self._partial = (self._partial + data).split(b"\n")
        while len(self._partial) > LONGEST_LINE:
            head, self._partial = _split_long(self._partial)
            lines.append(head)
        self._append(lines)

    def finish(self) -> None:
        """Write what came without a line end: the host has ended."""
        if self._partial:
            self._append([self._partial])
            self._partial = b""

    def flush(self) -> None:
        """Try again to write the records that wait.

        Raises:
            OSError: the file cannot be written for another reason than want of room.
        """
        while self._unwritten:
            try:
                written = os.write(self._file, self._unwritten)
            except OSError as problem:
                if problem.errno in _FULL:
                    return
                raise
            self._unwritten = self._unwritten[written:]

    def close(self) -> None:
        os.close(self._file)

    def _append(self, lines: list[bytes]) -> None:
        if not lines:
            return
        self._last = max(self._last, int(self._clock() * 1000))
        stamp = b"%d " % self._last
        records = []
        for line in lines:
            rest = line
            while len(rest) > LONGEST_LINE:
                head, rest = _split_long(rest)
                records.append(head)
            records.append(rest)
        self._unwritten += b"".join(b"%b%b\n" % (stamp, record) for record in records)
        self.flush()

    def _continue_file(self) -> None:
        """Go on behind what an earlier writer left: a cut record is ended, time never runs
        backwards.
        """
        size = os.fstat(self._file).st_size
        if not size:
            return
        length = min(size, 2 * LONGEST_LINE)
        tail = os.pread(self._file, length, size - length)
        if not tail.endswith(b"\n"):
            self._unwritten = b"\n"
            tail += b"\n"
        stamp = tail[:-1].rpartition(b"\n")[2].partition(b" ")[0]
        if stamp.isdigit():
            self._last = int(stamp)
        self.flush()


def _split_long(line: bytes) -> tuple[bytes, bytes]:
    """The first record of a long line and the rest, not through the middle of a UTF-8 character."""
    end = LONGEST_LINE
    while end > LONGEST_LINE - 4 and line[end] & 0xC0 == 0x80:
        end -= 1
    return line[:end], line[end:]
