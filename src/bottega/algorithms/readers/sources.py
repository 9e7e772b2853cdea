"""Where the bytes of a channel come from: its files, or in Pipe mode a FIFO for each pass."""

from __future__ import annotations

import gzip
import io
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from bottega.algorithms.base import CustomerError
from bottega.algorithms.readers.rows import data_files

if TYPE_CHECKING:
    from bottega.container.environment import TrainingEnvironment

_GZIP = b"\x1f\x8b"
_TEXT_BLOCK = 1 << 23
_PATIENCE_SECONDS = 30.0


@dataclass(frozen=True)
class Source:
    """One file, or one FIFO in which the files of a channel follow one another."""

    path: Path
    name: str
    """What messages call it: the file's path within the channel, or the channel."""
    piped: bool = False

    def open(self) -> Stream:
        """Open it for reading, through gzip where its first bytes say so.

        Raises:
            FileNotFoundError: a FIFO does not come.
        """
        if self.piped:
            _wait_for(self.path)
        raw: IO[bytes] = self.path.open("rb", buffering=1 << 20)
        head = raw.read(len(_GZIP))
        if self.piped:
            raw = io.BufferedReader(_Chained(head, raw), buffer_size=1 << 20)
        else:
            raw.seek(0)
        packed = head == _GZIP
        return Stream(cast("IO[bytes]", gzip.GzipFile(fileobj=raw)) if packed else raw, raw, self)


class Stream:
    """The bytes of a source, in which damaged gzip is the customer's error."""

    def __init__(self, file: IO[bytes], raw: IO[bytes], source: Source) -> None:
        self._file = file
        self._raw = raw
        self.source = source

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.source.name

    def read(self, size: int) -> bytes:
        """The next ``size`` bytes; fewer only at the end.

        Raises:
            CustomerError: the compressed data are damaged.
        """
        try:
            return self._file.read(size)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise CustomerError(f"{self.name} is damaged gzip data: {error}") from error

    def text(self, size: int = _TEXT_BLOCK) -> Iterator[tuple[bytes, int]]:
        """Whole lines in blocks of about ``size`` bytes, each with the number of its first line."""
        pieces: list[bytes] = []
        line = 1
        while chunk := self.read(size):
            head, newline, rest = chunk.rpartition(b"\n")
            if not newline:
                pieces.append(chunk)
                continue
            block = b"".join((*pieces, head, newline))
            pieces = [rest] if rest else []
            yield block, line
            line += block.count(b"\n")
        if block := b"".join(pieces):
            yield block, line

    def close(self) -> None:
        """Close it; a FIFO's writer learns that nobody reads on."""
        self._file.close()
        self._raw.close()

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *reason: object) -> None:
        self.close()


class _Chained(io.RawIOBase):
    """Bytes that were read already, and what follows them."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        super().__init__()
        self._head = head
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        if self._head:
            size = min(len(self._head), len(target))
            target[:size] = self._head[:size]
            self._head = self._head[size:]
            return size
        found: int = self._rest.readinto(target)  # type: ignore[attr-defined]
        return found

    def close(self) -> None:
        self._rest.close()
        super().close()


def _wait_for(path: Path) -> None:
    """Wait for a FIFO that is being made."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.01)


def is_piped(environment: TrainingEnvironment, channel: str) -> bool:
    """Whether a channel comes through FIFOs."""
    mode = environment.input_data_config[channel].get("TrainingInputMode") or "File"
    return str(mode) == "Pipe"


def sources(environment: TrainingEnvironment, channel: str, number: int) -> list[Source]:
    """What to read for the ``number``-th pass over a channel, from 0; empty when it has no data."""
    if is_piped(environment, channel):
        path = environment.paths.data / f"{channel}_{number}"
        return [Source(path, f"the channel {channel}", piped=True)]
    folder = environment.paths.channel(channel)
    return [Source(path, str(path.relative_to(folder))) for path in data_files(folder)]


def line_of_row(text: bytes, first_line: int, name: str) -> Callable[[int], str]:
    """Says in which line of a source a row is, for a block of its lines of which each that is
    neither blank nor a comment is a row."""

    def origin(row: int) -> str:
        for number, line in enumerate(text.split(b"\n"), start=first_line):
            if line.strip() and not line.lstrip().startswith(b"#"):
                if row == 0:
                    return f"line {number} of {name}"
                row -= 1
        return f"the last line of {name}"

    return origin


def numbered(what: str, first: int, name: str) -> Callable[[int], str]:
    """Says which row or record of a source a row is, where ``first`` of them went before."""
    return lambda row: f"{what} {first + row + 1} of {name}"
