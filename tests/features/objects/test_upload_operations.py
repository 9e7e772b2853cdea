"""Multipart uploads."""

from __future__ import annotations

import base64
import io
import zlib
from typing import Any

import pytest

from bottega.errors import BottegaError
from bottega.features.objects.uploads import SMALLEST_PART
from bottega.testing.object_bench import ObjectBench

FIRST = b"1" * SMALLEST_PART


def begin(bench: ObjectBench, key: str = "k", **more: Any) -> dict[str, Any]:
    begun = bench.call("CreateMultipartUpload", Bucket="bucket", Key=key, **more)
    return {"Bucket": "bucket", "Key": key, "UploadId": begun["UploadId"]}


def part(bench: ObjectBench, upload: dict[str, Any], number: int, body: bytes) -> dict[str, Any]:
    answer = bench.call("UploadPart", **upload, PartNumber=number, Body=io.BytesIO(body))
    return {"PartNumber": number, "ETag": answer["ETag"]}


def refusal(bench: ObjectBench, operation: str, **request: Any) -> BottegaError:
    """The error of a request that must be refused and change nothing."""
    before = bench.snapshot()
    with pytest.raises(BottegaError) as caught:
        bench.call(operation, **request)
    assert bench.snapshot() == before
    return caught.value


def content(bench: ObjectBench, key: str) -> bytes:
    with bench.call("GetObject", Bucket="bucket", Key=key)["Body"] as stream:
        data: bytes = stream.read()
    return data


def test_an_upload_from_beginning_to_end(bench: ObjectBench) -> None:
    upload = begin(bench, ContentType="text/plain", Metadata={"a": "1"})
    parts = [part(bench, upload, 1, FIRST), part(bench, upload, 7, b"last")]
    listed = bench.call("ListParts", **upload)
    assert [(p["PartNumber"], p["Size"]) for p in listed["Parts"]] == [(1, len(FIRST)), (7, 4)]
    assert listed["IsTruncated"] is False
    some = bench.call("ListParts", **upload, MaxParts=1)
    assert (some["IsTruncated"], some["NextPartNumberMarker"]) == (True, 1)
    rest = bench.call("ListParts", **upload, PartNumberMarker=1)
    assert [p["PartNumber"] for p in rest["Parts"]] == [7]
    done = bench.call("CompleteMultipartUpload", **upload, MultipartUpload={"Parts": parts})
    assert done["ETag"].endswith('-2"')
    assert content(bench, "k") == FIRST + b"last"
    head = bench.call("HeadObject", Bucket="bucket", Key="k")
    assert (head["ContentType"], head["Metadata"]) == ("text/plain", {"a": "1"})
    assert refusal(bench, "ListParts", **upload).code == "NoSuchUpload"


def test_parts_can_be_copied(bench: ObjectBench) -> None:
    bench.call("PutObject", Bucket="bucket", Key="source", Body=FIRST + b"0123456789")
    upload = begin(bench)
    copied: list[dict[str, Any]] = []
    for number, more in ((1, {}), (2, {"CopySourceRange": f"bytes={len(FIRST)}-{len(FIRST) + 3}"})):
        answer = bench.call(
            "UploadPartCopy", **upload, PartNumber=number, CopySource="bucket/source", **more
        )
        copied.append({"PartNumber": number, "ETag": answer["CopyPartResult"]["ETag"]})
    bench.call("CompleteMultipartUpload", **upload, MultipartUpload={"Parts": copied})
    assert content(bench, "k") == FIRST + b"0123456789" + b"0123"


def test_aborting(bench: ObjectBench) -> None:
    before = bench.snapshot()
    upload = begin(bench)
    part(bench, upload, 1, FIRST)
    assert bench.call("AbortMultipartUpload", **upload) == {}
    assert bench.snapshot() == before
    for operation, more in (
        ("AbortMultipartUpload", {}),
        ("UploadPart", {"PartNumber": 1, "Body": b""}),
        ("CompleteMultipartUpload", {"MultipartUpload": {"Parts": [{"PartNumber": 1}]}}),
    ):
        error = refusal(bench, operation, **upload, **more)
        assert (error.code, error.status) == ("NoSuchUpload", 404)


