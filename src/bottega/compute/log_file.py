"""One stream's file, read record by record while its supervisor goes on appending.

A record is ``<epoch ms> <message>`` and a newline; what has no newline yet is not seen. Reading
never loads more than what is asked for, wherever in the file that is.
"""

from __future__ import annotations

import os
from pathlib import Path

from bottega.compute.logs import LogChunk, LogEvent

_BLOCK = 64 * 1024
_PROBE = 4 * 1024
"""Bytes read to look at one record: most fit."""


class LogFile:
    """An open stream. Not to be shared between threads.

    Raises:
        OSError: at construction, when there is no such file.
    """

    def __init__(self, path: Path) -> None:
        self.descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def close(self) -> None:
        os.close(self.descriptor)

    def forward(self, position: int, limit: int) -> LogChunk:
        """Up to ``limit`` records that begin at or after ``position``."""
        start = self._boundary(position)
        if start is None or limit < 1:
            return LogChunk((), position)
        blocks: list[bytes] = []
        lines = 0
        offset = start
        while lines < limit and (block := os.pread(self.descriptor, _BLOCK, offset)):
            blocks.append(block)
            lines += block.count(b"\n")
            offset += len(block)
        return self._parsed(b"".join(blocks), start, limit)

    def backward(self, end: int | None, limit: int) -> LogChunk:
        """The last ``limit`` records that begin before ``end`` (all, when None), oldest first."""
        stop = None if end is None else self._boundary(end)
        if stop is None:
            stop = self._end()
        span = _BLOCK
        while True:
            base = max(0, stop - span)
            data = self._exactly(base, stop)
            # The first line may have begun before the span; it counts only where the file begins.
            if base == 0 or data.count(b"\n") > limit:
                break
            span *= 2
        kept = _last_lines(data, limit)
        return self._parsed(kept, stop - len(kept), limit)

    def seek(self, timestamp: int) -> int:
        """Where the first record begins that is not older than ``timestamp``; the end if all are.

        Bisection over bytes: everything that begins before ``low`` is older, everything from
            ``high``
        on is not; no record begins between ``bound`` and ``high``.
        """
        low, high = 0, self._end()
        bound = high
        while low < bound:
            middle = (low + bound) // 2
            start = self._boundary(middle)
            found = None
            while start is not None and start < high:
                line = self._line(start)
                if (found := _timestamp(line)) is not None:
                    break
                start += len(line)
            if found is None or start is None:
                bound = middle
            elif found < timestamp:
                low = start + len(self._line(start))
            else:
                high, bound = start, middle
        return high

    def first_timestamp(self) -> int | None:
        """Milliseconds; None while there is no record."""
        return _timestamp(self._line(0))

    def last_timestamp(self) -> int | None:
        """Milliseconds; None while there is no record."""
        last = self.backward(None, 1).events
        return last[0].timestamp if last else None

    def _parsed(self, data: bytes, start: int, limit: int) -> LogChunk:
        """The whole records of ``data``, which begins at ``start``."""
        events: list[LogEvent] = []
        latest: int | None = None
        lines = data.split(b"\n", limit)
        lines.pop()  # not whole yet, or beyond the limit
        for line in lines:
            if (time := _timestamp(line)) is not None:
                latest, message = time, line.partition(b" ")[2]
            else:  # shown as it is, at the time of what stands before it
                latest, message = self._time_before(start) if latest is None else latest, line
            events.append(LogEvent(latest, message.decode("utf-8", "replace"), start))
            start += len(line) + 1
        return LogChunk(tuple(events), start)

    def _time_before(self, position: int) -> int:
        while position > 0:
            chunk = self._whole_line_before(position)
            if (time := _timestamp(chunk)) is not None:
                return time
            position -= len(chunk)
        return 0

    def _whole_line_before(self, position: int) -> bytes:
        span = _PROBE
        while True:
            base = max(0, position - span)
            data = self._exactly(base, position)
            if base == 0 or data.count(b"\n") > 1:
                return _last_lines(data, 1)
            span *= 2

    def _boundary(self, position: int) -> int | None:
        """The first place at or after ``position`` where a record begins or will begin."""
        if position <= 0:
            return 0
        offset = position - 1
        while block := os.pread(self.descriptor, _PROBE, offset):
            if (newline := block.find(b"\n")) >= 0:
                return offset + newline + 1
            offset += len(block)
        return None

    def _end(self) -> int:
        """Behind the last whole record."""
        offset = os.fstat(self.descriptor).st_size
        while offset > 0:
            base = max(0, offset - _PROBE)
            if (newline := self._exactly(base, offset).rfind(b"\n")) >= 0:
                return base + newline + 1
            offset = base
        return 0

    def _line(self, start: int) -> bytes:
        """The record at ``start`` with its newline; empty where none is whole."""
        blocks: list[bytes] = []
        offset = start
        while block := os.pread(self.descriptor, _PROBE, offset):
            if (newline := block.find(b"\n")) >= 0:
                return b"".join([*blocks, block[: newline + 1]])
            blocks.append(block)
            offset += len(block)
        return b""

    def _exactly(self, start: int, stop: int) -> bytes:
        blocks: list[bytes] = []
        while start < stop and (block := os.pread(self.descriptor, stop - start, start)):
            blocks.append(block)
            start += len(block)
        return b"".join(blocks)


def _last_lines(data: bytes, count: int) -> bytes:
    """The last ``count`` lines of data that ends in a newline."""
    if count < 1:
        return b""
    cut = len(data) - 1
    for _ in range(count):
        if (cut := data.rfind(b"\n", 0, max(cut, 0))) < 0:
            return data
    return data[cut + 1 :]


def _timestamp(line: bytes) -> int | None:
    """The time of a record; None for one whose beginning a crash of the machine cut off."""
    stamp, space, _ = line.partition(b" ")
    return int(stamp) if space and stamp.isdigit() else None
