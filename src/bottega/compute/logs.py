"""The log port: streams of lines with times, appended by supervisors, read by everybody.

A stream is a file that only its supervisor appends to; one record a line, ``<epoch ms> <message>``.
Positions are byte offsets of record starts, so that a reader can go on where it was after any
restart.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path


class StreamMissing(Exception):
    """There is no such log group or stream."""


@dataclass(frozen=True)
class LogEvent:
    """One line of output."""

    timestamp: int
    """Milliseconds since the epoch, never less than the event's before it in the stream."""
    message: str
    """Without its line end; undecodable bytes are replaced."""
    position: int
    """Where this record begins: a byte offset."""


@dataclass(frozen=True)
class LogStream:
    group: str
    """``/aws/sagemaker/TrainingJobs``."""
    name: str
    """``<job>/algo-1-<epoch seconds>``."""
    created: float
    first_event: int | None
    """Milliseconds since the epoch."""
    last_event: int | None
    size: int
    """Bytes."""


@dataclass(frozen=True)
class LogChunk:
    """Some records in order, and where to read on (forward) from."""

    events: tuple[LogEvent, ...]
    next_position: int


@dataclass(frozen=True)
class LineMatches:
    """The numbers of the lines that have a text, counted from 0, in order."""

    lines: tuple[int, ...]
    complete: bool
    """False when there may be more behind the last one."""


class LogStore(ABC):
    """Reads log streams. Methods may be called from any thread; a record is seen whole or not at
    all.
    """

    @abstractmethod
    def path(self, group: str, stream: str) -> Path:
        """The file a supervisor appends this stream to; its folder is made. Names cannot leave the
        store.
        """

    @abstractmethod
    def groups(self) -> tuple[str, ...]:
        """Every group that has a stream."""

    @abstractmethod
    def streams(self, group: str, *, prefix: str = "") -> tuple[LogStream, ...]:
        """Streams by name. Raises: StreamMissing when the group has none at all."""

    @abstractmethod
    def read(self, group: str, stream: str, *, position: int = 0, limit: int = 10_000) -> LogChunk:
        """Records from ``position`` on. Raises: StreamMissing."""

    @abstractmethod
    def read_backward(
        self, group: str, stream: str, *, end: int | None = None, limit: int = 10_000
    ) -> LogChunk:
        """The last records that begin before ``end``, oldest first; ``next_position`` is ``end``.

        Raises:
            StreamMissing: there is no such stream.
        """

    @abstractmethod
    def seek(self, group: str, stream: str, timestamp: int) -> int:
        """The position of the first record not older than ``timestamp`` (milliseconds), by
        bisection.
        """

    @abstractmethod
    def count_lines(self, group: str, stream: str) -> int:
        """How many whole records there are now. Raises: StreamMissing."""

    @abstractmethod
    def line_position(self, group: str, stream: str, line: int) -> int:
        """The position of a record by its number from 0; the end when there are not so many.

        Costs the same wherever in the stream that is. Raises: StreamMissing.
        """

    @abstractmethod
    def line_number(self, group: str, stream: str, position: int) -> int:
        """The number from 0 of the record that begins at ``position``; how many there are for the
        end of the stream. The inverse of :meth:`line_position`. Raises: StreamMissing.
        """

    @abstractmethod
    def find(
        self,
        group: str,
        stream: str,
        text: str,
        *,
        match_case: bool = False,
        first_line: int = 0,
        limit: int = 1000,
    ) -> LineMatches:
        """The records from number ``first_line`` on whose messages contain ``text``.

        Raises:
            StreamMissing: there is no such stream.
        """

    @abstractmethod
    def delete(self, group: str, *, prefix: str) -> None:
        """Remove the streams whose names begin with ``prefix``."""
