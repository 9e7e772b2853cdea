"""Why a deployment did not come up, in SageMaker's words and the user's own."""

from __future__ import annotations

from bottega.compute.logs import LogStore, StreamMissing

LONGEST_REASON = 1024
"""Characters; the bound of FailureReason."""
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


def failure_reason(variant: str, tail: str) -> str:
    """SageMaker's text for a container that is not healthy, with the end of what it said."""
    text = (
        f"The primary container for production variant {variant} did not pass the ping health "
        "check. Please check CloudWatch logs for this endpoint."
    )
    room = LONGEST_REASON - len(text) - 1
    if len(tail) > room:
        tail = "..." + tail[-(room - 3) :]
    return f"{text}\n{tail}" if tail else text
