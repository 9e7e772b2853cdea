"""Images in RecordIO files, as MXNet's ``im2rec`` packs them.

A record of an image is a header (``uint32 flag, float32 label, uint64 id, uint64 id2``, all
little-endian), ``flag`` more labels as ``float32``, and the JPEG or PNG file.
"""

from __future__ import annotations

import io
import os
import struct
import weakref
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol

import numpy as np

from bottega.algorithms.base import CustomerError
from bottega.algorithms.readers.image_sets import ImageItem, ImageSet, looks_like_image
from bottega.algorithms.readers.recordio import (
    MalformedRecordIO,
    check_header,
    frame,
    read_records,
)

if TYPE_CHECKING:
    from bottega.algorithms.readers.image_labels import LabelCheck
    from bottega.algorithms.readers.rows import Floats

PART = struct.Struct("<II")
"""What is in front of each part of a record."""
_HEADER = struct.Struct("<IfQQ")
_WHOLE, _LAST = 0, 3
_PADDING = bytes(3)
"""At least as many zeros as follow a record."""
_GLANCE = 512
"""Bytes that mostly hold a record's header, its labels and the beginning of its image."""


class Source(Protocol):
    """A file that is read here and there."""

    name: str
    size: int

    def read(self, offset: int, length: int) -> bytes:
        """Fewer bytes than ``length`` at the end. Safe from several threads."""


class FileSource:
    """A file that is opened for each read, so that many of them take no descriptors."""

    def __init__(self, path: Path, name: str) -> None:
        self.name = name
        self.size = path.stat().st_size
        self._path = str(path)

    def read(self, offset: int, length: int) -> bytes:
        descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return _read_at(descriptor, offset, min(length, max(0, self.size - offset)))
        finally:
            os.close(descriptor)


class SpoolSource:
    """An open file without a name, which vanishes with this object."""

    def __init__(self, stream: IO[bytes], name: str) -> None:
        self.name = name
        stream.flush()
        self._descriptor = os.dup(stream.fileno())
        self.size = os.fstat(self._descriptor).st_size
        weakref.finalize(self, os.close, self._descriptor)

    def read(self, offset: int, length: int) -> bytes:
        return _read_at(self._descriptor, offset, min(length, max(0, self.size - offset)))


def _read_at(descriptor: int, offset: int, length: int) -> bytes:
    """One read may give less than is there, above 2 GiB for one."""
    data = os.pread(descriptor, length, offset)
    while data and len(data) < length:
        more = os.pread(descriptor, length - len(data), offset + len(data))
        if not more:
            break
        data += more
    return data


@dataclass(frozen=True)
class Stored:
    """Where one record lies: all its parts, without the zeros after the last."""

    offset: int
    length: int
    parts: int


def scan(source: Source) -> Iterator[Stored]:
    """Every record of a file, from its framing alone.

    Raises:
        CustomerError: the framing is broken; the message says in which record and at which byte.
    """
    offset, number, parts, begin = 0, 1, 0, 0
    while offset < source.size:
        head = source.read(offset, PART.size)
        try:
            length, kind = check_header(head, offset, number, inside=parts > 0)
        except MalformedRecordIO as error:
            raise CustomerError(f"{source.name}: {error}") from error
        parts += 1
        end = offset + PART.size + length
        if end > source.size:
            raise CustomerError(
                f"{source.name} ends at byte {source.size}, but record {number} at byte {offset} "
                f"says that it has {length} bytes. The file is cut off or damaged."
            )
        offset = end + -length % 4
        if kind in (_WHOLE, _LAST):
            yield Stored(begin, end - begin, parts)
            number, parts, begin = number + 1, 0, offset
    if parts:
        raise CustomerError(
            f"{source.name} ends at byte {source.size} within the parts of record {number}. The "
            "file is cut off."
        )


def pack_image(label: Floats | Sequence[float] | float, data: bytes, *, index: int = 0) -> bytes:
    """A record of an image.

    Args:
        label: one number, or several.
        data: the JPEG or PNG file.
        index: kept in the record; nothing reads it.
    """
    labels = np.atleast_1d(np.asarray(label, dtype="<f4"))
    if len(labels) == 1:
        return _HEADER.pack(0, float(labels[0]), index, 0) + data
    return _HEADER.pack(len(labels), 0.0, index, 0) + labels.tobytes() + data


