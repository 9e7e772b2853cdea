"""From method, host, path and query to an operation."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bottega import specs
from bottega.errors import BottegaError
from bottega.wire.message import WireRequest
from bottega.wire.s3_routes import (
    InvalidURI,
    MethodNotAllowed,
    NotImplementedOnWire,
    address_of,
    operation_of,
)


def request(method: str, target: str, **headers: str) -> WireRequest:
    path, _, query = target.partition("?")
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return WireRequest(method, path, query, {"host": "127.0.0.1:80", **named})


@pytest.mark.parametrize(
    ("method", "target", "operation"),
    [
        ("GET", "/", "ListBuckets"),
        ("PUT", "/b", "CreateBucket"),
        ("PUT", "/b/", "CreateBucket"),
        ("HEAD", "/b", "HeadBucket"),
        ("DELETE", "/b", "DeleteBucket"),
        ("GET", "/b?location", "GetBucketLocation"),
        ("GET", "/b?location=", "GetBucketLocation"),
        ("GET", "/b", "ListObjects"),
        ("GET", "/b?prefix=a&marker=b", "ListObjects"),
        ("GET", "/b?list-type=1", "ListObjects"),
        ("GET", "/b?list-type=2&prefix=a", "ListObjectsV2"),
        ("GET", "/b?prefix=a&list-type=2", "ListObjectsV2"),
        ("POST", "/b?delete", "DeleteObjects"),
        ("GET", "/b?uploads", "ListMultipartUploads"),
        ("GET", "/b?policy", "GetBucketPolicy"),
        ("GET", "/b?cors", "GetBucketCors"),
        ("GET", "/b/k", "GetObject"),
        ("GET", "/b//", "GetObject"),
        ("GET", "/b/k?x-id=GetObject&versionId=null", "GetObject"),
        ("HEAD", "/b/k", "HeadObject"),
        ("PUT", "/b/k", "PutObject"),
        ("DELETE", "/b/k", "DeleteObject"),
        ("POST", "/b/k?uploads", "CreateMultipartUpload"),
        ("PUT", "/b/k?partNumber=1&uploadId=u", "UploadPart"),
        ("GET", "/b/k?uploadId=u", "ListParts"),
        ("POST", "/b/k?uploadId=u", "CompleteMultipartUpload"),
        ("DELETE", "/b/k?uploadId=u", "AbortMultipartUpload"),
        ("GET", "/b/k?tagging", "GetObjectTagging"),
        ("PUT", "/b/k?acl", "PutObjectAcl"),
        ("GET", "/b/k?attributes", "GetObjectAttributes"),
    ],
)
def test_operations(method: str, target: str, operation: str) -> None:
    sent = request(method, target)
    assert operation_of(method, address_of(sent), sent.headers) == operation


def test_headers_tell_copies() -> None:
    sent = request("PUT", "/b/k", x_amz_copy_source="a/b")
    assert operation_of("PUT", address_of(sent), sent.headers) == "CopyObject"
    sent = request("PUT", "/b/k?partNumber=1&uploadId=u", x_amz_copy_source="a/b")
    assert operation_of("PUT", address_of(sent), sent.headers) == "UploadPartCopy"


@pytest.mark.parametrize(
    ("target", "bucket", "key"),
    [
        ("/", "", ""),
        ("/b", "b", ""),
        ("/b/", "b", ""),
        ("/b//k", "b", "/k"),
        ("/b/a/../b", "b", "a/../b"),
        ("/b/%2e%2e/x", "b", "../x"),
        ("/b/a%2Fb", "b", "a/b"),
        ("/b/a+b%20c", "b", "a+b c"),
        ("/b/%C3%A9", "b", "é"),
        ("/b/%252F", "b", "%2F"),
        ("/%2e%2e/x", "..", "x"),
    ],
)
def test_addresses(target: str, bucket: str, key: str) -> None:
    address = address_of(request("GET", target))
    assert (address.bucket, address.key) == (bucket, key)


@pytest.mark.parametrize(
    ("host", "bucket", "key"),
    [
        ("my-bucket.localhost", "my-bucket", "a/b"),
        ("my-bucket.localhost:8080", "my-bucket", "a/b"),
        ("My-Bucket.Localhost:8080", "my-bucket", "a/b"),
        ("a.b.localhost", "a.b", "a/b"),
        ("my-bucket.s3.localhost", "my-bucket", "a/b"),
        ("s3.localhost", "a", "b"),
        ("localhost", "a", "b"),
        ("localhost:80", "a", "b"),
        ("127.0.0.1:80", "a", "b"),
        ("my-bucket.localhost.example.com", "a", "b"),
    ],
)
def test_virtual_hosts(host: str, bucket: str, key: str) -> None:
    address = address_of(request("GET", "/a/b", host=host))
    assert (address.bucket, address.key) == (bucket, key)


@pytest.mark.parametrize(
    ("method", "target", "error"),
    [
        ("OPTIONS", "/b/k", NotImplementedOnWire),
        ("POST", "/b", NotImplementedOnWire),
        ("POST", "/", MethodNotAllowed),
        ("DELETE", "/", MethodNotAllowed),
        ("PATCH", "/b/k", MethodNotAllowed),
        ("POST", "/b/k", MethodNotAllowed),
        ("GET", "/b/%ff", InvalidURI),
        ("GET", "/%ff", InvalidURI),
        ("GET", "/b?prefix=%ff", InvalidURI),
        ("GET", "/b?" + "&".join(f"a{n}=1" for n in range(200)), InvalidURI),
    ],
)
def test_what_is_refused(method: str, target: str, error: type[BottegaError]) -> None:
    sent = request(method, target)
    with pytest.raises(error):
        operation_of(method, address_of(sent), sent.headers)


@given(
    st.sampled_from(["GET", "PUT", "POST", "HEAD", "DELETE", "OPTIONS", "FOO"]),
    st.text("/ab%.?&=+é\x00", max_size=30),
    st.text("listype-2uploadsIdversion=&%", max_size=30),
)
def test_anything_is_an_operation_or_refused(method: str, path: str, query: str) -> None:
    sent = WireRequest(method, "/" + path, query, {})
    try:
        operation = operation_of(method, address_of(sent), sent.headers)
    except BottegaError:
        return
    assert specs.exists("s3", operation)
