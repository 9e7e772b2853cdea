"""Looks for a text in the records of a stream, block by block."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

from bottega.compute.logs import LineMatches

_BLOCK = 1 << 20


def find_lines(
    descriptor: int, *, start: int, first_line: int, text: str, match_case: bool, limit: int
) -> LineMatches:
    """The lines from ``first_line`` on, which begins at byte ``start``, whose message has a text.

    The time in front of a message is no part of it.
    """
    if "\n" in text:
        return LineMatches((), complete=True)
    prepare = _preparation(text, match_case=match_case)
    needle = prepare(text.encode("utf-8", "surrogatepass"))
    found: list[int] = []
    number = first_line
    for lines in _whole_lines(descriptor, start):
        prepared = prepare(lines)
        for offset in _matches(prepared, needle):
            if len(found) == limit:
                return LineMatches(tuple(found), complete=False)
            found.append(number + offset)
        number += lines.count(b"\n")
    return LineMatches(tuple(found), complete=True)


def _preparation(text: str, *, match_case: bool) -> Callable[[bytes], bytes]:
    """Makes two texts equal that are to match; keeps every line end."""
    if match_case:
        return lambda data: data
    if text.isascii():
        return bytes.lower
    return lambda data: data.decode("utf-8", "replace").lower().encode()


def _whole_lines(descriptor: int, start: int) -> Iterator[bytes]:
    """Everything from ``start`` on in pieces that end with a line; nothing of a line unfinished."""
    rest: list[bytes] = []
    while block := os.pread(descriptor, _BLOCK, start):
        start += len(block)
        end = block.rfind(b"\n") + 1
        if end:
            yield b"".join([*rest, block[:end]])
            rest = []
        rest.append(block[end:])


def _matches(lines: bytes, needle: bytes) -> Iterator[int]:
    """The numbers, from 0, of the lines that have the needle in their message."""
    number = counted = 0
    place = lines.find(needle)
    while place >= 0:
        begin = lines.rfind(b"\n", 0, place) + 1
        number += lines.count(b"\n", counted, begin)
        counted = begin
        end = lines.index(b"\n", place)
        stamp, space, _ = lines[begin:end].partition(b" ")
        message = begin + len(stamp) + 1 if space and stamp.isdigit() else begin
        if place < message:
            place = lines.find(needle, message, end)
        if place >= 0:
            yield number
        place = lines.find(needle, end)
