"""Immutable files under names of their own: where a folder object store keeps bytes.

A blob is written once, durably, and never changed. Who may still need one is counted here (*pins*),
so that a reader of many blobs finds the last of them even when the object was replaced in between.
"""

from __future__ import annotations

import os
import secrets
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from fsspec.implementations.local import LocalFileSystem

from bottega.storage.folder_streams import append_file


class BlobFolder:
    """The blobs of one store. Every method may be called from any thread."""

    def __init__(self, folder: Path) -> None:
        self._files = LocalFileSystem(auto_mkdir=False, skip_instance_cache=True)
        self._blobs = folder / "blobs"
        self._incoming = folder / "incoming"
        self._lock = threading.Lock()
        self._pins: Counter[str] = Counter()
        self._doomed: set[str] = set()
        self._shelves: set[str] = set()
        for each in (self._blobs, self._incoming):
            each.mkdir(parents=True, exist_ok=True)
        sync_folder(folder)

    def path(self, name: str) -> Path:
        return self._blobs / name[:2] / name

    def write(self, chunks: Iterable[bytes]) -> str:
        """Store bytes; the name that comes back stands for a file that no crash undoes.

        Whatever ``chunks`` raises goes on to the caller, and nothing is left behind.
        """
        with self._drafted() as (name, draft), self._files.open(str(draft), "wb") as stream:
            for chunk in chunks:
                stream.write(chunk)
            stream.flush()
            os.fsync(stream.fileno())
        return name

    def join(self, names: Sequence[str]) -> tuple[str, int]:
        """Store the bytes of several blobs, which the caller has pinned, as one.

        Returns:
            The name of the new blob, and how many bytes it has.
        """
        with self._drafted() as (name, draft), draft.open("xb", buffering=0) as stream:
            for each in names:
                append_file(self.path(each), stream.fileno())
            os.fsync(stream.fileno())
            size = os.fstat(stream.fileno()).st_size
        return name, size

    @contextmanager
    def _drafted(self) -> Iterator[tuple[str, Path]]:
        """A name and the file to write; when the block ends well the blob is there for good."""
        name = secrets.token_hex(16)
        draft = self._incoming / name
        try:
            yield name, draft
            self._make_shelf(name[:2])
            os.rename(draft, self.path(name))
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        sync_folder(self.path(name).parent)

    def pin(self, names: Sequence[str]) -> None:
        """Keep these from being removed until :meth:`unpin`."""
        with self._lock:
            self._pins.update(names)

    def unpin(self, names: Sequence[str]) -> None:
        with self._lock:
            self._pins.subtract(names)
            free = [name for name in names if self._pins[name] <= 0]
            for name in free:
                del self._pins[name]
            gone = self._doomed.intersection(free)
            self._doomed -= gone
        self._unlink(gone)

    def discard(self, names: Iterable[str]) -> None:
        """Remove blobs that the index no longer names, now or as soon as their readers are done."""
        with self._lock:
            names = set(names)
            held = {name for name in names if self._pins[name] > 0} if self._pins else set()
            self._doomed |= held
        self._unlink(names - held)

    def collect(self, wanted: frozenset[str]) -> int:
        """Remove what a killed process left: drafts, and blobs that are not ``wanted``.

        Only sound while nothing is being written. Returns how many files were removed.
        """
        removed = 0
        for draft in self._incoming.iterdir():
            draft.unlink(missing_ok=True)
            removed += 1
        for shelf in self._blobs.iterdir():
            for blob in os.scandir(shelf):
                if blob.name not in wanted:
                    os.unlink(blob.path)
                    removed += 1
        return removed

    def _make_shelf(self, shelf: str) -> None:
        if shelf not in self._shelves:
            with suppress(FileExistsError):
                (self._blobs / shelf).mkdir()
            sync_folder(self._blobs)
            self._shelves.add(shelf)

    def _unlink(self, names: Iterable[str]) -> None:
        for name in names:
            self.path(name).unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
