"""What a workload said last, for the reason of its failure."""

from __future__ import annotations

from bottega.compute.logs import LogStore, StreamMissing

_LINES_READ = 200
_TRACEBACK = "Traceback (most recent call last):"


def log_tail(logs: LogStore, group: str, stream: str) -> str:
    """The last traceback in a log stream, or its last lines when there is none."""
    try:
        chunk = logs.read_backward(group, stream, limit=_LINES_READ)
    except StreamMissing:
        return ""
    lines = [event.message for event in chunk.events]
    starts = [index for index, line in enumerate(lines) if line.startswith(_TRACEBACK)]
    return "\n".join(lines[starts[-1] :] if starts else lines[-20:]).strip()
