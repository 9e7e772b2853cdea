"""Requests to the S3 face that are refused, each with the right error and nothing left behind."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterator, Mapping
from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bottega.clock import SystemClock
from bottega.testing.object_bench import ObjectBench, object_bench
from bottega.testing.s3_requests import (
    chunk_signing,
    plain_chunks,
    signed,
    signed_chunks,
    with_body,
)
from bottega.wire.message import WireRequest, WireResponse

ZERO_MD5 = "A" * 22 + "=="
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
BOMB = (
    b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    b"<Delete><Object><Key>&b;&b;&b;</Key></Object></Delete>"
)


@pytest.fixture(scope="module")
def s3_bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectBench]:
    """A studio with an object, and an upload of one part."""
    with object_bench(tmp_path_factory.mktemp("s3"), SystemClock()) as bench:
        bench.call("CreateBucket", Bucket="bucket")
        bench.call("PutObject", Bucket="bucket", Key="there", Body=b"0123456789")
        yield bench


@pytest.fixture(scope="module")
def upload(s3_bench: ObjectBench) -> str:
    begun = s3_bench.call("CreateMultipartUpload", Bucket="bucket", Key="k")
    place = {"Bucket": "bucket", "Key": "k", "UploadId": begun["UploadId"]}
    for number in (1, 2):
        s3_bench.call("UploadPart", **place, PartNumber=number, Body=b"small")
    return str(begun["UploadId"])


def error_of(response: WireResponse) -> dict[str, str]:
    assert isinstance(response.body, bytes)
    root = fromstring(response.body)
    assert root.tag == "Error"
    found = {child.tag: child.text or "" for child in root}
    headers = dict(response.headers)
    assert headers["x-amz-request-id"] == found["RequestId"]
    assert headers["Content-Type"] == "application/xml"
    return found


def refused(bench: ObjectBench, request: WireRequest) -> tuple[str, int]:
    """The code and status of a refusal that changes nothing."""
    before = bench.snapshot()
    response = bench.answer(request)
    assert bench.snapshot() == before
    error = error_of(response)
    assert error["Message"]
    assert response.status < 500
    return error["Code"], response.status


@pytest.mark.parametrize(
    ("method", "target", "body", "headers", "code", "status"),
    [
        # Addresses
        ("GET", "/absent/k", b"", {}, "NoSuchBucket", 404),
        ("GET", "/bucket/absent", b"", {}, "NoSuchKey", 404),
        ("GET", "/../etc/passwd", b"", {}, "NoSuchBucket", 404),
        ("GET", "/bucket/../../../etc/passwd", b"", {}, "NoSuchKey", 404),
        ("GET", "/bucket/%2e%2e%2f%2e%2e%2fetc/passwd", b"", {}, "NoSuchKey", 404),
        ("PUT", "/..", b"", {}, "InvalidBucketName", 400),
        ("PUT", "/%2e%2e%2fbucket", b"", {}, "InvalidBucketName", 400),
        ("PUT", "/BUCKET", b"", {}, "InvalidBucketName", 400),
        ("PUT", "/bucket", b"", {}, "BucketAlreadyOwnedByYou", 409),
        ("DELETE", "/bucket", b"", {}, "BucketNotEmpty", 409),
        ("PUT", "/bucket/" + "k" * 1025, b"x", {}, "KeyTooLongError", 400),
        ("PUT", "/bucket/" + "%C3%A9" * 513, b"x", {}, "KeyTooLongError", 400),
        ("POST", "/bucket/" + "k" * 1025 + "?uploads", b"", {}, "KeyTooLongError", 400),
        ("GET", "/bucket/%ff%fe", b"", {}, "InvalidURI", 400),
        ("PUT", "/bucket/%ED%A0%80", b"x", {}, "InvalidURI", 400),
        ("PATCH", "/bucket/there", b"", {}, "MethodNotAllowed", 405),
        ("POST", "/bucket", b"x", {}, "NotImplemented", 400),
        # What is not implemented
        ("GET", "/bucket/there?tagging", b"", {}, "NotImplemented", 400),
        ("PUT", "/bucket?policy", b"{}", {}, "NotImplemented", 400),
        ("PUT", "/bucket?cors", b"<a/>", {}, "NotImplemented", 400),
        ("PUT", "/bucket/k", b"x", {"x-amz-tagging": "a=b"}, "NotImplemented", 400),
        ("PUT", "/bucket/k", b"x", {"x-amz-acl": "public-read"}, "NotImplemented", 400),
        (
            "PUT",
            "/bucket/k",
            b"x",
            {"x-amz-server-side-encryption": "aws:kms:dsse"},
            "NotImplemented",
            400,
        ),
        ("PUT", "/bucket/k", b"x", {"if-match": '"x"'}, "NotImplemented", 400),
        # Values
        ("GET", "/bucket?list-type=2&max-keys=x", b"", {}, "InvalidArgument", 400),
        ("GET", "/bucket?list-type=2&max-keys=-1", b"", {}, "InvalidArgument", 400),
        ("GET", "/bucket?list-type=2&max-keys=99999999999999", b"", {}, "InvalidArgument", 400),
        ("GET", "/bucket?list-type=2&encoding-type=rot13", b"", {}, "InvalidArgument", 400),
        ("GET", "/bucket?list-type=2&continuation-token=%00", b"", {}, "InvalidArgument", 400),
        ("GET", "/bucket?list-type=2&fetch-owner=maybe", b"", {}, "InvalidArgument", 400),
        ("GET", "/bucket/there?versionId=1", b"", {}, "InvalidArgument", 400),
        ("GET", "/bucket/there", b"", {"range": "bytes=10-"}, "InvalidRange", 416),
        ("GET", "/bucket/there", b"", {"if-match": '"x"'}, "PreconditionFailed", 412),
        ("GET", "/bucket/there", b"", {"if-modified-since": "someday"}, "InvalidArgument", 400),
        ("PUT", "/bucket/k", b"x", {"expires": "0"}, "InvalidArgument", 400),
        ("PUT", "/bucket/there", b"x", {"if-none-match": "*"}, "PreconditionFailed", 412),
        ("PUT", "/bucket/k", b"x", {"x-amz-copy-source": "bucket"}, "InvalidArgument", 400),
        ("PUT", "/bucket/k", b"", {"x-amz-copy-source": "bucket/../x"}, "NoSuchKey", 404),
        ("PUT", "/bucket/k", b"", {"x-amz-copy-source": "bucket/%ff"}, "InvalidArgument", 400),
        ("PUT", "/bucket/k", b"x", {"x-amz-meta-a": "x" * 2100}, "MetadataTooLarge", 400),
        (
            *("PUT", "/bucket/k", b"x", {"x-amz-expected-bucket-owner": "111122223333"}),
            *("AccessDenied", 403),
        ),
        # Checksums
        ("PUT", "/bucket/k", b"x", {"content-md5": ZERO_MD5}, "BadDigest", 400),
        ("PUT", "/bucket/k", b"x", {"content-md5": "no"}, "InvalidDigest", 400),
        ("PUT", "/bucket/k", b"x", {"x-amz-checksum-crc32": "AAAAAA=="}, "BadDigest", 400),
        (
            "PUT",
            "/bucket/k",
            b"x" * 100_000,
            {"x-amz-checksum-sha256": "A" * 43 + "="},
            "BadDigest",
            400,
        ),
        ("PUT", "/bucket/k", b"x", {"x-amz-checksum-sha1": "short"}, "InvalidRequest", 400),
        # Documents
        ("POST", "/bucket?delete", b"", {}, "MalformedXML", 400),
        ("POST", "/bucket?delete", b"{}", {}, "MalformedXML", 400),
        ("POST", "/bucket?delete", b"<Delete><Object>", {}, "MalformedXML", 400),
        ("POST", "/bucket?delete", b"<Delete></Delete>", {}, "InvalidArgument", 400),
        ("POST", "/bucket?delete", b"<Delete><Object/></Delete>", {}, "InvalidArgument", 400),
        ("POST", "/bucket?delete", BOMB, {}, "MalformedXML", 400),
        ("POST", "/bucket?delete", b"<Delete>" + b" " * 9_000_000, {}, "MalformedXML", 400),
        (
            *("POST", "/bucket?delete", b"<Delete><Object><Key>there</Key></Object></Delete>"),
            *({"content-md5": ZERO_MD5}, "BadDigest", 400),
        ),
        (
            *("POST", "/bucket?delete", b"<Delete><Object><Key>there</Key></Object></Delete>"),
            *({"x-amz-checksum-crc32": "AAAAAA=="}, "BadDigest", 400),
        ),
        (
            *("POST", "/bucket?delete", b"<Delete><Object><Key>there</Key></Object></Delete>"),
            *({"content-md5": "?"}, "InvalidRequest", 400),
        ),
        (
            *("POST", "/bucket?delete"),
            b"<Delete>" + b"<Object><Key>there</Key></Object>" * 1001 + b"</Delete>",
            *({}, "MalformedXML", 400),
        ),
        (
            *("PUT", "/other-bucket"),
            b"<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint>"
            b"</CreateBucketConfiguration>",
            *({}, "IllegalLocationConstraintException", 400),
        ),
        # Uploads
        ("PUT", "/bucket/k?partNumber=1&uploadId=no", b"x", {}, "NoSuchUpload", 404),
        ("PUT", "/bucket/k?partNumber=1&uploadId=..%2F..%2Fx", b"x", {}, "NoSuchUpload", 404),
        ("GET", "/bucket/k?uploadId=no", b"", {}, "NoSuchUpload", 404),
        ("DELETE", "/bucket/k?uploadId=no", b"", {}, "NoSuchUpload", 404),
        ("PUT", "/bucket/other?partNumber=1&uploadId=UPLOAD", b"x", {}, "NoSuchUpload", 404),
        ("PUT", "/bucket/k?partNumber=0&uploadId=UPLOAD", b"x", {}, "InvalidArgument", 400),
        ("PUT", "/bucket/k?partNumber=10001&uploadId=UPLOAD", b"x", {}, "InvalidArgument", 400),
        ("PUT", "/bucket/k?partNumber=one&uploadId=UPLOAD", b"x", {}, "InvalidArgument", 400),
        (
            *("PUT", "/bucket/k?partNumber=1&uploadId=UPLOAD", b"x", {"content-md5": ZERO_MD5}),
            *("BadDigest", 400),
        ),
        ("POST", "/bucket/k?uploadId=UPLOAD", b"", {}, "MalformedXML", 400),
        ("POST", "/bucket/k?uploadId=UPLOAD", b"PARTS 3", {}, "InvalidPart", 400),
        ("POST", "/bucket/k?uploadId=UPLOAD", b"PARTS 2 1", {}, "InvalidPartOrder", 400),
        ("POST", "/bucket/k?uploadId=UPLOAD", b"PARTS 1 2", {}, "EntityTooSmall", 400),
        ("POST", "/bucket/k?uploadId=UPLOAD", b"PARTS x", {}, "MalformedXML", 400),
    ],
)
def test_bad_requests(
    s3_bench: ObjectBench,
    upload: str,
    method: str,
    target: str,
    body: bytes,
    headers: Mapping[str, str],
    code: str,
    status: int,
) -> None:
    if body.startswith(b"PARTS"):
        body = _completion(body.split()[1:])
    request = signed(s3_bench, method, target.replace("UPLOAD", upload), body, headers)
    assert refused(s3_bench, request) == (code, status)


def _completion(numbers: list[bytes]) -> bytes:
    etag = b"eb5c1399a871211c7e7ed732d15e3a8b"  # of "small"
    parts = b"".join(
        b"<Part><PartNumber>%s</PartNumber><ETag>%s</ETag></Part>" % (number, etag)
        for number in numbers
    )
    return b"<CompleteMultipartUpload>" + parts + b"</CompleteMultipartUpload>"


def test_bodies_that_were_changed(s3_bench: ObjectBench) -> None:
    request = with_body(signed(s3_bench, "PUT", "/bucket/k", b"signed"), b"other!")
    assert refused(s3_bench, request) == ("XAmzContentSHA256Mismatch", 400)


def test_requests_without_a_signature(s3_bench: ObjectBench) -> None:
    for method in ("GET", "PUT", "DELETE"):
        request = WireRequest(method, "/bucket/there", "", {"host": "127.0.0.1:9999"})
        assert refused(s3_bench, request) == ("AccessDenied", 403)


@pytest.mark.parametrize("target", ["/bucket/absent", "/absent", "/absent/k", "/bucket/%ff"])
def test_refusals_of_head_have_no_body(s3_bench: ObjectBench, target: str) -> None:
    response = s3_bench.answer(signed(s3_bench, "HEAD", target))
    assert response.body == b""
    assert response.status == (400 if "%ff" in target else 404)


def test_what_has_not_changed_is_not_sent(s3_bench: ObjectBench) -> None:
    etag = s3_bench.call("HeadObject", Bucket="bucket", Key="there")["ETag"]
    response = s3_bench.answer(
        signed(s3_bench, "GET", "/bucket/there", headers={"if-none-match": etag})
    )
    assert (response.status, response.body) == (304, b"")
    assert dict(response.headers)["ETag"] == etag


def test_nothing_ends_a_header_early(s3_bench: ObjectBench) -> None:
    s3_bench.call(
        "PutObject",
        Bucket="bucket",
        Key="there",
        Body=b"0123456789",
        ContentType="text/plain\r\nX-Injected: 1",
        Metadata={"note": "日本\n", "latin": "\xe9"},
    )
    response = s3_bench.answer(signed(s3_bench, "HEAD", "/bucket/there"))
    assert response.status == 200
    for name, value in response.headers:
        value.encode("latin-1")
        assert "\n" not in name + value
        assert "\r" not in name + value
    assert dict(response.headers)["x-amz-meta-latin"] == "\xe9"


# Streamed bodies


def streamed(
    bench: ObjectBench, size: int, payload: str, headers: Mapping[str, str] | None = None
) -> WireRequest:
    """A signed request for a body that is still to come."""
    named = {"x-amz-decoded-content-length": str(size), "content-encoding": "aws-chunked"}
    named |= headers or {}
    return signed(bench, "PUT", "/bucket/streamed", b"", named, payload=payload)


def crc32(data: bytes) -> str:
    return base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()


DATA = b"chunk" * 20_000


@pytest.mark.parametrize("payload", [UNSIGNED_TRAILER, SIGNED, SIGNED + "-TRAILER"])
def test_streamed_bodies_are_stored(s3_bench: ObjectBench, payload: str) -> None:
    chunks = [DATA[:65_536], DATA[65_536:]]
    trailers = {"x-amz-checksum-crc32": crc32(DATA)} if "TRAILER" in payload else {}
    headers = {"content-encoding": "aws-chunked,gzip", "content-type": "text/plain"}
    if trailers:
        headers["x-amz-trailer"] = "x-amz-checksum-crc32"
    request = streamed(s3_bench, len(DATA), payload, headers)
    if payload == UNSIGNED_TRAILER:
        body = plain_chunks(chunks, trailers)
    else:
        signing = chunk_signing(s3_bench, request)
        body = signed_chunks(chunks, **signing, trailers=trailers or None)
    response = s3_bench.answer(with_body(request, body))
    assert response.status == 200, response.body
    headers_back = dict(response.headers)
    assert headers_back.get("x-amz-checksum-crc32") == trailers.get("x-amz-checksum-crc32")
    stored = s3_bench.call("GetObject", Bucket="bucket", Key="streamed")
    with stored["Body"] as stream:
        assert stream.read() == DATA
    assert (stored["ContentEncoding"], stored["ContentType"]) == ("gzip", "text/plain")
    s3_bench.call("DeleteObject", Bucket="bucket", Key="streamed")


def test_streamed_bodies_with_a_wrong_checksum(s3_bench: ObjectBench) -> None:
    headers = {"x-amz-trailer": "x-amz-checksum-crc32"}
    request = streamed(s3_bench, len(DATA), UNSIGNED_TRAILER, headers)
    body = plain_chunks([DATA], {"x-amz-checksum-crc32": crc32(b"other")})
    assert refused(s3_bench, with_body(request, body)) == ("BadDigest", 400)


def test_streamed_bodies_of_another_length(s3_bench: ObjectBench) -> None:
    for size in (len(DATA) - 1, len(DATA) + 1):
        request = streamed(s3_bench, size, UNSIGNED_TRAILER)
        body = plain_chunks([DATA], {})
        assert refused(s3_bench, with_body(request, body)) == ("IncompleteBody", 400)


@pytest.mark.parametrize("end", [0, 3, 1000, -2, -1])
def test_streamed_bodies_that_are_cut_off(s3_bench: ObjectBench, end: int) -> None:
    request = streamed(s3_bench, len(DATA), UNSIGNED_TRAILER)
    body = plain_chunks([DATA], {})[:end]
    assert refused(s3_bench, with_body(request, body)) == ("IncompleteBody", 400)


@pytest.mark.parametrize("position", [100, 70_000, 99_000])
def test_streamed_bodies_that_were_changed(s3_bench: ObjectBench, position: int) -> None:
    request = streamed(s3_bench, len(DATA), SIGNED)
    chunks = [DATA[:65_536], DATA[65_536:]]
    body = bytearray(signed_chunks(chunks, **chunk_signing(s3_bench, request)))
    body[position] ^= 1
    assert refused(s3_bench, with_body(request, bytes(body))) == ("SignatureDoesNotMatch", 403)


def test_chunks_signed_with_another_key(s3_bench: ObjectBench) -> None:
    request = streamed(s3_bench, len(DATA), SIGNED)
    signing = {**chunk_signing(s3_bench, request), "key": bytes(32)}
    body = signed_chunks([DATA], **signing)
    assert refused(s3_bench, with_body(request, body)) == ("SignatureDoesNotMatch", 403)


def test_chunks_that_are_not_announced(s3_bench: ObjectBench) -> None:
    body = plain_chunks([DATA], {})
    request = signed(s3_bench, "PUT", "/bucket/k", body, {"content-encoding": "aws-chunked"})
    assert refused(s3_bench, request) == ("InvalidRequest", 400)


@settings(
    deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    method=st.sampled_from(["GET", "HEAD", "PUT", "POST", "DELETE"]),
    path=st.text("/bucket%2Fthere.", max_size=20),
    query=st.sampled_from(
        ["", "delete", "uploads", "list-type=2", "uploadId=x", "partNumber=1&uploadId=x", "acl"]
    ),
    body=st.binary(max_size=40),
    header=st.sampled_from(
        ["range", "if-match", "content-md5", "x-amz-copy-source", "x-amz-checksum-crc32", "expires"]
    ),
    value=st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20),
)
def test_no_request_makes_it_fail(
    s3_bench: ObjectBench,
    method: str,
    path: str,
    query: str,
    body: bytes,
    header: str,
    value: str,
) -> None:
    target = f"/{path}?{query}" if query else f"/{path}"
    response = s3_bench.answer(signed(s3_bench, method, target, body, {header: value}))
    assert response.status < 500
    if not isinstance(response.body, bytes):
        response.body.close()
