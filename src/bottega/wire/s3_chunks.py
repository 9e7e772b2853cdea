"""The aws-chunked coding: a body in chunks, with signatures and trailing checksums if asked for.

A body is looked through once for its frame alone (:func:`frame_of`), which finds the trailers
without touching the data, and then read as a plain stream (:class:`ChunkedBody`), which checks each
chunk's signature as it goes by. Nothing is copied to the side.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from bottega.errors import ClientFault, SignatureDoesNotMatch
from bottega.wire.sigv4 import PayloadForm, VerifiedSignature

_HEADER = re.compile(rb"([0-9a-fA-F]{1,10})(?:;chunk-signature=([0-9a-f]{64}))?\r\n")
_LONGEST_LINE = 4096
_MOST_TRAILERS = 16
_SMALL_CHUNK = 8 * 1024
_MOST_SMALL_CHUNKS = 10_000
_EMPTY_HASH = hashlib.sha256(b"").hexdigest()
_SIGNED = (PayloadForm.STREAMING_SIGNED, PayloadForm.STREAMING_SIGNED_TRAILER)


class IncompleteBody(ClientFault):
    """The body ends before it says it does, or is no aws-chunked body."""

    code = "IncompleteBody"


class InvalidChunkSize(ClientFault):
    """A flood of tiny chunks."""

    code = "InvalidChunkSizeError"


class MalformedTrailer(ClientFault):
    """The trailers are not those that the headers announce."""

    code = "MalformedTrailerError"


@dataclass(frozen=True)
class Frame:
    """What an aws-chunked body holds besides its data."""

    size: int
    """Bytes of data."""
    trailers: Mapping[str, str]
    """Names in lower case."""


def frame_of(body: BinaryIO, signature: VerifiedSignature, *, announced: str) -> Frame:
    """Look through the frame of a body, and check its trailers.

    Args:
        body: seekable; where it stands afterwards is undefined.
        signature: the request's own.
        announced: the ``x-amz-trailer`` header.

    Raises:
        IncompleteBody, InvalidChunkSize, MalformedTrailer: the frame is broken.
        SignatureDoesNotMatch: the trailers are signed otherwise.
    """
    signed = signature.payload_form in _SIGNED
    body.seek(0)
    previous, size, small = signature.seed_signature, 0, 0
    while True:
        length, given = _chunk_header(body, signed=signed)
        previous = given
        if length == 0:
            break
        small += length < _SMALL_CHUNK
        if small > _MOST_SMALL_CHUNKS:
            raise InvalidChunkSize(
                f"Only the last chunk is allowed to have a size less than {_SMALL_CHUNK} bytes."
            )
        size += length
        body.seek(length, io.SEEK_CUR)
        _line_end(body)
    trailers = _trailers(body)
    if signature.payload_form is PayloadForm.STREAMING_SIGNED_TRAILER:
        _check_trailers(trailers, previous, signature)
    names = {name.strip().lower() for name in announced.split(",") if name.strip()}
    if set(trailers) - {"x-amz-trailer-signature"} != names:
        raise MalformedTrailer(
            f"The trailers are {sorted(trailers)}; the header x-amz-trailer announces "
            f"{sorted(names)}."
        )
    return Frame(size, trailers)


class ChunkedBody(io.RawIOBase):
    """The data of an aws-chunked body whose frame has been looked through.

    Reading raises SignatureDoesNotMatch where a chunk is not signed as it should be; until the end
    has been read nothing of the data may be believed.
    """

    def __init__(self, body: BinaryIO, signature: VerifiedSignature) -> None:
        super().__init__()
        self._body = body
        self._signature = signature
        self._signed = signature.payload_form in _SIGNED
        self._previous = signature.seed_signature
        self._given = ""
        self._left = 0
        self._digest = hashlib.sha256()
        self._ended = False
        body.seek(0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._left == 0 and not self._ended:
            self._next_chunk()
        if self._ended:
            return 0
        data = self._body.read(min(self._left, len(buffer)))
        if not data:
            raise IncompleteBody("The body ends within a chunk.")
        buffer[: len(data)] = data
        if self._signed:
            self._digest.update(data)
        self._left -= len(data)
        if self._left == 0:
            self._check_chunk()
            _line_end(self._body)
        return len(data)

    def _next_chunk(self) -> None:
        self._left, self._given = _chunk_header(self._body, signed=self._signed)
        self._digest = hashlib.sha256()
        if self._left == 0:
            self._check_chunk()
            self._ended = True

    def _check_chunk(self) -> None:
        if not self._signed:
            return
        signature = self._signature
        text = "\n".join(
            (
                "AWS4-HMAC-SHA256-PAYLOAD",
                signature.amz_date,
                signature.scope,
                self._previous,
                _EMPTY_HASH,
                self._digest.hexdigest(),
            )
        )
        _check(text, self._given, signature, "chunk")
        self._previous = self._given


def _chunk_header(body: BinaryIO, *, signed: bool) -> tuple[int, str]:
    match = _HEADER.fullmatch(body.readline(_LONGEST_LINE))
    if not match or (match[2] is None) is signed:
        wanted = "size;chunk-signature=signature" if signed else "size"
        raise IncompleteBody(
            f"The request body terminated unexpectedly, or a chunk does not begin with {wanted}."
        )
    return int(match[1], 16), (match[2] or b"").decode()


def _line_end(body: BinaryIO) -> None:
    if body.read(2) != b"\r\n":
        raise IncompleteBody("The request body ends within a chunk, or a chunk is too long.")


def _trailers(body: BinaryIO) -> dict[str, str]:
    found: dict[str, str] = {}
    while True:
        line = body.readline(_LONGEST_LINE)
        if line == b"\r\n":
            if body.read(1):
                raise IncompleteBody("The body goes on after its last chunk.")
            return found
        if not line.endswith(b"\n"):
            raise IncompleteBody("The request body ends within its trailers.")
        name, colon, value = line.decode("latin-1").partition(":")
        name = name.strip().lower()
        if not colon or name in found or len(found) >= _MOST_TRAILERS:
            raise MalformedTrailer("The request contained trailing data that was not well-formed.")
        found[name] = value.strip()


def _check_trailers(
    trailers: Mapping[str, str], previous: str, signature: VerifiedSignature
) -> None:
    block = "".join(
        f"{name}:{value}\n"
        for name, value in sorted(trailers.items())
        if name != "x-amz-trailer-signature"
    )
    text = "\n".join(
        (
            "AWS4-HMAC-SHA256-TRAILER",
            signature.amz_date,
            signature.scope,
            previous,
            hashlib.sha256(block.encode("latin-1")).hexdigest(),
        )
    )
    _check(text, trailers.get("x-amz-trailer-signature", ""), signature, "trailer")


def _check(text: str, given: str, signature: VerifiedSignature, what: str) -> None:
    expected = hmac.digest(signature.signing_key, text.encode(), "sha256").hex()
    if not hmac.compare_digest(expected.encode(), given.encode()):
        raise SignatureDoesNotMatch(
            f"The {what} signature we calculated does not match the one you provided: the body was "
            "changed on its way, or signed with another key."
        )
