"""Events of several streams in one order, resumable at any event."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bottega.compute.logs import LogEvent, LogStore, StreamMissing

SLICE = 500
"""Records read from a stream at a time."""


@dataclass(frozen=True)
class Place:
    """An event's place in the merged order: by time, then stream, then position."""

    timestamp: int
    stream: str
    position: int


def merged(
    logs: LogStore, group: str, streams: Iterable[str], *, start: int, after: Place | None
) -> Iterator[tuple[Place, LogEvent]]:
    """All events from a time on, oldest first.

    The order is total and does not depend on what other events there are, so a later call goes on
    exactly behind ``after``, also when streams have been added, have grown or are gone meanwhile.

    Args:
        start: milliseconds; older events are left out.
        after: the last event that was seen already.
    """
    sources = []
    for stream in streams:
        try:
            position = _first_position(logs, group, stream, start, after)
        except StreamMissing:
            continue
        sources.append(_events(logs, group, stream, position))
    # Places differ always, so events are never compared.
    for key, event in heapq.merge(*sources):
        yield Place(*key), event


def _first_position(
    logs: LogStore, group: str, stream: str, start: int, after: Place | None
) -> int:
    first = logs.seek(group, stream, start) if start > 0 else 0
    if after is None:
        return first
    if stream == after.stream:
        chunk = logs.read(group, stream, position=after.position, limit=1)
        return max(first, chunk.next_position)
    seen = after.timestamp + 1 if stream < after.stream else after.timestamp
    return max(first, logs.seek(group, stream, seen))


def _events(
    logs: LogStore, group: str, stream: str, position: int
) -> Iterator[tuple[tuple[int, str, int], LogEvent]]:
    while True:
        try:
            chunk = logs.read(group, stream, position=position, limit=SLICE)
        except StreamMissing:
            return
        for event in chunk.events:
            yield (event.timestamp, stream, event.position), event
        if not chunk.events:
            return
        position = chunk.next_position
