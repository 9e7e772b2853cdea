"""The aws-chunked coding."""

from __future__ import annotations

import base64
import io
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bottega.context import Identity
from bottega.errors import BottegaError, SignatureDoesNotMatch
from bottega.testing.s3_requests import plain_chunks, signed_chunks, signing_key
from bottega.wire.s3_chunks import (
    ChunkedBody,
    IncompleteBody,
    InvalidChunkSize,
    MalformedTrailer,
    frame_of,
)
from bottega.wire.sigv4 import PayloadForm, VerifiedSignature

SCOPE = "20130524/us-east-1/s3/aws4_request"
KEY = signing_key("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", SCOPE)
DATE = "20130524T000000Z"


def signature(form: PayloadForm, seed: str = "0" * 64) -> VerifiedSignature:
    identity = Identity("AKIAIOSFODNN7EXAMPLE", "arn:aws:iam::000000000000:root", "id")
    return VerifiedSignature(
        identity=identity,
        service="s3",
        region="us-east-1",
        payload_form=form,
        presigned=False,
        scope=SCOPE,
        amz_date=DATE,
        signing_key=KEY,
        seed_signature=seed,
    )


SIGNED = signature(PayloadForm.STREAMING_SIGNED)
SIGNED_TRAILER = signature(PayloadForm.STREAMING_SIGNED_TRAILER)
PLAIN = signature(PayloadForm.STREAMING_UNSIGNED_TRAILER)
CONTEXT: dict[str, Any] = {"key": KEY, "amz_date": DATE, "scope": SCOPE, "seed": "0" * 64}


def decoded(
    body: bytes, verified: VerifiedSignature, announced: str = ""
) -> tuple[bytes, dict[str, str]]:
    stream = io.BytesIO(body)
    frame = frame_of(stream, verified, announced=announced)
    data = ChunkedBody(stream, verified).read()
    assert len(data) == frame.size
    return data, dict(frame.trailers)


def test_the_example_of_the_documentation() -> None:
    seed = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
    one = "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"
    two = "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"
    end = "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"
    body = (
        f"10000;chunk-signature={one}\r\n{'a' * 65536}\r\n"
        f"400;chunk-signature={two}\r\n{'a' * 1024}\r\n"
        f"0;chunk-signature={end}\r\n\r\n"
    ).encode()
    verified = signature(PayloadForm.STREAMING_SIGNED, seed)
    assert decoded(body, verified) == (b"a" * 66560, {})
    context = {**CONTEXT, "seed": seed}
    assert body == signed_chunks([b"a" * 65536, b"a" * 1024], **context)


def test_the_example_with_a_trailer() -> None:
    seed = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e"
    one = "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2"
    two = "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7"
    end = "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992"
    trailer = "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435"
    body = (
        f"10000;chunk-signature={one}\r\n{'a' * 65536}\r\n"
        f"400;chunk-signature={two}\r\n{'a' * 1024}\r\n"
        f"0;chunk-signature={end}\r\n"
        f"x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:{trailer}\r\n\r\n"
    ).encode()
    verified = signature(PayloadForm.STREAMING_SIGNED_TRAILER, seed)
    data, trailers = decoded(body, verified, "x-amz-checksum-crc32c")
    assert data == b"a" * 66560
    assert trailers["x-amz-checksum-crc32c"] == "sOO8/Q=="


chunk_lists = st.lists(st.binary(min_size=1, max_size=50), max_size=6)


@given(chunk_lists, st.dictionaries(st.sampled_from(["x-amz-checksum-crc32"]), st.just("AAAAAA==")))
def test_any_chunks_without_signatures(chunks: list[bytes], trailers: dict[str, str]) -> None:
    body = plain_chunks(chunks, trailers)
    assert decoded(body, PLAIN, ",".join(trailers)) == (b"".join(chunks), trailers)


@given(chunk_lists)
def test_any_chunks_with_signatures(chunks: list[bytes]) -> None:
    body = signed_chunks(chunks, **CONTEXT)
    assert decoded(body, SIGNED) == (b"".join(chunks), {})
    crc = base64.b64encode(zlib.crc32(b"".join(chunks)).to_bytes(4, "big")).decode()
    body = signed_chunks(chunks, **CONTEXT, trailers={"x-amz-checksum-crc32": crc})
    data, trailers = decoded(body, SIGNED_TRAILER, "X-Amz-Checksum-CRC32")
    assert (data, trailers["x-amz-checksum-crc32"]) == (b"".join(chunks), crc)


