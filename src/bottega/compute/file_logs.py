"""The log store on files: one folder a group, one file a stream, read where supervisors append.

Layout: ``<folder>/aws/sagemaker/TrainingJobs/@streams/<job>/algo-1-<epoch>.log`` for stream
``<job>/algo-1-<epoch>`` of group ``/aws/sagemaker/TrainingJobs``. A group's name cannot contain
``@``, so no group can be mistaken for the streams of another.
"""

from __future__ import annotations

import errno
import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bottega.compute.line_index import LineIndex
from bottega.compute.line_search import find_lines
from bottega.compute.log_file import LogFile
from bottega.compute.logs import LineMatches, LogChunk, LogStore, LogStream, StreamMissing

_STREAMS = "@streams"
_SUFFIX = ".log"
_INDEXES = 64
"""Of how many streams the places of lines are remembered: those that were asked for last."""

_ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG}
"""How the system says that there cannot be a file of this name."""


class FileLogStore(LogStore):
    """Streams as files under one folder. Kept in memory is where lines are, of a few streams."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._indexes: OrderedDict[tuple[int, int], tuple[threading.Lock, LineIndex]]
        self._indexes = OrderedDict()
        self._indexing = threading.Lock()

    def path(self, group: str, stream: str) -> Path:
        file = self._file(group, stream)
        file.parent.mkdir(parents=True, exist_ok=True)
        return file

    def groups(self) -> tuple[str, ...]:
        found = []
        for parent, folders, _ in os.walk(self._folder):
            if _STREAMS in folders:
                folders.remove(_STREAMS)
                if next(_files(os.path.join(parent, _STREAMS)), None) is not None:
                    found.append("/" + Path(parent).relative_to(self._folder).as_posix())
        return tuple(sorted(found))

    def streams(self, group: str, *, prefix: str = "") -> tuple[LogStream, ...]:
        found = []
        for name, file in self._matching(group, prefix):
            try:
                found.append(_described(group, name, file))
            except FileNotFoundError:  # it was deleted since it was listed
                continue
        if not found and next(_files(self._group_folder(group)), None) is None:
            raise StreamMissing(group)
        return tuple(sorted(found, key=lambda stream: stream.name))

    def read(self, group: str, stream: str, *, position: int = 0, limit: int = 10_000) -> LogChunk:
        with self._open(group, stream) as file:
            return file.forward(position, limit)

    def read_backward(
        self, group: str, stream: str, *, end: int | None = None, limit: int = 10_000
    ) -> LogChunk:
        with self._open(group, stream) as file:
            return file.backward(end, limit)

    def seek(self, group: str, stream: str, timestamp: int) -> int:
        with self._open(group, stream) as file:
            return file.seek(timestamp)

    def count_lines(self, group: str, stream: str) -> int:
        with self._open(group, stream) as file, self._index(file) as index:
            return index.count

    def line_position(self, group: str, stream: str, line: int) -> int:
        with self._open(group, stream) as file, self._index(file) as index:
            return index.position(file.descriptor, line)

    def line_number(self, group: str, stream: str, position: int) -> int:
        with self._open(group, stream) as file, self._index(file) as index:
            return index.number(file.descriptor, position)

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
        with self._open(group, stream) as file:
            with self._index(file) as index:
                start = index.position(file.descriptor, first_line)
            return find_lines(
                file.descriptor,
                start=start,
                first_line=first_line,
                text=text,
                match_case=match_case,
                limit=limit,
            )

    @contextmanager
    def _index(self, file: LogFile) -> Iterator[LineIndex]:
        """The index of a file, up to date, for the caller alone."""
        status = os.fstat(file.descriptor)
        key = (status.st_dev, status.st_ino)
        with self._indexing:
            lock, index = self._indexes.setdefault(key, (threading.Lock(), LineIndex()))
            self._indexes.move_to_end(key)
            while len(self._indexes) > _INDEXES:
                self._indexes.popitem(last=False)
        with lock:
            index.refresh(file.descriptor)
            yield index

    def delete(self, group: str, *, prefix: str) -> None:
        base = self._group_folder(group)
        for _, file in list(self._matching(group, prefix)):
            file.unlink(missing_ok=True)
            folder = file.parent
            while folder != base:
                try:
                    folder.rmdir()
                except OSError:  # another stream is in it, or somebody else removed it
                    break
                folder = folder.parent

    def _matching(self, group: str, prefix: str) -> Iterator[tuple[str, Path]]:
        """The streams with a prefix, looking only into the folders that can have any."""
        base = self._group_folder(group)
        start = prefix.rpartition("/")[0]
        if start and not _is_plain(start):
            return
        for file in _files(os.path.join(base, start)):
            name = file.relative_to(base).as_posix().removesuffix(_SUFFIX)
            if name.startswith(prefix):
                yield name, file

    def _group_folder(self, group: str) -> Path:
        """Where the streams of a group are. Raises: StreamMissing when it is no name of a group."""
        if not group.startswith("/") or not _is_plain(group[1:]) or "@" in group:
            raise StreamMissing(group)
        return self._folder / group[1:] / _STREAMS

    def _file(self, group: str, stream: str) -> Path:
        parts = stream.split("/")
        if not _is_plain(stream) or any(part.endswith(_SUFFIX) for part in parts[:-1]):
            raise ValueError(f"{stream!r} cannot be the name of a log stream")
        try:
            folder = self._group_folder(group)
        except StreamMissing:
            raise ValueError(f"{group!r} cannot be the name of a log group") from None
        return folder.joinpath(*parts[:-1], parts[-1] + _SUFFIX)

    @contextmanager
    def _open(self, group: str, stream: str) -> Iterator[LogFile]:
        try:
            file = LogFile(self._file(group, stream))
        except ValueError:
            raise StreamMissing(f"{group}:{stream}") from None
        except OSError as error:
            if error.errno not in _ABSENT:
                raise
            raise StreamMissing(f"{group}:{stream}") from None
        try:
            yield file
        finally:
            file.close()


def _is_plain(name: str) -> bool:
    """Whether every part of a name between slashes is the name of something inside a folder."""
    return "\0" not in name and all(part not in ("", ".", "..") for part in name.split("/"))


def _files(folder: str | Path) -> Iterator[Path]:
    for parent, _, names in os.walk(folder):
        for name in names:
            if name.endswith(_SUFFIX):
                yield Path(parent, name)


def _described(group: str, name: str, path: Path) -> LogStream:
    file = LogFile(path)
    try:
        first, last = file.first_timestamp(), file.last_timestamp()
        status = os.fstat(file.descriptor)
    finally:
        file.close()
    return LogStream(
        group=group,
        name=name,
        # File systems do not all know when a file was made; its first line is close to it.
        created=first / 1000 if first is not None else status.st_mtime,
        first_event=first,
        last_event=last,
        size=status.st_size,
    )