def unpack_image(payload: bytes, name: str = "The record") -> tuple[Floats, bytes]:
    """The labels (one-dimensional) and the file of a record of an image.

    Raises:
        CustomerError: it is no such record, or its file is neither JPEG nor PNG.
    """
    label, begin = _unpack_label(payload, len(payload), name)
    if not looks_like_image(payload[begin : begin + 8]):
        raise _no_image(name)
    return label, payload[begin:]


def _unpack_label(payload: bytes, size: int, name: str) -> tuple[Floats, int]:
    """The labels and where the image begins, from the beginning of a record of ``size`` bytes."""
    if size < _HEADER.size:
        raise CustomerError(
            f"{name} has {size} bytes, too few for an image: pack images with MXNet's im2rec."
        )
    flag, label, _, _ = _HEADER.unpack_from(payload)
    begin = _HEADER.size + 4 * flag
    if begin > size:
        raise CustomerError(
            f"{name} is no record of an image: its header speaks of {flag} labels and it has "
            f"{size} bytes. Pack images with MXNet's im2rec."
        )
    if not flag:
        return np.array([label], dtype=np.float32), begin
    return np.frombuffer(payload, "<f4", flag, _HEADER.size).astype(np.float32), begin


def _no_image(name: str) -> CustomerError:
    return CustomerError(f"{name} holds neither a JPEG nor a PNG file.")


def write_image_records(stream: IO[bytes], items: Iterable[ImageItem]) -> int:
    """Write a ``.rec`` file. Returns how many images were written.

    >>> with open("train.rec", "wb") as file:  # doctest: +SKIP
    ...     write_image_records(file, items)
    """
    count = 0
    for count, item in enumerate(items, start=1):
        stream.write(frame(pack_image(item.label, item.data, index=count - 1)))
    return count


class RecordSet(ImageSet):
    """The images in RecordIO files.

    Args:
        sources: the files in order.
        check: called for the label of every image.

    Raises:
        CustomerError: a file is damaged, or a record is no image with a sound label.
    """

    def __init__(self, sources: Sequence[Source], check: LabelCheck) -> None:
        self._sources = tuple(sources)
        self._firsts = [0]
        """The number of the first image of each file, and at last how many there are."""
        self._offsets = array("q")
        self._lengths = array("q")
        self._parts = array("I")
        for source in self._sources:
            for stored in scan(source):
                self._offsets.append(stored.offset)
                self._lengths.append(stored.length)
                self._parts.append(stored.parts)
                name = f"record {len(self._offsets) - self._firsts[-1]} of {source.name}"
                check(_glance(source, stored, name), name)
            self._firsts.append(len(self._offsets))

    def __len__(self) -> int:
        return len(self._offsets)

    def __getitem__(self, index: int) -> ImageItem:
        source, stored, name = self._place(index)
        label, data = unpack_image(_payload(source, stored), name)
        return ImageItem(name, data, label)

    def label(self, index: int) -> Floats:
        source, stored, name = self._place(index)
        return _glance(source, stored, name)

    def name(self, index: int) -> str:
        return self._place(index)[2]

    def _place(self, index: int) -> tuple[Source, Stored, str]:
        if not 0 <= index < len(self):
            raise IndexError(index)
        file = bisect_right(self._firsts, index) - 1
        source = self._sources[file]
        stored = Stored(self._offsets[index], self._lengths[index], self._parts[index])
        return source, stored, f"record {index - self._firsts[file] + 1} of {source.name}"


def _payload(source: Source, stored: Stored) -> bytes:
    raw = source.read(stored.offset, stored.length)
    if len(raw) != stored.length:
        raise CustomerError(f"{source.name} became shorter while it was being read.")
    return raw[PART.size :] if stored.parts == 1 else next(read_records(io.BytesIO(raw + _PADDING)))


def _glance(source: Source, stored: Stored, name: str) -> Floats:
    """The label of a record whose image is one by its beginning."""
    if stored.parts > 1:
        return unpack_image(_payload(source, stored), name)[0]
    size = stored.length - PART.size
    head = source.read(stored.offset + PART.size, min(size, _GLANCE))
    if len(head) >= 4:
        wanted = _HEADER.size + 4 * struct.unpack_from("<I", head)[0] + 8
        if len(head) < min(wanted, size):
            head = source.read(stored.offset + PART.size, min(wanted, size))
    label, begin = _unpack_label(head, size, name)
    if not looks_like_image(head[begin:]):
        raise _no_image(name)
    return label
