"""Data capture: requests and answers as SageMaker's JSON Lines, written beside the data plane.

The router hands a request and its answer over and goes on; a thread makes lines of them and writes
objects. What is handed over and not yet written lies in memory only: a kill loses it, at most what
came in ``FLUSH_SECONDS``. Captured records are a sample for looking at, no ledger.
"""

from __future__ import annotations

import base64
import json
import logging
import threading
import uuid
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from bottega.clock import Clock
from bottega.serving.invocation import Invocation
from bottega.serving.routing import CaptureSettings

log = logging.getLogger(__name__)

FLUSH_SECONDS = 10.0
"""How long a record waits at most until it is written."""
FLUSH_RECORDS = 1000
"""Records of one variant that are written before that time."""
FLUSH_BYTES = 4 * 1024 * 1024
"""Bytes of requests and answers of one variant that are written before that time."""
BUFFER_BYTES = 32 * 1024 * 1024
"""Bytes that are in memory at most; what comes beyond is dropped and counted."""
FIRST_RETRY_SECONDS = 0.5
LONGEST_RETRY_SECONDS = 30.0
ATTEMPTS = 8
"""How often an object is tried to be written before its records are dropped and counted."""

_RECORD_BYTES = 512
"""What a record takes besides its bodies."""

Write = Callable[[str, bytes], None]
"""Stores an object under an ``s3://`` URI; raises where it cannot."""


class _Captured(NamedTuple):
    """One request and its answer."""

    time: float
    inference_id: str
    custom_attributes: str
    input_type: str
    input: bytes
    output_type: str
    output: bytes
    settings: CaptureSettings

    @property
    def size(self) -> int:
        return len(self.input) + len(self.output) + _RECORD_BYTES

    def line(self) -> bytes:
        """The record as a line of JSON."""
        data: dict[str, Any] = {}
        if "Input" in self.settings.modes:
            data["endpointInput"] = _side("INPUT", self.input_type, self.input, self.settings)
        if "Output" in self.settings.modes:
            data["endpointOutput"] = _side("OUTPUT", self.output_type, self.output, self.settings)
        metadata: dict[str, Any] = {"eventId": str(uuid.uuid4())}
        if self.inference_id:
            metadata["inferenceId"] = self.inference_id
        if self.custom_attributes:
            metadata["customAttributes"] = [self.custom_attributes]
        metadata["inferenceTime"] = f"{datetime.fromtimestamp(self.time, UTC):%Y-%m-%dT%H:%M:%SZ}"
        record = {"captureData": data, "eventMetadata": metadata, "eventVersion": "0"}
        return json.dumps(record, separators=(",", ":")).encode() + b"\n"


class _Folder(NamedTuple):
    """Where records lie together: those of a variant and an hour."""

    destination: str
    endpoint: str
    variant: str
    hour: int


@dataclass
class _Batch:
    """Records that become one object."""

    folder: _Folder
    records: list[_Captured] = field(default_factory=list)
    size: int = 0
    uri: str = ""
    """Given at the first attempt, so that another one writes the same object."""
    attempts: int = 0
    due: float = 0.0
    """By the monotonic clock: when to write it."""

    @property
    def full(self) -> bool:
        return len(self.records) >= FLUSH_RECORDS or self.size >= FLUSH_BYTES


