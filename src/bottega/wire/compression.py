"""Bodies that come compressed, as clients of CloudWatch send large batches."""

from __future__ import annotations

import zlib

from botocore.model import OperationModel

from bottega.errors import SerializationException
from bottega.wire.message import WireRequest

LARGEST = 8 * 1024**2
"""Bytes of a body once it is decompressed; CloudWatch takes 1 MB."""


def may_be_compressed(model: OperationModel) -> bool:
    """Whether an operation's model says that clients may compress its requests."""
    return "gzip" in (model.request_compression or {}).get("encodings", ())


def is_gzip(request: WireRequest) -> bool:
    """Whether a request says that its body is compressed with gzip."""
    return request.headers.get("content-encoding", "").strip().lower() == "gzip"


def decompressed(body: bytes) -> bytes:
    """What a body was before it was compressed with gzip.

    Raises:
        SerializationException: it is no gzip, cut off, or larger than :data:`LARGEST`.
    """
    unzip = zlib.decompressobj(wbits=31)
    try:
        found = unzip.decompress(body, LARGEST)
    except zlib.error as error:
        raise SerializationException(f"The body is no gzip: {error}.") from error
    if unzip.unconsumed_tail:
        raise SerializationException(
            f"The body is larger than {LARGEST} bytes once it is decompressed; send less at once."
        )
    if not unzip.eof or unzip.unused_data:
        raise SerializationException("The body is no whole gzip stream.")
    return found
