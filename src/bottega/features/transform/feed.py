"""The requests of one driver in the order of its objects and their records."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Generator
from dataclasses import dataclass
from typing import BinaryIO, cast

from bottega.features.transform.progress import DriverFolder, Progress, Work
from bottega.features.transform.splitting import Batch, Splitter, Unsplittable
from bottega.features.transform.treatment import Treatment, Unfit


@dataclass(frozen=True)
class Request:
    """One batch, and the body that goes to the model."""

    index: int
    batch: Batch
    body: bytes


@dataclass(frozen=True)
class ObjectEnd:
    """The object has no more records."""

    index: int


@dataclass(frozen=True)
class ObjectFault:
    """The object cannot be read on."""

    index: int
    reason: str


Item = Request | ObjectEnd | ObjectFault


class Feed:
    """Reads the objects of a driver from where it was.

    Args:
        start: the object, the offset and the line to go on from.
    """

    def __init__(
        self,
        folder: DriverFolder,
        work: Work,
        splitter: Splitter,
        treatment: Treatment,
        start: Progress,
    ) -> None:
        self._folder = folder
        self._work = work
        self._splitter = splitter
        self._treatment = treatment
        self._index = start.index
        self._items = self._object(start.index, start.read, start.line)

    def next(self) -> Item | None:
        """What comes next; None after the last object."""
        while self._index < len(self._work.objects):
            item = next(self._items, None)
            if item is not None:
                return item
            self._go_to(self._index + 1)
        return None

    def skip(self, index: int) -> None:
        """Read no more of an object."""
        if index == self._index:
            self._go_to(index + 1)

    def close(self) -> None:
        """Read nothing more."""
        self._items.close()

    def _go_to(self, index: int) -> None:
        self._items.close()
        self._index = index
        self._items = self._object(index, 0, 1)

    def _object(self, index: int, read: int, line: int) -> Generator[Item, None, None]:
        place = ""
        try:
            with self._open(index) as stream:
                stream.seek(read)  # gzip reads on from the start for it
                for batch in self._splitter.batches(stream, read, line):
                    place = f" after line {batch.last}" if self._work.split == "Line" else ""
                    body = self._treatment.body(batch) if batch.records else b""
                    yield Request(index, batch, body)
        except (Unsplittable, Unfit) as error:
            yield ObjectFault(index, str(error))
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            yield ObjectFault(index, f"it cannot be unpacked as gzip{place}: {error}")
        else:
            yield ObjectEnd(index)

    def _open(self, index: int) -> BinaryIO:
        path = self._folder.input(index)
        if self._work.gzip:
            return cast(BinaryIO, gzip.open(path, "rb"))
        return path.open("rb")
