"""The records of a RecordIO stream by the block: where each payload lies, without a copy of it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from bottega.algorithms.readers.recordio import (
    HEADER_BYTES,
    LARGEST,
    MAGIC,
    MAGIC_BYTES,
    Readable,
    TruncatedRecordIO,
    padded,
    read_records,
)

SMALL = 1 << 16
"""Fewer bytes than that are read without compiled code, which takes longer to load."""
_CHUNK = 1 << 22


@dataclass(frozen=True)
class Frames:
    """Some records that follow one another."""

    data: bytes
    """What they are in."""
    offsets: Any
    """Where the payload of each begins: int64."""
    lengths: Any
    """How many bytes it has: int64."""
    stride: int = 0
    """How far apart they are when all payloads have one length; 0 when they may not."""

    @property
    def count(self) -> int:
        return int(self.offsets.size)

    @property
    def array(self) -> Any:
        """The data as uint8."""
        return np.frombuffer(self.data, dtype=np.uint8)

    def payload(self, index: int) -> bytes:
        """One payload, copied."""
        start = int(self.offsets[index])
        return self.data[start : start + int(self.lengths[index])]


def frames(stream: Readable) -> Iterator[Frames]:
    """All records of a stream.

    No more memory is taken than there are bytes, whatever a length in the data says.

    Raises:
        MalformedRecordIO: it is no RecordIO; by byte and record.
    """
    offset, number = 0, 1
    rest = b""
    while chunk := _more(stream, rest):
        data, at = rest + chunk, 0
        while at < len(data):
            found = _alike(data, at) or _any(data, at) or _one(data, at, offset + at, number)
            if found is None:
                break
            records, at = found
            number += records.count
            yield records
        offset += at
        rest = data[at:]
    if rest:
        # Something is missing, and this says what.
        next(read_records(io.BytesIO(rest), offset, number))


def _more(stream: Readable, rest: bytes) -> bytes:
    """What follows the beginning of a record: all of it, or so much as there is."""
    missing = 0
    if len(rest) >= HEADER_BYTES:
        missing = HEADER_BYTES + padded(_length(rest, 0) & LARGEST) - len(rest)
    pieces = [stream.read(_CHUNK)]
    while pieces[-1] and (missing := missing - len(pieces[-1])) > 0:
        pieces.append(stream.read(min(missing, _CHUNK)))
    return b"".join(pieces)


def _length(data: bytes, at: int) -> int:
    return int.from_bytes(data[at + 4 : at + 8], "little")


def _alike(data: bytes, start: int) -> tuple[Frames, int] | None:
    """Records of one length up to the end of the data (at least two), and where they end."""
    length = _length(data, start)
    stride = HEADER_BYTES + padded(length)
    count = (len(data) - start) // stride
    if length > LARGEST or count < 2:
        return None
    words = np.frombuffer(data, dtype="<u4", count=count * (stride // 4), offset=start)
    table = words.reshape(count, stride // 4)
    if not ((table[:, 0] == MAGIC) & (table[:, 1] == length)).all():
        return None
    offsets = np.arange(count, dtype=np.int64) * stride + (start + HEADER_BYTES)
    found = Frames(data, offsets, np.full(count, length, dtype=np.int64), stride)
    return found, start + count * stride


def _any(data: bytes, start: int) -> tuple[Frames, int] | None:
    """Records in one part each, and where they end; None when there is none."""
    if len(data) - start < SMALL:
        found = list(_walk(data, start))
        offsets = np.array([offset for offset, _ in found], dtype=np.int64)
        lengths = np.array([length for _, length in found], dtype=np.int64)
    else:
        from bottega.algorithms.readers.kernels import scan_frames

        most = (len(data) - start) // HEADER_BYTES
        offsets, lengths = np.empty(most, dtype=np.int64), np.empty(most, dtype=np.int64)
        count = scan_frames(np.frombuffer(data, dtype=np.uint8), start, offsets, lengths)
        offsets, lengths = offsets[:count].copy(), lengths[:count].copy()
    if not offsets.size:
        return None
    return Frames(data, offsets, lengths), int(offsets[-1]) + padded(int(lengths[-1]))


def _walk(data: bytes, at: int) -> Iterator[tuple[int, int]]:
    while len(data) - at >= HEADER_BYTES and data[at : at + 4] == MAGIC_BYTES:
        length = _length(data, at)
        at += HEADER_BYTES
        if length > LARGEST or at + padded(length) > len(data):
            return
        yield at, length
        at += padded(length)


def _one(data: bytes, start: int, offset: int, number: int) -> tuple[Frames, int] | None:
    """A record in several parts, and where it ends; None when it is not all there."""
    stream = io.BytesIO(data[start:])
    try:
        payload = next(read_records(stream, offset, number))
    except TruncatedRecordIO:
        return None
    nothing = np.zeros(1, dtype=np.int64)
    return Frames(payload, nothing, nothing + len(payload)), start + stream.tell()
