"""The S3 face through unmodified boto3 and requests, over a real socket."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import botocore.config
import botocore.exceptions
import pytest
import requests
from boto3.s3.transfer import TransferConfig

from bottega.clock import SystemClock
from bottega.testing.object_bench import ObjectBench, listening, object_bench
from bottega.testing.object_store_samples import bytes_of

SESSION = boto3.session.Session()

WEIRD_KEYS = (
    "a/../b",
    "../../etc/passwd",
    "..",
    ".",
    "./x",
    "//double",
    "a//b",
    "trailing/",
    "trailing",
    "with space",
    "plus+plus",
    "percent%2Fslash",
    "100%",
    "question?mark",
    "hash#mark",
    "amp&and=equals",
    "semi;colon,comma",
    "quote'\"<>",
    "back\\slash",
    "città/日本語/𝄞",
    "e\u0301 is not \u00e9",
    "\u00e9",
    "tab\tand\nnewline\rreturn",
    "~!@$^*()[]{}|`",
    "k" * 1024,
)


@pytest.fixture(scope="module")
def s3_bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectBench]:
    home = tmp_path_factory.mktemp("s3")
    with object_bench(home, SystemClock()) as bench, listening(bench) as live:
        bench.call("CreateBucket", Bucket="bucket")
        yield live


def client(bench: ObjectBench, **settings: Any) -> Any:
    config = botocore.config.Config(retries={"total_max_attempts": 1}, **settings.pop("config", {}))
    settings = {"endpoint_url": bench.url, **bench.keys, **settings}
    return SESSION.client("s3", config=config, **settings)


@pytest.fixture(scope="module")
def s3(s3_bench: ObjectBench) -> Iterator[Any]:
    made = client(s3_bench)
    yield made
    made.close()


def code_of(error: pytest.ExceptionInfo[botocore.exceptions.ClientError]) -> tuple[str, int]:
    response = error.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def test_the_probe_for_the_default_bucket(s3: Any) -> None:
    name = "sagemaker-us-east-1-000000000000"
    with pytest.raises(botocore.exceptions.ClientError) as error:
        s3.head_bucket(Bucket=name, ExpectedBucketOwner="000000000000")
    assert code_of(error) == ("404", 404)
    assert error.value.response["Error"]["Message"] == "Not Found"
    s3.create_bucket(Bucket=name)
    assert name in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    s3.head_bucket(Bucket=name, ExpectedBucketOwner="000000000000")
    with pytest.raises(botocore.exceptions.ClientError) as error:
        s3.head_bucket(Bucket=name, ExpectedBucketOwner="111122223333")
    assert code_of(error) == ("403", 403)
    assert error.value.response["Error"]["Message"] == "Forbidden"
    assert s3.get_bucket_location(Bucket=name)["LocationConstraint"] is None
    s3.delete_bucket(Bucket=name)


def test_an_object_from_beginning_to_end(s3: Any) -> None:
    body = bytes_of(100_000)
    etag = f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'
    answer = s3.put_object(
        Bucket="bucket",
        Key="some/key",
        Body=body,
        ContentType="text/csv",
        CacheControl="no-cache",
        Metadata={"Owner": "me", "note": "a, b"},
    )
    assert answer["ETag"] == etag
    assert answer["ChecksumCRC32"]
    got = s3.get_object(Bucket="bucket", Key="some/key")
    assert got["Body"].read() == body
    assert (got["ContentLength"], got["ETag"], got["ContentType"]) == (100_000, etag, "text/csv")
    assert got["Metadata"] == {"owner": "me", "note": "a, b"}
    assert got["CacheControl"] == "no-cache"
    assert got["ChecksumCRC32"] == answer["ChecksumCRC32"]
    head = s3.head_object(Bucket="bucket", Key="some/key")
    assert (head["ContentLength"], head["LastModified"]) == (100_000, got["LastModified"])
    assert head["ResponseMetadata"]["RequestId"]
    part = s3.get_object(Bucket="bucket", Key="some/key", Range="bytes=10-19")
    assert part["Body"].read() == body[10:20]
    assert part["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert (part["ContentRange"], part["ContentLength"]) == ("bytes 10-19/100000", 10)
    deleted = s3.delete_object(Bucket="bucket", Key="some/key")
    assert deleted["ResponseMetadata"]["HTTPStatusCode"] == 204
    with pytest.raises(s3.exceptions.NoSuchKey) as error:
        s3.get_object(Bucket="bucket", Key="some/key")
    assert error.value.response["Error"]["Key"] == "some/key"
    with pytest.raises(botocore.exceptions.ClientError) as missing:
        s3.head_object(Bucket="bucket", Key="some/key")
    assert code_of(missing) == ("404", 404)


def test_an_empty_object(s3: Any) -> None:
    s3.put_object(Bucket="bucket", Key="empty")
    got = s3.get_object(Bucket="bucket", Key="empty")
    assert (got["Body"].read(), got["ContentType"]) == (b"", "binary/octet-stream")


def test_conditions(s3: Any) -> None:
    etag = s3.put_object(Bucket="bucket", Key="cond", Body=b"x")["ETag"]
    with pytest.raises(botocore.exceptions.ClientError) as error:
        s3.get_object(Bucket="bucket", Key="cond", IfNoneMatch=etag)
    assert code_of(error) == ("304", 304)
    with pytest.raises(botocore.exceptions.ClientError) as error:
        s3.get_object(Bucket="bucket", Key="cond", IfMatch='"other"')
    assert code_of(error) == ("PreconditionFailed", 412)
    with pytest.raises(botocore.exceptions.ClientError) as error:
        s3.put_object(Bucket="bucket", Key="cond", Body=b"y", IfNoneMatch="*")
    assert code_of(error) == ("PreconditionFailed", 412)
    modified = s3.head_object(Bucket="bucket", Key="cond")["LastModified"]
    with pytest.raises(botocore.exceptions.ClientError) as error:
        s3.get_object(Bucket="bucket", Key="cond", IfModifiedSince=modified)
    assert code_of(error) == ("304", 304)


@pytest.mark.parametrize("key", WEIRD_KEYS)
def test_weird_keys_round_trip(s3: Any, key: str) -> None:
    bucket = "weird"
    s3.create_bucket(Bucket=bucket)
    try:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()
        for operation in (s3.list_objects_v2, s3.list_objects):
            assert [each["Key"] for each in operation(Bucket=bucket)["Contents"]] == [key]
        s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": key})
        assert s3.get_object(Bucket=bucket, Key="copy")["Body"].read() == key.encode()
        doomed = {"Objects": [{"Key": key}, {"Key": "copy"}]}
        assert "Errors" not in s3.delete_objects(Bucket=bucket, Delete=doomed)
        assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    finally:
        s3.delete_bucket(Bucket=bucket)


def test_twenty_megabytes_in_parts(s3: Any, tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(bytes_of(20 * 1024 * 1024))
    s3.upload_file(str(source), "bucket", "large", ExtraArgs={"Metadata": {"a": "1"}})
    head = s3.head_object(Bucket="bucket", Key="large")
    assert (head["ContentLength"], head["Metadata"]) == (20 * 1024 * 1024, {"a": "1"})
    assert head["ETag"].endswith('-3"')
    s3.download_file("bucket", "large", str(target))
    assert target.read_bytes() == source.read_bytes()
    s3.copy({"Bucket": "bucket", "Key": "large"}, "bucket", "large-copy")
    copied = s3.get_object(Bucket="bucket", Key="large-copy", Range="bytes=8388600-8388620")
    assert copied["Body"].read() == source.read_bytes()[8388600:8388621]
    s3.delete_objects(
        Bucket="bucket", Delete={"Objects": [{"Key": "large"}, {"Key": "large-copy"}]}
    )


def test_parts_that_are_copied(s3: Any) -> None:
    body = bytes_of(11 * 1024 * 1024)
    s3.put_object(Bucket="bucket", Key="source", Body=body)
    config = TransferConfig(multipart_threshold=1, multipart_chunksize=6 * 1024 * 1024)
    s3.copy({"Bucket": "bucket", "Key": "source"}, "bucket", "target", Config=config)
    got = s3.get_object(Bucket="bucket", Key="target")
    assert got["Body"].read() == body
    assert got["ETag"].endswith('-2"')


def test_an_upload_by_hand(s3: Any) -> None:
    upload = s3.create_multipart_upload(Bucket="bucket", Key="by hand")["UploadId"]
    place = {"Bucket": "bucket", "Key": "by hand", "UploadId": upload}
    etag = s3.upload_part(**place, PartNumber=3, Body=b"data")["ETag"]
    listed = s3.list_parts(**place)
    assert [(p["PartNumber"], p["ETag"], p["Size"]) for p in listed["Parts"]] == [(3, etag, 4)]
    done = s3.complete_multipart_upload(
        **place, MultipartUpload={"Parts": [{"PartNumber": 3, "ETag": etag}]}
    )
    assert (done["Bucket"], done["Key"]) == ("bucket", "by hand")
    assert s3.get_object(Bucket="bucket", Key="by hand")["Body"].read() == b"data"
    aborted = s3.create_multipart_upload(Bucket="bucket", Key="by hand")["UploadId"]
    answer = s3.abort_multipart_upload(Bucket="bucket", Key="by hand", UploadId=aborted)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    with pytest.raises(s3.exceptions.NoSuchUpload):
        s3.list_parts(Bucket="bucket", Key="by hand", UploadId=aborted)


def test_listing_2500_keys(s3: Any, s3_bench: ObjectBench) -> None:
    s3.create_bucket(Bucket="many")
    names = sorted(f"folder {number % 50:02}/é{number:04}" for number in range(2500))
    s3_bench.fill("many", names)
    for operation in ("list_objects_v2", "list_objects"):
        pages = list(s3.get_paginator(operation).paginate(Bucket="many"))
        assert [len(page["Contents"]) for page in pages] == [1000, 1000, 500]
        assert [each["Key"] for page in pages for each in page["Contents"]] == names
        folders = s3.get_paginator(operation).paginate(
            Bucket="many", Delimiter="/", PaginationConfig={"PageSize": 7}
        )
        prefixes = [each["Prefix"] for page in folders for each in page["CommonPrefixes"]]
        assert prefixes == [f"folder {number:02}/" for number in range(50)]
    within = s3.list_objects_v2(Bucket="many", Prefix="folder 07/", StartAfter="folder 07/é0100")
    assert (within["KeyCount"], within["StartAfter"]) == (48, "folder 07/é0100")
    for start in range(0, 2500, 1000):
        doomed = [{"Key": name} for name in names[start : start + 1000]]
        answer = s3.delete_objects(Bucket="many", Delete={"Objects": doomed})
        assert len(answer["Deleted"]) == len(doomed)
    s3.delete_bucket(Bucket="many")


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_presigned_urls(s3_bench: ObjectBench, version: str) -> None:
    signer = client(s3_bench, config={"signature_version": version})
    key = "presigned/é +&.csv"
    place = {"Bucket": "bucket", "Key": key}
    put = signer.generate_presigned_url("put_object", Params=place, ExpiresIn=60)
    body = bytes_of(70_000)
    answer = requests.put(put, data=body, timeout=30)
    assert (answer.status_code, answer.text) == (200, "")
    named = {**place, "ResponseContentType": "text/csv"}
    get = signer.generate_presigned_url("get_object", Params=named, ExpiresIn=60)
    got = requests.get(get, timeout=30)
    assert (got.content, got.headers["Content-Type"]) == (body, "text/csv")
    part = requests.get(get, headers={"Range": "bytes=5-9"}, timeout=30)
    assert (part.status_code, part.content) == (206, body[5:10])
    assert requests.put(get, data=b"other", timeout=30).status_code == 403
    assert requests.get(get.replace("presigned", "other"), timeout=30).status_code == 403
    signer.close()


def test_virtual_hosts(s3_bench: ObjectBench) -> None:
    s3 = client(s3_bench)
    s3.put_object(Bucket="bucket", Key="by/host", Body=b"data")
    url = s3.generate_presigned_url("get_object", {"Bucket": "bucket", "Key": "by/host"})
    s3.close()
    host = s3_bench.url.removeprefix("http://127.0.0.1")
    virtual = client(
        s3_bench,
        endpoint_url=f"http://localhost{host}",
        config={"s3": {"addressing_style": "virtual"}, "signature_version": "s3v4"},
    )
    url = virtual.generate_presigned_url("get_object", {"Bucket": "bucket", "Key": "by/host"})
    virtual.close()
    assert url.startswith(f"http://bucket.localhost{host}/by/host")
    # Not every resolver knows names under localhost, so the address is given.
    got = requests.get(
        url.replace("bucket.localhost", "127.0.0.1"),
        headers={"Host": f"bucket.localhost{host}"},
        timeout=30,
    )
    assert (got.status_code, got.content) == (200, b"data")


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
def test_checksums_boto3_sends_and_verifies(s3: Any, algorithm: str) -> None:
    key = f"checked-{algorithm}"
    stored = s3.put_object(
        Bucket="bucket", Key=key, Body=io.BytesIO(b"data"), ChecksumAlgorithm=algorithm
    )
    got = s3.get_object(Bucket="bucket", Key=key, ChecksumMode="ENABLED")
    assert got["Body"].read() == b"data"
    assert got[f"Checksum{algorithm}"] == stored[f"Checksum{algorithm}"]
    (listed,) = s3.list_objects_v2(Bucket="bucket", Prefix=key)["Contents"]
    assert listed["ChecksumAlgorithm"] == [algorithm]


def test_what_is_not_implemented_says_so(s3: Any) -> None:
    for call, arguments in (
        (s3.get_object_tagging, {"Key": "k"}),
        (s3.put_object_tagging, {"Key": "k", "Tagging": {"TagSet": [{"Key": "a", "Value": "b"}]}}),
        (s3.get_bucket_policy, {}),
        (s3.get_bucket_cors, {}),
        (s3.put_bucket_website, {"WebsiteConfiguration": {}}),
        (s3.get_bucket_versioning, {}),
        (s3.list_object_versions, {}),
        (s3.get_object_attributes, {"Key": "k", "ObjectAttributes": ["ETag"]}),
        (s3.put_object, {"Key": "k", "ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "mine"}),
    ):
        with pytest.raises(botocore.exceptions.ClientError, match=r"docs/coverage\.md") as error:
            call(Bucket="bucket", **arguments)
        assert code_of(error) == ("NotImplemented", 400)