class CaptureRecorder:
    """Takes captured records without blocking and writes them to the object store.

    Args:
        write: stores an object; called from a thread of the recorder alone.
        buffer_bytes: bytes of records that are kept in memory at most.
    """

    def __init__(self, write: Write, clock: Clock, *, buffer_bytes: int = BUFFER_BYTES) -> None:
        self._write = write
        self._clock = clock
        self._buffer_bytes = buffer_bytes
        self._lock = threading.Lock()
        self._wake = threading.Condition(self._lock)
        self._open: dict[_Folder, _Batch] = {}
        self._full: deque[_Batch] = deque()
        """What is to be written as soon as it is due, the oldest first."""
        self._bytes = 0
        self._dropped: Counter[str] = Counter()
        self._untold = 0
        self._closing = False
        self._thread: threading.Thread | None = None

    def record(
        self,
        endpoint: str,
        variant: str,
        settings: CaptureSettings | None,
        invocation: Invocation,
        status: int,
        content_type: str,
        body: bytes,
        inference_id: str = "",
    ) -> None:
        """Keep a request and its answer; returns at once and never raises for want of room.

        Only answers of a model that succeeded (2xx) are kept, as a record has no place to say that
        its output is an error's text. The caller takes the sample.

        Args:
            settings: the route's; None keeps nothing.
            status: the model server's.
            inference_id: what the caller named the request; empty for none.
        """
        if settings is None or not settings.modes or not 200 <= status < 300:
            return
        keeps_input, keeps_output = "Input" in settings.modes, "Output" in settings.modes
        with self._lock:
            captured = _Captured(
                self._clock.now(),
                inference_id,
                invocation.custom_attributes,
                invocation.content_type,
                bytes(invocation.body) if keeps_input else b"",
                content_type,
                bytes(body) if keeps_output else b"",
                settings,
            )
            if self._closing or self._bytes + captured.size > self._buffer_bytes:
                self._drop(endpoint, 1)
                return
            self._bytes += captured.size
            hour = int(captured.time // 3600)
            folder = _Folder(settings.destination.rstrip("/"), endpoint, variant, hour)
            batch = self._open.get(folder)
            if batch is None:
                due = self._clock.monotonic() + FLUSH_SECONDS
                batch = self._open[folder] = _Batch(folder, due=due)
                if len(self._open) == 1:
                    self._wake.notify()
            batch.records.append(captured)
            batch.size += captured.size
            if batch.full:
                self._full.append(self._open.pop(folder))
                batch.due = 0.0
                self._wake.notify()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="capture", daemon=True)
                self._thread.start()

    def dropped(self, endpoint: str) -> int:
        """Records of an endpoint that were not written, for want of room or of a destination,
        since the studio was started."""
        return self._dropped[endpoint]

    def waiting(self, endpoint: str) -> int:
        """Records of an endpoint that are in memory and not yet written."""
        with self._lock:
            batches = [*self._open.values(), *self._full]
            return sum(len(b.records) for b in batches if b.folder.endpoint == endpoint)

    def flush(self) -> None:
        """Write what there is now, and return when each object was tried once."""
        with self._lock:
            batches = self._take(all_of_them=True)
        for batch in batches:
            self._store(batch)

    def close(self) -> None:
        """Write what is left, each object with one more attempt, and take nothing any more."""
        with self._lock:
            self._closing = True
            self._wake.notify()
        if self._thread is not None:
            self._thread.join()
        self.flush()
        with self._lock:
            left = self._take(all_of_them=True)
            for batch in left:
                self._drop(batch.folder.endpoint, len(batch.records))
            self._bytes = 0
        self._tell_drops()

    def _run(self) -> None:
        while True:
            with self._lock:
                while not (batches := self._take(all_of_them=False)) and not self._closing:
                    self._wake.wait(self._seconds_to_next())
                if self._closing:
                    self._full.extendleft(reversed(batches))
                    return
            for batch in batches:
                self._store(batch)
            self._tell_drops()

    def _seconds_to_next(self) -> float | None:
        dues = [batch.due for batch in (*self._open.values(), *self._full)]
        return max(0.0, min(dues) - self._clock.monotonic()) if dues else None

    def _take(self, *, all_of_them: bool) -> list[_Batch]:
        """What is due, oldest first; it is no longer known to the recorder."""
        now = self._clock.monotonic()
        found = [batch for batch in self._full if all_of_them or batch.due <= now]
        kept = [batch for batch in self._full if not (all_of_them or batch.due <= now)]
        self._full = deque(kept)
        for folder, batch in list(self._open.items()):
            if all_of_them or batch.due <= now:
                found.append(self._open.pop(folder))
        return found

    def _store(self, batch: _Batch) -> None:
        batch.uri = batch.uri or _uri(batch)
        batch.attempts += 1
        try:
            self._write(batch.uri, b"".join(_lines(batch.records)))
        except Exception as error:
            self._failed(batch, error)
            return
        with self._lock:
            self._bytes -= batch.size

    def _failed(self, batch: _Batch, error: Exception) -> None:
        """Try again later, or give the records up."""
        last = batch.attempts >= ATTEMPTS
        log.warning(
            "%d captured records of endpoint %s cannot be written to %s (%s: %s); %s",
            len(batch.records),
            batch.folder.endpoint,
            batch.uri,
            type(error).__name__,
            error,
            "they are dropped" if last else "it is tried again",
        )
        with self._lock:
            if last:
                self._bytes -= batch.size
                self._drop(batch.folder.endpoint, len(batch.records))
            else:
                growing = FIRST_RETRY_SECONDS * 2.0 ** (batch.attempts - 1)
                batch.due = self._clock.monotonic() + min(LONGEST_RETRY_SECONDS, growing)
                self._full.append(batch)

    def _drop(self, endpoint: str, count: int) -> None:
        self._dropped[endpoint] += count
        self._untold += count

    def _tell_drops(self) -> None:
        with self._lock:
            untold, self._untold = self._untold, 0
        if untold:
            log.warning(
                "%d captured records were dropped: %d bytes of them are the most that wait, or "
                "their destination cannot be written to; a lower sampling percentage captures less",
                untold,
                self._buffer_bytes,
            )


def _lines(records: Iterable[_Captured]) -> Iterable[bytes]:
    return (captured.line() for captured in records)


def _uri(batch: _Batch) -> str:
    folder, first = batch.folder, batch.records[0]
    moment = datetime.fromtimestamp(first.time, UTC)
    return (
        f"{folder.destination}/{folder.endpoint}/{folder.variant}/{moment:%Y/%m/%d/%H/%M-%S}-"
        f"{moment.microsecond // 1000:03d}-{uuid.uuid4()}.jsonl"
    )


def _side(mode: str, content_type: str, body: bytes, settings: CaptureSettings) -> dict[str, str]:
    """One half of a record. Bytes that are no UTF-8 are BASE64, whatever their type says."""
    media_type = content_type.partition(";")[0].strip().lower()
    encoding = "BASE64"
    data = ""
    if media_type in settings.csv_types:
        encoding = "CSV"
    elif media_type in settings.json_types:
        encoding = "JSON"
    if encoding != "BASE64":
        try:
            data = body.decode()
        except UnicodeDecodeError:
            encoding = "BASE64"
    if encoding == "BASE64":
        data = base64.b64encode(body).decode()
    return {"observedContentType": content_type, "mode": mode, "data": data, "encoding": encoding}