@given(st.lists(st.binary(min_size=1, max_size=20), min_size=1, max_size=3), st.data())
def test_no_signed_byte_can_be_changed(chunks: list[bytes], data: st.DataObject) -> None:
    body = bytearray(
        signed_chunks(chunks, **CONTEXT, trailers={"x-amz-checksum-crc32": "AAAAAA=="})
    )
    at = data.draw(st.integers(0, len(body) - 1))
    body[at] ^= data.draw(st.integers(1, 255))
    try:
        found, trailers = decoded(bytes(body), SIGNED_TRAILER, "x-amz-checksum-crc32")
    except BottegaError:
        return
    # Upper-case digits in a size, or space around a trailer, are the same body otherwise written.
    assert found == b"".join(chunks)
    assert trailers["x-amz-checksum-crc32"] == "AAAAAA=="


@given(st.binary(max_size=200))
def test_rubbish_is_refused(body: bytes) -> None:
    for verified in (PLAIN, SIGNED, SIGNED_TRAILER):
        with pytest.raises(BottegaError):
            decoded(body + b"x", verified)


@pytest.mark.parametrize("chunks", [[], [b"abc"], [b"abc", b"defg"]])
def test_no_body_may_be_cut_off(chunks: list[bytes]) -> None:
    trailers = {"x-amz-checksum-crc32": "AAAAAA=="}
    for body, verified, announced in (
        (plain_chunks(chunks, trailers), PLAIN, "x-amz-checksum-crc32"),
        (plain_chunks(chunks, {}), PLAIN, ""),
        (signed_chunks(chunks, **CONTEXT), SIGNED, ""),
    ):
        decoded(body, verified, announced)
        for end in range(len(body)):
            with pytest.raises(IncompleteBody):
                decoded(body[:end], verified, announced)


def test_the_signatures_form_a_chain() -> None:
    body = signed_chunks([b"one", b"two"], **CONTEXT)
    first, second = b"3;chunk-signature=", b"\r\n"
    size = len(first) + 64 + len(second) + 3 + 2
    swapped = body[size : 2 * size] + body[:size] + body[2 * size :]
    with pytest.raises(SignatureDoesNotMatch):
        decoded(swapped, SIGNED)
    with pytest.raises(SignatureDoesNotMatch):
        decoded(body[size:], SIGNED)
    with pytest.raises(SignatureDoesNotMatch):
        decoded(body[:size] + body[2 * size :], SIGNED)


@pytest.mark.parametrize(
    ("body", "announced", "error"),
    [
        (b"", "", IncompleteBody),
        (b"plain bytes", "", IncompleteBody),
        (b"-3\r\nabc\r\n0\r\n\r\n", "", IncompleteBody),
        (b"3\r\nabcd\r\n0\r\n\r\n", "", IncompleteBody),
        (b"ffffffffff\r\nabc\r\n0\r\n\r\n", "", IncompleteBody),
        (b"f" * 5000, "", IncompleteBody),
        (b"3;chunk-signature=" + b"0" * 64 + b"\r\nabc\r\n0\r\n\r\n", "", IncompleteBody),
        (b"0\r\n\r\nmore", "", IncompleteBody),
        (b"0\r\nno colon\r\n\r\n", "", MalformedTrailer),
        (b"0\r\nx-amz-checksum-crc32:a\r\n\r\n", "", MalformedTrailer),
        (b"0\r\n\r\n", "x-amz-checksum-crc32", MalformedTrailer),
        (b"0\r\na:1\r\na:2\r\n\r\n", "a", MalformedTrailer),
        (b"0\r\n" + b"".join(b"a%d:1\r\n" % n for n in range(99)) + b"\r\n", "", MalformedTrailer),
        (b"1\r\na\r\n" * 10_001 + b"0\r\n\r\n", "", InvalidChunkSize),
    ],
)
def test_broken_frames(body: bytes, announced: str, error: type[BottegaError]) -> None:
    with pytest.raises(error):
        decoded(body, PLAIN, announced)
