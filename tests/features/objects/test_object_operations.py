"""Objects and listings."""

from __future__ import annotations

import base64
import hashlib
import io
import zlib
from typing import Any

import pytest

from bottega.clock import ManualClock
from bottega.errors import BottegaError
from bottega.testing.object_bench import ObjectBench


def refusal(bench: ObjectBench, operation: str, **request: object) -> BottegaError:
    """The error of a request that must be refused and change nothing."""
    before = bench.snapshot()
    with pytest.raises(BottegaError) as caught:
        bench.call(operation, Bucket="bucket", **request)
    assert bench.snapshot() == before
    return caught.value


def put(bench: ObjectBench, key: str, body: bytes = b"x", **more: Any) -> Any:
    return bench.call("PutObject", Bucket="bucket", Key=key, Body=body, **more)


def get(bench: ObjectBench, key: str, **more: Any) -> bytes:
    response = bench.call("GetObject", Bucket="bucket", Key=key, **more)
    with response["Body"] as stream:
        data: bytes = stream.read()
    assert len(data) == response["ContentLength"]
    return data


def crc32(data: bytes) -> str:
    return base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()


def test_an_object_from_beginning_to_end(bench: ObjectBench, clock: ManualClock) -> None:
    body = b"some,rows\n" * 10_000
    described = {
        "ContentType": "text/csv",
        "ContentEncoding": "identity",
        "CacheControl": "no-cache",
        "ContentDisposition": "inline",
        "ContentLanguage": "it",
        "Expires": 1_800_000_000.0,
        "Metadata": {"owner": "me"},
    }
    stored = bench.call("PutObject", Bucket="bucket", Key="k", Body=io.BytesIO(body), **described)
    etag = f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'
    assert stored == {"ETag": etag}
    head = bench.call("HeadObject", Bucket="bucket", Key="k")
    assert head == described | {
        "AcceptRanges": "bytes",
        "ContentLength": len(body),
        "ETag": etag,
        "LastModified": clock.now(),
    }
    response = dict(bench.call("GetObject", Bucket="bucket", Key="k"))
    with response.pop("Body") as stream:
        assert stream.read() == body
    assert response == head
    assert bench.call("DeleteObject", Bucket="bucket", Key="k") == {}
    assert refusal(bench, "GetObject", Key="k").code == "NoSuchKey"
    assert bench.call("DeleteObject", Bucket="bucket", Key="k") == {}


def test_checksums_are_kept_and_shown_when_asked(bench: ObjectBench) -> None:
    answer = put(bench, "k", b"abc", ChecksumCRC32=crc32(b"abc"))
    assert answer["ChecksumCRC32"] == crc32(b"abc")
    shown = bench.call("HeadObject", Bucket="bucket", Key="k", ChecksumMode="ENABLED")
    assert shown["ChecksumCRC32"] == crc32(b"abc")
    assert shown["ChecksumType"] == "FULL_OBJECT"
    assert "ChecksumCRC32" not in bench.call("HeadObject", Bucket="bucket", Key="k")
    part = bench.call(
        "HeadObject", Bucket="bucket", Key="k", ChecksumMode="ENABLED", Range="bytes=0-1"
    )
    assert "ChecksumCRC32" not in part


@pytest.mark.parametrize(
    ("asked", "expected", "content_range"),
    [
        ("bytes=0-3", b"0123", "bytes 0-3/10"),
        ("bytes=8-", b"89", "bytes 8-9/10"),
        ("bytes=-3", b"789", "bytes 7-9/10"),
        ("bytes=-30", b"0123456789", "bytes 0-9/10"),
        ("bytes=5-500", b"56789", "bytes 5-9/10"),
        ("bytes=0-0,2-3", b"0123456789", None),
        ("bytes=3-2", b"0123456789", None),
        ("bytes=-", b"0123456789", None),
        ("lines=1-2", b"0123456789", None),
        ("bytes=a-b", b"0123456789", None),
    ],
)
def test_ranges(bench: ObjectBench, asked: str, expected: bytes, content_range: str | None) -> None:
    put(bench, "k", b"0123456789")
    assert get(bench, "k", Range=asked) == expected
    head = bench.call("HeadObject", Bucket="bucket", Key="k", Range=asked)
    assert head.get("ContentRange") == content_range
    assert head["ContentLength"] == len(expected)


