"""Cutting an object into the bodies of requests, as it is read.

Lines end at ``\\n``, as SageMaker has it: a line break inside quotes ends a line, too. Empty lines
hold no record; they are not sent.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

_BLOCK = 1 << 20
_RECORDIO_MAGIC = 0xCED7230A
_WHOLE, _FIRST, _MIDDLE, _LAST = range(4)
MEGABYTE = 1 << 20
MOST_BYTES = 100 * MEGABYTE
"""Of a request, where there is no limit but records can be divided among requests."""
MOST_WHOLE_BYTES = 1024 * MEGABYTE
"""Of an object that is one request, where there is no limit."""


class Unsplittable(Exception):
    """The object cannot be cut into requests. The message says which record and why."""


@dataclass(frozen=True)
class Batch:
    """The body of one request."""

    body: bytes
    end: int
    """Where the object's next batch begins: bytes, of an unpacked object."""
    first: int
    """Number of its first line or record in the object, counted from 1."""
    last: int
    records: int
    """How many there are in it; empty lines are none. 0: there is nothing to be sent."""


@dataclass(frozen=True)
class Splitter:
    """How objects are cut.

    Attributes:
        split: SplitType.
        single: BatchStrategy is SingleRecord.
        limit: bytes of a body; 0 is no limit.
    """

    split: str
    single: bool
    limit: int

    def batches(self, stream: BinaryIO, start: int = 0, number: int = 1) -> Iterator[Batch]:
        """The batches of an object.

        Args:
            stream: at ``start``, the end of a former batch.
            number: of the line or record that begins there.

        Raises:
            Unsplittable: when the place is reached that is wrong.
        """
        if self.split == "None":
            return self._whole(stream, start)
        if self.split == "Line":
            return (
                self._single_lines(stream, start, number)
                if self.single
                else self._packed_lines(stream, start, number)
            )
        records = _tf_records if self.split == "TFRecord" else _recordio_records
        return self._packed(records(stream, self._most, number), start, number)

    @property
    def _most(self) -> int:
        return self.limit or MOST_BYTES

    def _whole(self, stream: BinaryIO, start: int) -> Iterator[Batch]:
        if start:
            return
        most = self.limit or MOST_WHOLE_BYTES
        body = stream.read(most + 1)
        if len(body) > most:
            raise Unsplittable(
                f"it has more than {most} bytes, the most that one request may have. "
                + ("Raise MaxPayloadInMB, or set SplitType." if self.limit else "Set SplitType.")
            )
        if body:
            yield Batch(body, len(body), 1, 1, 1)

    def _packed_lines(self, stream: BinaryIO, start: int, number: int) -> Iterator[Batch]:
        most, rest = self._most, b""
        while True:
            block = rest + stream.read(most - len(rest))
            if len(block) < most:
                if block:
                    yield _lines(block, start + len(block), number)
                return
            cut = block.rfind(b"\n") + 1
            if not cut:
                peek = stream.read(1)  # it may be the last line, of just this size
                if peek not in (b"", b"\n"):
                    raise self._too_large(f"line {number}")
                yield _lines(block, start + len(block) + len(peek), number)
                start, number, rest = start + len(block) + len(peek), number + 1, b""
                continue
            body, rest = block[:cut], block[cut:]
            start += cut
            batch = _lines(body, start, number)
            yield batch
            number = batch.last + 1

    def _single_lines(self, stream: BinaryIO, start: int, number: int) -> Iterator[Batch]:
        most, rest = self._most, b""
        while block := stream.read(_BLOCK):
            *lines, rest = (rest + block).split(b"\n")
            for line in lines:
                start += len(line) + 1
                yield self._single(line, line + b"\n", start, number)
                number += 1
            if len(rest) > most:
                raise self._too_large(f"line {number}")
        if rest:
            yield self._single(rest, rest, start + len(rest), number)

    def _single(self, line: bytes, body: bytes, end: int, number: int) -> Batch:
        if len(line) > self._most:
            raise self._too_large(f"line {number}")
        if not line.rstrip(b"\r"):
            return Batch(b"", end, number, number, 0)
        # The line end goes along unless it would be a byte too many.
        return Batch(body if len(body) <= self._most else line, end, number, number, 1)

    def _packed(self, records: Iterator[bytes], start: int, number: int) -> Iterator[Batch]:
        parts: list[bytes] = []
        size, first = 0, number
        for record in records:
            if parts and (self.single or size + len(record) > self._most):
                start += size
                yield Batch(b"".join(parts), start, first, number - 1, len(parts))
                parts, size, first = [], 0, number
            parts.append(record)
            size += len(record)
            number += 1
        if parts:
            yield Batch(b"".join(parts), start + size, first, number - 1, len(parts))

    def _too_large(self, what: str) -> Unsplittable:
        return _too_large(what, self._most)


def _too_large(what: str, most: int) -> Unsplittable:
    return Unsplittable(
        f"{what} has more than {most} bytes, the most that one request may have. Raise "
        "MaxPayloadInMB."
    )


def _lines(body: bytes, end: int, number: int) -> Batch:
    count = body.count(b"\n") + (not body.endswith(b"\n"))
    last = number + count - 1
    if body[0] in b"\r\n" or b"\n\n" in body or b"\n\r" in body:
        lines = [line for line in body.split(b"\n") if line.rstrip(b"\r")]
        ended = b"\n" if body.endswith(b"\n") and lines else b""
        return Batch(b"\n".join(lines) + ended, end, number, last, len(lines))
    return Batch(body, end, number, last, count)


def _tf_records(stream: BinaryIO, most: int, number: int) -> Iterator[bytes]:
    """Records of TFRecord files: length, its checksum, data, its checksum."""
    while head := stream.read(12):
        size = struct.unpack("<Q", head[:8])[0] + 4 if len(head) == 12 else 0
        if len(head) == 12 and 12 + size > most:
            raise _too_large(f"record {number}", most)
        data = stream.read(size)
        if len(head) < 12 or len(data) < size:
            raise Unsplittable(f"record {number} is cut off: this is no whole TFRecord file")
        yield head + data
        number += 1


def _recordio_records(stream: BinaryIO, most: int, number: int) -> Iterator[bytes]:
    """Records of RecordIO files, each with its frame; one in several parts stays together."""
    parts: list[bytes] = []
    size = 0
    while head := stream.read(8):
        if len(head) < 8:
            raise Unsplittable(f"record {number} is cut off: this is no whole RecordIO file")
        magic, word = struct.unpack("<II", head)
        if magic != _RECORDIO_MAGIC:
            raise Unsplittable(f"record {number} does not begin as one of RecordIO does")
        kind, length = word >> 29, word & 0x1FFFFFFF
        padded = length + (-length) % 4
        size += 8 + padded
        if size > most:
            raise _too_large(f"record {number}", most)
        data = stream.read(padded)
        if len(data) < padded:
            raise Unsplittable(f"record {number} is cut off: this is no whole RecordIO file")
        if (kind in (_WHOLE, _FIRST)) is bool(parts):
            raise Unsplittable(f"record {number} has its parts in a wrong order")
        parts.append(head + data)
        if kind in (_WHOLE, _LAST):
            yield b"".join(parts)
            parts, size = [], 0
            number += 1
    if parts:
        raise Unsplittable(f"record {number} is cut off: this is no whole RecordIO file")
