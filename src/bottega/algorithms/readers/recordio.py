"""RecordIO: binary records one after another, as MXNet writes them.

A record is the magic number, a word with the length in its lower 29 bits and the kind of part in
its upper three, the payload, and zeros up to a multiple of four; all little-endian. A payload that
holds the magic number itself at a multiple of four is cut there, and written as a first, any number
of middle and a last part, without the number.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import IO, Protocol

MAGIC = 0xCED7230A
MAGIC_BYTES = struct.pack("<I", MAGIC)
LARGEST = (1 << 29) - 1
"""The most bytes that a part can hold."""
HEADER_BYTES = 8

_HEADER = struct.Struct("<II")
_WHOLE, _FIRST, _MIDDLE, _LAST = range(4)
_PIECE = 1 << 20


class MalformedRecordIO(ValueError):
    """The bytes are no RecordIO; the message says at which byte and in which record."""


class TruncatedRecordIO(MalformedRecordIO):
    """The bytes end within a record."""


class Readable(Protocol):
    """A stream of bytes."""

    def read(self, size: int, /) -> bytes:
        """The next bytes; fewer than ``size`` only at the end."""


def read_records(stream: Readable, offset: int = 0, number: int = 1) -> Iterator[bytes]:
    """The payloads of a stream, in order; of parts that belong together, the whole.

    Memory is taken as bytes come, so that a wrong length costs nothing.

    Args:
        stream: what to read.
        offset: how many bytes went before, for messages.
        number: which record comes first, for messages.

    Raises:
        MalformedRecordIO: the magic number or an ending is missing.
    """
    parts: list[bytes] = []
    while header := stream.read(HEADER_BYTES):
        length, kind = check_header(header, offset, number, inside=bool(parts))
        offset += HEADER_BYTES
        wanted = padded(length)
        payload = _take(stream, wanted)
        if len(payload) < wanted:
            raise _truncated(offset, number, wanted, len(payload))
        offset += wanted
        payload = payload[:length]
        if kind == _WHOLE:
            yield payload
            number += 1
            continue
        parts.append(payload)
        if kind == _LAST:
            yield MAGIC_BYTES.join(parts)
            number += 1
            parts = []
    if parts:
        raise TruncatedRecordIO(f"the data end at byte {offset}, between parts of record {number}.")


def check_header(header: bytes, offset: int, number: int, *, inside: bool) -> tuple[int, int]:
    """Judge the eight bytes in front of a payload.

    Args:
        header: what is there.
        offset: where that is, in bytes from the start.
        number: which record this is, from 1.
        inside: whether the part before is one that another follows.

    Returns:
        The length of the payload, and its kind of part: 0 for a whole one, 1 for the first, 2 for
        one in the middle and 3 for the last.

    Raises:
        MalformedRecordIO: they begin no part that can be there.
    """
    if len(header) < HEADER_BYTES:
        raise _truncated(offset, number, HEADER_BYTES, len(header))
    magic, word = _HEADER.unpack(header)
    if magic != MAGIC:
        raise MalformedRecordIO(
            f"at byte {offset}, where record {number} should {'go on' if inside else 'begin'}, is "
            f"0x{magic:08x} instead of 0x{MAGIC:08x}: this is no RecordIO, or it is damaged."
        )
    kind = word >> 29
    if kind > _LAST or (kind in (_MIDDLE, _LAST)) != inside:
        raise MalformedRecordIO(
            f"at byte {offset}, record {number} has a part of kind {kind}, which cannot be there: "
            "it is damaged."
        )
    return word & LARGEST, kind


def frame(payload: bytes) -> bytes:
    """One payload as a record.

    Raises:
        ValueError: it is larger than a record can be.
    """
    pieces = _cut(payload) if MAGIC_BYTES in payload else [payload]
    if len(pieces) == 1:
        return _framed(payload, _WHOLE)
    kinds = [_FIRST, *[_MIDDLE] * (len(pieces) - 2), _LAST]
    return b"".join(_framed(piece, kind) for piece, kind in zip(pieces, kinds, strict=True))


def write_records(stream: IO[bytes], payloads: Iterable[bytes]) -> int:
    """Write payloads as records; returns how many.

    Raises:
        ValueError: one is larger than a record can be.
    """
    count = 0
    for payload in payloads:
        stream.write(frame(payload))
        count += 1
    return count


def padded(length: int) -> int:
    """The length of a payload with the zeros behind it."""
    return (length + 3) & ~3


def _truncated(offset: int, number: int, wanted: int, found: int) -> TruncatedRecordIO:
    return TruncatedRecordIO(
        f"the data end at byte {offset + found}, within record {number}: {wanted} bytes should "
        f"follow byte {offset}, and {found} do."
    )


def _framed(payload: bytes, kind: int) -> bytes:
    if len(payload) > LARGEST:
        raise ValueError(f"A record holds at most {LARGEST} bytes, not {len(payload)}.")
    word = (kind << 29) | len(payload)
    return b"".join((_HEADER.pack(MAGIC, word), payload, bytes(-len(payload) & 3)))


def _cut(payload: bytes) -> list[bytes]:
    """A payload without the magic numbers at its multiples of four."""
    pieces, start = [], 0
    at = payload.find(MAGIC_BYTES)
    while at >= 0:
        if at & 3 == 0:
            pieces.append(payload[start:at])
            start = at + len(MAGIC_BYTES)
            at = payload.find(MAGIC_BYTES, start)
        else:
            at = payload.find(MAGIC_BYTES, at + 1)
    pieces.append(payload[start:])
    return pieces


def _take(stream: Readable, size: int) -> bytes:
    if size <= _PIECE:
        return stream.read(size)
    pieces, missing = [], size
    while missing and (piece := stream.read(min(missing, _PIECE))):
        pieces.append(piece)
        missing -= len(piece)
    return b"".join(pieces)
