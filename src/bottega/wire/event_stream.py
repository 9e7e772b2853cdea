"""Amazon's event stream: the frames of an answer that comes piece by piece."""

from __future__ import annotations

import json
import logging
import struct
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any
from zlib import crc32

from botocore.model import Shape

from bottega.errors import BottegaError, InternalStreamFailure

log = logging.getLogger(__name__)

CONTENT_TYPE = "application/vnd.amazon.eventstream"
_STRING = 7
"""The type of a header whose value is text."""


def frame(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One message: lengths, their checksum, headers, payload, and the checksum of all of it."""
    packed = b"".join(
        struct.pack(">B", len(name.encode()))
        + name.encode()
        + struct.pack(">BH", _STRING, len(value.encode()))
        + value.encode()
        for name, value in headers.items()
    )
    lengths = struct.pack(">II", 16 + len(packed) + len(payload), len(packed))
    message = lengths + struct.pack(">I", crc32(lengths)) + packed + payload
    return message + struct.pack(">I", crc32(message))


async def frames(
    events: AsyncGenerator[Mapping[str, Any], None], shape: Shape, request_id: str
) -> AsyncGenerator[bytes, None]:
    """The messages of a stream.

    Args:
        events: mappings of one member of the shape each, whose value has a blob as its payload.
            A refusal that they raise becomes the last message, if the shape has one of its name;
            whatever else they raise becomes an InternalStreamFailure.
        shape: of the stream.
        request_id: for the log.
    """
    members = getattr(shape, "members", {})
    try:
        async with aclosing(events):
            async for event in events:
                for name, value in event.items():
                    (payload,) = value.values()
                    yield frame(
                        {
                            ":message-type": "event",
                            ":event-type": name,
                            ":content-type": "application/octet-stream",
                        },
                        payload,
                    )
    except Exception as raised:
        error: BottegaError
        if isinstance(raised, BottegaError) and raised.code in members:
            error = raised
        else:
            log.exception("the stream of request %s broke off", request_id)
            error = InternalStreamFailure(
                f"bottega failed unexpectedly ({type(raised).__name__}); the traceback is in its "
                f"log under request {request_id}."
            )
        yield frame(
            {
                ":message-type": "exception",
                ":exception-type": error.code,
                ":content-type": "application/json",
            },
            json.dumps({"Message": error.message, **error.members}).encode(),
        )