def test_what_is_refused_of_parts(bench: ObjectBench) -> None:
    bench.call("PutObject", Bucket="bucket", Key="source", Body=b"0123456789")
    upload = begin(bench)
    copy = {"PartNumber": 1, "CopySource": "bucket/source"}
    for operation, more, code in (
        ("UploadPart", {"PartNumber": 0, "Body": b""}, "InvalidArgument"),
        ("UploadPart", {"PartNumber": 10_001, "Body": b""}, "InvalidArgument"),
        ("UploadPart", {"PartNumber": 1, "Body": b"", "ContentMD5": "A" * 22 + "=="}, "BadDigest"),
        ("UploadPart", {"PartNumber": 1, "Body": b"x", "ChecksumCRC32": "AAAAAA=="}, "BadDigest"),
        ("UploadPart", {"PartNumber": 1, "Body": b"", "Key": "other"}, "NoSuchUpload"),
        ("UploadPart", {"PartNumber": 1, "Body": b"", "UploadId": "../../x"}, "NoSuchUpload"),
        ("UploadPart", {"PartNumber": 1, "Body": b"", "SSECustomerKey": "k"}, "NotImplemented"),
        ("UploadPartCopy", {**copy, "CopySourceRange": "bytes=5-10"}, "InvalidArgument"),
        ("UploadPartCopy", {**copy, "CopySourceRange": "bytes=-5"}, "InvalidArgument"),
        ("UploadPartCopy", {**copy, "CopySource": "bucket/absent"}, "NoSuchKey"),
        ("ListParts", {"MaxParts": -1}, "InvalidArgument"),
    ):
        error = refusal(bench, operation, **{**upload, **more})
        assert error.code == code, more


def test_a_checked_part_says_so(bench: ObjectBench) -> None:
    crc = base64.b64encode(zlib.crc32(b"x").to_bytes(4, "big")).decode()
    answer = bench.call("UploadPart", **begin(bench), PartNumber=1, Body=b"x", ChecksumCRC32=crc)
    assert answer["ChecksumCRC32"] == crc


def test_what_is_refused_of_completions(bench: ObjectBench) -> None:
    bench.call("PutObject", Bucket="bucket", Key="k", Body=b"before")
    upload = begin(bench)
    one, two = part(bench, upload, 1, FIRST), part(bench, upload, 2, b"small")
    three = part(bench, upload, 3, b"last")
    for parts, more, code in (
        ([], {}, "MalformedXML"),
        ([two, one], {}, "InvalidPartOrder"),
        ([one, one], {}, "InvalidPartOrder"),
        ([one, {"PartNumber": 9, "ETag": one["ETag"]}], {}, "InvalidPart"),
        ([one, {"PartNumber": 2, "ETag": one["ETag"]}], {}, "InvalidPart"),
        ([one, {"PartNumber": 2}], {}, "InvalidPart"),
        ([one, two, three], {}, "EntityTooSmall"),
        ([one, two], {"MpuObjectSize": 3}, "InvalidRequest"),
        ([one, two], {"IfNoneMatch": "*"}, "PreconditionFailed"),
        ([one, two], {"IfMatch": "x"}, "NotImplemented"),
        ([one, two], {"ChecksumCRC32": "AAAAAA=="}, "NotImplemented"),
    ):
        error = refusal(
            bench, "CompleteMultipartUpload", **upload, MultipartUpload={"Parts": parts}, **more
        )
        assert error.code == code, (parts, more)
    assert content(bench, "k") == b"before"
    bench.call("CompleteMultipartUpload", **upload, MultipartUpload={"Parts": [one, three]})
    assert content(bench, "k") == FIRST + b"last"
