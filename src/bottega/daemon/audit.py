"""The audit trail: one line of JSON for every call, who did what and how it ended."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict
from logging.handlers import RotatingFileHandler
from pathlib import Path

from bottega.events import Event, EventBus, OperationCalled

FILE_BYTES = 32 * 1024 * 1024
FILES_KEPT = 8


class AuditTrail:
    """Writes ``audit.jsonl`` in a folder that only the owner can read; the oldest lines go first.

    Each line is written before the answer goes out. It holds names and ARNs, never request bodies.
    """

    def __init__(self, folder: Path, events: EventBus) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._handler = RotatingFileHandler(
            folder / "audit.jsonl", maxBytes=FILE_BYTES, backupCount=FILES_KEPT, encoding="utf-8"
        )
        self._unsubscribe = events.subscribe(self._write)

    def _write(self, event: Event) -> None:
        if isinstance(event, OperationCalled):
            line = json.dumps(asdict(event))
            self._handler.handle(logging.LogRecord("audit", logging.INFO, "", 0, line, None, None))

    def close(self) -> None:
        self._unsubscribe()
        self._handler.close()
