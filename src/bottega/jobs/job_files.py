"""Reading what a job wrote, without trusting it.

The daemon may read what the job may not, and a job may put a link, a FIFO or a device wherever the
daemon is about to look, also while it looks. So no name of the job's is handed to the system as a
path: every folder is opened from the one above it and every file from its folder, links are read
here and never followed by the system, and what was opened is asked whether it is a regular file.
"""

from __future__ import annotations

import errno
import os
import posixpath
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

ML_ROOT = "/opt/ml"
LONGEST_NAME = 4096
"""Bytes of a file's name below its folder; deeper ones, which no program opens, are passed over."""
_MOST_LINKS = 40

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_GONE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO, errno.ENODEV, errno.EISDIR}
"""How the system says that something else, or nothing, is where a file or folder was."""


def below_ml_root(path: str) -> str:
    """A path under ``/opt/ml`` as its name below that.

    >>> below_ml_root("/opt/ml/output/tensors/")
    'output/tensors'
    """
    return posixpath.relpath(posixpath.normpath(path), ML_ROOT)


class Unreadable(Exception):
    """Something that should be read cannot be. The message names it, for the user."""


class NoFile(Exception):
    """No regular file of this name is inside the folder, or not any more."""


@dataclass(frozen=True)
class Mark:
    """What changes when a file is written to."""

    modified: int
    """Nanoseconds since the epoch."""
    size: int

    @classmethod
    def of(cls, status: os.stat_result) -> Mark:
        return cls(status.st_mtime_ns, status.st_size)


@dataclass(frozen=True)
class HostFolder:
    """A folder of one host, by the host's ML root and its name below that, such as ``output/data``.

    The ML root itself is ours; the job can rename or replace whatever is in it.
    """

    root: Path
    name: str

    def files(self) -> Iterator[tuple[str, Mark]]:
        """The regular files at all depths, sorted by folder; without links. Empty if there is none.

        Raises:
            Unreadable: the folder was replaced by something else, or may not be read.
        """
        for name, status in self._entries():
            if stat.S_ISREG(status.st_mode):
                yield name, Mark.of(status)

    def files_and_links(self) -> Iterator[str]:
        """The same with the links to files; whether these stay inside tells :meth:`open`.

        Raises:
            Unreadable: see :meth:`files`.
        """
        for name, status in self._entries():
            if stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode):
                yield name

    @contextmanager
    def open(self, name: str, *, follow: bool = False) -> Iterator[BinaryIO]:
        """Open one file for reading.

        Args:
            name: below this folder, as the walks give it.
            follow: follow links that stay inside this folder; absolute ones mean what the job sees.

        Raises:
            NoFile: there is none, or a link leads out of the folder.
            Unreadable: it may not be read.
        """
        try:
            descriptor = self._descriptor(name.split("/"), _MOST_LINKS if follow else 0)
        except OSError as error:
            if error.errno in _GONE:
                raise NoFile(name) from error
            raise Unreadable(f"{self._shown(name)}: {error.strerror}") from error
        with os.fdopen(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise NoFile(name)
            yield stream

    def replace(self, name: str, content: bytes) -> None:
        """Put a file into this folder, whole, in the place of what is there.

        Raises:
            NoFile: the folder is gone.
            Unreadable: it may not be written to.
        """
        draft = f".{name}.draft"
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            folder = self._open_folder([])
            with ExitStack() as closing:
                closing.callback(os.close, folder)
                with suppress(FileNotFoundError):
                    os.unlink(draft, dir_fd=folder)
                with os.fdopen(os.open(draft, flags | os.O_EXCL, 0o644, dir_fd=folder), "wb") as to:
                    to.write(content)
                os.rename(draft, name, src_dir_fd=folder, dst_dir_fd=folder)
        except OSError as error:
            if error.errno in _GONE:
                raise NoFile(name) from error
            raise Unreadable(f"{self._shown(name)}: {error.strerror}") from error

    def _shown(self, name: str = "") -> str:
        return "/".join(part for part in (ML_ROOT, self.name, name) if part)

    def _entries(self) -> Iterator[tuple[str, os.stat_result]]:
        waiting = [""]
        while waiting:
            folder = waiting.pop()
            below: list[str] = []
            for entry, status in self._listed(folder):
                name = f"{folder}/{entry}" if folder else entry
                if len(os.fsencode(name)) > LONGEST_NAME:
                    continue
                if stat.S_ISDIR(status.st_mode):
                    below.append(name)
                else:
                    yield name, status
            waiting += reversed(below)

    def _listed(self, folder: str) -> list[tuple[str, os.stat_result]]:
        """What is in one folder, by name; nothing when the folder is gone."""
        found = []
        try:
            descriptor = self._open_folder(folder.split("/") if folder else [])
            with ExitStack() as closing:
                closing.callback(os.close, descriptor)
                for entry in closing.enter_context(os.scandir(descriptor)):
                    try:
                        found.append((entry.name, entry.stat(follow_symlinks=False)))
                    except FileNotFoundError:  # the job removed it just now
                        continue
        except OSError as error:
            if error.errno == errno.ENOENT or (folder and error.errno in _GONE):
                return []
            replaced = error.errno in _GONE
            reason = "is not a folder any more" if replaced else error.strerror
            raise Unreadable(f"{self._shown(folder)}: {reason}") from error
        return sorted(found)

    def _open_folder(self, parts: Sequence[str]) -> int:
        """A descriptor of a folder below this one, none of whose names is a link."""
        descriptor = os.open(self.root, _FOLDER)
        for part in (*self.name.split("/"), *parts):
            try:
                below = os.open(part, _FOLDER, dir_fd=descriptor)
            finally:
                os.close(descriptor)
            descriptor = below
        return descriptor

    def _descriptor(self, parts: Sequence[str], links: int) -> int:
        """Go down part by part; a link's text takes the link's place among the parts to come."""
        gone: list[str] = []
        coming = [part for part in parts if part not in ("", ".")]
        while coming:
            part = coming.pop(0)
            if part == "..":
                if not gone:
                    raise NoFile("/".join(parts))
                gone.pop()
                continue
            folder = self._open_folder(gone)
            try:
                text = _link(part, folder)
                if text is None and not coming:
                    return os.open(part, _FILE, dir_fd=folder)
            finally:
                os.close(folder)
            if text is None:
                gone.append(part)
                continue
            if (links := links - 1) < 0:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
            if text.startswith("/"):
                if not text.startswith(f"{self._shown()}/"):
                    raise NoFile("/".join(parts))
                gone, text = [], text[len(self._shown()) + 1 :]
            coming = [each for each in text.split("/") if each not in ("", ".")] + coming
        raise NoFile("/".join(parts))


def _link(name: str, folder: int) -> str | None:
    """The text of a link; None for what is none."""
    try:
        return os.readlink(name, dir_fd=folder)
    except OSError as error:
        if error.errno == errno.EINVAL:
            return None
        raise
