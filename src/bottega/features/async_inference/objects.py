"""Reading the inputs of asynchronous requests and writing their answers."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from typing import TypeVar

from bottega.errors import BottegaError
from bottega.features.async_inference.notifications import Outcome
from bottega.ports import Ports
from bottega.serving.inference_queue import AsyncRequest, Waiting
from bottega.storage import s3_uris
from bottega.storage.objects import BucketMissing, ObjectInfo, ObjectMissing

log = logging.getLogger(__name__)

LARGEST_INPUT_BYTES = 1024**3
"""SageMaker's limit."""
OWNER = "bottega-request"
"""The metadata of an answer that says whose it is."""
_TRIES = 4
_FIRST_PAUSE_SECONDS = 0.2

_Found = TypeVar("_Found")


class TransferFailed(Exception):
    """An input cannot be read, or an answer cannot be written; the message says why."""


def input_size(ports: Ports, waiting: Waiting) -> int:
    """Bytes of what is to be sent.

    Raises:
        TransferFailed: it is not there, or is too large.
    """
    location = waiting.request.input_location
    if not location:
        return len(ports.inference_queue.body(waiting.number) or b"")
    size = _tried(location, lambda: ports.objects.info(*s3_uris.split(location)).size)
    if size > LARGEST_INPUT_BYTES:
        raise TransferFailed(
            f"{location} has {size} bytes; an input may have {LARGEST_INPUT_BYTES}."
        )
    return size


def read_input(ports: Ports, waiting: Waiting) -> bytes:
    """What is to be sent.

    Raises:
        TransferFailed: it cannot be read.
    """
    location = waiting.request.input_location
    if not location:
        return ports.inference_queue.body(waiting.number) or b""

    def read() -> bytes:
        with closing(ports.objects.open(*s3_uris.split(location))) as stream:
            return stream.read(LARGEST_INPUT_BYTES)

    return _tried(location, read)


def write_answer(ports: Ports, request: AsyncRequest, outcome: Outcome) -> None:
    """Write the answer or the failure where the request wants it; nothing where it wants none.

    Raises:
        TransferFailed: it cannot be written.
    """
    completed = outcome.status == "Completed"
    location = request.output_location if completed else request.failure_location
    if not location or outcome.written:
        return
    body = outcome.body if completed else outcome.reason.encode()
    content_type = outcome.content_type if completed else "text/plain; charset=utf-8"

    def write() -> ObjectInfo:
        return ports.objects.put(
            *s3_uris.split(location),
            body,
            content_type=content_type or "binary/octet-stream",
            metadata={OWNER: request.id},
        )

    _tried(location, write)


def written_before(ports: Ports, request: AsyncRequest) -> Outcome | None:
    """How the request ended, where a former process wrote that and could not say so any more."""
    if info := _own(ports, request, request.output_location):
        return Outcome("Completed", content_type=info.content_type, written=True)
    if _own(ports, request, request.failure_location):
        with closing(ports.objects.open(*s3_uris.split(request.failure_location))) as stream:
            return Outcome("Failed", reason=stream.read().decode(), written=True)
    return None


def _own(ports: Ports, request: AsyncRequest, location: str) -> ObjectInfo | None:
    if not location:
        return None
    try:
        info = ports.objects.info(*s3_uris.split(location))
    except (BucketMissing, ObjectMissing, BottegaError):
        return None
    return info if info.metadata.get(OWNER) == request.id else None


def _tried(location: str, do: Callable[[], _Found]) -> _Found:
    """Try some times what fails for reasons of the machine.

    Raises:
        TransferFailed: it cannot be done, or goes on failing.
    """
    for attempt in range(1, _TRIES + 1):
        try:
            return do()
        except BucketMissing as error:
            raise TransferFailed(f"{location}: there is no such bucket.") from error
        except ObjectMissing as error:
            raise TransferFailed(f"{location}: there is no such object.") from error
        except BottegaError as error:
            raise TransferFailed(error.message) from error
        except OSError as error:
            log.warning("%s: %s (attempt %d of %d)", location, error, attempt, _TRIES)
            if attempt == _TRIES:
                raise TransferFailed(f"{location}: {error}") from error
            time.sleep(_FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))
    raise AssertionError("not reached")


class ByteBudget:
    """How many bytes of inputs are in memory at once; who asks first gets first.

    An input larger than the whole budget is alone in memory.
    """

    def __init__(self, total: int) -> None:
        self._total = total
        self._free = total
        self._turn = asyncio.Lock()
        self._freed = asyncio.Event()

    @asynccontextmanager
    async def held(self, size: int) -> AsyncIterator[None]:
        """Wait for room for so many bytes, and keep it."""
        size = min(size, self._total)
        async with self._turn:
            while self._free < size:
                self._freed.clear()
                await self._freed.wait()
            self._free -= size
        try:
            yield
        finally:
            self._free += size
            self._freed.set()
