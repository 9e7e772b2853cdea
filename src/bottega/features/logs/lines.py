"""The operations that read a log stream by the numbers of its lines, as a screen shows it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bottega.compute.logs import LogEvent, LogStore, StreamMissing
from bottega.context import Context
from bottega.errors import ValidationException
from bottega.features.logs.groups import stream_missing
from bottega.registry import operation
from bottega.specs.generated.logs import (
    FindLogLinesRequest,
    FindLogLinesResponse,
    NumberedLine,
    ReadLogLinesRequest,
    ReadLogLinesResponse,
)

_LINES = 500
_MATCHES = 1000
_SLICE = 200
_ANSWER_CHARACTERS = 8_000_000
"""About how much one answer holds: lines may be long, and then fewer of them come."""


@operation("ReadLogLines", service="bottega")
def read_log_lines(context: Context, request: ReadLogLinesRequest) -> ReadLogLinesResponse:
    """A window of one stream: from a line on, around a moment, or the last lines."""
    if "FirstLine" in request and "AroundTime" in request:
        raise ValidationException("Give FirstLine or AroundTime, not both.")
    logs = context.ports.logs
    group, stream = request["LogGroupName"], request["LogStreamName"]
    limit = request.get("MaxLines", _LINES)
    try:
        total = logs.count_lines(group, stream)
        at = -1
        if "AroundTime" in request:
            at = _line_at(logs, group, stream, request["AroundTime"])
            first = max(0, at + 1 - (limit + 1) // 2)
            events = _from(logs, group, stream, first, min(limit, max(0, total - first)))
        elif "FirstLine" in request:
            first = request["FirstLine"]
            events = _from(logs, group, stream, first, min(limit, max(0, total - first)))
        else:
            events = _last(logs, group, stream, total, min(limit, total))
            first = total - len(events)
    except StreamMissing as error:
        raise stream_missing(context, group) from error
    lines: list[NumberedLine] = [
        {"Number": number, "Time": event.timestamp / 1000, "Message": event.message}
        for number, event in enumerate(events, start=first)
    ]
    answer: ReadLogLinesResponse = {"Lines": lines, "TotalLines": total}
    if at >= 0:
        answer["LineAtTime"] = at
    return answer


def _line_at(logs: LogStore, group: str, stream: str, moment: float) -> int:
    """The number of the last line that was written by a moment; -1 where none was."""
    position = logs.seek(group, stream, math.floor(moment * 1000) + 1)
    return logs.line_number(group, stream, position) - 1


def _from(logs: LogStore, group: str, stream: str, first: int, count: int) -> Sequence[LogEvent]:
    events: list[LogEvent] = []
    position, characters = logs.line_position(group, stream, first), 0
    while len(events) < count and characters < _ANSWER_CHARACTERS:
        size = min(_SLICE, count - len(events))
        chunk = logs.read(group, stream, position=position, limit=size)
        if not chunk.events:
            break
        events.extend(chunk.events)
        characters += sum(len(event.message) for event in chunk.events)
        position = chunk.next_position
    return events


def _last(logs: LogStore, group: str, stream: str, total: int, count: int) -> Sequence[LogEvent]:
    """The last lines before number ``total``, whatever was written since."""
    slices: list[Sequence[LogEvent]] = []
    end, found, characters = logs.line_position(group, stream, total), 0, 0
    while found < count and characters < _ANSWER_CHARACTERS:
        size = min(_SLICE, count - found)
        events = logs.read_backward(group, stream, end=end, limit=size).events
        if not events:
            break
        slices.append(events)
        found += len(events)
        characters += sum(len(event.message) for event in events)
        end = events[0].position
    return [event for part in reversed(slices) for event in part]


@operation("FindLogLines", service="bottega")
def find_log_lines(context: Context, request: FindLogLinesRequest) -> FindLogLinesResponse:
    """The numbers of the lines that have a text."""
    logs = context.ports.logs
    group, stream = request["LogGroupName"], request["LogStreamName"]
    try:
        found = logs.find(
            group,
            stream,
            request["Text"],
            match_case=request.get("MatchCase", False),
            first_line=request.get("FirstLine", 0),
            limit=request.get("MaxMatches", _MATCHES),
        )
        total = logs.count_lines(group, stream)
    except StreamMissing as error:
        raise stream_missing(context, group) from error
    return {"Lines": list(found.lines), "TotalLines": total, "Complete": found.complete}
