"""What a preview is made of: a file or an object, of which the beginning is enough."""

from __future__ import annotations

import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from bottega.storage.objects import ObjectStore

LARGEST_COPY = 2 * 1024**3
"""Bytes; what is larger is not copied out of the object store only to be looked at."""


class PreviewFailed(Exception):
    """The content cannot be shown; the message says why."""


class Source(ABC):
    """Something with a name and bytes."""

    name: str
    """A file name or a key; its ending may tell the format."""
    size: int
    """Bytes."""

    @abstractmethod
    def head(self, length: int) -> bytes:
        """Up to so many bytes from the beginning."""

    @abstractmethod
    def file(self) -> AbstractContextManager[Path]:
        """All of it as a file that is not written to.

        Raises:
            PreviewFailed: it is too large for that.
        """


class FileSource(Source):
    """A file of this machine.

    Raises:
        OSError: at construction, when there is no such file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.name = path.name
        self.size = path.stat().st_size

    def head(self, length: int) -> bytes:
        with self._path.open("rb") as file:
            return file.read(length)

    def file(self) -> AbstractContextManager[Path]:
        return nullcontext(self._path)


class ObjectSource(Source):
    """An object of a store.

    Raises:
        BucketMissing, ObjectMissing: at construction, when there is no such object.
    """

    def __init__(self, objects: ObjectStore, bucket: str, key: str) -> None:
        self._objects = objects
        self._place = (bucket, key)
        self.name = key
        self.size = objects.info(bucket, key).size

    def head(self, length: int) -> bytes:
        with self._objects.open(*self._place, length=length) as stream:
            return stream.read()

    @contextmanager
    def file(self) -> Iterator[Path]:
        if self.size > LARGEST_COPY:
            raise PreviewFailed(f"it has {self.size} bytes, which is too much to copy for a look")
        with tempfile.TemporaryDirectory(prefix="bottega-preview-") as folder:
            copy = Path(folder) / "object"
            self._objects.download(*self._place, copy)
            yield copy
