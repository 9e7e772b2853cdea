"""The audit trail: one line of JSON for a call, who did what and how it ended."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

from bottega.errors import AccessDeniedException
from bottega.events import Event, EventBus, OperationCalled

LEFT_OUT = frozenset({("bottega", "WatchEvents")})
"""Service and operation of calls that leave a line only when they are refused: whoever has a page
open makes them without end, and they change nothing."""
DATA_PLANE = frozenset(
    {
        ("sagemaker-runtime", "InvokeEndpoint"),
        ("sagemaker-runtime", "InvokeEndpointWithResponseStream"),
        ("sagemaker-metrics", "BatchPutMetrics"),
    }
)
"""Operations that leave a line only when the caller may not call them: they are data, not changes,
and there are thousands a second. The traffic of an endpoint counts them, or a metric has them."""
FILE_BYTES = 32 * 1024 * 1024
FILES_KEPT = 8
NAME = "audit.jsonl"


class AuditTrail:
    """Writes ``audit.jsonl`` in a folder that only the owner can read; the oldest lines go first.

    Each line is handed to the system in one write before the answer goes out, so a killed daemon
    loses none. It holds names and ARNs, never request bodies. A full file becomes
    ``audit.jsonl.1``. The standard library's rotating handler does the same, but asks the file
    system about every line and builds a record for it, which an invocation would feel.
    """

    def __init__(self, folder: Path, events: EventBus) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file = folder / NAME
        self._lock = threading.Lock()
        self._open()
        self._unsubscribe = events.subscribe(self._write)

    def close(self) -> None:
        """Write nothing more."""
        self._unsubscribe()
        os.close(self._descriptor)

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._descriptor = os.open(self._file, flags, 0o600)
        self._size = os.fstat(self._descriptor).st_size

    def _write(self, event: Event) -> None:
        if not isinstance(event, OperationCalled):
            return
        called = event.service, event.operation
        if called in LEFT_OUT and not event.error_code:
            return
        if called in DATA_PLANE and event.error_code != AccessDeniedException.code:
            return
        line = json.dumps(vars(event)).encode() + b"\n"
        with self._lock:
            if self._size + len(line) > FILE_BYTES:
                self._rotate()
            os.write(self._descriptor, line)
            self._size += len(line)

    def _rotate(self) -> None:
        os.close(self._descriptor)
        for number in range(FILES_KEPT - 1, 0, -1):
            older = self._file.with_name(f"{NAME}.{number}")
            if older.exists():
                older.replace(self._file.with_name(f"{NAME}.{number + 1}"))
        self._file.replace(self._file.with_name(f"{NAME}.1"))
        self._open()