@pytest.mark.parametrize("asked", ["bytes=10-", "bytes=10-20", "bytes=-0"])
def test_ranges_beyond_the_end(bench: ObjectBench, asked: str) -> None:
    put(bench, "k", b"0123456789")
    error = refusal(bench, "GetObject", Key="k", Range=asked)
    assert (error.code, error.status) == ("InvalidRange", 416)
    assert error.members["ActualObjectSize"] == "10"
    put(bench, "k", b"")
    assert refusal(bench, "GetObject", Key="k", Range=asked).code == "InvalidRange"
    assert get(bench, "k") == b""


def test_conditions(bench: ObjectBench, clock: ManualClock) -> None:
    etag = put(bench, "k")["ETag"]
    now = clock.now()
    for condition, code in (
        ({"IfMatch": etag}, ""),
        ({"IfMatch": "*"}, ""),
        ({"IfMatch": f'"other", {etag}'}, ""),
        ({"IfMatch": '"other"'}, "PreconditionFailed"),
        ({"IfNoneMatch": '"other"'}, ""),
        ({"IfNoneMatch": etag}, "NotModified"),
        ({"IfNoneMatch": "*"}, "NotModified"),
        ({"IfModifiedSince": now - 1}, ""),
        ({"IfModifiedSince": now}, "NotModified"),
        ({"IfUnmodifiedSince": now}, ""),
        ({"IfUnmodifiedSince": now - 1}, "PreconditionFailed"),
        ({"IfMatch": etag, "IfUnmodifiedSince": now - 1}, ""),
        ({"IfNoneMatch": '"other"', "IfModifiedSince": now}, ""),
    ):
        for operation in ("GetObject", "HeadObject"):
            if code:
                error = refusal(bench, operation, Key="k", **condition)
                assert error.code == code, condition
                assert error.status == {"NotModified": 304, "PreconditionFailed": 412}[code]
            else:
                response = bench.call(operation, Bucket="bucket", Key="k", **condition)
                if "Body" in response:
                    response["Body"].close()


def test_overrides_of_what_is_described(bench: ObjectBench) -> None:
    put(bench, "k")
    response = bench.call(
        "HeadObject",
        Bucket="bucket",
        Key="k",
        ResponseContentType="text/html",
        ResponseContentDisposition="attachment",
    )
    assert response["ContentType"] == "text/html"
    assert response["ContentDisposition"] == "attachment"


def test_a_write_for_a_new_key_only(bench: ObjectBench) -> None:
    put(bench, "k", b"first", IfNoneMatch="*")
    error = refusal(bench, "PutObject", Key="k", Body=b"second", IfNoneMatch="*")
    assert (error.code, error.status) == ("PreconditionFailed", 412)
    error = refusal(bench, "PutObject", Key="k", Body=b"second", IfNoneMatch='"etag"')
    assert error.code == "InvalidArgument"


def test_copies(bench: ObjectBench, clock: ManualClock) -> None:
    put(bench, "a b+c/é", b"data", ContentType="text/csv", Metadata={"m": "1"})
    bench.call("CreateBucket", Bucket="other")
    clock.advance(5)
    etag = f'"{hashlib.md5(b"data", usedforsecurity=False).hexdigest()}"'
    copied = bench.call("CopyObject", Bucket="other", Key="k", CopySource="bucket/a%20b%2Bc/%C3%A9")
    assert copied == {"CopyObjectResult": {"ETag": etag, "LastModified": clock.now()}}
    head = bench.call("HeadObject", Bucket="other", Key="k")
    assert (head["ContentType"], head["Metadata"]) == ("text/csv", {"m": "1"})
    bench.call(
        "CopyObject",
        Bucket="other",
        Key="k",
        CopySource="/other/k",
        MetadataDirective="REPLACE",
        Metadata={"n": "2"},
    )
    head = bench.call("HeadObject", Bucket="other", Key="k")
    assert (head["ContentType"], head["Metadata"]) == ("binary/octet-stream", {"n": "2"})


