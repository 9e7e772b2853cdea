"""Finds a line by its number in a file that only grows, without reading what lies before it."""

from __future__ import annotations

import os
from array import array
from bisect import bisect_left

BLOCK = 64 * 1024
HEAD = 64
"""Bytes from a file's beginning by which another file is told from it, as its first record begins
with a time in milliseconds: file systems give the number of a deleted file to the next one."""


class LineIndex:
    """How many line ends lie before each block of one file.

    Blocks of a fixed size and not every so many lines: counting line ends is all that building
    takes, a hundred megabytes in some hundredths of a second. Not to be shared between threads.
    """

    def __init__(self) -> None:
        self._before = array("Q", [0])
        """Line ends before each block, and at last those before the block that is not full yet."""
        self._size = 0
        self._head = b""
        self.count = 0
        """Whole lines, as of the last :meth:`refresh`."""

    def refresh(self, descriptor: int) -> None:
        """Count what was appended since the last call."""
        head = os.pread(descriptor, HEAD, 0)
        if os.fstat(descriptor).st_size < self._size or not head.startswith(self._head):
            self._before = array("Q", [0])  # it is another file now
        self._head = head
        block = self._block(descriptor)
        while len(block) == BLOCK:
            self._before.append(self._before[-1] + block.count(b"\n"))
            block = self._block(descriptor)
        self.count = self._before[-1] + block.count(b"\n")
        self._size = self._end() + len(block)

    def position(self, descriptor: int, line: int) -> int:
        """Where a line begins, counted from 0; behind the last whole one for any later line."""
        wanted = min(line, self.count)
        if wanted <= 0:
            return 0
        number = bisect_left(self._before, wanted) - 1
        start = number * BLOCK
        block = os.pread(descriptor, BLOCK, start)
        place = -1
        for _ in range(wanted - self._before[number]):
            place = block.index(b"\n", place + 1)
        return start + place + 1

    def number(self, descriptor: int, position: int) -> int:
        """How many whole lines, as of the last :meth:`refresh`, end before ``position``."""
        number = min(max(position, 0) // BLOCK, len(self._before) - 1)
        start = number * BLOCK
        block = os.pread(descriptor, min(BLOCK, max(0, position - start)), start)
        return min(self.count, self._before[number] + block.count(b"\n"))

    def _end(self) -> int:
        return (len(self._before) - 1) * BLOCK

    def _block(self, descriptor: int) -> bytes:
        """The block behind the full ones, as far as it is written."""
        return os.pread(descriptor, BLOCK, self._end())
