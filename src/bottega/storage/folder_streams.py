"""Reading an object that lies in one or several blobs."""

from __future__ import annotations

import errno
import io
import os
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

_COPY_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True)
class Stretch:
    """Some bytes of a file."""

    path: Path
    start: int
    size: int


def cut(pieces: Sequence[tuple[Path, int]], start: int, length: int) -> list[Stretch]:
    """The stretches that make up ``length`` bytes from ``start`` of files (path, size) in a row."""
    found: list[Stretch] = []
    for path, size in pieces:
        if length <= 0:
            break
        if start < size:
            taken = min(size - start, length)
            found.append(Stretch(path, start, taken))
            length -= taken
        start = max(0, start - size)
    return found


class StretchReader(io.RawIOBase):
    """A seekable stream over stretches of files, each opened when its turn comes."""

    def __init__(
        self,
        stretches: Sequence[Stretch],
        first: io.FileIO,
        release: Callable[[Sequence[str]], None],
    ) -> None:
        """Make a reader.

        Args:
            stretches: at least one.
            first: the opened file of the first stretch.
            release: called once with the names of the other files, when the reader is closed or
                forgotten.
        """
        super().__init__()
        self._stretches = stretches
        self._release = release
        self._ends = list(accumulate(each.size for each in stretches))
        self._position = 0
        self._open_index = 0
        self._file = first

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._ends[-1]}[whence]
        if base + offset < 0:
            raise ValueError(f"cannot seek to {base + offset}")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: Any) -> int:
        index = bisect_right(self._ends, self._position)
        if index == len(self._stretches):
            return 0
        stretch = self._stretches[index]
        inside = self._position - (self._ends[index] - stretch.size)
        view = memoryview(buffer).cast("B")[: stretch.size - inside]
        count = os.preadv(self._turn_to(index), [view], stretch.start + inside)
        if count == 0 and len(view):
            raise OSError(errno.EIO, "a blob is shorter than the index says", str(stretch.path))
        self._position += count
        return count

    def close(self) -> None:
        if not self.closed:
            self._file.close()
            self._release([each.path.name for each in self._stretches[1:]])
        super().close()

    def _turn_to(self, index: int) -> int:
        if self._open_index != index:
            self._file.close()
            self._file = io.FileIO(self._stretches[index].path)
            self._open_index = index
        return self._file.fileno()


def append_file(source: Path, target: int) -> None:
    """Copy a whole file to the end of the open file ``target``, inside the kernel where it can."""
    with open(source, "rb") as stream:
        if hasattr(os, "copy_file_range"):
            try:
                while os.copy_file_range(stream.fileno(), target, 1 << 30):
                    pass
                return
            except OSError as error:
                if error.errno not in (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP):
                    raise
                # Nothing was copied then: these say that the file systems do not fit together.
        while chunk := stream.read(_COPY_BYTES):
            view = memoryview(chunk)
            while view:
                view = view[os.write(target, view) :]
