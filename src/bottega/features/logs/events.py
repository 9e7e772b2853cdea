"""The operations that read log events."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from typing import Literal

from bottega.compute.logs import LogEvent, LogStore, StreamMissing
from bottega.context import Context
from bottega.errors import InvalidParameterException
from bottega.features.logs.filter_pattern import matcher
from bottega.features.logs.groups import (
    EVENT_OVERHEAD,
    PAGE_BYTES,
    decode_token,
    encode_token,
    group_missing,
    group_of,
    invalid_token,
    stream_missing,
)
from bottega.features.logs.merging import SLICE, Place, merged
from bottega.registry import operation
from bottega.specs.generated.logs import (
    FilteredLogEvent,
    FilterLogEventsRequest,
    FilterLogEventsResponse,
    GetLogEventsRequest,
    GetLogEventsResponse,
    OutputLogEvent,
)

_PAGE_EVENTS = 10_000
_SCANNED_EVENTS = 100_000
"""How many events FilterLogEvents looks at for one page: rare matches give pages that are not
full."""

Direction = Literal["f", "b"]


@operation("GetLogEvents", service="logs")
def get_log_events(context: Context, request: GetLogEventsRequest) -> GetLogEventsResponse:
    """A page of one stream, oldest first, with tokens for what is after and before it.

    At the end (or beginning) of the stream the token comes back as it was given; lines that are
    written later are behind it.
    """
    group, stream = group_of(request), request["logStreamName"]
    scope = f"GetLogEvents:{group}:{stream}"
    limit = request.get("limit", _PAGE_EVENTS)
    try:
        reader = _StreamReader(context.ports.logs, group, stream, request)
        if "nextToken" in request:
            direction, place = _parse_token(context, request["nextToken"], scope)
        elif request.get("startFromHead", False):
            direction, place = "f", reader.low
        else:
            direction, place = "b", None
        if direction == "f":
            start = place or 0
            events, end = reader.forward(start, limit)
        else:
            events, end = reader.backward(place, limit)
            start = end
    except StreamMissing as error:
        raise stream_missing(context, group) from error
    first = events[0].position if events else start
    return {
        "events": [_shown(event) for event in events],
        "nextForwardToken": "f/" + encode_token(context, {"position": end}, scope),
        "nextBackwardToken": "b/" + encode_token(context, {"position": first}, scope),
    }


def _parse_token(context: Context, token: str, scope: str) -> tuple[Direction, int]:
    mark, _, rest = token.partition("/")
    position = int(decode_token(context, rest, scope)["position"])
    if mark == "f":
        return "f", position
    if mark == "b":
        return "b", position
    raise invalid_token()


def _shown(event: LogEvent) -> OutputLogEvent:
    return {
        "timestamp": event.timestamp,
        "message": event.message,
        "ingestionTime": event.timestamp,
    }


def _weight(event: LogEvent) -> int:
    return len(event.message.encode()) + EVENT_OVERHEAD


class _StreamReader:
    """Pages of one stream within a request's times.

    Raises:
        StreamMissing: at construction, when there is no such stream.
    """

    def __init__(
        self, logs: LogStore, group: str, stream: str, request: GetLogEventsRequest
    ) -> None:
        self._logs = logs
        self._group = group
        self._stream = stream
        self.low = self._seek(request.get("startTime", 0))
        self._high = self._seek(request["endTime"]) if "endTime" in request else None

    def _seek(self, timestamp: int) -> int:
        return self._logs.seek(self._group, self._stream, timestamp)

    def forward(self, place: int, limit: int) -> tuple[Sequence[LogEvent], int]:
        """Events from ``place`` on, and where the next page begins."""
        events: list[LogEvent] = []
        position, weight = max(place, self.low), 0
        while len(events) < limit:
            size = min(SLICE, limit - len(events))
            chunk = self._logs.read(self._group, self._stream, position=position, limit=size)
            for event in chunk.events:
                weight += _weight(event)
                beyond = self._high is not None and event.position >= self._high
                if beyond or (events and weight > PAGE_BYTES):
                    return events, event.position if events else place
                events.append(event)
            if not chunk.events:
                break
            position = chunk.next_position
        return events, position if events else place

    def backward(self, place: int | None, limit: int) -> tuple[Sequence[LogEvent], int]:
        """The last events before ``place`` (the end when None), oldest first, and where they
        end."""
        if self._high is not None:
            place = self._high if place is None else min(place, self._high)
        newest_first: list[LogEvent] = []
        end, last, weight = place, place, 0
        while len(newest_first) < limit:
            size = min(SLICE, limit - len(newest_first))
            chunk = self._logs.read_backward(self._group, self._stream, end=end, limit=size)
            last = chunk.next_position if last is None else last
            for event in reversed(chunk.events):
                weight += _weight(event)
                if event.position < self.low or (newest_first and weight > PAGE_BYTES):
                    return newest_first[::-1], last
                newest_first.append(event)
            if not chunk.events:
                break
            end = chunk.events[0].position
        return newest_first[::-1], last or 0


@operation(
    "FilterLogEvents",
    service="logs",
    note="Patterns of terms and phrases, oldest events first; no JSON, space-delimited or regular "
    "expression patterns.",
)
def filter_log_events(context: Context, request: FilterLogEventsRequest) -> FilterLogEventsResponse:
    """Matching events of one, several or all streams of a group, in the order of their times."""
    if not request.get("startFromHead", True):
        raise InvalidParameterException(
            "bottega answers FilterLogEvents oldest first only: leave startFromHead out or true."
        )
    matches = matcher(request.get("filterPattern", ""))
    group = group_of(request)
    streams = _streams(context, group, request)
    end_time = request.get("endTime")
    scope = f"FilterLogEvents:{group}:{sorted(request.get('logStreamNames', []))}:" + ":".join(
        str(request.get(member))
        for member in ("logStreamNamePrefix", "startTime", "endTime", "filterPattern")
    )
    after = None
    if "nextToken" in request:
        after = Place(**decode_token(context, request["nextToken"], scope))
    found: list[FilteredLogEvent] = []
    answer: FilterLogEventsResponse = {"events": found, "searchedLogStreams": []}
    limit, weight = request.get("limit", _PAGE_EVENTS), 0
    start = request.get("startTime", 0)
    events = merged(context.ports.logs, group, streams, start=start, after=after)
    for scanned, (place, event) in enumerate(events):
        if end_time is not None and event.timestamp > end_time:
            break
        matching = matches(event.message)
        weight += _weight(event) if matching else 0
        full = len(found) == limit or (found and weight > PAGE_BYTES)
        if after is not None and (full or scanned == _SCANNED_EVENTS):
            answer["nextToken"] = encode_token(context, asdict(after), scope)
            break
        if matching:
            found.append(_filtered(group, place, event))
        after = place
    return answer


def _streams(context: Context, group: str, request: FilterLogEventsRequest) -> list[str]:
    names, prefix = request.get("logStreamNames"), request.get("logStreamNamePrefix")
    if names is not None and prefix is not None:
        raise InvalidParameterException(
            "logStreamNamePrefix and logStreamNames are mutually exclusive parameters."
        )
    logs = context.ports.logs
    if names is not None:
        try:
            for name in names:
                logs.seek(group, name, 0)
        except StreamMissing as error:
            raise stream_missing(context, group) from error
        return sorted(set(names))
    try:
        listed = logs.streams(group, prefix=prefix or "")
    except StreamMissing as error:
        raise group_missing() from error
    start = request.get("startTime", 0)
    return [stream.name for stream in listed if (stream.last_event or 0) >= start]


def _filtered(group: str, place: Place, event: LogEvent) -> FilteredLogEvent:
    identity = f"{group}\0{place.stream}\0{place.position}".encode()
    number = int.from_bytes(hashlib.blake2b(identity, digest_size=23).digest(), "big")
    return {
        "logStreamName": place.stream,
        "timestamp": event.timestamp,
        "message": event.message,
        "ingestionTime": event.timestamp,
        "eventId": f"{number:056}",
    }