def test_copies_that_are_refused(bench: ObjectBench, clock: ManualClock) -> None:
    etag = put(bench, "k")["ETag"]
    for request, code in (
        ({"CopySource": "bucket/k"}, "InvalidRequest"),
        ({"CopySource": "bucket/absent", "Key": "l"}, "NoSuchKey"),
        ({"CopySource": "absent/k", "Key": "l"}, "NoSuchBucket"),
        ({"CopySource": "bucket", "Key": "l"}, "ValidationException"),
        ({"CopySource": "/bucket/", "Key": "l"}, "ValidationException"),
        ({"CopySource": "//key", "Key": "l"}, "InvalidArgument"),
        ({"CopySource": "bucket/%ff", "Key": "l"}, "InvalidArgument"),
        ({"CopySource": "bucket/k?versionId=abc", "Key": "l"}, "InvalidArgument"),
        ({"CopySource": "bucket/k", "Key": "l", "CopySourceIfMatch": "no"}, "PreconditionFailed"),
        (
            {"CopySource": "bucket/k", "Key": "l", "CopySourceIfNoneMatch": etag},
            "PreconditionFailed",
        ),
        (
            {"CopySource": "bucket/k", "Key": "l", "CopySourceIfModifiedSince": clock.now()},
            "PreconditionFailed",
        ),
        (
            {"CopySource": "bucket/k", "Key": "l", "ExpectedSourceBucketOwner": "111122223333"},
            "AccessDenied",
        ),
        ({"CopySource": "bucket/k", "Key": "l", "StorageClass": "GLACIER"}, "NotImplemented"),
    ):
        error = refusal(bench, "CopyObject", **{"Key": "k", **request})
        assert error.code == code, request


def test_deleting_several(bench: ObjectBench) -> None:
    for key in ("a", "b", "c"):
        put(bench, key)
    wanted = [{"Key": "a"}, {"Key": "absent"}, {"Key": "b", "VersionId": "v1"}]
    wanted.append({"Key": "c", "ETag": "x"})
    response = bench.call("DeleteObjects", Bucket="bucket", Delete={"Objects": wanted})
    assert response["Deleted"] == [{"Key": "a"}, {"Key": "absent"}]
    assert [(e["Key"], e["Code"]) for e in response["Errors"]] == [
        ("b", "NoSuchVersion"),
        ("c", "NotImplemented"),
    ]
    quiet = {"Objects": [{"Key": "b"}, {"Key": "c", "VersionId": "null"}], "Quiet": True}
    assert bench.call("DeleteObjects", Bucket="bucket", Delete=quiet) == {}
    assert bench.call("ListObjectsV2", Bucket="bucket")["KeyCount"] == 0


@pytest.mark.parametrize(
    ("operation", "request_", "code"),
    [
        ("PutObject", {"Key": "é" * 513, "Body": b""}, "KeyTooLongError"),
        ("PutObject", {"Key": "k", "Body": b"", "ContentMD5": "AAAA"}, "InvalidDigest"),
        ("PutObject", {"Key": "k", "Body": b"", "ContentMD5": "!"}, "InvalidDigest"),
        ("PutObject", {"Key": "k", "Body": b"", "ContentMD5": "A" * 22 + "=="}, "BadDigest"),
        ("PutObject", {"Key": "k", "Body": b"", "ChecksumCRC32": "AAAA"}, "InvalidRequest"),
        ("PutObject", {"Key": "k", "Body": b"x", "ChecksumCRC32": "AAAAAA=="}, "BadDigest"),
        ("PutObject", {"Key": "k", "Body": b"", "Metadata": {"a": "x" * 2048}}, "MetadataTooLarge"),
        (
            "PutObject",
            {"Key": "k", "Body": b"", "ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "mine"},
            "NotImplemented",
        ),
        (
            "PutObject",
            {"Key": "k", "Body": b"", "ServerSideEncryption": "aws:kms:dsse"},
            "NotImplemented",
        ),
        ("PutObject", {"Key": "k", "Body": b"", "ACL": "public-read"}, "NotImplemented"),
        ("PutObject", {"Key": "k", "Body": b"", "Tagging": "a=b"}, "NotImplemented"),
        ("PutObject", {"Key": "k", "Body": b"", "IfMatch": "x"}, "NotImplemented"),
        ("GetObject", {"Key": "there", "VersionId": "abc"}, "InvalidArgument"),
        ("GetObject", {"Key": "there", "PartNumber": 1}, "NotImplemented"),
        ("GetObject", {"Key": "absent"}, "NoSuchKey"),
        ("HeadObject", {"Key": "absent"}, "NoSuchKey"),
        ("DeleteObject", {"Key": "there", "VersionId": "abc"}, "InvalidArgument"),
        ("DeleteObject", {"Key": "there", "IfMatch": "x"}, "NotImplemented"),
        ("DeleteObjects", {"Delete": {"Objects": []}}, "MalformedXML"),
        ("DeleteObjects", {"Delete": {"Objects": [{"Key": "k"}] * 1001}}, "MalformedXML"),
        ("ListObjectsV2", {"MaxKeys": -1}, "InvalidArgument"),
        ("ListObjectsV2", {"ContinuationToken": "no token"}, "InvalidArgument"),
        ("ListObjectsV2", {"ContinuationToken": "gg=="}, "InvalidArgument"),
        ("GetObjectTagging", {"Key": "there"}, "UnknownOperationException"),
        ("PutObjectTagging", {"Key": "there"}, "UnknownOperationException"),
    ],
)
def test_what_is_refused(
    bench: ObjectBench, operation: str, request_: dict[str, Any], code: str
) -> None:
    put(bench, "there")
    error = refusal(bench, operation, **request_)
    assert error.code == code
    assert error.status < 500
    if "mplement" in code:
        assert "docs/coverage.md" in error.message


@pytest.mark.parametrize("encryption", ["AES256", "aws:kms"])
def test_encryption_without_a_key_is_taken_and_not_claimed(
    bench: ObjectBench, encryption: str
) -> None:
    """Both SDKs ask for it with every archive they upload."""
    wanted = {"Bucket": "bucket", "ServerSideEncryption": encryption}
    put = bench.call("PutObject", Key="k", Body=b"text", **wanted)
    bench.call("CopyObject", Key="copy", CopySource="bucket/k", **wanted)
    upload = bench.call("CreateMultipartUpload", Key="parts", **wanted)
    read = bench.call("GetObject", Bucket="bucket", Key="copy")
    assert read["Body"].read() == b"text"
    for answer in (put, upload, read):
        assert "ServerSideEncryption" not in answer


def test_a_bucket_that_is_not_there(bench: ObjectBench) -> None:
    for operation, more in (
        ("PutObject", {"Key": "k", "Body": b""}),
        ("GetObject", {"Key": "k"}),
        ("DeleteObject", {"Key": "k"}),
        ("ListObjectsV2", {}),
        ("CopyObject", {"Key": "k", "CopySource": "bucket/there"}),
        ("CreateMultipartUpload", {"Key": "k"}),
    ):
        put(bench, "there")
        with pytest.raises(BottegaError) as caught:
            bench.call(operation, Bucket="absent", **more)
        assert (caught.value.code, caught.value.status) == ("NoSuchBucket", 404)
        assert caught.value.members["BucketName"] == "absent"


def test_listing_in_pages(bench: ObjectBench, clock: ManualClock) -> None:
    for key in ("a", "b/1", "b/2", "c d", "e"):
        put(bench, key, ChecksumCRC32=crc32(b"x"))
    first = bench.call("ListObjectsV2", Bucket="bucket", Delimiter="/", MaxKeys=2, FetchOwner=True)
    assert [each["Key"] for each in first["Contents"]] == ["a"]
    assert first["CommonPrefixes"] == [{"Prefix": "b/"}]
    assert (first["KeyCount"], first["MaxKeys"], first["IsTruncated"]) == (2, 2, True)
    entry = first["Contents"][0]
    assert (entry["Size"], entry["LastModified"]) == (1, clock.now())
    assert entry["ChecksumAlgorithm"] == ["CRC32"]
    assert entry["Owner"]["ID"]
    second = bench.call(
        "ListObjectsV2",
        Bucket="bucket",
        Delimiter="/",
        ContinuationToken=first["NextContinuationToken"],
        EncodingType="url",
    )
    assert [each["Key"] for each in second["Contents"]] == ["c%20d", "e"]
    assert second["IsTruncated"] is False
    assert "NextContinuationToken" not in second
    old = bench.call("ListObjects", Bucket="bucket", Delimiter="/", MaxKeys=2)
    assert old["NextMarker"] == "b/"
    rest = bench.call("ListObjects", Bucket="bucket", Delimiter="/", Marker="b/")
    assert [each["Key"] for each in rest["Contents"]] == ["c d", "e"]
    after = bench.call("ListObjectsV2", Bucket="bucket", StartAfter="b/1", Prefix="b")
    assert [each["Key"] for each in after["Contents"]] == ["b/2"]
    none = bench.call("ListObjectsV2", Bucket="bucket", MaxKeys=0)
    assert (none["KeyCount"], none["IsTruncated"], none["Contents"]) == (0, False, [])
